package handlers

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"statuspage/internal/board"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

// shelf is a history of what it was given.
type shelf struct {
	signals []status.Signal
	away    bool
}

var errAway = errors.New("dial tcp 10.0.0.7: secret")

func (h *shelf) SignalsOf(_ context.Context, svc status.Service, from, to time.Time) iter.Seq2[status.Signal, error] {
	return func(yield func(status.Signal, error) bool) {
		if h.away {
			yield(status.Signal{}, errAway)
			return
		}
		for _, s := range h.signals {
			if s.Service == svc.ID && !s.Received.Before(from) && s.Received.Before(to) && !yield(s, nil) {
				return
			}
		}
	}
}

func (h *shelf) HoursOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.Bucket, error) {
	sums := map[time.Time]*[4]status.Counts{}
	for s, err := range h.SignalsOf(ctx, svc, from, to) {
		if err != nil {
			return nil, err
		}
		hour := s.Received.Truncate(time.Hour)
		if sums[hour] == nil {
			sums[hour] = &[4]status.Counts{}
		}
		q := &sums[hour][s.Received.Sub(hour)/status.QuarterHour]
		*q = q.Count(s.Outcome)
	}
	var all []status.Bucket
	for hour, quarters := range sums {
		b := status.Bucket{Service: svc.ID, Start: hour}
		for _, q := range quarters {
			b.Counts = b.Add(q)
		}
		b.SetQuarters(*quarters)
		all = append(all, b)
	}
	return all, nil
}

func (h *shelf) LatenciesOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.LatencyHour, error) {
	var all []status.LatencyHour
	for s, err := range h.SignalsOf(ctx, svc, from, to) {
		if err != nil {
			return nil, err
		}
		if s.Available {
			all = status.AppendLatency(all, s.Received.Truncate(time.Hour), status.Bin(s.Duration), 1)
		}
	}
	return all, nil
}

// longAgo is behind everything that the board keeps.
var longAgo = time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -120).Add(14*time.Hour + 5*time.Minute)

func newPast120() *shelf {
	h := &shelf{}
	for i := range 60 {
		s := status.Signal{Service: "web", Received: longAgo.Add(time.Duration(i) * time.Minute), Outcome: status.Up, Available: true, HTTPStatus: 200, Duration: 42 * time.Millisecond, Region: "eu"}
		if i == 7 {
			s.Outcome, s.Available, s.Reason, s.HTTPStatus, s.Error = status.Down, false, status.ConnectionRefused, -1, "dial 10.1.2.3"
		}
		h.signals = append(h.signals, s)
	}
	return h
}

// wants tells which of the texts a page lacks.
func (s *site) wants(path string, texts ...string) string {
	s.t.Helper()
	res, body := s.get(path)
	if res.StatusCode != http.StatusOK {
		s.t.Errorf("%s: %d\n%s", path, res.StatusCode, body)
	}
	for _, text := range texts {
		if !strings.Contains(body, text) {
			s.t.Errorf("%s lacks %q:\n%s", path, text, body)
		}
	}
	return body
}

func TestEveryCellOpensDownToItsSignals(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.History = newPast120() })
	day, hour := longAgo.Format("2006-01-02"), longAgo.Format("2006-01-02T15Z")
	body := s.wants("/services/web/"+day, `href="/services/web/`+hour+`"`, "1 down", "p50", "Uptime", longAgo.AddDate(0, 0, 1).Format("/services/web/2006-01-02"))
	if strings.Contains(body, "10.1.2.3") {
		t.Error("the text of an error became public")
	}
	minute := longAgo.Add(7 * time.Minute).Format("2006-01-02T15:04Z")
	s.wants("/services/web/"+hour, `href="/services/web/`+minute+`"`, "connection refused", "54 up, 0 slow, 1 down, 5 missing", `href="/services/web/`+day+`"`)
	s.wants("/services/web/"+minute, "connection refused", "eu", `href="/services/web/`+hour+`"`, `data-s="down"`)
}

func TestSpansThatAreNoneAreNotFound(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.History = newPast120() })
	for _, path := range []string{
		"/services/nobody/2026-01-01", "/services/web/2026-02-30", "/services/web/2026-01-01T25Z", "/services/web/2999-01-01", "/services/web/0001-01-01",
		"/services/web/2026-01-01T14", "/services/web/%3Cscript%3E", "/outages/web-20260101T000000Z", "/outages/x",
	} {
		if res, _ := s.get(path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, res.StatusCode)
		}
	}
	for _, path := range []string{"/?window=2h", "/?tz=Nowhere/Land", "/?tz=Local", "/?state=great", "/services/web?chart=1y", "/history?month=2999-01", "/?q=" + strings.Repeat("x", 101), "/?tz=../../etc/passwd"} {
		if res, body := s.get(path); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d, want 422\n%s", path, res.StatusCode, body)
		}
	}
}

func TestHistoryAwayIsSaidAndNothingElse(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.History = &shelf{away: true} })
	for _, path := range []string{"/services/web/" + longAgo.Format("2006-01-02"), "/services/web/" + longAgo.Format("2006-01-02T15Z")} {
		res, body := s.get(path, "Accept", "text/html")
		if res.StatusCode != http.StatusServiceUnavailable || strings.Contains(body, "10.0.0.7") || !strings.Contains(body, "The history can&#39;t be read") {
			t.Errorf("%s: %d\n%s", path, res.StatusCode, body)
		}
	}
	s.wants("/services/web?chart=30d", "The history can&#39;t be read at the moment")
	s.wants("/services/web/"+time.Now().UTC().Format("2006-01-02"), "Hours") // The board knows today.
}

