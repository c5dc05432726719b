package handlers

import (
	"fmt"
	"log/slog"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// newPast is a server of n services that have each had so many outages, which nobody listens to.
func newPastOf(t *testing.T, n, outages int) *still {
	t.Helper()
	services, past := make([]status.Service, n), make(map[string][]status.Outage)
	now := time.Now().Truncate(time.Second)
	for i := range services {
		id := fmt.Sprintf("s%d", i)
		services[i] = status.Service{ID: id, Name: strings.ToUpper(id), URL: "https://" + id + ".example", Interval: time.Minute, Timeout: 10 * time.Second}
		for k := range outages {
			at := now.AddDate(0, 0, -80).Add(time.Duration(k) * 8 * time.Hour)
			past[id] = append(past[id], status.Outage{Service: id, Begin: at, Last: at, End: at.Add(time.Minute), Failures: 1})
		}
	}
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	b.Loader().SetOutages(now, past)
	f, err := New(Options{Board: b, Log: slog.New(slog.DiscardHandler), MaxViewers: 10})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Shutdown() })
	return &still{f.server(), b, time.Now}
}

// TestAnAnswerCostsWhatItShows counts the allocations of answers by a page of 5 services with 2 outages each, and
// one of 500 with 200 each. Those that show the same may cost the same only. It is not parallel, as all allocations count.
func TestAnAnswerCostsWhatItShows(t *testing.T) { //nolint:paralleltest // See above.
	small, large := newPastOf(t, 5, 2), newPastOf(t, 500, 200)
	known := func(s *still) string { return "/outages/" + s.board.Services()[3].Outages(time.Now())[1].ID() }
	for _, c := range []struct {
		name string
		path func(s *still, run int) string // Another for each run where nothing must have been kept.
		code int
	}{
		{"an outage", func(s *still, _ int) string { return known(s) }, 200},
		{"no outage of such an id", func(_ *still, run int) string { return fmt.Sprintf("/outages/none-%d", run) }, 404},
		{"no outage of a service", func(_ *still, run int) string {
			return "/outages/s3-" + time.Unix(int64(run), 0).UTC().Format("20060102T150405Z")
		}, 404},
		{"summary", func(*still, int) string { return "/summary.json" }, 200},
		{"a month", func(*still, int) string { return "/history?month=2020-01" }, 200},
		{"feed", func(*still, int) string { return "/history.atom" }, 200},
		{"feed of a service", func(*still, int) string { return "/services/s3/history.json" }, 200},
		{"status", func(*still, int) string { return "/status?code=200" }, 200},
		{"page", func(*still, int) string { return "/" }, 200},
		{"embed", func(*still, int) string { return "/embed" }, 200},
		{"sitemap", func(*still, int) string { return "/sitemap.xml" }, 200},
		{"how", func(*still, int) string { return "/how" }, 200},
		{"badges", func(*still, int) string { return "/badges" }, 200},
		{"docs", func(*still, int) string { return "/docs" }, 200},
		{"card", func(*still, int) string { return "/card.png" }, 200},
		{"signals", func(*still, int) string { return "/signals" }, 200},
		{"a badge in ever other colours", func(_ *still, run int) string { return fmt.Sprintf("/badge/page/uptime.svg?color=%06x", run) }, 200},
		{"an outage badge in ever other colours", func(_ *still, run int) string { return fmt.Sprintf("/badge/page/outage.svg?label=%d", run) }, 200},
		{"a mistaken badge", func(_ *still, run int) string { return fmt.Sprintf("/badge/none%d/status.svg", run) }, 200},
		{"Gatus, known", func(*still, int) string { return "/api/v1/endpoints/_s4/health/badge.svg" }, 200},
		{"Gatus, unknown", func(_ *still, run int) string { return fmt.Sprintf("/api/v1/endpoints/_x%d/health/badge.svg", run) }, 200},
		{"Gatus, all", func(*still, int) string { return "/api/v1/endpoints/statuses" }, 200},
		{"Kuma, all", func(*still, int) string { return "/api/status-page/x/badge" }, 200},
	} {
		of := func(s *still) float64 {
			run := 100_000
			ask := func() {
				run++
				var ctx fasthttp.RequestCtx
				ctx.Request.SetRequestURI(c.path(s, run))
				ctx.Request.Header.SetHost("status.example")
				s.serve(&ctx)
				if got := ctx.Response.StatusCode(); got != c.code {
					t.Fatalf("%s: %d, want %d", c.name, got, c.code)
				}
			}
			least := testing.AllocsPerRun(20, ask) // Once before it counts.
			for range 2 {
				least = min(least, testing.AllocsPerRun(20, ask)) // A minute may begin in between, and all be made anew.
			}
			return least
		}
		few, many := of(small), of(large)
		if many > 1.2*few+20 {
			t.Errorf("%s: %.0f allocations, and %.0f with 500 services of 200 outages", c.name, few, many)
		}
	}
}
