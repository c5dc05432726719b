package handlers

import (
	"fmt"
	"net/http"
	"regexp"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

// TestARowsCellsComeWhenAsked holds that the page has pictures alone, and that a row's cells are to be had
// for each look at it.
func TestARowsCellsComeWhenAsked(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	now := time.Now()
	s.apply("web", now.Add(-2*time.Minute), status.Up)
	s.apply("web", now.Add(-time.Minute), status.Down)
	s.eventually("/", "1 up")
	if _, page := s.get("/"); strings.Contains(page, "<td data-c=") || !strings.Contains(page, `data-look="window=1h&amp;lang=en&amp;tz=UTC"`) {
		t.Error("the page has cells as links, or does not tell its look")
	}
	for query, want := range map[string]struct {
		cells int
		says  string
	}{
		"?window=1h":                  {60, now.UTC().Add(-time.Minute).Format("15:04") + " down, timeout"},
		"?window=24h&lang=de":         {24, " ausgefallen, "},
		"?window=90d&tz=Asia%2FTokyo": {90, "1 down"},
	} {
		res, row := s.get("/services/web/cells" + query)
		if n := strings.Count(row, "<td data-c="); n != want.cells || !strings.Contains(row, want.says) || !strings.HasPrefix(row, `<tr id="s-web" data-s=`) {
			t.Errorf("%s: %d cells, want %d with %q:\n%s", query, n, want.cells, want.says, row)
		}
		if again, _ := s.get("/services/web/cells"+query, "If-None-Match", res.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
			t.Errorf("%s: asked again %d, want 304", query, again.StatusCode)
		}
		if _, page := s.get("/services/web" + query); !strings.Contains(page, row) {
			t.Errorf("%s: the service's page has another row", query)
		}
	}
	for path, code := range map[string]int{"/services/nope/cells": 404, "/services/web/cells?window=2h": 422, "/services/web/cells?tz=Mars": 422, "/services/web/cells/x": 404} {
		if res, _ := s.get(path); res.StatusCode != code {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, code)
		}
	}
}

var partials = regexp.MustCompile(`<hx-partial hx-target="#(s-[^"]+)".*?</hx-partial>`)

// TestWhatAServiceWeighs holds the bytes of a service on the page and of a row that has changed in a frame.
func TestWhatAServiceWeighs(t *testing.T) {
	t.Parallel()
	const most = 1024
	var services []status.Service
	for i := range 200 {
		id := fmt.Sprintf("service-%03d", i)
		services = append(services, status.Service{
			ID: id, Name: fmt.Sprintf("Service %03d", i), Group: fmt.Sprintf("Group %d", i/20), URL: "https://" + id + ".acme.example/health", Interval: time.Minute, Timeout: 5 * time.Second,
		})
	}
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(o *Options) { o.Board = b })
	now := time.Now()
	for minute := range 58 {
		var signals []status.Signal
		for i, svc := range services {
			sig := status.Signal{Service: svc.ID, Received: now.Add(time.Duration(minute-57) * time.Minute), Outcome: status.Up, Available: true, HTTPStatus: 200, Duration: 12345 * time.Microsecond}
			if i%5 == 0 && minute%20 == 7 {
				sig.Outcome, sig.Available, sig.HTTPStatus, sig.Reason = status.Down, false, status.NoHTTPStatus, status.Timeout
			}
			signals = append(signals, sig)
		}
		s.board.Apply(signals)
	}
	for i, w := range status.Windows {
		s.eventually("/?window="+w.Name, "All 200 services are up")
		_, page := s.get("/?window=" + w.Name)
		if n := len(page) / len(services); n > most {
			t.Errorf("%s: %d bytes of the page a service, want at most %d", w.Name, n, most)
		}
		events := s.events("/events?window=" + w.Name)
		caughtUp := next(t, events, `hx-target="#s-service-005"`)
		s.apply("service-005", now.Add(time.Duration(i+1)*time.Millisecond), status.Down)
		for _, part := range partials.FindAllString(caughtUp+next(t, events, `hx-target="#s-service-005"`), -1) {
			if len(part) > most {
				t.Errorf("%s: %d bytes of a row in a frame, want at most %d:\n%s", w.Name, len(part), most, part)
			}
		}
		s.apply("service-005", now.Add(time.Duration(i+1)*time.Millisecond+time.Microsecond), status.Up)
	}
}
