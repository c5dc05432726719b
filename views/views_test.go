package views

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "accept the golden files as they come out")

var english = Local{Lang: lang.Default(), Zone: time.UTC}

var now = time.Date(2026, 3, 29, 12, 0, 30, 0, time.UTC)

func rowInput(id, name string, outcomes string) RowInput {
	svc := status.Service{ID: id, Name: name, URL: "https://" + id + ".example/?a=1&b=2", Interval: time.Minute, Timeout: 10 * time.Second}
	var samples []status.Sample
	for i, o := range outcomes {
		at := svc.Next(now.Truncate(time.Minute).Add(time.Duration(i-len(outcomes)) * time.Minute))
		s := status.Signal{Received: at, HTTPStatus: 200, Duration: 42 * time.Millisecond}
		switch o {
		case 'u':
			s.Outcome = status.Up
		case 'd':
			s.Outcome, s.Reason, s.Duration = status.Degraded, status.Slow, 2340*time.Millisecond
		case 'x':
			s.Outcome, s.Reason, s.HTTPStatus = status.Down, status.ConnectionRefused, status.NoHTTPStatus
		default:
			continue
		}
		samples = append(samples, s.Sample())
	}
	in := RowInput{Service: svc, Cells: status.Minutes(samples, svc, now)}
	in.Sum = status.Total(in.Cells)
	if n := len(samples); n > 0 {
		in.Last = samples[n-1]
		in.State = status.State(in.Last, svc, now)
	}
	return in
}

func render(t testing.TB, c templ.Component) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
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
		t.Errorf("%s differs (accept it with -update):\n%s", name, diff)
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	hidden := rowInput("hidden", "Hidden", "uu")
	hidden.Service.HideURL = true
	for name, in := range map[string]RowInput{
		"up":     rowInput("up", "Website", strings.Repeat("u", 59)),
		"slow":   rowInput("slow", "API", "uuuuuddd"),
		"down":   rowInput("down", "Mail", "uu..xx"),
		"empty":  rowInput("empty", "New", ""),
		"hidden": hidden,
	} {
		golden(t, "row-"+name+".html", render(t, RowView(BuildStripRow(in, status.LastHour, english))))
	}
	golden(t, "row-open.html", render(t, RowView(BuildRow(rowInput("slow", "API", "uuuuuddd"), english))))
}

func TestPageContainsTheRowsOfTheStream(t *testing.T) {
	t.Parallel()
	row := RowView(BuildStripRow(rowInput("api", "API", "uxu"), status.LastHour, english))
	banner := BannerView(BuildBanner("Acme", stand([]status.Outcome{status.Up, status.Down}, false), now, "", News{}, english))
	head := Head{Lang: lang.Default(), Title: "T", Site: Site{Title: "Acme"}, Refresh: 30, Scripts: true}
	page := render(t, Page(head, Board{
		Banner: banner, Stream: "/events?since=a-1", Window: "1h", Cells: 60,
		Groups: []Group{{ID: "g0", Name: "Public", State: GroupState("g0", "up", "All up"), Rows: []templ.Component{row}}},
	}))
	for _, part := range [][]byte{render(t, row), render(t, banner)} {
		if !bytes.Contains(page, part) {
			t.Error("the page does not hold the same bytes that the stream sends")
		}
		if partial := render(t, Partial("x", row)); !bytes.Contains(partial, render(t, row)) {
			t.Error("the partial does not hold the row's bytes")
		}
	}
}

func TestUntrustedTextIsEscaped(t *testing.T) {
	t.Parallel()
	const hostile = `<script>alert("evil")</script>'`
	in := rowInput("api", hostile, "u")
	hostileHead := Head{
		Lang: lang.Default(), Title: hostile, Description: hostile, Canonical: "https://x.example/", Site: Site{Title: hostile, Header: []Link{{hostile, "/"}}},
		Zone: ZoneChoice{Name: hostile, Keep: []Pair{{hostile, hostile}}},
	}
	in.Service.URL = "https://x.example/" + hostile
	for name, c := range map[string]templ.Component{
		"row":     RowView(BuildStripRow(in, status.LastHour, english)),
		"cells":   RowView(BuildRow(in, english)),
		"banner":  BannerView(BuildBanner(hostile, Standing{}, now, Note(hostile), News{}, english)),
		"service": ServicePage(hostileHead, ServiceView{ID: "a", Name: hostile, URL: hostile, Row: templ.NopComponent, Detail: DetailView(hostileHead, Detail{Outages: []OutageRow{{Reason: hostile, Regions: hostile}}})}),
		"error":   ErrorPage(hostileHead, hostile, hostile),
		"page":    Page(hostileHead, Board{Banner: templ.NopComponent, Filter: &Filter{Query: hostile}, Groups: []Group{{ID: "g0", Name: hostile, Description: hostile, State: GroupState("g0", "up", hostile)}}}),
		"history": HistoryPage(hostileHead, History{Days: []HistoryDay{{Date: "x", Outages: []OutageRow{{Service: hostile, Reason: hostile}}}}}),
		"span":    SpanPage(hostileHead, Span{Service: hostile, Headline: hostile, Rows: []SpanRow{{Reason: hostile}}}),
	} {
		html := render(t, c)
		if bytes.Contains(html, []byte("<script>")) || bytes.Contains(html, []byte(`"evil"`)) {
			t.Errorf("%s lets markup through:\n%s", name, html)
		}
		if !bytes.Contains(html, []byte("&lt;script&gt;")) {
			t.Errorf("%s does not show the text at all", name)
		}
	}
}

