package main

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"statuspage/db"
	"statuspage/internal/board"
	"statuspage/internal/config"
	"statuspage/internal/status"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// slow is a store that takes its time for each row, and fails in the middle now and then.
type slow struct {
	storage
	row   time.Duration // For each row of an answer.
	fails int           // Each so many rows; 0 for never.

	mu   sync.Mutex
	rows int
	most time.Duration // The longest question.
}

var errBroke = errors.New("the connection broke")

// next waits for one more row.
func (s *slow) next(ctx context.Context) error {
	select {
	case <-time.After(s.row):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows++; s.fails > 0 && s.rows%s.fails == 0 {
		return errBroke
	}
	return nil
}

func slowly[T any](ctx context.Context, s *slow, rows iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		began := time.Now()
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.most = max(s.most, time.Since(began))
		}()
		for row, err := range rows {
			if err == nil {
				err = s.next(ctx)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

func (s *slow) Signals(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return slowly(ctx, s, s.storage.Signals(context.Background(), from, to))
}

func (s *slow) SignalsOf(ctx context.Context, svc status.Service, from, to time.Time) iter.Seq2[status.Signal, error] {
	return slowly(ctx, s, s.storage.SignalsOf(context.Background(), svc, from, to))
}

func (s *slow) Failures(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return slowly(ctx, s, s.storage.Failures(context.Background(), from, to))
}

func (s *slow) Hours(ctx context.Context, from, to time.Time) iter.Seq2[status.Bucket, error] {
	return slowly(ctx, s, s.storage.Hours(context.Background(), from, to))
}

func (s *slow) Terms(ctx context.Context) ([]status.ServiceTerm, error) {
	if err := s.next(ctx); err != nil {
		return nil, err
	}
	return s.storage.Terms(context.Background())
}

func (s *slow) Days(ctx context.Context, from, to time.Time) ([]status.Bucket, error) {
	days, err := s.storage.Days(context.Background(), from, to)
	for range days {
		if err := s.next(ctx); err != nil {
			return nil, err
		}
	}
	return days, err
}

func (s *slow) FirstAvailable(ctx context.Context, spans []status.Span) ([]time.Time, error) {
	for range spans {
		if err := s.next(ctx); err != nil {
			return nil, err
		}
	}
	return s.storage.FirstAvailable(context.Background(), spans)
}

// past is a store with days of signals of some services, whose past reaches back from now.
func past(t *testing.T, now time.Time, services ...status.Service) *db.Database {
	t.Helper()
	store, err := db.Open(t.Context(), "sqlite:///"+filepath.Join(t.TempDir(), "s.db"), db.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for n, svc := range services {
		var signals []status.Signal
		if len(svc.Regions) > 0 {
			signals = regionDays(svc, now, 1, 5)
		} else {
			for at := svc.Next(now.Add(-28 * time.Hour)); at.Before(now); at = at.Add(svc.Interval) {
				s := status.Signal{Received: at, Service: svc.ID, URL: svc.URL, HTTPStatus: 200, Available: true, Outcome: status.Up, Duration: time.Millisecond}
				if m := at.Unix() / 60 % int64(97+n); m < 7 {
					s.Available, s.Outcome, s.Reason, s.HTTPStatus = false, status.Down, status.Timeout, status.NoHTTPStatus
				}
				if m := at.Unix() / 60 % 101; m < 5 { // Outages that lapse.
					continue
				}
				signals = append(signals, s)
			}
		}
		for batch := range slices.Chunk(signals, 1000) {
			if err := store.Write(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
		}
	}
	return store
}

// TestPastIsReadHoweverSlowTheStore fills a page from stores whose answers take far longer than one question may, or break in the
// middle: in the end the page is the same as from a quick one, and no question lasted longer than it may.
func TestPastIsReadHoweverSlowTheStore(t *testing.T) {
	t.Parallel()
	plain := status.Service{ID: "plain", Name: "Plain", URL: "https://plain.example", Interval: time.Minute, Timeout: 10 * time.Second}
	other := status.Service{ID: "other", Name: "Other", URL: "https://other.example", Interval: time.Minute, Timeout: 10 * time.Second}
	regions := status.Service{
		ID: "web", Name: "Web", URL: "https://web.example", Interval: time.Minute, Timeout: 10 * time.Second,
		Regions: []string{"eu", "us", "ap"}, Quorum: status.Majority, DownWhen: 2,
	}
	for name, c := range map[string]struct {
		row      time.Duration
		fails    int
		services []status.Service
	}{
		"very slow":              {3 * time.Second, 0, []status.Service{plain}},
		"slow and breaking":      {400 * time.Millisecond, 61, []status.Service{plain, other}},
		"slow, with regions":     {500 * time.Millisecond, 0, []status.Service{regions}},
		"breaking, with regions": {time.Millisecond, 41, []status.Service{regions, other}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := past(t, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), c.services...) // When time begins in the bubble.
			defer store.Close()
			synctest.Test(t, func(t *testing.T) {
				at := time.Now()
				quick := pageOver(t, store, c.services)
				quick.fill(t.Context(), make(chan struct{}))
				from := &slow{storage: store, row: c.row, fails: c.fails}
				a := pageOver(t, from, c.services)
				first := make(chan struct{})
				done := make(chan struct{})
				go func() { defer close(done); a.fill(t.Context(), first) }()
				<-first
				if waited := time.Since(at); waited > fillTimeout {
					t.Errorf("the prober waits for %v", waited)
				}
				<-done
				if !a.filled.Load() || !a.tried.Load() || from.most > fillTimeout {
					t.Errorf("filled: %v, tried: %v, the longest question took %v", a.filled.Load(), a.tried.Load(), from.most)
				}
				sameBoard(t, quick.board, a.board, at)
				t.Logf("it took %v", time.Since(at))
			})
		})
	}
}

// TestFillEndsWithTheProcess stops while a store that says nothing is being asked.
func TestFillEndsWithTheProcess(t *testing.T) {
	t.Parallel()
	svc := status.Service{ID: "plain", Name: "Plain", URL: "https://plain.example", Interval: time.Minute, Timeout: 10 * time.Second}
	store := past(t, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), svc)
	defer store.Close()
	synctest.Test(t, func(t *testing.T) {
		for _, after := range []time.Duration{0, time.Second, 10 * time.Minute} {
			a := pageOver(t, &slow{storage: store, row: time.Hour}, []status.Service{svc})
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); a.fill(ctx, make(chan struct{})) }()
			time.Sleep(after)
			stop()
			began := time.Now()
			<-done
			if took := time.Since(began); took > 0 || a.filled.Load() {
				t.Errorf("stopped after %v it goes on for %v; filled: %v", after, took, a.filled.Load())
			}
		}
	})
}

