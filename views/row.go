package views

import (
	"net/url"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"strconv"
	"strings"
	"time"
)

// Local is how a visitor reads: language and time zone.
type Local struct {
	Lang *lang.Language
	Zone *time.Location
	Base Base

	partial bool // Of a service with regions: see degradedKey.
}

// of is the same for what is said of one service.
func (to Local) of(s status.Service) Local {
	to.partial = len(s.Regions) > 0
	return to
}

// degradedKey is the word for degraded in counts. A service that is watched from regions may have been
// slow, or down in some of them, and the counts don't tell which.
func degradedKey(partial bool) string {
	if partial {
		return "cell.partial"
	}
	return "cell.degraded"
}

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
	Strip           *Strip // All cells as one picture; nil where each is a link.
	Cells           []Cell
}

// Cell is one field of the grid.
type Cell struct {
	State  string // u, d, x or n; see cellState.
	Href   string
	Text   string
	Masked bool // Under maintenance.
}

// RowInput is what BuildRow needs to know of a service.
type RowInput struct {
	Service status.Service
	State   status.Outcome
	Last    status.Sample
	Cells   []status.Cell
	Sum     status.Counts
	Regions status.Tally // Of Last.
}

// DOMID is the id of a service's row: the one place that makes it, for page, stream and tests.
func DOMID(service string) string { return "s-" + service }

// GroupDOMID is the id of the state in a group's heading.
func GroupDOMID(group string) string { return "g-" + group }

// ServicePath is the path of a service's own page.
func ServicePath(service string) string { return "/services/" + url.PathEscape(service) }

// CellsPath is what follows the path of a service for its row with all cells as links.
const CellsPath = "/cells"

// The forms of an instant in the addresses of cells. Days are those of the visitor's zone;
// hours and minutes are UTC, which no change of the clock makes ambiguous.
const (
	DayPath    = "2006-01-02"
	HourPath   = "2006-01-02T15Z"
	MinutePath = "2006-01-02T15:04Z"
)

// CellPath is the path of what a cell stands for.
func CellPath(service string, c status.Cell) string { return ServicePath(service) + "/" + cellName(c) }

func cellName(c status.Cell) string {
	switch {
	case c.Length >= 23*time.Hour:
		return c.Start.Format(DayPath)
	case c.Length > time.Minute: // An hour, or the part of one that belongs to a day.
		return c.Start.UTC().Format(HourPath)
	default:
		return c.Start.UTC().Format(MinutePath)
	}
}

// BuildStripRow puts a row at rest into words: its cells are one picture.
func BuildStripRow(in RowInput, window status.Window, to Local) Row {
	row := buildRow(in, to)
	row.Strip = buildStrip(in, row.Href, window, to.of(in.Service))
	return row
}

// BuildRow does the same with each cell as a link that says what it stands for.
func BuildRow(in RowInput, to Local) Row {
	row := buildRow(in, to)
	row.Cells = buildCells(in.Service.ID, in.Cells, to.of(in.Service))
	return row
}

func buildRow(in RowInput, to Local) Row {
	l, to := to.Lang, to.of(in.Service)
	row := Row{
		DOMID:     DOMID(in.Service.ID),
		ID:        in.Service.ID,
		Name:      in.Service.Name,
		Href:      to.Base.At(ServicePath(in.Service.ID)),
		URL:       in.Service.PublicURL(),
		State:     in.State.String(),
		StateText: stateText(l, in.State, in.Last, in.Regions),
		Latency:   "–",
	}
	row.Uptime, row.Coverage = uptimeText(l, in.Sum)
	if begin, known := in.Service.Watched(); known && len(in.Cells) > 0 && in.Cells[0].Start.Before(begin) && in.Sum.Measured() > 0 {
		since := shortSince(begin.In(to.Zone), in.Cells[len(in.Cells)-1].Start.In(to.Zone), to)
		if row.Coverage = l.T("observed.since", l.Percent(in.Sum.Coverage()), since); in.Sum.Expected == 0 {
			row.Coverage = l.T("news.since", since) // The first check could still be on its way.
		}
	}
	if in.State.Available() {
		row.Latency = l.Milliseconds(in.Last.Duration())
	}
	return row
}

// StateText is the state of a service in a word.
func StateText(l *lang.Language, s status.Service, state status.Outcome) string {
	if state == status.Degraded && len(s.Regions) > 0 {
		return l.T("state.partial")
	}
	return l.T(stateKeys[state])
}

func buildCells(service string, cells []status.Cell, to Local) []Cell {
	out := make([]Cell, len(cells))
	prefix := to.Base.At(ServicePath(service)) + "/"
	for i, c := range cells {
		out[i] = Cell{State: cellState(c), Href: prefix + cellName(c), Text: cellText(c, to)}
	}
	return out
}

// uptimeText writes an uptime with its coverage.
func uptimeText(l *lang.Language, c status.Counts) (uptime, coverage string) {
	percent, ok := c.Uptime()
	if !ok {
		return "–", l.T("nothing.observed")
	}
	return l.Percent(inColumn(percent)), l.T("observed", l.Percent(c.Coverage()))
}

// inColumn gives a share the two decimals that make a column of them readable; 100 and 0 stand for all and none.
func inColumn(percent string) string {
	whole, decimals, _ := strings.Cut(percent, ".")
	if whole == "100" || whole == "0" && decimals == "" {
		return percent
	}
	return whole + "." + (decimals + "00")[:2]
}

func stateText(l *lang.Language, state status.Outcome, last status.Sample, regions status.Tally) string {
	text := l.T(stateKeys[state])
	if state == status.Down {
		text = l.T("state.down.because", ReasonText(l, last.Reason, int(last.HTTPStatus)))
	}
	if state == status.Degraded && regions.Down > 0 {
		text = l.T("state.partial")
	}
	if state >= status.Degraded {
		text += regionsText(l, regions)
	}
	return text
}

