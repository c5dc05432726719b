package handlers

import (
	"context"
	"iter"
	"log/slog"
	"net/http"
	"statuspage/internal/board"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/views/badge"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// hung is a history that answers nothing, until it is told that nobody waits any more.
type hung struct{}

func (hung) SignalsOf(ctx context.Context, _ status.Service, _, _ time.Time) iter.Seq2[status.Signal, error] {
	return func(yield func(status.Signal, error) bool) {
		<-ctx.Done()
		yield(status.Signal{}, ctx.Err())
	}
}

func (hung) HoursOf(ctx context.Context, _ status.Service, _, _ time.Time) ([]status.Bucket, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func (hung) LatenciesOf(ctx context.Context, _ status.Service, _, _ time.Time) ([]status.LatencyHour, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestAnswersHaveADeadline asks everything that reads the store while it answers nothing: it is said so in
// time, however many reads an answer takes.
func TestAnswersHaveADeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := func() time.Time { return time.Now().AddDate(26, 0, 0) } // The bubble begins in 2000, before everything that was measured.
		var services []status.Service
		for _, id := range []string{"web", "api", "cdn", "dns", "mail"} {
			services = append(services, status.Service{ID: id, Name: id, Group: "All", URL: "https://x.example", Interval: time.Minute, Timeout: time.Second})
		}
		b, err := board.New(services, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		front, err := New(Options{Board: b, Log: slog.New(slog.DiscardHandler), Page: page.Settings{Title: "Acme"}, MaxViewers: 10, History: hung{}, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = front.Shutdown() }()
		s := front.server()
		longAgo := now().UTC().AddDate(0, 0, -120)
		for path, want := range map[string]struct {
			code int
			text string
		}{
			"/services/web/" + longAgo.Format("2006-01-02"):         {503, "history"},
			"/services/web/" + longAgo.Format("2006-01-02T15Z"):     {503, "history"},
			"/services/web/" + longAgo.Format("2006-01-02T15:04Z"):  {503, "history"},
			"/badge/page/latency.json?window=30d":                   {503, badge.HistoryAway},
			"/badge/group:all/latency.txt?window=30d":               {503, badge.HistoryAway},
			"/badge/page/latency.svg?window=30d":                    {200, badge.HistoryAway},
			"/api/v1/endpoints/all_web/response-times/7d":           {503, badge.HistoryAway},
			"/api/v1/endpoints/all_web/response-times/7d/badge.svg": {200, badge.HistoryAway},
			"/api/v1/endpoints/all_web/response-times/7d/history":   {503, badge.HistoryAway},
			"/api/v1/endpoints/all_web/response-times/7d/chart.svg": {200, badge.HistoryAway},
			"/api/badge/web/ping/30d":                               {200, badge.HistoryAway},
			"/services/web?chart=30d":                               {200, "The history can&#39;t be read"}, // All else of that page is known.
			"/services/web?chart=90d&from=" + longAgo.Format("2006-01-02") + "&to=" + longAgo.AddDate(0, 0, 1).Format("2006-01-02"): {200, "The history can&#39;t be read"},
		} {
			begun := time.Now()
			res := s.ask(path)
			if took := time.Since(begun); took == 0 || took > answerTimeout {
				t.Errorf("%s takes %v, want %v at most, and the store's time", path, took, answerTimeout)
			}
			if res.StatusCode() != want.code || !strings.Contains(string(res.Body()), want.text) {
				t.Errorf("%s: %d %.300s, want %d with %q", path, res.StatusCode(), res.Body(), want.code, want.text)
			}
			if res.StatusCode() == http.StatusServiceUnavailable && len(res.Header.Peek("Retry-After")) == 0 {
				t.Errorf("%s: nobody is told when to come back", path)
			}
			if caching := string(res.Header.Peek("Cache-Control")); want.text == badge.HistoryAway && !strings.Contains(caching, "no-store") {
				t.Errorf("%s is %q: it will be right in a moment", path, caching)
			}
		}
	})
}
