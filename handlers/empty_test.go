package handlers

import (
	"log/slog"
	"net/http"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

// withServices gives a site services of these ids.
func withServices(t *testing.T, ids ...string) func(*Options) {
	t.Helper()
	var services []status.Service
	for _, id := range ids {
		services = append(services, status.Service{ID: id, Name: "Service " + id, URL: "https://x.example/" + id, Interval: time.Minute, Timeout: time.Second})
	}
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return func(o *Options) { o.Board = b }
}

// TestPageOfNoServices asks everything of a page without services, which is a legal one.
func TestPageOfNoServices(t *testing.T) {
	t.Parallel()
	var log lines
	s := newSite(t, func(o *Options) {
		withServices(t)(o)
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	paths := append(s.addresses(), "/?window=90d", "/?q=x&state=down", "/?view=tv", "/history?month=2026-01", "/embed?theme=dark", "/badges?of=page&kind=hours", "/badges?of=nope", "/status?format=json", "/signals?limit=1", "/api/badge/0/status", "/services/web?chart=90d&from=2026-01-01&to=2026-01-02")
	for _, kind := range badgeKinds {
		for _, subject := range []string{"page", "web", "group:x", "group:"} {
			for _, query := range []string{"", "?region=x", "?window=7d", "?percentile=50", "?region=x&window=90d"} {
				paths = append(paths, "/badge/"+subject+"/"+kind+".svg"+query, "/badge/"+subject+"/"+kind+".json"+query)
			}
		}
	}
	for _, path := range paths {
		res, body := s.get(path, "Accept", "text/html")
		if documented := res.StatusCode == http.StatusServiceUnavailable && strings.HasPrefix(path, "/status"); res.StatusCode >= http.StatusInternalServerError && !documented {
			t.Errorf("%s: %d %.200s", path, res.StatusCode, body)
		}
	}
	next(t, s.events("/events"), "beat")
	next(t, s.events("/signals/stream"), "beat")
	if out := log.String(); strings.Contains(out, "level=ERROR") {
		t.Errorf("the log says:\n%s", out)
	}
}

// TestRefusalsSaySomething holds that who is refused is told why.
func TestRefusalsSaySomething(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, path := range append(s.addresses(), "/badge/web", "/history?month=x", "/services/web?chart=x", "/signals?limit=x", "/agent/v1/nope") {
		res, body := s.get(path)
		if res.StatusCode < http.StatusBadRequest || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
			continue
		}
		if !strings.Contains(body, `"detail":"`) {
			t.Errorf("%s: %d without a word: %s", path, res.StatusCode, body)
		}
	}
}