// regionsText is what follows a state that not all regions see alike: ", 1 of 3 regions down".
func regionsText(l *lang.Language, t status.Tally) string {
	if t.Down == 0 || t.Of < 2 {
		return ""
	}
	return ", " + l.T("regions.down", int(t.Down), int(t.Of))
}

var (
	stateKeys = [...]string{status.Unknown: "state.unknown", status.Up: "state.up", status.Degraded: "state.degraded", status.Down: "state.down"}
	cellKeys  = [...]string{status.Unknown: "cell.unknown", status.Up: "cell.up", status.Degraded: "cell.degraded", status.Down: "cell.down"}
)

// ReasonText is a reason in public words, with the status where that is the reason.
func ReasonText(l *lang.Language, reason status.Reason, code int) string {
	switch {
	case reason == status.UnexpectedStatus && code > 0:
		return "HTTP " + strconv.Itoa(code)
	case reason == status.None:
		return l.T("reason.none") // Rows of other writers give no reason.
	default:
		return l.T("reason." + reason.String())
	}
}

var cellStates = [...]string{status.Unknown: "n", status.Up: "u", status.Degraded: "d", status.Down: "x"}

// cellState is the outcome of a cell in a letter, as there are up to 90 a row. A c behind it
// says that it is carried over from the run before; b, that the service was not watched yet; a figure, that only a part of the
// measurements had it: under 1 %, under 10 %, under a half.
func cellState(c status.Cell) string {
	state := cellStates[c.Outcome]
	if c.Before {
		return "b"
	}
	if c.Carried {
		return state + "c"
	}
	return state + [...]string{"", "1", "2", "3"}[partOf(c)]
}

// partOf is how large a part of a cell's measurements had its outcome: 1 for under 1 %, 2 for under 10 %, 3 for
// under a half, 0 for more, and for what is shown as a whole.
func partOf(c status.Cell) int {
	if c.Carried || c.Length <= time.Minute || c.Outcome < status.Degraded {
		return 0
	}
	bad := c.Down
	if c.Outcome == status.Degraded {
		bad = c.Degraded
	}
	switch n := c.Measured(); {
	case bad*100 < n:
		return 1
	case bad*10 < n:
		return 2
	case bad*2 < n:
		return 3
	default:
		return 0
	}
}

// cellText tells all that is known of a cell: "12:03 down, HTTP 503, 1 up,
// 1 down, 120 ms". It is what hover, focus and a screen reader show.
func cellText(c status.Cell, to Local) string {
	l := to.Lang
	var b strings.Builder
	b.WriteString(cellTime(c, to))
	b.WriteByte(' ')
	b.WriteString(cellOutcome(to, c))
	if c.Carried {
		b.WriteString(", " + l.T("cell.carried"))
		return b.String()
	}
	switch {
	case c.Outcome == status.Down:
		b.WriteString(", " + ReasonText(l, c.Reason, c.HTTPStatus) + regionsText(l, c.Regions))
	case c.Outcome == status.Degraded && c.Regions.Down > 0:
		b.WriteString(regionsText(l, c.Regions))
	case c.Outcome == status.Degraded && c.HTTPStatus > 0:
		b.WriteString(", HTTP " + strconv.Itoa(c.HTTPStatus))
	}
	if c.Length > time.Minute && c.Measured() > 0 || c.Measured() > 1 || c.Missing() > 0 && c.Measured() > 0 {
		b.WriteString(", " + countsText(to, c.Counts, c.Length > time.Minute))
	}
	// Sixty latencies a row don't compress: the good ones are half of the page on the wire, and
	// stand on the pages of their minutes.
	if c.Outcome >= status.Degraded && c.Length <= time.Minute {
		b.WriteString(", " + l.Milliseconds(c.Latency))
	}
	return b.String()
}

// cellOutcome is the outcome of a cell in a word; some regions being down is not the same as slow.
func cellOutcome(to Local, c status.Cell) string {
	if c.Before {
		return to.Lang.T("cell.before")
	}
	if c.Outcome == status.Degraded {
		return to.Lang.T(degradedKey(c.Regions.Down > 0 || to.partial && c.Length > time.Minute))
	}
	return to.Lang.T(cellKeys[c.Outcome])
}

func cellTime(c status.Cell, to Local) string {
	start := c.Start.In(to.Zone)
	switch {
	case c.Length >= 23*time.Hour:
		return to.Lang.ShortDate(start)
	case c.Length > time.Minute:
		end := start.Add(c.Length)
		if start.Format("MST") != end.Format("MST") { // The clock changes: 02:00 CEST–02:00 CET.
			return start.Format("15:04 MST") + "–" + end.Format("15:04 MST")
		}
		return to.Lang.Clock(start) + "–" + to.Lang.Clock(end)
	default:
		return to.Lang.Clock(start)
	}
}

// countsText writes counts: "58 up, 2 slow, 0 down, 0 missing", or without the zeroes.
func countsText(to Local, c status.Counts, all bool) string {
	l := to.Lang
	var b strings.Builder
	for _, n := range []struct {
		count int
		key   string
	}{{c.Up, "cell.up"}, {c.Degraded, degradedKey(to.partial)}, {c.Down, "cell.down"}, {c.Missing(), "cell.missing"}} {
		if n.count == 0 && !all {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		figure := strconv.Itoa(n.count)
		if n.count >= 1000 { // Below that every language writes the same, and this is done often.
			figure = l.Number(n.count)
		}
		b.WriteString(figure + " " + l.T(n.key))
	}
	return b.String()
}
