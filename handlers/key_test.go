package handlers

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/board"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// still is a server without a socket on which no time passes.
type still struct {
	*server
	board *board.Board
	now   func() time.Time
}

// newStill is one of a service.
func newStill(f testing.TB, regions ...string) *still {
	f.Helper()
	b, err := board.New([]status.Service{{ID: "web", Name: "Website", Group: "Public", URL: "https://web.example", Interval: time.Minute, Timeout: time.Second, Regions: regions}}, time.UTC)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Date(2026, 3, 29, 14, 5, 30, 0, time.UTC)
	clock := func() time.Time { return now }
	s, err := New(Options{Board: b, Log: slog.New(slog.DiscardHandler), Page: page.Settings{Title: "Acme"}, MaxViewers: 10, Now: clock})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Shutdown() })
	return &still{s.server(), b, clock}
}

// ask asks without a socket.
func (s *server) ask(address string, header ...string) *fasthttp.Response {
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, loopback, nil)
	ctx.Request.Header.SetRequestURI(address)
	ctx.Request.Header.SetHost("status.example.com")
	for i := 0; i+1 < len(header); i += 2 {
		ctx.Request.Header.Set(header[i], header[i+1])
	}
	s.receive(&ctx)
	return &ctx.Response
}

// caches are all that features keep answers in.
func (s *server) caches() (all []*answer.Cache) {
	for _, f := range s.features {
		v := reflect.ValueOf(f)
		if v.IsNil() {
			continue
		}
		for _, field := range v.Elem().Fields() {
			if field.Type() == reflect.TypeFor[answer.Cache]() {
				all = append(all, (*answer.Cache)(field.Addr().UnsafePointer()))
			}
		}
	}
	return all
}

// forget empties what is kept of answers.
func (s *server) forget() {
	for _, c := range s.caches() {
		c.Forget()
	}
}

// kept is how many answers are kept, by what they depend on.
func (s *server) kept() (n int) {
	for _, c := range s.caches() {
		n += c.Len()
	}
	return n
}

// keyedAddresses are those whose answers are kept by what was asked, with their parameters.
var keyedAddresses = []struct {
	path string
	of   []string
}{
	{"/", []string{"q", "state", "view", "window", "tz"}},
	{"/services/web", []string{"from", "to", "chart", "window", "tz"}},
	{"/history", []string{"month", "tz", "lang"}},
	{"/badge/web/uptime.svg", []string{"label", "color", "label_color", "window", "logo"}},
	{"/badge/web/latency.json", []string{"percentile", "window", "label", "style"}},
	{"/embed", []string{"theme", "lang"}},
	{"/signals", []string{"limit", "service", "region"}},
	{"/api/v1/endpoints/statuses", []string{"page", "pageSize"}},
	{"/services/web/2026-03-29", []string{"tz", "lang"}},
	{"/history.atom", nil},
	{"/services/web/history.json", nil},
}

// compare asks for the second alone, in another spelling, and after the first.
func compare(s *still, first, second, spelt string) (complaint string) {
	s.forget()
	alone := string(s.ask(second).Body())
	n := s.kept()
	if again := string(s.ask(spelt).Body()); again != alone || s.kept() != n {
		return fmt.Sprintf("%q is answered anew as %q: %d kept after %d", second, spelt, s.kept(), n)
	}
	s.forget()
	s.ask(first)
	if got := string(s.ask(second).Body()); got != alone {
		return fmt.Sprintf("%q after %q gets another answer than alone:\n%.3000s\nalone:\n%.3000s", second, first, got, alone)
	}
	return ""
}

