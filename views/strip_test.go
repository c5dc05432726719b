package views

import (
	"bytes"
	"regexp"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// nodes counts what a browser makes of a row: its elements and texts.
func nodes(t *testing.T, row []byte) (n int) {
	t.Helper()
	root, err := html.Parse(strings.NewReader("<table><tbody>" + string(row)))
	if err != nil {
		t.Fatal(err)
	}
	for node := range root.Descendants() {
		if node.Type == html.TextNode || node.Type == html.ElementNode {
			n++
		}
	}
	return n - 5 // html, head, body, table, tbody.
}

// periods is a row of hours or days, of which the share of each that was bad is given.
func periods(window status.Window, outcomes string, bad ...int) RowInput {
	in := RowInput{Service: status.Service{ID: "api", Name: "API", URL: "https://api.example"}, State: status.Up}
	first := now.Truncate(window.Cell).Add(-time.Duration(window.Cells-1) * window.Cell)
	for i := range window.Cells {
		c := status.Cell{Start: first.Add(time.Duration(i) * window.Cell), Length: window.Cell, Counts: status.Counts{Expected: 1000}}
		n := bad[i%len(bad)]
		c.Up = 1000 - n
		switch outcomes[i%len(outcomes)] {
		case 'u':
			c.Outcome, c.Up = status.Up, 1000
		case 'd':
			c.Outcome, c.Degraded = status.Degraded, n
		case 'x':
			c.Outcome, c.Down = status.Down, n
		default:
			c.Up = 0
		}
		in.Cells = append(in.Cells, c)
	}
	in.Sum = status.Total(in.Cells)
	return in
}

// TestARowAtRestIsSmall holds what a service weighs on the page, in its document and in a frame.
func TestARowAtRestIsSmall(t *testing.T) {
	t.Parallel()
	const mostNodes, mostBytes = 30, 1024
	hour := func(outcomes string) RowInput { return rowInput("checkout", "Checkout", outcomes) }
	for name, c := range map[string]struct {
		in     RowInput
		window status.Window
		bytes  int
	}{
		"up":                   {hour(strings.Repeat("u", 59)), status.LastHour, mostBytes},
		"an outage":            {hour(strings.Repeat("u", 30) + "ddxxxxxxd" + strings.Repeat("u", 20)), status.LastHour, mostBytes},
		"gaps":                 {hour("uuu..uuuuddd..uuuxx" + strings.Repeat("u", 40)), status.LastHour, mostBytes},
		"flaky":                {hour(strings.Repeat("uuuuux", 9) + "uuuuu"), status.LastHour, mostBytes},
		"never the same twice": {hour(strings.Repeat("udx.", 14) + "udx"), status.LastHour, 1600},
		"a day":                {periods(status.LastDay, strings.Repeat("u", 9)+"dx", 5, 50, 300), status.LastDay, mostBytes},
		"ninety days":          {periods(status.Last90, strings.Repeat("u", 19)+"dx", 5, 50, 300), status.Last90, mostBytes},
		"ninety unlike days":   {periods(status.Last90, "udx.ux", 5, 50, 300, 900), status.Last90, 2000},
	} {
		for _, l := range lang.All() {
			row := render(t, RowView(BuildStripRow(c.in, c.window, Local{Lang: l, Zone: time.UTC})))
			if n := nodes(t, row); n > mostNodes {
				t.Errorf("%s, %s: %d nodes, want at most %d", name, l.Code, n, mostNodes)
			}
			if frame := render(t, Partial(DOMID("checkout"), RowView(BuildStripRow(c.in, c.window, Local{Lang: l, Zone: time.UTC})))); len(frame) > c.bytes {
				t.Errorf("%s, %s: %d bytes in a frame, want at most %d:\n%s", name, l.Code, len(frame), c.bytes, row)
			}
		}
	}
}

func TestStripSaysItsCellsInASentence(t *testing.T) {
	t.Parallel()
	one, two := strings.Repeat("u", 57)+"dx", strings.Repeat("u", 55)+"xdxu"
	day := periods(status.LastDay, strings.Repeat("u", 22)+"xd", 10)
	days := periods(status.Last90, strings.Repeat("u", 89)+"x", 10)
	for want, got := range map[string]string{
		"Last hour: 57 up, 1 slow, 1 down at 11:59, 1 no data":               stripText(rowInput("a", "A", one).Cells, status.LastHour, english),
		"Last hour: 56 up, 1 slow, 2 down, last at 11:58, 1 no data":         stripText(rowInput("a", "A", two).Cells, status.LastHour, english),
		"Last hour: 60 no data":                                              stripText(rowInput("a", "A", "").Cells, status.LastHour, english),
		"Last day: 22 up, 1 slow, 1 down at 11:00–12:00":                     stripText(day.Cells, status.LastDay, english),
		"Last 90 days: 89 up, 1 down on 29 Mar":                              stripText(days.Cells, status.Last90, english),
		"Letzter Tag: 22 verfügbar, 1 langsam, 1 ausgefallen um 11:00–12:00": stripText(day.Cells, status.LastDay, Local{Lang: language(t, "de"), Zone: time.UTC}),
		"過去90日：89 正常, 1 停止（最新 3月29日）":                                        stripText(days.Cells, status.Last90, Local{Lang: language(t, "ja"), Zone: time.UTC}),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func language(t *testing.T, code string) *lang.Language {
	t.Helper()
	l, ok := lang.Find(code)
	if !ok {
		t.Fatal(code)
	}
	return l
}

// area is what a path covers, in cells times height.
func area(path string) (sum int) {
	x, y, from := 0, 0, 0
	for _, m := range regexp.MustCompile(`([MHVz])(\d*) ?(\d*)`).FindAllStringSubmatch(path, -1) {
		n := 0
		for _, d := range m[2] {
			n = n*10 + int(d-'0')
		}
		switch m[1] {
		case "M":
			if m[3] == "9" {
				y = full
			}
			from = y
		case "V":
			y = n
		case "H":
			sum += (n - x) * max(y-from, from-y)
			x = n
		}
	}
	return sum
}

// TestStripDrawsEachCell holds that states are told apart by shape, and that none is drawn twice or left out.
func TestStripDrawsEachCell(t *testing.T) {
	t.Parallel()
	paths := regexp.MustCompile(`<svg class="(.)"[^>]*>|<path (?:class="(.)" )?d="([^"]*)"/>`)
	for name, c := range map[string]struct {
		in     RowInput
		window status.Window
		want   map[string]int
	}{
		"up":            {rowInput("up", "A", strings.Repeat("u", 59)), status.LastHour, map[string]int{"u": 59 * full, "uc": full}},
		"no data":       {rowInput("a", "A", ""), status.LastHour, map[string]int{"un": 60 * none}},
		"each":          {rowInput("a", "A", "..ux.dd."), status.LastHour, map[string]int{"u": full, "x": full, "d": 2 * slow, "un": 56 * none}},
		"all down":      {periods(status.LastDay, "x", 1000), status.LastDay, map[string]int{"x": 24 * full}},
		"parts of days": {periods(status.Last90, "d", 5), status.Last90, map[string]int{"d": 90 * 2, "u": 90 * 6}},
		"parts":         {periods(status.LastDay, "xdxdxu", 5, 50, 300, 5, 900, 0), status.LastDay, map[string]int{"d": 4 * (4 + 2), "x": 4 * (2 + 6 + 9), "u": 4 * (6 + 4 + 2 + 6 + 9)}},
	} {
		got, layer := map[string]int{}, ""
		for _, m := range paths.FindAllSubmatch(render(t, picture(buildStrip(c.in, "/", c.window, english))), -1) {
			if len(m[1]) > 0 {
				layer = string(m[1])
				continue
			}
			got[layer+string(m[2])] += area(string(m[3]))
		}
		for k := range got {
			if got[k] != c.want[k] {
				t.Errorf("%s: %v, want %v", name, got, c.want)
				break
			}
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestStripLeadsWhereItsCellsAreTold(t *testing.T) {
	t.Parallel()
	for window, want := range map[status.Window]string{status.LastHour: `href="/services/api"`, status.LastDay: `href="/services/api?window=24h"`, status.Last90: `href="/services/api?window=90d"`} {
		if row := render(t, RowView(BuildStripRow(periods(window, "u", 0), window, english))); !bytes.Contains(row, []byte(want+` tabindex="-1" aria-label`)) {
			t.Errorf("%s: the strip does not lead to %s:\n%s", window.Name, want, row)
		}
	}
}
