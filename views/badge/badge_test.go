package badge

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/colornames"
)

var update = flag.Bool("update", false, "accept the golden files as they come out")

var now = time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)

func hours() []Hour {
	all := make([]Hour, 24)
	for i := range all {
		all[i].State = status.Up
	}
	all[3].State, all[9].State, all[10].State, all[20].State = status.Degraded, status.Down, status.Down, status.Unknown
	return all
}

func TestBadges(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]Badge{
		"up":       State("Website", status.Up),
		"down":     State("API", status.Down),
		"no-data":  State("API", status.Unknown),
		"page":     Page("Acme", []status.Outcome{status.Up, status.Down, status.Unknown}),
		"uptime":   Uptime("24h", status.Counts{Up: 99_999, Down: 1}),
		"unknown":  Unknown("service"),
		"latency":  Latency("24h", 95, 123*time.Millisecond, true),
		"expired":  Certificate(now.Add(-time.Hour), now),
		"expires":  Certificate(now.AddDate(0, 0, 9), now),
		"outage":   Outage([]status.Outage{{Begin: now.Add(-72 * time.Hour), End: now.Add(-71 * time.Hour)}}, now),
		"hours":    Hours("last day", hours()),
		"square":   {Label: "API", Message: "up", Color: green, Style: "flat-square", LabelColor: "#ffffff"},
		"plastic":  {Label: "API", Message: "slow", Color: amber, Style: "plastic"},
		"large":    {Label: "API", Message: "down", Color: red, Style: "for-the-badge", Logo: "pulse"},
		"social":   {Label: "API", Message: "99.98%", Color: green, Style: "social", Logo: "grid"},
		"escaping": {Label: `<script>"&'`, Message: "a<b", Color: green},
	} {
		path := filepath.Join("testdata", name+".svg")
		got := b.SVG()
		if *update {
			if err := os.WriteFile(path, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s differs (accept it with -update):\n%s", path, diff)
		}
	}
}

func TestPageBadgeIsHonest(t *testing.T) {
	t.Parallel()
	const n, u, d = status.Unknown, status.Up, status.Degraded
	for _, c := range []struct {
		states []status.Outcome
		want   string
	}{{nil, "no data"}, {[]status.Outcome{u, n}, "no data"}, {[]status.Outcome{u, u}, "all up"}, {[]status.Outcome{u, d}, "slow"}} {
		if got := Page("x", c.states).Message; got != c.want {
			t.Errorf("page of %v = %q, want %q", c.states, got, c.want)
		}
	}
}

func TestUptimeIsNeverRoundedUp(t *testing.T) {
	t.Parallel()
	if got := Uptime("90d", status.Counts{Up: 999_999, Down: 1}).Message; got != "99.99%" {
		t.Errorf("uptime with one failure in a million = %s, want 99.99%%", got)
	}
}

func TestShieldsJSONHasItsKeysOnly(t *testing.T) {
	t.Parallel()
	var got map[string]any
	if err := json.Unmarshal(Unknown("service").JSON(true), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"schemaVersion": 1.0, "label": "status", "message": "unknown service", "color": "8b929c", "isError": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestColorsOfCSS(t *testing.T) {
	t.Parallel()
	names := append(strings.Fields("rebeccapurple"), colornames.Names...)
	if len(names) != 148 {
		t.Errorf("%d names, CSS has 148", len(names))
	}
	for _, name := range names {
		if color, err := ParseColor(name); err != nil || len(color) != 7 {
			t.Errorf("%s = %q, %v", name, color, err)
		}
	}
	for text, want := range map[string]string{
		"RebeccaPurple": "#663399", "tomato": "#ff6347", "DarkSlateGrey": "#2f4f4f", "navy": "#000080", "#ABC": "#abc", "green": "#97ca00",
		"rgb(1,2,3)": "", "hsl(1,2%,3%)": "", "transparent": "", "": "", "+12345": "", "#12345": "", "0x123": "",
	} {
		if got, err := ParseColor(text); got != want || (err == nil) != (want != "") {
			t.Errorf("ParseColor(%q) = %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestTextCannotTurnAround(t *testing.T) {
	t.Parallel()
	for _, r := range "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069" {
		b := Badge{Label: "a" + string(r) + "b", Message: "c" + string(r) + "d", Color: green}
		if svg := string(b.SVG()); strings.ContainsRune(svg, r) || !strings.Contains(svg, ">ab<") || !strings.Contains(svg, ">cd<") {
			t.Errorf("%U is drawn: %s", r, svg)
		}
		if bytes.ContainsRune(b.JSON(false), r) {
			t.Errorf("%U is in the JSON", r)
		}
	}
}

func TestValuesSayWhatMessagesSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		b    Badge
		want any // A number, or nil.
	}{
		{State("x", status.Degraded), 1.0},
		{State("x", status.Down), 0.0},
		{State("x", status.Unknown), nil},
		{Page("x", []status.Outcome{status.Up, status.Down, status.Degraded}), 2.0},
		{Page("x", nil), nil},
		{Uptime("24h", status.Counts{Up: 99_999, Down: 1}), 99.99},
		{Uptime("24h", status.Counts{}), nil},
		{Latency("24h", 95, 1500*time.Microsecond, true), 1.5},
		{Latency("24h", 95, 0, false), nil},
		{Certificate(now.AddDate(0, 0, 9), now), 9.0},
		{Certificate(now.Add(-time.Hour), now), -1.0},
		{Certificate(time.Time{}, now), nil},
		{Outage([]status.Outage{{Begin: now.Add(-time.Minute)}}, now), 60.0},
		{Outage(nil, now), 0.0},
		{Hours("x", hours()), 21.0},
		{Hours("x", make([]Hour, 24)), nil},
	} {
		var got any
		if c.b.Value != nil {
			got = *c.b.Value
		}
		if got != c.want {
			t.Errorf("%s: value %v, want %v", c.b.Message, got, c.want)
		}
	}
}

// FuzzSVG holds the drawing to well-formed XML that carries no element but our own.
func FuzzSVG(f *testing.F) {
	for _, seed := range []string{"up", "<script>", "a\x00b\x1f", "\xff\xfe", "\ufffe", "]]>", strings.Repeat("W", 1000), "שלום"} {
		f.Add(seed, seed)
	}
	own := map[string]bool{"svg": true, "title": true, "linearGradient": true, "stop": true, "clipPath": true, "rect": true, "g": true, "text": true, "path": true}
	f.Fuzz(func(t *testing.T, label, message string) {
		b := Badge{Label: label, Message: message, Color: green, Style: Styles[len(label)%len(Styles)]}
		svg := b.SVG()
		d := xml.NewDecoder(bytes.NewReader(svg))
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("not XML: %v\n%s", err, svg)
			}
			if e, ok := token.(xml.StartElement); ok && !own[e.Name.Local] {
				t.Fatalf("element %s got in: %s", e.Name.Local, svg)
			}
		}
		if !json.Valid(b.JSON(false)) {
			t.Fatal("JSON is not valid")
		}
	})
}

func BenchmarkSVG(b *testing.B) {
	badge := State("Website", status.Up)
	b.ReportAllocs()
	for b.Loop() {
		badge.SVG()
	}
}
