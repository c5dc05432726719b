package live

import (
	"bytes"
	"context"
	"log/slog"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/incident"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/views"
	"time"

	"github.com/a-h/templ"
)

const (
	// detailSamples and detailOutages are how many a service's own page lists.
	detailSamples = 15
	detailOutages = 10
	// pageMonths is for how many calendar months it tells the uptime.
	pageMonths = 3
)

// painter draws what is known of services now; it keeps nothing.
type painter struct {
	page  *page.Page
	log   *slog.Logger
	said  *incident.Lookout
	board *board.Board
}

// bytes renders a component. Writing to memory cannot fail, and our components return no
// errors of their own; should one do so all the same, the log says it.
func (p *painter) bytes(c templ.Component) []byte {
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		p.log.Error("render", "error", err)
	}
	return b.Bytes()
}

func (p *painter) row(svc *board.Service, k page.Preferences, now time.Time) templ.Component {
	r := svc.Row(k.Window, k.Zone, now)
	return views.RowView(p.declare(views.BuildStripRow(views.RowInput(r), k.Window, p.page.Local(k)), r, k, now))
}

// openRow is the row with each cell as a link.
func (p *painter) openRow(svc *board.Service, k page.Preferences, now time.Time) templ.Component {
	r := svc.Row(k.Window, k.Zone, now)
	return views.RowView(p.declare(views.BuildRow(views.RowInput(r), p.page.Local(k)), r, k, now))
}

// serviceTitle is what the browser's tab says of a service: its state first of all.
func (p *painter) serviceTitle(svc *board.Service, k page.Preferences, state status.Outcome) string {
	return svc.Name + ": " + views.StateText(k.Lang, svc.Service, state) + " · " + p.page.Title
}

// detail is the live part of a service's page.
func (p *painter) detail(service *board.Service, k page.Preferences, now time.Time) views.Detail {
	svc, to := service.Known(), p.page.Local(k)
	state := p.state(service, p.said.At(now), now)
	d := views.Detail{
		Samples: samplesOf(service.Reports(detailSamples, ""), to),
		Title:   p.serviceTitle(service, k, state), State: p.wordOf(service, state, now),
	}
	window := min(k.Window.Length(), board.RegionReach)
	d.Window = views.PeriodText(k.Lang, window)
	for _, r := range service.ByRegion(window, now) {
		d.Regions = append(d.Regions, views.BuildRegion(k.Lang, r.Name, r.State, r.Last, r.Counts))
	}
	outages := service.Outages(now)
	if d.More = len(outages) > detailOutages; d.More {
		outages = outages[:detailOutages]
	}
	d.Outages = views.BuildOutages(outages, svc, now, to)
	for _, p := range status.Periods {
		d.Uptimes = append(d.Uptimes, views.BuildUptime(svc, views.PeriodText(k.Lang, p.Length), service.Uptime(p.Length, now), to))
	}
	year, month, _ := now.In(k.Zone).Date()
	for back := range pageMonths {
		from := time.Date(year, month-time.Month(back), 1, 0, 0, 0, 0, k.Zone)
		until := time.Date(year, month-time.Month(back)+1, 1, 0, 0, 0, 0, k.Zone)
		if since, known := svc.Watched(); now.Sub(from) > figures.BoardReach || known && !until.After(since) {
			break
		}
		d.Uptimes = append(d.Uptimes, views.BuildUptime(svc, k.Lang.Month(from), service.Counts(from, until, now), to))
	}
	return d
}

// outage is the page of an outage.
func (p *painter) outage(o board.OutageOf, k page.Preferences, now time.Time) views.OutageView {
	view := views.BuildOutageView(o.Outage, o.Service.Known(), now, p.page.Local(k))
	view.Title = view.Headline + " · " + p.page.Title
	return view
}

// samplesOf puts measurements into words, newest first, each with its region.
func samplesOf(reports []board.Report, to views.Local) []views.SampleRow {
	samples := make([]status.Sample, len(reports))
	for i, r := range reports {
		samples[i] = r.Sample
	}
	rows := views.BuildSamples(samples, to)
	for i, r := range reports {
		rows[len(rows)-1-i].Region = r.Region
	}
	return rows
}

// detailFrame draws everything that is live on a service's page.
func (p *painter) detailFrame(svc *board.Service, k page.Preferences, now time.Time) []byte {
	var frame bytes.Buffer
	head := views.Head{Lang: k.Lang, Site: p.page.Dress}
	frame.Write(p.bytes(views.Partial(views.DOMID(svc.ID), p.openRow(svc, k, now))))
	frame.Write(p.bytes(views.Partial("detail", views.DetailView(head, p.detail(svc, k, now)))))
	// A page that shows another window of the chart has no such element.
	frame.Write(p.bytes(views.Partial("chart-"+figures.LiveChart, views.ChartView(head, figures.ChartOfDay(svc, now, p.page.Local(k))))))
	return frame.Bytes()
}
