package monitor

import (
	"context"
	"fmt"
	"log/slog"
	"statuspage/e2e/harness"
	"statuspage/internal/check"
	"statuspage/internal/cluster"
	"statuspage/monitor/probe"
	"sync"
	"testing"
	"time"
)

// TestSchedulersWithClocksApart lets two schedulers whose clocks are two seconds apart queue on a
// real Redis, and one go: each slot of each check and region is measured once, at its instant.
func TestSchedulersWithClocksApart(t *testing.T) {
	t.Parallel()
	const apart = 2 * time.Second
	server := harness.LaunchRedis(t)
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	open := func() *cluster.Link {
		l, err := cluster.Open(server.URL(), "skew:", log, nil)
		if err != nil {
			t.Fatal(err)
		}
		for until := time.Now().Add(20 * time.Second); !l.State().Up; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatal("Redis is not up")
			}
		}
		return l
	}
	var checks []check.Check
	for i := range 10 {
		c := checkOf(fmt.Sprintf("c%d", i), []time.Duration{time.Second, 3 * time.Second}[i%2])
		if i < 5 {
			c.Regions = []string{"eu", "us"}
		}
		checks = append(checks, c)
	}
	shift := func(by time.Duration) func(*Options) {
		link := open()
		return func(o *Options) {
			o.now = func() time.Time { return time.Now().Add(by) }
			o.MeasuredAt = func(string) time.Time { return o.now() }
			o.Dispatch = func(ctx context.Context, runs []Planned) error {
				tasks := make([]cluster.Task, len(runs))
				for i, r := range runs {
					tasks[i] = cluster.Task(r)
				}
				_, err := link.Enqueue(ctx, tasks)
				return err
			}
			t.Cleanup(func() { _ = link.Close() })
		}
	}
	var mu sync.Mutex
	probes := map[string]int{} // By check and how often it was asked.
	early := 0
	measure := func(_ context.Context, c check.Check) probe.Result {
		mu.Lock()
		defer mu.Unlock()
		probes[c.ID]++
		if c.Nearest(time.Now()).After(time.Now().Add(20 * time.Millisecond)) {
			early++
		}
		return up(t.Context(), c)
	}
	var workers []*fixture
	var working sync.WaitGroup
	ctx, leave := context.WithCancel(t.Context())
	drained := make(chan struct{})
	for _, region := range []string{"eu", "us"} {
		link := open()
		defer link.Close()
		var w *cluster.Worker
		ready := make(chan struct{})
		x := begin(t, measure, func(o *Options) {
			o.Region, o.Worker = region, true
			o.Ended = func(service, region string, slot time.Time) { <-ready; w.Settle(service, region, slot) }
		}, checks...)
		w = cluster.NewWorker(link, []string{"", region}, 1000, func(tasks []cluster.Task) {
			all := make([]Planned, len(tasks))
			for i, task := range tasks {
				all[i] = Planned(task)
			}
			x.Take(all)
		})
		close(ready)
		working.Go(func() { w.Run(ctx, drained) })
		workers = append(workers, x)
	}
	ahead := begin(t, measure, shift(apart), checks...)
	behind := begin(t, measure, shift(0), checks...)
	// What there is to count: signals by check, region and slot.
	signals := func() map[string]map[int64]int {
		all := map[string]map[int64]int{}
		for _, x := range workers {
			x.events.mu.Lock()
			for _, s := range x.written {
				of := s.Service + "@" + s.Region
				if all[of] == nil {
					all[of] = map[int64]int{}
				}
				all[of][s.Received.UnixMicro()]++
			}
			x.events.mu.Unlock()
		}
		return all
	}
	await := func(n int) {
		t.Helper()
		for until := time.Now().Add(60 * time.Second); len(signals()["c0@eu"]) < n; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("%d signals of c0", len(signals()["c0@eu"]))
			}
		}
	}
	await(5)
	ahead.end(t) // The one behind goes on alone: the two seconds that were planned ahead are not planned again.
	await(10)
	behind.end(t)
	leave()
	for _, x := range workers {
		x.end(t)
	}
	close(drained)
	working.Wait()

	if early > 0 {
		t.Errorf("%d probes began before their slot", early)
	}
	total := 0
	for _, c := range checks {
		regions := c.Regions
		if regions == nil {
			regions = []string{""}
		}
		asked := 0
		for _, region := range regions {
			of := signals()[c.ID+"@"+region]
			first, last := int64(0), int64(0)
			for us, n := range of {
				if n != 1 {
					t.Errorf("%s@%s has %d signals of one slot", c.ID, region, n)
				}
				if first == 0 || us < first {
					first = us
				}
				last = max(last, us)
			}
			if want := int((last-first)/c.Interval.Microseconds()) + 1; len(of) != want || want < 3 {
				t.Errorf("%s@%s has %d signals for %d slots", c.ID, region, len(of), want)
				for at := first; at < last; at += c.Interval.Microseconds() {
					if of[at] == 0 {
						t.Errorf("%v is missing", time.UnixMicro(at).UTC())
					}
				}
			}
			asked += len(of)
		}
		if probes[c.ID] != asked {
			t.Errorf("%s was asked %d times for %d signals", c.ID, probes[c.ID], asked)
		}
		total += asked
	}
	t.Logf("%d signals, each slot once", total)
}
