package handlers

import (
	"bytes"
	"statuspage/handlers/answer"
	"statuspage/internal/board"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	// detailSamples and detailOutages are how many a service's own page lists.
	detailSamples = 15
	detailOutages = 10
	// maxDetails bounds the pages of services, each in one look, that are kept live at a time.
	maxDetails = 512
	// pageMonths is for how many calendar months it tells the uptime.
	pageMonths = 3
)

// detailEdition is the stream of one service's page in one look, there while somebody watches.
type detailEdition struct {
	service int
	look    look
	frames  *sse.Stream
}

// service answers GET /services/{id}.
func (s *Server) service(c *fiber.Ctx) error {
	i, ok := s.board.Find(answer.Param(c, "id"))
	if !ok {
		return answer.NotFound("error.service")
	}
	k, err := s.look(c)
	if err != nil {
		return err
	}
	chart := c.Query("chart", liveChart)
	if _, known := chartSteps[chart]; !known {
		return answer.Unprocessable("chart must be 24h, 7d, 30d or 90d.")
	}
	from, to := c.Query("from"), c.Query("to")
	if len(from)+len(to) > 2*len(views.DayPath) {
		return answer.Unprocessable("from and to must be days, such as 2026-03-29.")
	}
	build := func() ([]byte, error) {
		html := s.live.bytes(s.servicePage(c, i, k, chart, from, to))
		return html, nil
	}
	e, err := s.pages.Get(s.live.version.Load(), answer.Key("service", strconv.Itoa(i), k.key(), chart, from, to), build)
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}

// serviceTitle is what the browser's tab says of a service: its state first of all.
func (l *live) serviceTitle(service int, k look, state status.Outcome) string {
	svc := l.board.Services()[service]
	return svc.Name + ": " + views.StateText(k.lang, svc, state) + " · " + l.site.Title
}

func serviceHead(l *live, k look, svc status.Service, keep ...views.Pair) views.Head {
	head := l.head(k, views.ServicePath(svc.ID), svc.Name+" · "+l.site.Title, keep...)
	head.Feeds = l.pageFeeds(k, &svc)
	return head
}

// detail is the live part of a service's page.
func (l *live) detail(service int, k look, now time.Time) views.Detail {
	svc, to := l.board.Services()[service], l.local(k)
	state := l.board.State(service, now)
	d := views.Detail{
		Samples: samplesOf(l.board.Reports(service, detailSamples, ""), to),
		Title:   l.serviceTitle(service, k, state), State: state.String(),
	}
	window := min(k.window.Length(), board.RegionReach)
	d.Window = views.PeriodText(k.lang, window)
	for _, r := range l.board.Regions(service, window, now) {
		d.Regions = append(d.Regions, views.BuildRegion(k.lang, r.Name, r.State, r.Last, r.Counts))
	}
	outages := l.board.Outages(service, now)
	if d.More = len(outages) > detailOutages; d.More {
		outages = outages[:detailOutages]
	}
	d.Outages = views.BuildOutages(outages, svc, now, to)
	for _, p := range status.Periods {
		d.Uptimes = append(d.Uptimes, views.BuildUptime(svc, views.PeriodText(k.lang, p.Length), l.board.Uptime(service, p.Length, now), to))
	}
	year, month, _ := now.In(k.zone).Date()
	for back := range pageMonths {
		from := time.Date(year, month-time.Month(back), 1, 0, 0, 0, 0, k.zone)
		until := time.Date(year, month-time.Month(back)+1, 1, 0, 0, 0, 0, k.zone)
		if now.Sub(from) > boardReach {
			break
		}
		sum := l.board.Counts(service, from, until, now)
		d.Uptimes = append(d.Uptimes, views.BuildUptime(svc, k.lang.Month(from), sum, to))
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

// boardReach is how far back the board's counts are complete.
const boardReach = 91 * 24 * time.Hour

// detailFrame draws everything that is live on a service's page.
func (l *live) detailFrame(d *detailEdition, now time.Time) []byte {
	var frame bytes.Buffer
	svc := l.board.Services()[d.service]
	head := views.Head{Lang: d.look.lang, Site: l.dress}
	frame.Write(l.bytes(views.Partial(views.DOMID(svc.ID), l.row(d.service, d.look, now))))
	frame.Write(l.bytes(views.Partial("detail", views.DetailView(head, l.detail(d.service, d.look, now)))))
	// A page that shows another window of the chart has no such element.
	frame.Write(l.bytes(views.Partial("chart-"+liveChart, views.ChartView(head, l.chartOfDay(d.service, d.look, now)))))
	return frame.Bytes()
}

// renderDetails sends the pages of the dirty services (or all) to those who watch them; mu
// must be held.
func (l *live) renderDetails(dirty map[int]bool, all bool, version uint64, now time.Time) {
	for key, d := range l.details {
		if d.frames.Len() == 0 {
			delete(l.details, key)
			continue
		}
		if all || dirty[d.service] {
			d.frames.Publish(sse.Event(l.id(version), "", l.detailFrame(d, now)))
		}
	}
}

// watchService is watch for a service's own page.
func (l *live) watchService(service int, k look, since string, g sse.Guest) (catchUp *sse.Events, viewer sse.Joining) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := answer.Key(strconv.Itoa(service), k.key())
	d, there := l.details[key]
	if !there {
		d = &detailEdition{service: service, look: k, frames: l.hall.Stream(streamBacklog)}
		l.details[key] = d
	}
	switch seen, foreign := l.parse(since); {
	case foreign || l.next != nil:
		catchUp = sse.NewEvents(renewal)
	case l.touched[service] > seen.version:
		catchUp = sse.NewEvents(sse.Event(l.id(l.version.Load()), "", l.detailFrame(d, l.now())))
	}
	return catchUp, d.frames.Join(g)
}
