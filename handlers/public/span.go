package public

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/live"
	"statuspage/internal/page"
	"statuspage/internal/past"
	"statuspage/internal/status"
	"statuspage/views"
	"time"

	"github.com/gofiber/fiber/v2"
)

// historyBegins is before everything that could have been measured.
var historyBegins = time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)

// pastRetry is after how many seconds a reader shall ask again for what the store can't tell now.
const pastRetry = 10

// span answers GET /services/{id}/{at}: a day such as 2026-03-29, an hour such as
// 2026-03-29T14Z, or a minute such as 2026-03-29T14:05Z.
func (s *History) span(c *fiber.Ctx) error {
	svc, k, err := s.service(c)
	if err != nil {
		return err
	}
	now := s.Now()
	cell, ok := parseSpan(answer.Param(c, "at"), k.Zone)
	if !ok || cell.Start.After(now) || cell.Start.Before(historyBegins) {
		return answer.NotFound("error.time")
	}
	version := s.Live.Version()
	end := cell.Start.Add(cell.Length)
	if now.Sub(end) > time.Hour { // What is over changes no more, but for late signals.
		version = uint64(now.Unix() / 60)
	}
	path := views.CellPath(svc.ID, cell)
	key := answer.Key("span", k.Query(), path)
	pages := &s.spans
	if now.Sub(end) <= time.Hour {
		pages = &s.pages
	}
	e, err := pages.Get(version, key, func() ([]byte, error) {
		in, err := s.spanOf(c.UserContext(), svc, cell, now)
		if errors.Is(err, status.ErrUnavailable) {
			return nil, fmt.Errorf("%w: %w", &answer.Problem{Code: http.StatusServiceUnavailable, Detail: k.Lang.T("history.away"), Retry: pastRetry}, err)
		}
		if err != nil {
			return nil, err
		}
		view := views.BuildSpan(in, s.Page.Local(k))
		head := s.Page.ServiceHead(k, in.Service)
		head.Zone.Path = s.Page.Base.At(path)
		head.Title = view.Headline + " · " + head.Title
		head.Languages = page.Languages(k, s.Page.Base.At(path))
		if head.Canonical != "" {
			head.Canonical = s.Page.BaseURL + path
		}
		if end.After(now) {
			live.KeepFresh(&head)
		}
		return answer.Render(views.SpanPage(head, view))
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}

// parseSpan reads the time that an address names. Days are those of the zone.
func parseSpan(text string, zone *time.Location) (status.Cell, bool) {
	if day, err := time.ParseInLocation(views.DayPath, text, zone); err == nil {
		y, m, d := day.Date()
		return status.Cell{Start: day, Length: time.Date(y, m, d+1, 0, 0, 0, 0, zone).Sub(day)}, true
	}
	if hour, err := time.Parse(views.HourPath, text); err == nil {
		return status.Cell{Start: hour, Length: time.Hour}, true
	}
	if minute, err := time.Parse(views.MinutePath, text); err == nil {
		return status.Cell{Start: minute, Length: time.Minute}, true
	}
	return status.Cell{}, false
}

// spanOf collects what is known of a span: from the board as far as it reaches, else from
// the store.
func (s *History) spanOf(ctx context.Context, service *board.Service, cell status.Cell, now time.Time) (views.SpanInput, error) {
	svc := service.Known()
	in := views.SpanInput{Service: svc, Now: now, Begins: historyBegins}
	end := cell.Start.Add(cell.Length)
	outages := service.Outages(now)
	for _, o := range outages {
		if o.Begin.Before(end) && (o.Ongoing() || o.End.After(cell.Start)) {
			in.Outages = append(in.Outages, o)
		}
	}
	if cell.Length > time.Hour {
		return in, s.dayOf(ctx, service, cell, &in)
	}
	from := cell.Start.Add(-max(svc.Interval, svc.IntervalAt(cell.Start))) // What was measured before may still hold.
	samples, complete := service.Samples(from, end)
	reports, fromStore := service.ReportsBetween(cell.Start, end), false
	if !complete {
		signals, err := s.Past.Signals(ctx, svc, from, end)
		if err != nil && len(samples) == 0 {
			return in, err
		}
		if err == nil {
			samples, reports = pastSlots(svc, signals, cell.Start)
			fromStore = true
		}
	}
	minutes := int(cell.Length / time.Minute)
	cells := status.MinutesFrom(samples, svc, cell.Start, minutes, now)
	latencies := make([][]time.Duration, minutes)
	var all []time.Duration
	for _, r := range reports {
		m := r.Sample
		in.Samples = append(in.Samples, m)
		in.Regions = append(in.Regions, r.Region)
		if m.Outcome.Available() {
			n := int(m.Time().Sub(cell.Start) / time.Minute)
			latencies[n] = append(latencies[n], m.Duration())
			all = append(all, m.Duration())
		}
	}
	if fromStore && len(svc.Regions) > 0 {
		tallyCells(cells, reports)
	} else {
		service.Tally(cells)
	}
	in.Whole = status.Merge(cells)
	in.Overall = status.Percentiles(all, 50, 95, 99)
	if cell.Length == time.Minute {
		in.Whole.Outcome, in.Whole.Reason, in.Whole.HTTPStatus = cells[0].Outcome, cells[0].Reason, cells[0].HTTPStatus
		in.Whole.Regions = cells[0].Regions
		return in, nil
	}
	in.Samples, in.Regions = nil, nil // An hour lists its minutes.
	for i := range cells {
		if cells[i].Start.After(now) {
			cells = cells[:i]
			break
		}
		in.Percentiles = append(in.Percentiles, status.Percentiles(latencies[i], 50, 95, 99))
	}
	in.Cells = cells
	return in, nil
}

// pastSlots makes the samples of a page and the measurements from start on of signals of the
// store, oldest first. Without regions each signal is a sample.
func pastSlots(svc status.Service, signals []status.Signal, start time.Time) (samples []status.Sample, reports []board.Report) {
	if len(svc.Regions) > 0 {
		samples = status.MergeSignals(svc, signals)
	}
	for _, sig := range signals {
		if len(svc.Regions) == 0 {
			samples = append(samples, sig.Sample())
		}
		if !sig.Received.Before(start) {
			reports = append(reports, board.Report{Region: sig.Region, Sample: sig.Sample()})
		}
	}
	return samples, reports
}

// tallyCells says of each minute that regions don't see alike how many found it down: in the
// slot that gave the minute its outcome, at most one a region.
func tallyCells(cells []status.Cell, reports []board.Report) {
	for i := range cells {
		c := &cells[i]
		if c.Outcome < status.Degraded || c.Carried {
			continue
		}
		var worst, slot status.Tally
		received := int64(0)
		for _, r := range reports {
			if t := r.Sample.Time(); r.Region == "" || t.Before(c.Start) || !t.Before(c.Start.Add(c.Length)) {
				continue
			}
			if r.Sample.Received != received {
				received, slot = r.Sample.Received, status.Tally{}
			}
			slot.Of++
			if r.Sample.Outcome == status.Down {
				slot.Down++
			}
			if slot.Down > worst.Down || slot.Down == worst.Down && slot.Of > worst.Of {
				worst = slot
			}
		}
		c.Regions = worst
	}
}

// dayOf fills in a day by its hours.
func (s *History) dayOf(ctx context.Context, service *board.Service, cell status.Cell, in *views.SpanInput) error {
	svc, now := in.Service, in.Now
	end := cell.Start.Add(cell.Length)
	cellOf := func(from, to time.Time) status.Cell { return service.Cell(from, to, now) }
	if now.Sub(cell.Start) > figures.BoardReach {
		count, begun, err := s.Past.Counts(ctx, svc, cell.Start, end)
		if err != nil {
			return err
		}
		svc := past.Since(service.Known(), begun)
		cellOf = func(from, to time.Time) status.Cell { return status.CellOf(count, svc, from, to, now) }
	}
	hours := map[int64]status.Histogram{}
	if known, err := s.Past.Latencies(ctx, svc, cell.Start, end, cell.Start, end); err == nil {
		for _, h := range known {
			hours[h.Start.Unix()] = h.Histogram
		}
	}
	whole := status.Histogram{}
	for start := cell.Start; start.Before(end) && !start.After(now); { // Of hours of UTC; the first and the last may be parts.
		next := start.Truncate(time.Hour).Add(time.Hour)
		if next.After(end) {
			next = end
		}
		in.Cells = append(in.Cells, cellOf(start, next))
		h := hours[start.Unix()]
		whole.Add(h)
		in.Percentiles = append(in.Percentiles, h.Percentiles(50, 95, 99))
		start = next
	}
	oldestFirst := make([]status.Outage, len(in.Outages))
	for i, o := range in.Outages {
		oldestFirst[len(oldestFirst)-1-i] = o
	}
	status.Explain(in.Cells, oldestFirst)
	in.Whole = status.Merge(in.Cells)
	in.Whole.Start, in.Whole.Length = cell.Start, cell.Length
	in.Overall = whole.Percentiles(50, 95, 99)
	return nil
}
