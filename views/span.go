package views

import (
	"slices"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"time"
)

// Span is the page of one cell: a day with its hours, an hour with its minutes, or a minute
// with its signals.
type Span struct {
	Service, ServiceHref string
	Crumbs               []Link
	Headline             string
	State, StateText     string
	Facts                []Fact
	Parts                string // What the cells are: hours or minutes; empty for a minute.
	Cells                []Cell
	Rows                 []SpanRow
	Samples              []SampleRow
	Outages              []OutageRow
	Previous, Next       *Link
	Note                 string // Why something is missing.
	Slow                 string // The head of that column.
}

// Fact is a figure with its name.
type Fact struct{ Name, Value, Detail string }

// SpanRow is one part of a span in the table below its grid.
type SpanRow struct {
	Href, Time, State, StateText string
	Uptime                       string
	Up, Slow, Down, Missing      string
	P50, P95, P99                string
	Reason                       string
}

// SpanInput is what is known of a span and its parts.
type SpanInput struct {
	Service     status.Service
	Whole       status.Cell // Sum of the parts.
	Cells       []status.Cell
	Percentiles [][]time.Duration // p50, p95, p99 of each cell; nil where there are none.
	Overall     []time.Duration   // The same of the whole; nil when unknown.
	Samples     []status.Sample   // Of a minute, oldest first.
	Outages     []status.Outage   // That touch it, newest first.
	Regions     []string          // Of the samples, in their order; nil with a single region.
	Now         time.Time
	Begins      time.Time // Of the history: no link leads before it.
	Note        string
}

// BuildSpan puts a span into words. Times are those of the visitor's zone.
func BuildSpan(in SpanInput, to Local) Span {
	l, c := to.Lang, in.Whole
	to = to.of(in.Service)
	start := c.Start.In(to.Zone)
	s := Span{
		Service: in.Service.Name, ServiceHref: to.Base.At(ServicePath(in.Service.ID)),
		Crumbs: []Link{{l.T("all.services"), to.Base.At("/")}, {in.Service.Name, to.Base.At(ServicePath(in.Service.ID))}},
		State:  c.Outcome.String(), StateText: l.T(stateKeys[c.Outcome]),
		Cells:   buildCells(in.Service.ID, in.Cells, to),
		Outages: BuildOutages(in.Outages, in.Service, in.Now, to),
		Note:    in.Note,
		Slow:    l.T(degradedKey(to.partial)),
	}
	hour := status.Cell{Start: c.Start.UTC().Truncate(time.Hour), Length: time.Hour}
	switch {
	case c.Length >= 23*time.Hour:
		s.Headline, s.Parts = l.Date(start), l.T("span.hours")
	case c.Length == time.Hour:
		s.Headline, s.Parts = l.Date(start)+", "+cellTime(c, to), l.T("span.minutes")
		s.Crumbs = append(s.Crumbs, Link{l.Date(start), to.Base.At(ServicePath(in.Service.ID)) + "/" + start.Format(DayPath)})
	default:
		s.Headline = l.Date(start) + ", " + start.Format("15:04 MST")
		s.Crumbs = append(s.Crumbs, Link{l.Date(start), to.Base.At(ServicePath(in.Service.ID)) + "/" + start.Format(DayPath)},
			Link{cellTime(hour, to), to.Base.At(CellPath(in.Service.ID, hour))})
	}
	if c.Outcome >= status.Degraded {
		if c.Outcome == status.Degraded && c.Regions.Down > 0 {
			s.StateText = l.T("state.partial")
		}
		s.StateText += regionsText(l, c.Regions)
	}
	s.Facts = spanFacts(in, to)
	for i, cell := range in.Cells {
		s.Rows = append(s.Rows, spanRow(cell, s.Cells[i].Href, at(in.Percentiles, i), to))
	}
	for i, v := range slices.Backward(in.Samples) {
		row := buildSample(v, to)
		if i < len(in.Regions) {
			row.Region = in.Regions[i]
		}
		s.Samples = append(s.Samples, row)
	}
	s.Previous, s.Next = neighbours(in, to)
	return s
}

func at(percentiles [][]time.Duration, i int) []time.Duration {
	if i < len(percentiles) {
		return percentiles[i]
	}
	return nil
}

func spanFacts(in SpanInput, to Local) []Fact {
	l, c := to.Lang, in.Whole
	uptime, coverage := uptimeText(l, c.Counts)
	facts := []Fact{
		{l.T("uptime"), uptime, coverage},
		{l.T("measurements"), l.Number(c.Measured()), countsText(to, c.Counts, true)},
	}
	if len(in.Overall) == 3 && in.Overall[0] > 0 {
		facts = append(facts, Fact{l.T("latency"), l.Milliseconds(in.Overall[0]), percentilesText(l, in.Overall)})
	}
	if c.Outcome == status.Down {
		facts = append(facts, Fact{l.T("first.reason"), ReasonText(l, c.Reason, c.HTTPStatus), ""})
	}
	return facts
}

func percentilesText(l *lang.Language, p []time.Duration) string {
	return "p50 " + l.Milliseconds(p[0]) + ", p95 " + l.Milliseconds(p[1]) + ", p99 " + l.Milliseconds(p[2])
}

func spanRow(c status.Cell, href string, p []time.Duration, to Local) SpanRow {
	l := to.Lang
	row := SpanRow{
		Href: href, Time: cellTime(c, to), State: c.Outcome.String(), StateText: cellOutcome(to, c),
		Up: l.Number(c.Up), Slow: l.Number(c.Degraded), Down: l.Number(c.Down), Missing: l.Number(c.Missing()),
		P50: "–", P95: "–", P99: "–",
	}
	row.Uptime, _ = uptimeText(l, c.Counts)
	if len(p) == 3 && p[0] > 0 {
		row.P50, row.P95, row.P99 = l.Milliseconds(p[0]), l.Milliseconds(p[1]), l.Milliseconds(p[2])
	}
	if c.Outcome == status.Down || c.Outcome == status.Degraded && c.Reason != status.None {
		row.Reason = ReasonText(l, c.Reason, c.HTTPStatus) + regionsText(l, c.Regions)
	}
	return row
}

// neighbours links the spans before and after, as far as there is history.
func neighbours(in SpanInput, to Local) (previous, next *Link) {
	c := in.Whole
	step := func(days int) status.Cell {
		d := status.Cell{Start: c.Start.Add(time.Duration(days) * c.Length), Length: c.Length}
		if c.Length >= 23*time.Hour {
			y, m, day := c.Start.In(to.Zone).Date()
			d = status.Cell{Start: time.Date(y, m, day+days, 0, 0, 0, 0, to.Zone), Length: 24 * time.Hour}
		}
		return d
	}
	if p := step(-1); p.Start.Add(p.Length).After(in.Begins) {
		previous = &Link{cellTime(p, to), to.Base.At(CellPath(in.Service.ID, p))}
	}
	if n := step(1); n.Start.Before(in.Now) {
		next = &Link{cellTime(n, to), to.Base.At(CellPath(in.Service.ID, n))}
	}
	return previous, next
}
