package compat

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"statuspage/handlers/answer"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/views"
	"statuspage/views/badge"
	"statuspage/views/lang"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// What Gatus answers besides badges, for dashboards that read it. Nothing here is not on
// the page already: a check's conditions and a hidden target stay unsaid.
// https://github.com/TwiN/gatus/tree/master/api

const (
	gatusKept     = 100 // Results of an endpoint that Gatus keeps unless told otherwise, and as many a page has at most.
	gatusPageSize = 50
	gatusEvents   = 50
)

// gatusChartDurations are those that Gatus draws; an hour would be a point or two.
const gatusChartDurations = "Durations supported: 30d, 7d, 24h"

type gatusResult struct {
	Status     int       `json:"status,omitempty"`
	Hostname   string    `json:"hostname,omitempty"`
	Duration   int64     `json:"duration"` // Nanoseconds.
	Errors     []string  `json:"errors,omitempty"`
	Conditions []string  `json:"conditionResults"` // Empty, as with Gatus's hide-conditions.
	Success    bool      `json:"success"`
	Timestamp  time.Time `json:"timestamp"`
}

type gatusEvent struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
}

type gatusStatus struct {
	Name    string        `json:"name"`
	Group   string        `json:"group,omitempty"`
	Key     string        `json:"key"`
	Results []gatusResult `json:"results"`
	Events  []gatusEvent  `json:"events,omitempty"`
}

// gatusPage reads page and pageSize; what makes no sense falls back, as it does in Gatus.
func gatusPage(c *fiber.Ctx) (page, size int) {
	page, err := strconv.Atoi(c.Query("page"))
	if err != nil || page < 1 {
		page = 1
	}
	size, err = strconv.Atoi(c.Query("pageSize"))
	if err != nil || size < 1 {
		size = gatusPageSize
	}
	return min(page, gatusKept+1), min(size, gatusKept)
}

// gatusStatusOf is an endpoint with one page of its results: the first page has the newest,
// and each is in the order of time.
func gatusStatusOf(svc *board.Service, page, size int) gatusStatus {
	out := gatusStatus{Name: svc.Name, Group: svc.Group, Key: gatusKey(svc.Service), Results: []gatusResult{}}
	host := ""
	if target, err := url.Parse(svc.PublicURL()); err == nil {
		host = target.Hostname()
	}
	recent := svc.Recent(gatusKept)
	last := max(0, len(recent)-(page-1)*size)
	for _, sample := range recent[max(0, last-size):last] {
		r := gatusResult{
			Status: max(0, int(sample.HTTPStatus)), Hostname: host, Duration: sample.Duration().Nanoseconds(),
			Conditions: []string{}, Success: sample.Outcome.Available(), Timestamp: sample.Time(),
		}
		if !r.Success {
			r.Errors = []string{views.ReasonText(lang.Default(), sample.Reason, int(sample.HTTPStatus))}
		}
		out.Results = append(out.Results, r)
	}
	return out
}

// gatusEventsOf lists when a service went down and came back, the oldest first.
func gatusEventsOf(svc *board.Service, now time.Time) []gatusEvent {
	outages := svc.Outages(now) // Newest first.
	var all []gatusEvent
	for i := min(len(outages), gatusEvents/2) - 1; i >= 0; i-- {
		o := outages[i]
		all = append(all, gatusEvent{"UNHEALTHY", o.Begin.UTC()})
		if !o.Ongoing() && !o.Lapsed { // Of a lapsed one nobody knows when the service came back.
			all = append(all, gatusEvent{"HEALTHY", o.End.UTC()})
		}
	}
	return all
}

// statuses answers GET /api/v1/endpoints/statuses.
func (s *Gatus) statuses(c *fiber.Ctx) error {
	gatusHeaders(c)
	page, size := gatusPage(c)
	// Of a thousand services it is megabytes: made once for all who ask between two measurements.
	e, err := s.kept.Get(s.board.Version(), answer.Key("statuses", strconv.Itoa(page), strconv.Itoa(size)), func() ([]byte, error) {
		all := make([]gatusStatus, 0, len(s.board.Services()))
		for _, svc := range s.board.Services() {
			all = append(all, gatusStatusOf(svc, page, size))
		}
		return json.Marshal(all)
	})
	if err != nil {
		return fmt.Errorf("encode statuses: %w", err)
	}
	return answer.Send(c, fiber.MIMEApplicationJSON, e)
}

