package views

import (
	"bytes"
	"regexp"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"strings"
	"testing"
	"time"
)

// masked is a row whose cells from the third to the fourth last are under maintenance.
func masked(outcomes string, strip bool, l *lang.Language) Row {
	in, to := rowInput("api", "API", outcomes), Local{Lang: l, Zone: time.UTC}
	row := BuildRow(in, to)
	if strip {
		row = BuildStripRow(in, status.LastHour, to)
	}
	n := len(in.Cells)
	masks := []incident.Mask{{Span: incident.Span{From: in.Cells[n-4].Start, To: in.Cells[n-2].Start}, Service: "api"}}
	row.Declare(in.State, incident.UnderMaintenance, true, l)
	row.Mask(in.Cells, masks, l)
	return row
}

func TestMaintenanceIsAPatternOverTheCells(t *testing.T) {
	t.Parallel()
	row := render(t, RowView(masked("uuxxuu", true, english.Lang)))
	golden(t, "row-maintenance.html", row)
	golden(t, "row-maintenance-open.html", render(t, RowView(masked("uuxxuu", false, english.Lang))))
	paths := regexp.MustCompile(`<svg class="m"[^>]*><path d="([^"]*)"/></svg>`).FindSubmatch(row)
	if paths == nil || string(paths[1]) != "M56 0H58V9H56z" {
		t.Errorf("the mask is %q", paths)
	}
	for _, red := range []string{`<svg class="x"`, "2 down, last at"} {
		if !bytes.Contains(row, []byte(red)) {
			t.Errorf("the row hides %q:\n%s", red, row)
		}
	}
	if bytes.Contains(row, []byte("  ")) || bytes.Index(row, []byte(`class="m"`)) < bytes.Index(row, []byte(`class="x"`)) {
		t.Error("what is drawn later lies above: the mask is to be seen")
	}
}

// TestWhatIsDeclaredIsSaidInTheRow, and never covers what was measured.
func TestWhatIsDeclaredIsSaidInTheRow(t *testing.T) {
	t.Parallel()
	for _, l := range lang.All() {
		for measured := status.Unknown; measured <= status.Down; measured++ {
			for declared := incident.NoState; declared <= incident.MajorOutage; declared++ {
				row := Row{State: measured.String(), StateText: "MEASURED"}
				row.Declare(measured, declared, declared == incident.UnderMaintenance, l)
				worse := declared > incident.Operational && declared > incident.Measured(measured)
				if worse == strings.Contains(row.StateText, "MEASURED") || measured == status.Down && row.State != "down" || strings.Contains(row.StateText, "%!") || row.StateText == "" {
					t.Errorf("%s: measured %v, declared %q: %s %q", l.Code, measured, declared, row.State, row.StateText)
				}
			}
		}
	}
}

func TestMaintenanceInTheHeadline(t *testing.T) {
	t.Parallel()
	var s Standing
	s.States[status.Up], s.Maintenance = 3, 1
	for _, l := range lang.All() {
		if text := Headline(l, s); !strings.Contains(text, "1") || !strings.Contains(text, "3") || strings.Contains(text, "%!") {
			t.Errorf("%s: %q", l.Code, text)
		}
		for _, n := range []int{1, 3} {
			s.Maintenance = n
			if text := GroupText(l, s); text == "" || strings.Contains(text, "%!") {
				t.Errorf("%s: %q", l.Code, text)
			}
		}
		s.Maintenance = 1
	}
	if s.Word() != "maintenance" || !strings.Contains(IconPath(s.Word()), "maintenance") {
		t.Errorf("%s", s.Word())
	}
	s.States[status.Unknown]++
	if s.Word() != "unknown" {
		t.Errorf("not all is known, and it is %s", s.Word())
	}
	s.States[status.Down]++
	if s.Word() != "down" || !strings.Contains(Headline(english.Lang, s), "down") {
		t.Errorf("what is down is %s", s.Word())
	}
	s = Standing{Declared: 1}
	s.States[status.Degraded], s.States[status.Up] = 1, 1
	if text := Headline(english.Lang, s); !strings.Contains(text, "degraded") {
		t.Errorf("what people call degraded is %q", text)
	}
}
