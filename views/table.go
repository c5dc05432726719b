package views

import (
	"slices"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"strconv"
	"time"
)

// UptimeRow is one line of a table of uptimes.
type UptimeRow struct{ Window, Uptime, Coverage, Counts string }

// BuildUptime puts the counts of one window into words.
func BuildUptime(svc status.Service, window string, c status.Counts, to Local) UptimeRow {
	l := to.Lang
	row := UptimeRow{Window: window, Uptime: "–", Coverage: l.Percent(c.Coverage()), Counts: l.T("nothing.measured")}
	if percent, ok := c.Uptime(); ok {
		row.Uptime = l.Percent(inColumn(percent))
		row.Counts = countsText(to.of(svc), c, true)
	}
	return row
}

// SampleRow is one line of a list of signals.
type SampleRow struct{ At, Time, State, Outcome, Status, Latency, Reason, Region string }

// BuildSamples puts samples (oldest first) into words, newest first.
func BuildSamples(samples []status.Sample, to Local) []SampleRow {
	rows := make([]SampleRow, 0, len(samples))
	for _, sample := range slices.Backward(samples) {
		rows = append(rows, buildSample(sample, to))
	}
	return rows
}

func buildSample(s status.Sample, to Local) SampleRow {
	row := SampleRow{
		At:      s.Time().Format("2006-01-02T15:04:05.000Z"),
		Time:    to.Lang.Moment(s.Time().In(to.Zone)),
		State:   s.Outcome.String(),
		Outcome: to.Lang.T(cellKeys[s.Outcome]),
		Status:  "–",
		Latency: to.Lang.Milliseconds(s.Duration()),
	}
	if s.HTTPStatus > 0 {
		row.Status = strconv.Itoa(int(s.HTTPStatus))
	}
	if s.Outcome == status.Degraded || s.Outcome == status.Down {
		row.Reason = ReasonText(to.Lang, s.Reason, int(s.HTTPStatus))
	}
	return row
}

// RegionRow is what one region says of a service.
type RegionRow struct{ Name, State, StateText, Latency, Uptime, Coverage string }

// BuildRegion puts what a region says into words; the sum is that of a window.
func BuildRegion(l *lang.Language, name string, state status.Outcome, last status.Sample, sum status.Counts) RegionRow {
	row := RegionRow{Name: name, State: state.String(), StateText: stateText(l, state, last, status.Tally{}), Latency: "–"}
	if state.Available() {
		row.Latency = l.Milliseconds(last.Duration())
	}
	row.Uptime, row.Coverage = uptimeText(l, sum)
	return row
}

// OutageRow is one outage in a list.
type OutageRow struct {
	ID, Href      string
	Service       string
	ServiceHref   string
	Headline      string // All of it in one sentence.
	At, Begin     string // Machine's and people's form of the beginning.
	Clock         string // The same without its day.
	End, Duration string
	Reason        string
	Regions       string
	Ongoing       bool
}

// clockSeconds is the form of an instant whose day is said beside it.
const clockSeconds = "15:04:05"

// OutagePath is the path of an outage.
func OutagePath(o status.Outage) string { return "/outages/" + o.ID() }

// BuildOutage puts an outage into words.
func BuildOutage(o status.Outage, svc status.Service, now time.Time, to Local) OutageRow {
	l := to.Lang
	row := OutageRow{
		ID: o.ID(), Href: to.Base.At(OutagePath(o)), Service: svc.Name, ServiceHref: to.Base.At(ServicePath(svc.ID)),
		At:       o.Begin.UTC().Format(time.RFC3339),
		Begin:    l.Moment(o.Begin.In(to.Zone)),
		Clock:    o.Begin.In(to.Zone).Format(clockSeconds),
		Duration: l.Duration(o.Duration(now)),
		Reason:   ReasonText(l, o.Reason, o.HTTPStatus),
		Ongoing:  o.Ongoing(),
	}
	for i, r := range o.Regions {
		if i > 0 {
			row.Regions += ", "
		}
		row.Regions += r
	}
	switch {
	case o.Ongoing():
		row.End = l.T("outage.ongoing")
	case o.Lapsed:
		row.End, row.Duration = l.T("outage.lapsed", l.Moment(o.Last.In(to.Zone))), l.T("outage.atleast", row.Duration)
	default:
		row.End = l.Moment(o.End.In(to.Zone))
		if end := o.End.In(to.Zone); end.Format(DayPath) == o.Begin.In(to.Zone).Format(DayPath) {
			row.End = end.Format(clockSeconds)
		}
	}
	if row.Headline = l.T("outage.headline", svc.Name, row.Duration); o.Ongoing() {
		row.Headline = l.T("outage.headline.now", svc.Name, row.Duration)
	}
	return row
}

// BuildOutages puts the outages of one service into words.
func BuildOutages(outages []status.Outage, svc status.Service, now time.Time, to Local) []OutageRow {
	rows := make([]OutageRow, len(outages))
	for i, o := range outages {
		rows[i] = BuildOutage(o, svc, now, to)
	}
	return rows
}

// BuildOutageView puts an outage into words for its own page.
func BuildOutageView(o status.Outage, svc status.Service, now time.Time, to Local) OutageView {
	l := to.Lang
	v := OutageView{OutageRow: BuildOutage(o, svc, now, to), At: o.Last.UTC().Format(time.RFC3339)}
	if !o.Ongoing() && !o.Lapsed {
		v.Over = l.T("outage.over", sinceText(o.End.In(to.Zone), now.In(to.Zone), to))
	}
	begin, zone := o.Begin.In(to.Zone), o.Begin.In(to.Zone).Format(" MST")
	v.Facts = []Fact{
		{l.T("outage.begin"), l.Date(begin), begin.Format(clockSeconds) + zone},
		{l.T("outage.end"), v.End, ""},
		{l.T("outage.duration"), v.Duration, ""},
		{l.T("first.reason"), v.Reason, ""},
		{l.T("outage.failures"), l.Number(o.Failures), v.Regions},
	}
	last := o.Last.In(to.Zone)
	for day := time.Date(begin.Year(), begin.Month(), begin.Day(), 0, 0, 0, 0, to.Zone); !day.After(last); day = day.AddDate(0, 0, 1) {
		if len(v.Days) == maxOutageDays {
			break
		}
		v.Days = append(v.Days, Link{l.T("days.of", svc.Name, l.Date(day)), to.Base.At(ServicePath(svc.ID)) + "/" + day.Format(DayPath)})
	}
	return v
}

// maxOutageDays is how many days of an outage its page links.
const maxOutageDays = 14

// PeriodText names a length of time: 24 h, 90 d.
func PeriodText(l *lang.Language, d time.Duration) string {
	if d > 24*time.Hour {
		return l.T("unit.day", int(d/(24*time.Hour)))
	}
	return l.T("unit.hour", int(d/time.Hour))
}
