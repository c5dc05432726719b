package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"statuspage/e2e/harness"
	"strings"
	"time"
)

var startPart = part{
	name: "start", title: "Start and idle", measure: measureStart,
	about: "From just before exec to the first complete answer of 200 to `GET /`, asked anew every half a millisecond; the median of several starts in each run. " +
		"QuestDB *away* means that nobody listens at its address. The first signal is the instant at which `/signals` tells one. Idle is the resident set a minute after the start, " +
		"with 20 services checked each minute.",
}

// startSection is the measuring of its section, with what the lab has.
type startSection struct{ *lab }

func measureStart(ctx context.Context, in *lab, run int) error {
	l := startSection{in}
	target, end, err := l.target(ctx)
	if err != nil {
		return err
	}
	defer end()
	if run == 0 {
		if info, err := os.Stat(l.bin("statuspage")); err == nil {
			l.Add("Size", "binary, stripped", "MiB", float64(info.Size())/(1<<20), "< 25")
		}
	}
	usual := spec{services: 20, interval: time.Minute, target: target}
	past, away := usual, usual
	past.seedDays = pick(l.lab, 90, 2)
	away.database = harness.StoreURL(nowhere)
	for _, c := range []struct {
		group, goal string
		spec        spec
	}{
		{"Empty store, SQLite", "", usual},
		{fmt.Sprintf("%d days of 20 services in SQLite", past.seedDays), "< 60", past},
		{"QuestDB away", "", away},
	} {
		if err := l.starts(ctx, c.group, c.goal, c.spec); err != nil {
			return err
		}
	}
	return l.idle(ctx, usual)
}

// starts measures several starts of one kind.
func (l startSection) starts(ctx context.Context, group, goal string, s spec) error {
	dir, remove, err := l.scratch()
	if err != nil {
		return err
	}
	defer remove()
	if s.listen, err = harness.FreeAddress(); err != nil {
		return err
	}
	if err := l.prepare(ctx, dir, s); err != nil {
		return err
	}
	for range pick(l.lab, 7, 2) {
		if s.seedDays == 0 { // Else the second start would find a past.
			for _, name := range []string{"statuspage.db", "statuspage.db-wal", "statuspage.db-shm", "outbox.db", "outbox.db-wal", "outbox.db-shm"} {
				_ = os.Remove(filepath.Join(dir, name)) // Most are not there.
			}
		}
		if err := l.oneStart(ctx, dir, group, goal, s); err != nil {
			return err
		}
	}
	return nil
}

func (l startSection) oneStart(ctx context.Context, dir, group, goal string, s spec) error {
	p, err := harness.StartProduct(ctx, dir, nil, l.bin("statuspage"), "serve")
	if err != nil {
		return err
	}
	defer p.End()
	p.URL = "http://" + s.listen // It is measured how soon it listens there.
	until := func(ok func() bool) (float64, error) {
		for deadline := p.Started.Add(30 * time.Second); time.Now().Before(deadline) && p.Alive(); time.Sleep(500 * time.Microsecond) {
			if ok() {
				return time.Since(p.Started).Seconds() * 1000, nil
			}
		}
		return 0, fmt.Errorf("the product did not start: %s", p.Tail())
	}
	page, err := until(func() bool { _, err := get(ctx, p.URL+"/"); return err == nil })
	if err != nil {
		return err
	}
	l.Add(group, "first page", "ms", page, goal)
	ready, err := until(func() bool {
		body, err := get(ctx, p.URL+"/readyz")
		return err == nil && strings.Contains(string(body), `"board":"filled"`) || s.database != ""
	})
	if err != nil {
		return err
	}
	if s.seedDays > 0 {
		shown, err := (&product{Product: p}).complete(ctx)
		l.Add(group, "complete page", "ms", max(ready, shown.Seconds()*1000))
		return err // Its signals are there already.
	}
	signal, err := until(func() bool {
		body, err := get(ctx, p.URL+"/signals?limit=1")
		return err == nil && strings.Contains(string(body), `"received"`)
	})
	if err != nil {
		return err
	}
	l.Add(group, "first signal", "ms", signal, "< 1000")
	return nil
}

func (l startSection) idle(ctx context.Context, s spec) error {
	s.seedHours = 2
	p, end, err := l.filled(ctx, s)
	if err != nil {
		return err
	}
	defer end()
	if _, err := get(ctx, p.URL+"/"); err != nil {
		return err
	}
	before, err := usage(p.Process)
	if err != nil {
		return err
	}
	time.Sleep(l.span(time.Minute, 5*time.Second))
	after, err := usage(p.Process)
	if err != nil {
		return err
	}
	l.Add("Idle, 20 services", "memory", "MiB", float64(after.RSS)/(1<<20), "< 25")
	l.Add("Idle, 20 services", "CPU", "% of a core", 100*(after.CPU-before.CPU).Seconds()/after.At.Sub(before.At).Seconds())
	return nil
}
