package views

import (
	"fmt"
	"net/url"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"
)

// Row is one service as the page draws it: ready strings only.
type Row struct {
	DOMID, ID, Name string
	Href            string
	URL             string // Empty when hidden.
	State           string // Wire form; what the style sheet selects by.
	StateText       string
	Uptime          string
	Coverage        string
	Latency         string
	Cells           []Cell
}

// Cell is one field of the grid.
type Cell struct {
	State string // u, d, x or n, with a c behind it when carried: 60 of them a row, so short.
	Text  string
}

// RowInput is what BuildRow needs to know of a service.
type RowInput struct {
	Service status.Service
	State   status.Outcome
	Last    status.Sample
	Cells   []status.Cell
	Sum     status.Counts
}

// DOMID is the id of a service's row: the one place that makes it, for page, stream and tests.
func DOMID(service string) string { return "s-" + service }

// ServicePath is the address of a service's own page.
func ServicePath(service string) string { return "/services/" + url.PathEscape(service) }

// BuildRow puts a row into words. Times are shown in the given zone.
func BuildRow(in RowInput, zone *time.Location) Row {
	row := Row{
		DOMID:     DOMID(in.Service.ID),
		ID:        in.Service.ID,
		Name:      in.Service.Name,
		Href:      ServicePath(in.Service.ID),
		URL:       in.Service.PublicURL(),
		State:     in.State.String(),
		StateText: stateText(in.State, in.Last),
		Uptime:    "–",
		Coverage:  "nothing observed",
		Latency:   "–",
		Cells:     make([]Cell, len(in.Cells)),
	}
	if percent, ok := in.Sum.Uptime(); ok {
		row.Uptime = percent + " %"
		row.Coverage = "of " + in.Sum.Coverage() + " % observed"
	}
	if in.State.Available() {
		row.Latency = Milliseconds(in.Last.Duration())
	}
	for i, c := range in.Cells {
		row.Cells[i] = Cell{State: cellState(c), Text: cellText(c, zone)}
	}
	return row
}

func stateText(state status.Outcome, last status.Sample) string {
	switch state {
	case status.Up:
		return "Up"
	case status.Degraded:
		return "Slow"
	case status.Down:
		return "Down: " + ReasonText(last.Reason, int(last.HTTPStatus))
	default:
		return "No data"
	}
}

// ReasonText is a reason in public words, with the status where that is the reason.
func ReasonText(reason status.Reason, code int) string {
	switch reason {
	case status.UnexpectedStatus:
		return reason.Text() + " " + strconv.Itoa(code)
	case status.None:
		return "not available" // Rows of other writers give no reason.
	default:
		return reason.Text()
	}
}

var cellStates = [...]string{status.Unknown: "n", status.Up: "u", status.Degraded: "d", status.Down: "x"}

func cellState(c status.Cell) string {
	if c.Carried {
		return cellStates[c.Outcome] + "c"
	}
	return cellStates[c.Outcome]
}

var outcomeText = [...]string{status.Unknown: "no data", status.Up: "up", status.Degraded: "slow", status.Down: "down"}

// cellText tells all that is known of a cell: "12:03 down, unexpected status 503, 1 up,
// 1 down, 120 ms". It is what hover, focus, tap and a screen reader show.
func cellText(c status.Cell, zone *time.Location) string {
	var b strings.Builder
	b.WriteString(c.Start.In(zone).Format("15:04 "))
	b.WriteString(outcomeText[c.Outcome])
	if c.Carried {
		b.WriteString(", as in the check before; none was due in this minute")
		return b.String()
	}
	switch {
	case c.Outcome == status.Down:
		b.WriteString(", " + ReasonText(c.Reason, c.HTTPStatus))
	case c.Outcome != status.Unknown && c.HTTPStatus > 0:
		b.WriteString(", HTTP " + strconv.Itoa(c.HTTPStatus))
	}
	if c.Measured() > 1 || c.Missing() > 0 && c.Measured() > 0 {
		for _, n := range []struct {
			count int
			word  string
		}{{c.Up, "up"}, {c.Degraded, "slow"}, {c.Down, "down"}, {c.Missing(), "missing"}} {
			if n.count > 0 {
				b.WriteString(", " + strconv.Itoa(n.count) + " " + n.word)
			}
		}
	}
	if c.Measured() > 0 {
		b.WriteString(", " + Milliseconds(c.Latency))
	}
	return b.String()
}

