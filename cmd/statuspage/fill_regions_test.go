package main

import (
	"log/slog"
	"math/rand/v2"
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

// regionDays writes days of one check a minute from three regions: outages of all, of two, of one.
func regionDays(svc status.Service, now time.Time, days int, seed uint64) (signals []status.Signal) {
	random := rand.New(rand.NewPCG(seed, 6))
	down := map[string]bool{}
	for at := svc.Next(now.AddDate(0, 0, -days).Truncate(time.Hour)); at.Before(now.Add(-time.Minute)); at = at.Add(svc.Interval) {
		for _, region := range svc.Regions {
			if random.IntN(300) == 0 {
				down[region] = !down[region]
			}
			if region == "ap" && now.Sub(at) < 5*time.Hour && now.Sub(at) > 2*time.Hour {
				continue // Its prober was away.
			}
			s := status.Signal{
				Received: at, Service: svc.ID, Region: region, URL: svc.URL, HTTPStatus: 200, Available: true, Outcome: status.Up,
				Duration: time.Duration(20+random.IntN(50)) * time.Millisecond,
			}
			if down[region] {
				s.Available, s.Outcome, s.HTTPStatus, s.Reason = false, status.Down, status.NoHTTPStatus, status.Timeout
			}
			signals = append(signals, s)
		}
	}
	return signals
}

func TestPageOfRegionsIsTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	for _, c := range []struct {
		name   string
		quorum status.Quorum
		n      int
		seed   uint64
	}{{"majority", status.Majority, 2, 5}, {"any", status.Fixed, 1, 5}, {"all", status.All, 3, 5}, {"all, a region away for parts of hours", status.All, 3, 7}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			svc := status.Service{
				ID: "web", Name: "Web", URL: "https://web.example", Interval: time.Minute, Timeout: 10 * time.Second,
				Regions: []string{"eu", "us", "ap"}, Quorum: c.quorum, DownWhen: c.n,
			}
			plain := status.Service{ID: "plain", Name: "Plain", URL: "https://plain.example", Interval: time.Minute, Timeout: 10 * time.Second}
			signals := regionDays(svc, now, 3, c.seed)
			for at := plain.Next(now.Add(-30 * time.Hour)); at.Before(now); at = at.Add(plain.Interval) {
				signals = append(signals, status.Signal{Received: at, Service: "plain", URL: plain.URL, HTTPStatus: 200, Available: true, Outcome: status.Up, Duration: time.Millisecond})
			}
			store, err := db.Open(t.Context(), "sqlite:///"+filepath.Join(t.TempDir(), "s.db"), db.Options{Retention: 90 * 24 * time.Hour, Log: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			live, err := board.New([]status.Service{svc, plain}, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			terms := map[string][]status.Term{}
			for _, s := range []status.Service{svc, plain} {
				terms[s.ID] = []status.Term{s.Now(now.AddDate(0, 0, -4))}
				if err := store.WriteTerms(t.Context(), []status.ServiceTerm{{Service: s.ID, Term: terms[s.ID][0]}}); err != nil {
					t.Fatal(err)
				}
			}
			live.SetTerms(terms)
			for batch := range slices.Chunk(signals, 500) {
				if err := store.Write(t.Context(), batch); err != nil {
					t.Fatal(err)
				}
				live.Apply(batch)
			}
			restarted, err := board.New([]status.Service{svc, plain}, time.UTC)
			if err != nil {
				t.Fatal(err)
			}
			a := &app{
				log:   slog.New(slog.DiscardHandler),
				store: store, board: restarted, roles: roles{web: true},
				terms: newTerms(store, false, slog.New(slog.DiscardHandler)),
			}
			a.cfg.Store(&config.Config{Retention: 90 * 24 * time.Hour, Checks: []status.Check{{Service: svc}, {Service: plain}}})
			a.fill(t.Context(), make(chan struct{}))
			if !a.filled.Load() {
				t.Fatal("the history was not read")
			}
			now := time.Now()
			for i := range 2 {
				for _, w := range status.Windows {
					want, got := live.Row(i, w, time.UTC, now), restarted.Row(i, w, time.UTC, now)
					want.Last.Seq, got.Last.Seq = 0, 0
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("%s of service %d (- before, + after):\n%.1500s", w.Name, i, diff)
					}
				}
				for _, p := range status.Periods {
					if want, got := live.Uptime(i, p.Length, now), restarted.Uptime(i, p.Length, now); want != got {
						t.Errorf("uptime of %s: %+v before, %+v after", p.Name, want, got)
					}
				}
				if diff := cmp.Diff(live.Outages(i, now), restarted.Outages(i, now)); diff != "" {
					t.Errorf("outages (- before, + after):\n%.1500s", diff)
				}
			}
			if c.quorum == status.Majority && (len(live.Outages(0, now)) < 3 || live.Uptime(0, 24*time.Hour, now).Degraded == 0) {
				t.Error("the days are too quiet to show anything")
			}
		})
	}
}
