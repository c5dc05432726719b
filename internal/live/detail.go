package live

import (
	"bytes"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/page"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"time"
)

const (
	// detailSamples and detailOutages are how many a service's own page lists.
	detailSamples = 15
	detailOutages = 10
	// pageMonths is for how many calendar months it tells the uptime.
	pageMonths = 3
)

// detailOf names the page of a service in one way to see it.
type detailOf struct {
	service string
	prefers page.Preferences
}

// detail is the stream of one service's page, there while somebody watches.
type detail struct {
	service *board.Service
	frames  *sse.Stream
}

// ServicePage begins the page of one service: what of it is kept fresh, and by which stream. The caller fills in the rest.
func (l *Live) ServicePage(svc *board.Service, k page.Preferences, keep ...views.Pair) (views.Head, views.ServiceView) {
	now, version := l.now(), l.Version()
	head := l.page.ServiceHead(k, svc.Service, append([]views.Pair{k.WindowPair()}, keep...)...)
	state := svc.State(now)
	head.Title = l.serviceTitle(svc, k, state)
	keepFresh(&head, state)
	return head, views.ServiceView{
		Partial: len(svc.Regions) > 0,
		ID:      svc.ID, Name: svc.Name, URL: svc.PublicURL(), About: k.Lang.T("every", k.Lang.Duration(svc.Interval)),
		Window: k.Window.Name, Cells: k.Window.Cells,
		Row:    l.row(svc, k, now),
		Detail: views.DetailView(head, l.detail(svc, k, now)),
		Stream: l.page.Base.At("/events?service="+svc.ID) + "&" + k.Query() + "&since=" + l.names.id(version),
	}
}

// serviceTitle is what the browser's tab says of a service: its state first of all.
func (l *Live) serviceTitle(svc *board.Service, k page.Preferences, state status.Outcome) string {
	return svc.Name + ": " + views.StateText(k.Lang, svc.Service, state) + " · " + l.page.Title
}

// detail is the live part of a service's page.
func (l *Live) detail(service *board.Service, k page.Preferences, now time.Time) views.Detail {
	svc, to := service.Known(), l.page.Local(k)
	state := service.State(now)
	d := views.Detail{
		Samples: samplesOf(service.Reports(detailSamples, ""), to),
		Title:   l.serviceTitle(service, k, state), State: state.String(),
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
		if now.Sub(from) > figures.BoardReach {
			break
		}
		d.Uptimes = append(d.Uptimes, views.BuildUptime(svc, k.Lang.Month(from), service.Counts(from, until, now), to))
	}
	return d
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
func (l *Live) detailFrame(svc *board.Service, k page.Preferences, now time.Time) []byte {
	var frame bytes.Buffer
	head := views.Head{Lang: k.Lang, Site: l.page.Dress}
	frame.Write(l.bytes(views.Partial(views.DOMID(svc.ID), l.row(svc, k, now))))
	frame.Write(l.bytes(views.Partial("detail", views.DetailView(head, l.detail(svc, k, now)))))
	// A page that shows another window of the chart has no such element.
	frame.Write(l.bytes(views.Partial("chart-"+figures.LiveChart, views.ChartView(head, figures.ChartOfDay(svc, now, l.page.Local(k))))))
	return frame.Bytes()
}

// renderDetails sends the pages of the dirty services (or all) to those who watch them; mu
// must be held.
func (l *Live) renderDetails(dirty map[int]bool, all bool, version uint64, now time.Time) {
	for of, d := range l.details {
		if d.frames.Len() == 0 {
			delete(l.details, of)
			continue
		}
		if all || dirty[l.at[of.service]] {
			d.frames.Publish(sse.Event(l.names.id(version), "", l.detailFrame(d.service, of.prefers, now)))
		}
	}
}

// WatchService is Watch for a service's own page.
func (l *Live) WatchService(svc *board.Service, k page.Preferences, since string, g sse.Guest) (catchUp *sse.Events, viewer sse.Joining) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := detailOf{svc.ID, k}
	d, there := l.details[of]
	if !there {
		d = &detail{service: svc, frames: l.broker.Stream(streamBacklog)}
		l.details[of] = d
	}
	switch seen, foreign := l.names.parse(since); {
	case foreign || l.next != nil:
		catchUp = sse.NewEvents(renewal)
	case l.touched[l.at[svc.ID]] > seen.version:
		catchUp = sse.NewEvents(sse.Event(l.names.id(l.version.Load()), "", l.detailFrame(svc, k, l.now())))
	}
	return catchUp, d.frames.Join(g)
}
