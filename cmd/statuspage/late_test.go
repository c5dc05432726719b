package main

import (
	"log/slog"
	"path/filepath"
	"slices"
	"statuspage/db"
	"statuspage/internal/board"
	"statuspage/internal/config"
	"statuspage/internal/status"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var watchedSince = time.Now().AddDate(0, 0, -10)

// filled is a page server over a store of its own services, started.
func filled(t *testing.T, store *db.Database, services ...status.Service) *app {
	t.Helper()
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{log: slog.New(slog.DiscardHandler), store: store, board: b, roles: roles{web: true}, terms: newTerms(store, false, slog.New(slog.DiscardHandler))}
	cfg := &config.Config{Retention: 90 * 24 * time.Hour, Agents: []config.Agent{{Region: "us"}}}
	for _, s := range services { // Watched since long ago, whoever of the servers starts when.
		if err := store.WriteTerms(t.Context(), []status.ServiceTerm{{Service: s.ID, Term: s.Now(watchedSince)}}); err != nil {
			t.Fatal(err)
		}
		cfg.Checks = append(cfg.Checks, status.Check{Service: s})
	}
	a.cfg.Store(cfg)
	a.fill(t.Context(), make(chan struct{}))
	if !a.filled.Load() {
		t.Fatal("the history was not read")
	}
	return a
}

// TestSignalsThatCameLateAreShown holds that a page server shows what came to the store after its start
// as one does that starts later, and keeps what it has heard itself since.
func TestSignalsThatCameLateAreShown(t *testing.T) {
	t.Parallel()
	svc := status.Service{
		ID: "web", Name: "Web", URL: "https://web.example", Interval: time.Minute, Timeout: 10 * time.Second,
		Regions: []string{"eu", "us", "ap"}, Quorum: status.Majority, DownWhen: 2,
	}
	plain := status.Service{ID: "plain", Name: "Plain", URL: "https://plain.example", Interval: time.Minute, Timeout: 10 * time.Second}
	quick := status.Service{ID: "quick", Name: "Quick", URL: "https://quick.example", Interval: 10 * time.Second, Timeout: time.Second}
	now := time.Now().UTC()
	signals := regionDays(svc, now, 2, 5)
	for s, hours := range map[*status.Service]time.Duration{&plain: 50, &quick: 14} {
		for at := s.Next(now.Add(-hours * time.Hour)); at.Before(now); at = at.Add(s.Interval) {
			one := status.Signal{Received: at, Service: s.ID, URL: s.URL, HTTPStatus: 200, Available: true, Outcome: status.Up, Duration: time.Millisecond}
			if m := at.Unix() / 60 % 97; m < 7 {
				one.Available, one.Outcome, one.Reason, one.HTTPStatus = false, status.Down, status.Timeout, status.NoHTTPStatus
			}
			signals = append(signals, one)
		}
	}
	// What waits in the outboxes of others: a region for a day, and hours of the others, in some of which they were down.
	waits := func(s status.Signal) bool {
		ago := now.Sub(s.Received)
		switch s.Service {
		case "web":
			return s.Region == "us" && ago > 2*time.Hour && ago < 26*time.Hour
		case "plain":
			return ago > 90*time.Minute && ago < 9*time.Hour || ago > 30*time.Hour && ago < 40*time.Hour
		default:
			return ago > 3*time.Hour && ago < 12*time.Hour
		}
	}
	store, err := db.Open(t.Context(), "sqlite:///"+filepath.Join(t.TempDir(), "s.db"), db.Options{Retention: 90 * 24 * time.Hour, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	write := func(some []status.Signal) {
		for batch := range slices.Chunk(some, 500) {
			if err := store.Write(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(slices.DeleteFunc(slices.Clone(signals), waits))
	a := filled(t, store, svc, plain, quick)
	if n, err := a.lookForLate(t.Context()); n != 0 || err != nil {
		t.Fatalf("%d services are read again though nothing came: %v", n, err)
	}
	// Heard since, and not in the store yet.
	heard := status.Signal{Received: now.Add(time.Millisecond), Service: "plain", URL: plain.URL, HTTPStatus: 200, Available: true, Outcome: status.Up, Duration: time.Millisecond}
	a.board.Apply([]status.Signal{heard})
	var late []status.Signal
	for _, s := range signals {
		if waits(s) {
			late = append(late, s)
		}
	}
	for part := range slices.Chunk(late, len(late)/2+1) { // A server may look while they come.
		write(part)
		if n, err := a.lookForLate(t.Context()); n == 0 || err != nil {
			t.Fatalf("late signals are not noticed: %d, %v", n, err)
		}
	}
	write([]status.Signal{heard})
	later := filled(t, store, svc, plain, quick)
	at := time.Now()
	for i, s := range a.board.Services() {
		for _, w := range status.Windows {
			want, got := later.board.Row(i, w, time.UTC, at), a.board.Row(i, w, time.UTC, at)
			want.Last.Seq, got.Last.Seq = 0, 0
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s of %s (- a server that started later, + this one):\n%.1500s", w.Name, s.ID, diff)
			}
		}
		if diff := cmp.Diff(later.board.Outages(i, at), a.board.Outages(i, at)); diff != "" {
			t.Errorf("outages of %s (- a server that started later, + this one):\n%.1500s", s.ID, diff)
		}
	}
	if n, err := a.lookForLate(t.Context()); n != 0 || err != nil {
		t.Errorf("%d services are read again though nothing more came: %v", n, err)
	}
}
