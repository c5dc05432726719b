package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"statuspage/e2e/harness"
	"statuspage/internal/board"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/metrics"
	"statuspage/internal/status"
	"statuspage/monitor"
	"statuspage/monitor/probe"
	"sync/atomic"
	"testing"
	"time"
)

// fullDisk is a store that refuses while it is full.
type fullDisk struct {
	full            atomic.Bool
	refused, stored atomic.Int64
}

func (d *fullDisk) Write(_ context.Context, signals []status.Signal) error {
	if d.full.Load() {
		d.refused.Add(int64(len(signals)))
		return errors.New("no room")
	}
	d.stored.Add(int64(len(signals)))
	return nil
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for until := time.Now().Add(30 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// TestTasksWaitForTheDisk lets a worker measure whose disk refuses: the page shows it, and Redis keeps its tasks until
// the signals are on disk.
func TestTasksWaitForTheDisk(t *testing.T) {
	t.Parallel()
	const n = 5
	cfg := &config.Config{Queue: config.Secret(harness.LaunchRedis(t).URL()), Database: "questdb://admin:quest@127.0.0.1:8812/qdb", Retention: 24 * time.Hour}
	for i := range n {
		cfg.Checks = append(cfg.Checks, check.Check{
			Service: status.Service{ID: fmt.Sprintf("s%d", i), URL: fmt.Sprintf("http://s%d", i), Interval: time.Minute, Timeout: time.Second}, How: &check.HTTP{},
		})
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	node, err := join(cfg, Roles{worker: true}, log)
	if err != nil {
		t.Fatal(err)
	}
	b, err := board.New(servicesOf(cfg), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{node: node, board: b, log: log, metrics: metrics.New("test"), roles: Roles{worker: true}}
	a.cfg.Store(cfg)
	disk := &fullDisk{}
	disk.full.Store(true)
	o := a.measuring(cfg)
	o.Store = disk
	o.Probe = map[string]probe.Func{"http": func(context.Context, check.Check) probe.Result {
		return probe.Result{Outcome: status.Up, HTTPStatus: 200, Duration: time.Millisecond}
	}}
	if a.monitor, err = monitor.New(o); err != nil {
		t.Fatal(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	if err := a.begin(ctx); err != nil {
		t.Fatal(err)
	}
	defer func() {
		leave()
		if err := errors.Join(a.monitor.Stop(t.Context()), node.stop()); err != nil {
			t.Error(err)
		}
	}()
	eventually(t, "Redis is up", func() bool { return node.link.State().Up })
	slot := time.Now().Truncate(time.Microsecond)
	runs := make([]monitor.Planned, n)
	for i, c := range cfg.Checks {
		runs[i] = monitor.Planned{Service: c.ID, Slot: slot, Deadline: slot.Add(time.Minute)}
	}
	if err := node.dispatch(ctx, runs); err != nil {
		t.Fatal(err)
	}
	waiting := func() int {
		d, err := node.link.Depth(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		return d.Waiting
	}
	eventually(t, "all are measured and refused", func() bool { return a.monitor.Stats().Unsaved == n })
	for i := range cfg.Checks {
		if b.MeasuredAt(cfg.Checks[i].ID).IsZero() {
			t.Errorf("the page does not show %s from memory", cfg.Checks[i].ID)
		}
	}
	if held, left := node.worker.Held(), waiting(); held != n || left != n {
		t.Errorf("%d held, %d in the queue of %d whose signals no disk has", held, left, n)
	}
	disk.full.Store(false)
	eventually(t, "the tasks are settled when the signals are saved", func() bool { return waiting() == 0 && node.worker.Held() == 0 })
	if got := disk.stored.Load(); got != n {
		t.Errorf("%d signals are saved, want %d", got, n)
	}
}