// config answers GET /api/v1/config: what Gatus's own page asks before it shows anything.
func (s *Gatus) config(c *fiber.Ctx) error {
	gatusHeaders(c)
	return c.JSON(fiber.Map{"oidc": false, "authenticated": true, "announcements": []struct{}{}})
}

// alive answers GET /health.
func (s *Gatus) alive(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(fiber.Map{"status": "UP"})
}

// history answers …/response-times/{duration}/history: the mean of every hour that was
// measured.
func (s *Gatus) history(c *fiber.Ctx, svc *board.Service, duration string, now time.Time) error {
	w, ok := gatusChartWindow(duration)
	if !ok {
		return gatusError(c, http.StatusBadRequest, gatusChartDurations)
	}
	starts, means, err := s.figures.HourlyMeans(c.UserContext(), svc, w, now)
	if err != nil {
		return gatusAway(c)
	}
	timestamps, values := make([]int64, len(starts)), make([]int64, len(means))
	for i := range starts {
		timestamps[i], values[i] = starts[i].UnixMilli(), means[i].Milliseconds()
	}
	return c.JSON(fiber.Map{"timestamps": timestamps, "values": values})
}

// gatusChartWindow is the window of a chart, where Gatus has one too.
func gatusChartWindow(duration string) (figures.ChartWindow, bool) {
	w, ok := figures.FindChart(duration)
	return w, ok && gatusDurations[duration] != 0
}

func gatusAway(c *fiber.Ctx) error {
	return gatusError(c, http.StatusServiceUnavailable, badge.HistoryAway)
}

// chart answers …/response-times/{duration}/chart.svg.
func (s *Gatus) chart(c *fiber.Ctx, svc *board.Service, duration string, now time.Time) error {
	w, ok := gatusChartWindow(duration)
	if !ok {
		return gatusError(c, http.StatusBadRequest, gatusChartDurations)
	}
	drawn := s.figures.Chart(c.UserContext(), svc, w, now, views.Local{Lang: lang.Default(), Zone: s.board.Location()})
	if drawn.Note != "" {
		return gatusAway(c)
	}
	c.Set(fiber.HeaderContentType, badge.Types["svg"])
	return c.Send(chartSVG(svc.Name, drawn))
}

// chartSVG draws a chart that stands alone: no style sheet reaches an image in a README, so
// it brings its colours and its ground along.
func chartSVG(name string, c views.Chart) []byte {
	const ink, line, blue = "#57606a", "#d8dee4", "#0b57c2"
	d := c.Drawn[0] // The wide one.
	title := html.EscapeString(name + ": " + c.Label)
	if c.Empty {
		title = html.EscapeString(name + ": " + lang.Default().T("nothing.measured"))
	}
	var w strings.Builder
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="%s" role="img" aria-label="%s"><title>%s</title>`, d.Width, d.Height, d.ViewBox, title, title)
	fmt.Fprintf(&w, `<rect width="%d" height="%d" rx="4" fill="#fff"/><g font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11" fill="%s">`, d.Width, d.Height, ink)
	if c.Empty {
		fmt.Fprintf(&w, `<text x="%d" y="%d" text-anchor="middle">%s</text></g></svg>`, d.Width/2, d.Height/2, html.EscapeString(lang.Default().T("nothing.measured")))
		return []byte(w.String())
	}
	for _, t := range d.Scale {
		fmt.Fprintf(&w, `<path stroke="%s" d="M%s %sH%s"/><text x="%s" y="%s" dy="4" text-anchor="end">%s</text>`, line, d.Left, t.Y, d.Right, d.Label.X, t.Y, html.EscapeString(t.Text))
	}
	for _, t := range d.Times {
		fmt.Fprintf(&w, `<text x="%s" y="%s">%s</text>`, t.X, d.Label.Y, html.EscapeString(t.Text))
	}
	fmt.Fprintf(&w, `</g><path fill="%[1]s" fill-opacity=".18" d="%[2]s"/><path fill="none" stroke="%[1]s" stroke-opacity=".75" stroke-dasharray="3 3" d="%[3]s"/>`, blue, d.Band, d.Edge)
	fmt.Fprintf(&w, `<path fill="none" stroke="%s" stroke-width="2" stroke-linejoin="round" d="%s"/>`, blue, d.Line)
	for _, dot := range d.Dots {
		fmt.Fprintf(&w, `<circle fill="%s" cx="%s" cy="%s" r="%s"/>`, blue, dot.X, dot.Y, dot.R)
	}
	w.WriteString(`</svg>`)
	return []byte(w.String())
}