func pageOver(t *testing.T, store storage, services []status.Service) *app {
	t.Helper()
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{log: nobody, store: store, board: b, roles: roles{web: true}, terms: newTerms(store, false, nobody)}
	cfg := &config.Config{Retention: 90 * 24 * time.Hour, Agents: []config.Agent{{Region: "us"}}}
	for _, s := range services {
		cfg.Checks = append(cfg.Checks, status.Check{Service: s})
	}
	a.cfg.Store(cfg)
	return a
}

func sameBoard(t *testing.T, want, got *board.Board, at time.Time) {
	t.Helper()
	for i, s := range want.Services() {
		for _, w := range status.Windows {
			x, y := want.Row(i, w, time.UTC, at), got.Row(i, w, time.UTC, at)
			x.Last.Seq, y.Last.Seq = 0, 0
			if diff := cmp.Diff(x, y); diff != "" {
				t.Errorf("%s of %s (- of a quick store, + of this one):\n%.1500s", w.Name, s.ID, diff)
			}
		}
		if diff := cmp.Diff(want.Outages(i, at), got.Outages(i, at)); diff != "" || len(want.Outages(i, at)) == 0 {
			t.Errorf("outages of %s (- of a quick store, + of this one):\n%.1500s", s.ID, diff)
		}
	}
}
