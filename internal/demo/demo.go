// Package demo is what "statuspage demo" shows: targets inside the process, on real sockets, and a past that they could have had.
package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"statuspage/db/sqlite"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/madeup"
	"statuspage/internal/status"
	"time"
)

const (
	interval = 2 * time.Second
	awayFor  = time.Minute
	hereFor  = 4 * time.Minute
	slow     = 400 * time.Millisecond
	rare     = 60 // One answer in so many is slow, or an error: one in two minutes.

	pastDays     = 90
	pastInterval = 30 * time.Minute // More would make the start wait.
	brokenFor    = 3 * time.Hour    // What is broken has been for so long.
	retention    = (pastDays + 1) * 24 * time.Hour
)

// target is a service of the demo.
type target struct {
	group, name string
	serve       http.HandlerFunc // Nil for one that goes away and comes back.
	broken      bool
}

var targets = []target{
	{group: "Public", name: "Website", serve: func(http.ResponseWriter, *http.Request) {}},
	{group: "Public", name: "API (slow now and then)", serve: func(_ http.ResponseWriter, r *http.Request) {
		wait := rand.N(slow / 2)
		if rand.IntN(rare) == 0 {
			wait += slow
		}
		pause(r, wait)
	}},
	{group: "Public", name: "Search (flaky)", serve: func(w http.ResponseWriter, _ *http.Request) {
		if rand.IntN(rare) == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}},
	{group: "Internal", name: "Reports (broken)", broken: true, serve: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
	{group: "Internal", name: "Mail (goes away)"},
}

// Open starts the targets, which end with ctx, makes up their past in a store in dir, and returns the configuration
// that shows them on address.
func Open(ctx context.Context, dir, address string) (*config.Config, error) {
	file := filepath.Join(dir, "demo.db")
	cfg := &config.Config{
		Title: "Demo status", Listen: address, Database: config.Secret("sqlite:///" + file),
		Retention: retention, Timezone: time.UTC, MaxViewers: 1000,
	}
	for _, t := range targets {
		at, err := open(ctx, t.serve)
		if err != nil {
			return nil, fmt.Errorf("demo target %s: %w", t.name, err)
		}
		cfg.Checks = append(cfg.Checks, check.Check{
			Service: status.Service{ID: status.Slug(t.name), Name: t.name, Group: t.group, URL: at, Interval: interval, Timeout: interval * 3 / 4},
			Target:  at, DegradedAfter: slow, How: &check.HTTP{Method: http.MethodHead, FollowRedirects: true},
		})
	}
	if err := remember(ctx, file, cfg.Checks, time.Now()); err != nil {
		return nil, fmt.Errorf("the past of the demo: %w", err)
	}
	return cfg, nil
}

// remember writes the past that the services could have had up to now, and at which pace they had it.
func remember(ctx context.Context, file string, checks []check.Check, now time.Time) error {
	store, err := sqlite.Open(ctx, file, sqlite.Options{})
	if err != nil {
		return err
	}
	defer store.Close() //nolint:errcheck // What was written is committed.
	from := now.AddDate(0, 0, -pastDays)
	var services []status.Service
	var terms []status.ServiceTerm
	broken := make(map[string]bool)
	for i, c := range checks {
		svc := c.Service
		svc.Interval = pastInterval
		services = append(services, svc)
		terms = append(terms, status.ServiceTerm{Service: svc.ID, Term: status.Term{Since: from.UTC().Truncate(time.Microsecond), Interval: pastInterval, Timeout: svc.Timeout}})
		broken[svc.ID] = targets[i].broken
	}
	if err := store.WriteTerms(ctx, terms); err != nil {
		return err
	}
	for signals := range madeup.History(services, from, now.Add(-interval), 1) {
		for i, s := range signals {
			if broken[s.Service] && s.Received.After(now.Add(-brokenFor)) {
				s.Outcome, s.Available, s.Reason, s.HTTPStatus = status.Down, false, status.UnexpectedStatus, http.StatusInternalServerError
				signals[i] = s
			}
		}
		if err := store.Write(ctx, slices.Clip(signals)); err != nil {
			return err
		}
	}
	return nil
}

// open opens a target on a free port. Without a handler it answers for a while, goes
// away for a minute, and comes back.
func open(ctx context.Context, serve http.HandlerFunc) (url string, err error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // Returns at once.
	if err != nil {
		return "", err
	}
	if serve != nil {
		go serveUntil(ctx, ln, serve)
		return "http://" + ln.Addr().String(), nil
	}
	go func() {
		for ctx.Err() == nil {
			here, leave := context.WithTimeout(ctx, hereFor)
			serveUntil(here, ln, func(http.ResponseWriter, *http.Request) {})
			leave()
			select {
			case <-ctx.Done():
				return
			case <-time.After(awayFor):
			}
			if back, err := net.Listen("tcp", ln.Addr().String()); err == nil { //nolint:noctx // Returns at once.
				ln = back
			}
		}
	}()
	return "http://" + ln.Addr().String(), nil
}

func serveUntil(ctx context.Context, ln net.Listener, serve http.HandlerFunc) {
	server := &http.Server{Handler: serve, ReadHeaderTimeout: time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	_ = server.Serve(ln) // Always ends with an error: that of Close.
	<-ctx.Done()
}

func pause(r *http.Request, d time.Duration) {
	select {
	case <-time.After(d):
	case <-r.Context().Done():
	}
}