func TestRangeAddsUpWholeDays(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.History = newPast120() })
	day := longAgo.Format("2006-01-02")
	s.wants("/services/web?from="+day+"&to="+day, "98.33%", "59 up, 0 slow, 1 down, 1,380 missing", "4.16%")
	s.wants("/services/web?from=2026-03-02&to=2026-03-01", "Give two days")
	s.wants("/services/web?from=x&to=y", "Give two days")
}

func TestOutagesAreListedByMonthWithPermalinks(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	now := time.Now().UTC()
	begin := now.Add(-5 * time.Minute).Truncate(time.Second)
	s.apply("web", begin, status.Down)
	s.apply("web", begin.Add(time.Minute), status.Down)
	s.apply("web", begin.Add(2*time.Minute), status.Up)
	id := "web-" + begin.Format("20060102T150405Z")
	s.eventually("/history?month="+begin.Format("2006-01"), `href="/outages/`+id+`"`)
	s.wants("/outages/"+id, "Website was down for 2 min", "timeout", `href="/services/web/`+begin.Format("2006-01-02")+`"`)
	s.eventually("/services/web", "Down for 2 min")
	s.wants("/history?month="+now.AddDate(0, -1, -now.Day()).Format("2006-01"), "No outage.")
}

func TestLookIsChosenAndCarriedOn(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	res, body := s.get("/?lang=de&tz=Asia/Tokyo&window=24h")
	if !strings.Contains(body, `<html lang="de"`) || !strings.Contains(body, "tz=Asia%2FTokyo") {
		t.Errorf("the page does not follow its address:\n%.600s", body)
	}
	for _, kept := range []string{`href="/?lang=de&amp;tz=Asia%2FTokyo"`, `<input type="hidden" name="lang" value="de"`} {
		if !strings.Contains(body, kept) {
			t.Errorf("the page does not carry the choice on: no %s", kept)
		}
	}
	if vary := strings.Join(res.Header.Values("Vary"), ","); !strings.Contains(vary, "Accept-Language") || strings.Contains(vary, "Cookie") || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("Vary = %q, Set-Cookie = %q", vary, res.Header.Get("Set-Cookie"))
	}
	if _, body = s.get("/", "Accept-Language", "fr-CH, fr;q=0.9"); !strings.Contains(body, `<html lang="fr"`) {
		t.Errorf("Accept-Language is not followed:\n%.300s", body)
	}
	if _, body = s.get("/"); !strings.Contains(body, `<html lang="en"`) {
		t.Error("English is not the usual language")
	}
}

func TestFilterShowsWhatMatches(t *testing.T) {
	t.Parallel()
	var services []status.Service
	for i := range 25 {
		services = append(services, status.Service{ID: fmt.Sprint("s", i), Name: fmt.Sprintf("Service %c", 'A'+i), Group: "All", Interval: time.Minute, Timeout: time.Second})
	}
	s := newSite(t, func(o *Options) {
		b, err := board.New(services, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		o.Board = b
		b.Apply([]status.Signal{{Service: "s3", Received: time.Now(), Outcome: status.Down, Reason: status.Timeout}})
	})
	for query, want := range map[string][]string{"q=service+b": {"s1"}, "state=down": {"s3"}, "q=SERVICE+d&state=down": {"s3"}, "q=nothing": nil, "q=service+b&state=down": nil} {
		_, body := s.get("/?" + query)
		if got := strings.Count(body, `<tr id="s-`); got != len(want) {
			t.Errorf("%s shows %d rows, want %d", query, got, len(want))
		}
		for _, id := range want {
			if !strings.Contains(body, `<tr id="s-`+id+`"`) {
				t.Errorf("%s lacks %s", query, id)
			}
		}
	}
	s.wants("/?q=nothing", "No service matches.", `value="nothing"`, "0 services")
	s.wants("/?view=tv", "data-kiosk", "/events?")
}

func TestOperatorsDress(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) {
		o.Page.Logo = page.Picture{Name: "logo.SVG", Body: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")}
		o.Page.CSS = []byte("body{letter-spacing:0}")
		o.Page.Accent = page.Accent{Light: "#0b57c2", Dark: "#7fb4ff"}
		o.Page.BaseURL = "https://status.acme.example"
	})
	body := s.wants("/", `property="og:image" content="https://status.acme.example/card.png"`, `rel="canonical" href="https://status.acme.example/"`)
	for _, ext := range []string{".svg", ".css"} {
		at := strings.Index(body, ext+`"`)
		path := body[strings.LastIndex(body[:at], `"`)+1 : at+len(ext)]
		for at >= 0 && !strings.HasPrefix(path, page.FilePrefix) {
			next := strings.Index(body[at+1:], ext+`"`)
			if next < 0 {
				t.Fatalf("no %s of the operator's in the page", ext)
			}
			at += 1 + next
			path = body[strings.LastIndex(body[:at], `"`)+1 : at+len(ext)]
		}
		if res, _ := s.get(path); res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %s", path, res.StatusCode, res.Header.Get("Cache-Control"))
		}
	}
}
