package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"statuspage/db"
	"statuspage/handlers"
	"statuspage/internal/agent"
	"statuspage/internal/board"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/metrics"
	"statuspage/internal/status"
	"statuspage/monitor"
	"statuspage/monitor/probe"
	"strings"
	"sync"
	"testing"
	"time"
)

var nobody = slog.New(slog.DiscardHandler)

// part is something that is started and stopped.
type part struct{ start, stop func() error }

// unseen is a board that shows nothing.
type unseen struct{}

func (unseen) Apply([]status.Signal) {}

func silentMonitor(t *testing.T) *monitor.Monitor {
	t.Helper()
	m, err := monitor.New(monitor.Options{
		Checks: []check.Check{{Service: status.Service{ID: "web", Interval: time.Second, Timeout: time.Second / 2}, How: &check.HTTP{}}},
		Store:  &fullDisk{}, Board: unseen{}, Log: nobody, Canary: []string{"127.0.0.1:1"},
		Probe: map[string]probe.Func{"http": func(context.Context, check.Check) probe.Result {
			return probe.Result{Outcome: status.Up, HTTPStatus: 200}
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// apart is what a process shares with others, whose Redis is away.
func apart(t *testing.T) *node {
	t.Helper()
	cfg := &config.Config{Queue: "redis://127.0.0.1:1/0", Database: "questdb://a:b@127.0.0.1:1/qdb"}
	node, err := join(cfg, All(), nobody)
	if err != nil {
		t.Fatal(err)
	}
	node.taking("eu", func([]monitor.Planned) {})
	return node
}

// parts are all that a process starts and stops, each made anew.
var parts = map[string]func(t *testing.T) part{
	"monitor": func(t *testing.T) part {
		m := silentMonitor(t)
		return part{m.Start, func() error { return m.Stop(context.Background()) }}
	},
	"node": func(t *testing.T) part {
		ctx, leave := context.WithCancel(context.Background())
		node := apart(t)
		return part{func() error { node.start(ctx); node.follow(ctx); return nil }, func() error { leave(); return node.stop() }}
	},
	"pages": func(t *testing.T) part {
		b, err := board.New(nil, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		front, err := handlers.New(handlers.Options{Board: b, Log: nobody, MaxViewers: 1})
		if err != nil {
			t.Fatal(err)
		}
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ln.Close() })
		return part{func() error { go func() { _ = front.Serve(ln) }(); return nil }, front.Shutdown}
	},
	"embedded database": func(t *testing.T) part { return database(t, "sqlite:///"+filepath.Join(t.TempDir(), "s.db")) },
	"remote database":   func(t *testing.T) part { return database(t, "questdb://a:b@127.0.0.1:1/qdb") },
	"agent's outbox": func(t *testing.T) part {
		server := &url.URL{Scheme: "http", Host: "127.0.0.1:1"}
		client := agent.NewClient(server, nil, "token", nobody, func(string, []check.Check, []byte) error { return nil })
		f, err := db.Forward(t.Context(), filepath.Join(t.TempDir(), "o.db"), client, nobody)
		if err != nil {
			t.Fatal(err)
		}
		return part{func() error { return nil }, f.Close}
	},
}

func database(t *testing.T, address string) part {
	t.Helper()
	d, err := db.Open(t.Context(), address, db.Options{Outbox: filepath.Join(t.TempDir(), "o.db"), Log: nobody})
	if err != nil {
		t.Fatal(err)
	}
	return part{func() error { return nil }, d.Close}
}

// TestEveryPartStopsAtAnyTime stops each part before it is started, twice, from several sides at once and while it starts. None
// may panic, hang, or find fault with it.
func TestEveryPartStopsAtAnyTime(t *testing.T) {
	t.Parallel()
	orders := map[string]func(t *testing.T, p part){
		"before the start": func(t *testing.T, p part) { ends(t, p.stop) },
		"twice":            func(t *testing.T, p part) { begins(t, p); ends(t, p.stop); ends(t, p.stop) },
		"twice, unstarted": func(t *testing.T, p part) { ends(t, p.stop); ends(t, p.stop) },
		"by several":       func(t *testing.T, p part) { begins(t, p); ends(t, p.stop, p.stop, p.stop) },
		"after two starts": func(t *testing.T, p part) { begins(t, p); _ = p.start(); ends(t, p.stop) },
		"while it starts": func(t *testing.T, p part) {
			ends(t, p.stop, func() error { _ = p.start(); return nil })
			ends(t, p.stop)
		},
	}
	for name, made := range parts {
		for order, run := range orders {
			switch { // These are started once, by who stops them.
			case order == "after two starts" && (name == "node" || name == "pages"), order == "while it starts" && name == "node":
				continue
			}
			t.Run(name+" "+order, func(t *testing.T) {
				t.Parallel()
				run(t, made(t))
			})
		}
	}
}

func begins(t *testing.T, p part) {
	t.Helper()
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
}

// ends waits for all at once.
func ends(t *testing.T, stops ...func() error) {
	t.Helper()
	var all sync.WaitGroup
	for _, stop := range stops {
		all.Go(func() {
			if err := stop(); err != nil {
				t.Errorf("stop: %v", err)
			}
		})
	}
	done := make(chan struct{})
	go func() { defer close(done); all.Wait() }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
}

// TestFailedStartSaysWhy has a start fail in the middle, with and without others to share with: the process ends with the cause
// and no panic, whatever of it was there.
func TestFailedStartSaysWhy(t *testing.T) {
	t.Parallel()
	for name, queue := range map[string]config.Secret{"alone": "", "with others": "redis://127.0.0.1:1/0"} {
		for _, c := range []struct {
			name, want string
			mistake    func(*config.Config)
		}{
			{"database", "scheme", func(cfg *config.Config) { cfg.Database = "mysql://a:b@127.0.0.1/x" }},
			{"board", "time zone", func(cfg *config.Config) { cfg.Timezone = nil }},
			{"pages", "number of viewers", func(cfg *config.Config) { cfg.MaxViewers = 0 }},
			{"monitor", "unknown kind", func(cfg *config.Config) { cfg.Checks[0].How = nil }},
			{"address", "taken", func(cfg *config.Config) {
				ln, err := net.Listen("tcp", cfg.Listen)
				if err != nil {
					t.Error(err)
					return
				}
				t.Cleanup(func() { _ = ln.Close() })
				cfg.Listen = ln.Addr().String()
			}},
		} {
			t.Run(c.name+" "+name, func(t *testing.T) {
				t.Parallel()
				cfg := startable(t)
				cfg.Queue = queue
				c.mistake(cfg)
				err := Run(t.Context(), Options{Config: cfg, Roles: All(), Log: nobody, Version: "test"})
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("the start ends with %v, want a word of %q", err, c.want)
				}
			})
		}
	}
}

// startable is a configuration that a process starts by.
func startable(t *testing.T) *config.Config {
	t.Helper()
	return &config.Config{
		Title: "T", Listen: "127.0.0.1:0", Database: config.Secret("sqlite:///" + filepath.Join(t.TempDir(), "s.db")), Retention: 24 * time.Hour, Timezone: time.UTC, MaxViewers: 10,
		Checks: []check.Check{{
			Service: status.Service{ID: "web", Name: "Web", URL: "http://127.0.0.1:1", Interval: time.Minute, Timeout: time.Second}, Target: "http://127.0.0.1:1", How: &check.HTTP{Method: "HEAD"},
		}},
	}
}

// TestMonitorThatCannotStartEndsTheProcess fails after the pages are there and the board is being filled.
func TestMonitorThatCannotStartEndsTheProcess(t *testing.T) {
	t.Parallel()
	cfg := startable(t)
	store, err := db.Open(t.Context(), string(cfg.Database), db.Options{Log: nobody})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	a := &app{roles: All(), log: nobody, metrics: metrics.New("test"), store: store, node: apart(t)}
	if err := a.build(cfg, true); err != nil {
		t.Fatal(err)
	}
	if err := a.monitor.Start(); err != nil { // It can't be a second time.
		t.Fatal(err)
	}
	ln, err := Listen(cfg.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if err := a.run(t.Context(), listeners{page: ln}, nil); !errors.Is(err, status.ErrInvalid) || !strings.Contains(err.Error(), "started before") {
		t.Errorf("the process ends with %v, want why it can't measure", err)
	}
}
