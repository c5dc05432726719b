package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"statuspage/internal/app"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/status"
	"time"
)

const (
	demoInterval = 2 * time.Second
	demoAwayFor  = time.Minute
	demoHereFor  = 4 * time.Minute
	demoSlow     = 400 * time.Millisecond
	demoRare     = 60 // One answer in so many is slow, or an error: one in two minutes.
)

// demo serves a page about sample targets inside the process: real sockets, the real
// prober, a store that is gone when the demo ends.
func (e env) demo(ctx context.Context, args []string) error {
	f := e.flags("demo")
	address := f.String("listen", "127.0.0.1:8000", "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "statuspage-demo-")
	if err != nil {
		return fmt.Errorf("folder for the demo's store: %w", err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // A left-over folder in the temporary one harms nobody.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	targets := []struct {
		group, name string
		serve       http.HandlerFunc
	}{
		{"Public", "Website", func(http.ResponseWriter, *http.Request) {}},
		{"Public", "API (slow now and then)", func(_ http.ResponseWriter, r *http.Request) {
			wait := rand.N(demoSlow / 2)
			if rand.IntN(demoRare) == 0 {
				wait += demoSlow
			}
			pause(r, wait)
		}},
		{"Public", "Search (flaky)", func(w http.ResponseWriter, _ *http.Request) {
			if rand.IntN(demoRare) == 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}},
		{"Internal", "Reports (broken)", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }},
		{"Internal", "Mail (goes away)", nil},
	}
	cfg := &config.Config{
		Title: "Demo status", Listen: *address, Database: config.Secret("sqlite:///" + filepath.Join(dir, "demo.db")),
		Retention: 24 * time.Hour, Timezone: time.UTC, MaxViewers: 1000,
	}
	for _, t := range targets {
		at, err := demoTarget(ctx, t.serve)
		if err != nil {
			return fmt.Errorf("demo target %s: %w", t.name, err)
		}
		cfg.Checks = append(cfg.Checks, check.Check{
			Service: status.Service{ID: status.Slug(t.name), Name: t.name, Group: t.group, URL: at, Interval: demoInterval, Timeout: demoInterval * 3 / 4},
			Target:  at, DegradedAfter: demoSlow, How: &check.HTTP{Method: http.MethodHead, FollowRedirects: true},
		})
	}
	return e.start(ctx, app.Options{Config: cfg, Roles: app.All()})
}

// demoTarget opens a target on a free port. Without a handler it answers for a while, goes
// away for a minute, and comes back.
func demoTarget(ctx context.Context, serve http.HandlerFunc) (url string, err error) {
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
			here, leave := context.WithTimeout(ctx, demoHereFor)
			serveUntil(here, ln, func(http.ResponseWriter, *http.Request) {})
			leave()
			select {
			case <-ctx.Done():
				return
			case <-time.After(demoAwayFor):
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