// stand counts states.
func stand(states []status.Outcome, partial bool) Standing {
	s := Standing{Partial: partial}
	for _, o := range states {
		s.States[o]++
	}
	return s
}

func TestBannerWords(t *testing.T) {
	t.Parallel()
	const n, u, d, x = status.Unknown, status.Up, status.Degraded, status.Down
	for _, c := range []struct {
		states          []status.Outcome
		state, headline string
	}{
		{nil, "unknown", "Nothing is watched yet"},
		{[]status.Outcome{n, n}, "unknown", "No data"},
		{[]status.Outcome{u}, "up", "The service is up"},
		{[]status.Outcome{x}, "down", "The service is down"},
		{[]status.Outcome{u, u}, "up", "All 2 services are up"},
		{[]status.Outcome{u, n}, "unknown", "1 of 2 services is without data"},
		{[]status.Outcome{u, d, n}, "degraded", "1 of 3 services is slow"},
		{[]status.Outcome{u, d, x, x}, "down", "2 of 4 services are down"},
		{[]status.Outcome{x, x}, "down", "All 2 services are down"},
	} {
		b := BuildBanner("Acme", stand(c.states, false), now, "", News{}, english)
		if b.State != c.state || b.Headline != c.headline {
			t.Errorf("%v: %s, %q; want %s, %q", c.states, b.State, b.Headline, c.state, c.headline)
		}
	}
}

func TestCellText(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", 3600)
	start := now.Truncate(time.Minute)
	for want, c := range map[string]status.Cell{
		"13:00 no data":                {Start: start, Counts: status.Counts{Expected: 1}},
		"13:00 up":                     {Start: start, Outcome: status.Up, HTTPStatus: 204, Counts: status.Counts{Up: 1, Expected: 1}, Latency: 9500 * time.Microsecond},
		"13:00 down, timeout, 10.00 s": {Start: start, Outcome: status.Down, Reason: status.Timeout, HTTPStatus: -1, Counts: status.Counts{Down: 1, Expected: 1}, Latency: 10 * time.Second},
		"13:00 down, HTTP 503, 1 up, 1 down, 2 missing, 100 ms":                {Start: start, Outcome: status.Down, Reason: status.UnexpectedStatus, HTTPStatus: 503, Counts: status.Counts{Up: 1, Down: 1, Expected: 4}, Latency: 100 * time.Millisecond},
		"13:00 up, as in the check before; none was due in this minute so far": {Start: start, Outcome: status.Up, Carried: true, HTTPStatus: 200},
	} {
		if got := cellText(c, Local{Lang: lang.Default(), Zone: zone}); got != want {
			t.Errorf("cellText = %q, want %q", got, want)
		}
	}
}

func TestHoursOfAClockChangeAreToldApart(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Budapest")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC)
	for i, want := range []string{"02:00 CEST–02:00 CET", "02:00–03:00", "03:00–04:00"} {
		c := status.Cell{Start: start.Add(time.Duration(i) * time.Hour), Length: time.Hour}
		if got := cellTime(c, Local{Lang: lang.Default(), Zone: zone}); got != want {
			t.Errorf("hour %d = %q, want %q", i, got, want)
		}
		if got, want := CellPath("web", c), "/services/web/2026-10-25T0"+string(rune('0'+i))+"Z"; got != want {
			t.Errorf("hour %d opens %s, want %s", i, got, want)
		}
	}
}

func BenchmarkRow(b *testing.B) {
	in := rowInput("api", "API", strings.Repeat("u", 59))
	for name, row := range map[string]func() Row{
		"at rest": func() Row { return BuildStripRow(in, status.LastHour, english) },
		"open":    func() Row { return BuildRow(in, english) },
	} {
		b.Run(name, func(b *testing.B) {
			var w bytes.Buffer
			b.ReportAllocs()
			for b.Loop() {
				w.Reset()
				_ = RowView(row()).Render(context.Background(), &w)
			}
			b.ReportMetric(float64(w.Len()), "bytes")
		})
	}
}

// TestDegradedIsNotCalledSlowWhereRegionsWatch holds that "slow" stands only where nothing else can have been.
func TestDegradedIsNotCalledSlowWhereRegionsWatch(t *testing.T) {
	t.Parallel()
	plain, watched := status.Service{ID: "a"}, status.Service{ID: "a", Regions: []string{"eu", "us"}}
	counts := status.Counts{Up: 3, Degraded: 2, Expected: 5}
	hour := status.Cell{Outcome: status.Degraded, Length: time.Hour, Counts: counts}
	states := []status.Outcome{status.Up, status.Degraded}
	for _, c := range []struct{ got, want string }{
		{BuildUptime(plain, "1 h", counts, english).Counts, "3 up, 2 slow, 0 down, 0 missing"},
		{BuildUptime(watched, "1 h", counts, english).Counts, "3 up, 2 degraded, 0 down, 0 missing"},
		{cellText(hour, english.of(plain)), "00:00–01:00 slow, 3 up, 2 slow, 0 down, 0 missing"},
		{cellText(hour, english.of(watched)), "00:00–01:00 degraded, 3 up, 2 degraded, 0 down, 0 missing"},
		{Headline(english.Lang, stand(states, false)), "1 of 2 services is slow"},
		{Headline(english.Lang, stand(states, true)), "1 of 2 services is degraded"},
		{GroupText(english.Lang, stand(states[1:], true)), "All degraded"},
		{tally(english.Lang, stand(states, true)), "1 up, 1 degraded"},
		{StateText(english.Lang, watched, status.Degraded), "Degraded"},
		{StateText(english.Lang, plain, status.Degraded), "Slow"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