// Milliseconds writes a latency as people read it: "0.4 ms", "123 ms", "2.34 s".
func Milliseconds(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	default:
		return strconv.FormatFloat(d.Seconds(), 'f', 2, 64) + " s"
	}
}

// Banner is the overall state in words.
type Banner struct {
	State    string
	Headline string
	Detail   string
	Title    string // Of the browser's tab.
	At       string // Planned instant of the newest signal, RFC 3339; empty when there is none.
	Updated  string // The same for people.
	Note     string // What we have to say of ourselves, such as a store that is away.
}

// BuildBanner sums the states of all services up.
func BuildBanner(title string, states []status.Outcome, newest time.Time, note string, zone *time.Location) Banner {
	var n [4]int
	for _, s := range states {
		n[s]++
	}
	b := Banner{Note: note, Updated: "no signal yet"}
	if !newest.IsZero() {
		b.At = newest.UTC().Format("2006-01-02T15:04:05.000Z")
		b.Updated = "last signal " + newest.In(zone).Format("15:04:05 MST")
	}
	down, slow, unknown, all := n[status.Down], n[status.Degraded], n[status.Unknown], len(states)
	switch {
	case all == 0:
		b.State, b.Headline, b.Detail = "unknown", "Nothing is watched yet", "Add services to statuspage.yaml, or name addresses on the command line."
	case down == all && all > 1:
		b.State, b.Headline = "down", fmt.Sprintf("All %d services are down", all)
	case down > 0:
		b.State, b.Headline = "down", countOf(down, all, "down")
	case unknown == all:
		b.State, b.Headline, b.Detail = "unknown", "No data", "No service has been measured lately. That is not good news, nor bad."
	case slow > 0:
		b.State, b.Headline = "degraded", countOf(slow, all, "slow")
	case unknown > 0:
		b.State, b.Headline = "unknown", countOf(unknown, all, "without data")
	case all == 1:
		b.State, b.Headline = "up", "The service is up"
	default:
		b.State, b.Headline = "up", fmt.Sprintf("All %d services are up", all)
	}
	if b.Detail == "" {
		b.Detail = detail(n)
	}
	b.Title = b.Headline + " · " + title
	return b
}

func countOf(n, all int, what string) string {
	switch {
	case all == 1:
		return "The service is " + what
	case n == 1:
		return fmt.Sprintf("1 of %d services is %s", all, what)
	default:
		return fmt.Sprintf("%d of %d services are %s", n, all, what)
	}
}

func detail(n [4]int) string {
	var parts []string
	for _, p := range []struct {
		count int
		word  string
	}{{n[status.Up], "up"}, {n[status.Degraded], "slow"}, {n[status.Down], "down"}, {n[status.Unknown], "without data"}} {
		if p.count > 0 {
			parts = append(parts, strconv.Itoa(p.count)+" "+p.word)
		}
	}
	return strings.Join(parts, ", ")
}

// UptimeRow is one line of the table on a service's page.
type UptimeRow struct{ Window, Uptime, Coverage, Counts string }

// BuildUptime puts the counts of one window into words.
func BuildUptime(window string, c status.Counts) UptimeRow {
	row := UptimeRow{Window: window, Uptime: "–", Coverage: c.Coverage() + " %", Counts: "nothing measured"}
	if percent, ok := c.Uptime(); ok {
		row.Uptime = percent + " %"
		row.Counts = fmt.Sprintf("%d up, %d slow, %d down", c.Up, c.Degraded, c.Down)
	}
	return row
}

// SampleRow is one line of the list of newest signals.
type SampleRow struct{ At, Time, State, Outcome, Status, Latency, Reason string }

// BuildSamples puts samples (oldest first) into words, newest first.
func BuildSamples(samples []status.Sample, zone *time.Location) []SampleRow {
	rows := make([]SampleRow, 0, len(samples))
	for i := len(samples) - 1; i >= 0; i-- {
		s := samples[i]
		row := SampleRow{
			At:      s.Time().Format("2006-01-02T15:04:05.000Z"),
			Time:    s.Time().In(zone).Format("2 Jan 15:04:05"),
			State:   s.Outcome.String(),
			Outcome: outcomeText[s.Outcome],
			Status:  "–",
			Latency: Milliseconds(s.Duration()),
		}
		if s.HTTPStatus > 0 {
			row.Status = strconv.Itoa(int(s.HTTPStatus))
		}
		if s.Outcome == status.Degraded || s.Outcome == status.Down {
			row.Reason = ReasonText(s.Reason, int(s.HTTPStatus))
		}
		rows = append(rows, row)
	}
	return rows
}