// FuzzRequestsShareNoKey asks one question after another: it gets the answer that it gets when
// nobody has asked before; and the same question in another spelling is not answered anew.
func FuzzRequestsShareNoKey(f *testing.F) {
	for at := range keyedAddresses {
		f.Add(at, "", "", "2026-03-01", "2026-03-02")
		f.Add(at, "2026-03-012026-03-02", "", "2026-03-01", "2026-03-02")
		f.Add(at, "\x00", "", "", "\x00")
		f.Add(at, "a", "b", "a b", "")
	}
	f.Add(3, "\x00", "", "", "") // A label of nothing is none, not the usual.
	s := newStill(f)
	f.Fuzz(func(t *testing.T, at int, a, b, c, d string) {
		of := keyedAddresses[((at%len(keyedAddresses))+len(keyedAddresses))%len(keyedAddresses)]
		address := func(values ...string) (plain, spelt string) {
			var query, odd []string
			for i, value := range values {
				if i < len(of.of) && value != "" {
					query = append(query, of.of[i]+"="+url.QueryEscape(value))
					odd = append(odd, of.of[i]+"="+everyByte(value))
				}
			}
			slices.Reverse(odd)
			return of.path + "?" + strings.Join(query, "&"), of.path + "?" + strings.Join(odd, "&")
		}
		first, _ := address(a, b)
		second, spelt := address(c, d)
		// A minute of real time may pass meanwhile, and the page move on by it: then it is asked once more.
		var complaint string
		for version := s.live.Version(); ; version = s.live.Version() {
			complaint = compare(s, first, second, spelt)
			if s.live.Version() == version {
				break
			}
		}
		if complaint != "" {
			t.Fatal(complaint)
		}
	})
}

// everyByte writes each byte as its encoding.
func everyByte(text string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		b.WriteByte('%')
		b.WriteByte(digits[text[i]>>4])
		b.WriteByte(digits[text[i]&15])
	}
	return b.String()
}

// TestOriginIsServedFromMemory: who asks from another site, or whatever else is unusual about a request,
// gets the bytes that were compressed for others.
func TestOriginIsServedFromMemory(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	for i := range 300 {
		s.board.Apply([]status.Signal{{Service: "web", Received: s.now().Add(time.Duration(i-300) * time.Minute), Outcome: status.Up, Available: true, HTTPStatus: 200}})
	}
	for _, address := range []string{"/signals?limit=300", "/badge/web/hours.svg"} {
		usual := s.ask(address, "Accept-Encoding", "br").Body()
		kept := s.kept()
		for _, header := range [][]string{{"Origin", "http://localhost:3000"}, {"X-Forwarded-For", "203.0.113.9"}, {"Cookie", "x"}} {
			got := s.ask(address, append(header, "Accept-Encoding", "br")...).Body()
			if len(got) == 0 || &got[0] != &usual[0] {
				t.Errorf("%s with %s is made anew", address, header[0])
			}
			if s.kept() != kept {
				t.Errorf("%s with %s takes the place of what was kept", address, header[0])
			}
		}
	}
}

// TestOneVariantOfAZone: the zone of the configuration and one of the same name in an address are one.
func TestOneVariantOfAZone(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Budapest")
	if err != nil {
		t.Fatal(err)
	}
	b, err := board.New([]status.Service{{ID: "a", Name: "A", URL: "https://a.example", Interval: time.Minute, Timeout: time.Second}}, zone)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(o *Options) { o.Board = b })
	plain, body := s.get("/")
	if !strings.Contains(body, "tz=Europe%2FBudapest") {
		t.Fatal("the stream of the page names no zone")
	}
	next(t, s.events("/events?window=1h&lang=en&tz=Europe%2FBudapest"), "beat")
	named, _ := s.get("/?tz=Europe/Budapest")
	if plain.Header.Get("ETag") != named.Header.Get("ETag") {
		t.Error("the page's own zone has two variants; each is drawn at each change")
	}
	if other, _ := s.get("/?tz=Asia//Tokyo"); other.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a zone has two names: %d", other.StatusCode)
	}
	if k := (page.Preferences{Window: status.LastHour, Lang: lang.Default(), Zone: zone}); k.Query() == (page.Preferences{Window: status.LastHour, Lang: lang.Default(), Zone: time.UTC}).Query() {
		t.Error("two zones have one key")
	}
}
