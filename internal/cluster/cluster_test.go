package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"statuspage/e2e/harness"
	"statuspage/internal/cluster"
	"statuspage/internal/status"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, url string) *cluster.Link {
	t.Helper()
	l, err := cluster.Open(url, "test:", slog.New(slog.NewTextHandler(t.Output(), nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func up(t *testing.T, url string) *cluster.Link {
	t.Helper()
	l := open(t, url)
	eventually(t, "Redis is up", func() bool { return l.State().Up })
	return l
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not in time: %s", what)
}

func tasks(n int, region string, slot time.Time) []cluster.Task {
	all := make([]cluster.Task, n)
	for i := range all {
		all[i] = cluster.Task{Service: fmt.Sprintf("s%d", i), Region: region, Slot: slot, Deadline: slot.Add(5 * time.Second)}
	}
	return all
}

// crew is a worker in a test: it keeps what it takes, and settles when asked.
type crew struct {
	*cluster.Worker
	mu      sync.Mutex
	took    []cluster.Task
	leave   context.CancelFunc
	drained chan struct{}
	gone    chan struct{}
}

func hire(t *testing.T, l *cluster.Link, limit int, settle bool, regions ...string) *crew {
	t.Helper()
	c := &crew{drained: make(chan struct{}), gone: make(chan struct{})}
	c.Worker = cluster.NewWorker(l, regions, limit, func(tasks []cluster.Task) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.took = append(c.took, tasks...)
		if settle {
			for _, task := range tasks {
				c.Settle(task.Service, task.Region, task.Slot)
			}
		}
	})
	ctx, leave := context.WithCancel(t.Context())
	c.leave = leave
	go func() { defer close(c.gone); c.Run(ctx, c.drained) }()
	t.Cleanup(c.quit)
	return c
}

func (c *crew) quit() {
	c.leave()
	select {
	case <-c.drained:
	default:
		close(c.drained)
	}
	<-c.gone
}

func (c *crew) tasks() []cluster.Task {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.took)
}

func TestEachSlotIsQueuedOnce(t *testing.T) {
	t.Parallel()
	server := harness.LaunchRedis(t)
	slot := time.Now().Truncate(time.Millisecond)
	var queued int
	var mu sync.Mutex
	var schedulers sync.WaitGroup
	for range 4 {
		l := up(t, server.URL())
		schedulers.Go(func() {
			for i := range 5 {
				q, err := l.Enqueue(t.Context(), append(tasks(700, "eu", slot.Add(time.Duration(i)*time.Second)), tasks(10, "", slot.Add(time.Duration(i)*time.Second))...))
				if err != nil || q.Full+q.Early > 0 {
					t.Errorf("queue: %+v, %v", q, err)
				}
				mu.Lock()
				queued += q.Queued
				mu.Unlock()
			}
		})
	}
	schedulers.Wait()
	l := up(t, server.URL())
	eu, err1 := l.Depth(t.Context(), "eu")
	anywhere, err2 := l.Depth(t.Context(), "")
	if err1 != nil || err2 != nil || queued != eu.Waiting+anywhere.Waiting || queued != 5*710 {
		t.Errorf("%d queued, %+v and %+v wait (%v, %v)", queued, eu, anywhere, err1, err2)
	}
	q, err := l.Enqueue(t.Context(), tasks(3, "eu", time.Now().Add(time.Hour)))
	if err != nil || q != (cluster.Queued{Early: 3}) {
		t.Errorf("slots an hour ahead: %+v, %v", q, err)
	}
	// A slot that is offered after the next one counts all the same, once; one of long ago does not.
	for _, c := range []struct {
		slot time.Time
		want int
	}{{slot.Add(7 * time.Second), 3}, {slot.Add(6 * time.Second), 3}, {slot.Add(6 * time.Second), 0}, {slot.Add(-time.Minute), 0}} {
		if q, err := l.Enqueue(t.Context(), tasks(3, "eu", c.slot)); err != nil || q != (cluster.Queued{Queued: c.want}) {
			t.Errorf("slots at %v: %+v, %v, want %d", c.slot.Sub(slot), q, err, c.want)
		}
	}
}

func TestWorkersShareTasksAndSettleThem(t *testing.T) {
	t.Parallel()
	server := harness.LaunchRedis(t)
	l := up(t, server.URL())
	a, b := hire(t, up(t, server.URL()), 100, true, "", "eu"), hire(t, up(t, server.URL()), 100, true, "", "us")
	slot := time.Now().Truncate(time.Millisecond)
	for _, region := range []string{"", "eu", "us"} {
		if q, err := l.Enqueue(t.Context(), tasks(300, region, slot)); err != nil || q.Queued != 300 {
			t.Fatalf("queue: %+v, %v", q, err)
		}
	}
	eventually(t, "all is settled", func() bool {
		n := 0
		for _, region := range []string{"", "eu", "us"} {
			d, err := l.Depth(t.Context(), region)
			if err != nil {
				t.Fatal(err)
			}
			n += d.Waiting
		}
		return n == 0
	})
	seen := map[cluster.Task]int{}
	for _, task := range append(a.tasks(), b.tasks()...) {
		seen[task]++
	}
	for task, n := range seen {
		if n != 1 {
			t.Fatalf("%+v was taken %d times", task, n)
		}
	}
	if len(seen) != 900 {
		t.Errorf("%d tasks were taken, want 900", len(seen))
	}
	for _, task := range a.tasks() {
		if task.Region == "us" {
			t.Fatal("a task of the other region")
		}
	}
}

func TestTasksOfADeadWorkerGoOn(t *testing.T) {
	t.Parallel()
	server := harness.LaunchRedis(t)
	l := up(t, server.URL())
	frozen := up(t, server.URL())
	dead := hire(t, frozen, 100, false, "eu")
	slot := time.Now().Truncate(time.Millisecond)
	if _, err := l.Enqueue(t.Context(), tasks(20, "eu", slot)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first worker has them", func() bool { return len(dead.tasks()) == 20 })
	if err := frozen.Close(); err != nil { // It can't say any more that it lives.
		t.Fatal(err)
	}
	heir := hire(t, up(t, server.URL()), 100, true, "eu")
	eventually(t, "the second has them", func() bool { return len(heir.tasks()) == 20 })
	if heir.TakenOver() != 20 {
		t.Errorf("%d taken over", heir.TakenOver())
	}
	eventually(t, "the queue is empty", func() bool { d, err := l.Depth(t.Context(), "eu"); return err == nil && d.Waiting == 0 })
}

func TestLateTasksAreDropped(t *testing.T) {
	t.Parallel()
	server := harness.LaunchRedis(t)
	l := up(t, server.URL())
	if q, err := l.Enqueue(t.Context(), tasks(5, "eu", time.Now().Add(-10*time.Second).Truncate(time.Millisecond))); err != nil || q.Queued != 5 {
		t.Fatal(err)
	}
	w := hire(t, up(t, server.URL()), 100, true, "eu")
	eventually(t, "they are counted", func() bool { return w.Late() == 5 })
	eventually(t, "the queue is empty", func() bool { d, err := l.Depth(t.Context(), "eu"); return err == nil && d.Waiting == 0 })
	if n := len(w.tasks()); n > 0 {
		t.Errorf("%d late tasks were handed on", n)
	}
}

func TestRedisGoesAndComesBackEmpty(t *testing.T) {
	t.Parallel()
	server := harness.LaunchRedis(t)
	l := up(t, server.URL())
	w := hire(t, up(t, server.URL()), 100, true, "eu")
	server.Kill()
	eventually(t, "it is noticed", func() bool { return !l.State().Up })
	begun := time.Now()
	if _, err := l.Enqueue(t.Context(), tasks(1, "eu", time.Now())); err == nil || time.Since(begun) > time.Second {
		t.Errorf("queueing without Redis: %v after %v", err, time.Since(begun))
	}
	harness.Must(t, server.Empty())
	harness.Must(t, server.Start(t.Context()))
	eventually(t, "it is up again", func() bool { return l.State().Up })
	eventually(t, "it is queued", func() bool {
		q, err := l.Enqueue(t.Context(), tasks(5, "eu", time.Now().Truncate(time.Millisecond)))
		return err == nil && q.Queued == 5
	})
	eventually(t, "the worker goes on", func() bool { return len(w.tasks()) >= 5 })
}

func TestAPausedRedisHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	server := harness.LaunchRedis(t)
	l := up(t, server.URL())
	harness.Must(t, server.Signal(syscall.SIGSTOP))
	begun := time.Now()
	if _, err := l.Enqueue(t.Context(), tasks(1, "eu", time.Now())); err == nil {
		t.Error("queued in a Redis that stands still")
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	eventually(t, "it is away", func() bool { return !l.State().Up })
	harness.Must(t, server.Signal(syscall.SIGCONT))
	eventually(t, "it is up again", func() bool { return l.State().Up })
}

func signals(n int, at time.Time) []status.Signal {
	all := make([]status.Signal, n)
	for i := range all {
		all[i] = status.Signal{
			Received: at.Add(time.Duration(i) * time.Microsecond), Service: "api", Region: "eu", URL: "https://api.example", HTTPStatus: 503,
			Outcome: status.Down, Reason: status.UnexpectedStatus, Duration: 12 * time.Millisecond,
		}
	}
	return all
}

func TestRelayBringsEverythingToEachPageServer(t *testing.T) {
	t.Parallel()
	server := harness.LaunchRedis(t)
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := cluster.NewPublisher(up(t, server.URL()))
	ctx, end := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx) })
	defer running.Wait()
	defer end()
	p.Apply(signals(1200, at)) // Before anybody follows.

	var mu sync.Mutex
	got := make([][]status.Signal, 3)
	refills := 0
	expires, told := at.AddDate(0, 0, 41), make([]time.Time, 3)
	for i := range got {
		f := cluster.NewFollower(up(t, server.URL()), func(s []status.Signal) {
			mu.Lock()
			defer mu.Unlock()
			got[i] = append(got[i], s...)
		}, func(context.Context, time.Time) error { mu.Lock(); defer mu.Unlock(); refills++; return nil }, func(service string, at time.Time) {
			mu.Lock()
			defer mu.Unlock()
			if service == "api" {
				told[i] = at
			}
		})
		running.Go(func() { f.Run(ctx) })
	}
	all := func(n int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(got[0]) == n && len(got[1]) == n && len(got[2]) == n
		}
	}
	eventually(t, "what was there", all(1200))
	p.Certificate("api", expires)
	p.Apply(signals(10, at.Add(time.Minute)))
	eventually(t, "what is new", all(1210))
	mu.Lock()
	if !slices.Equal(told, []time.Time{expires, expires, expires}) {
		t.Errorf("the certificate expires at %v, told %v", expires, told)
	}
	mu.Unlock()
	server.Kill()
	p.Apply(signals(10, at.Add(2*time.Minute)))
	mu.Lock()
	before := refills
	mu.Unlock()
	eventually(t, "the database is asked", func() bool { mu.Lock(); defer mu.Unlock(); return refills >= before+3 })
	harness.Must(t, server.Start(t.Context()))
	eventually(t, "what was measured meanwhile", all(1220))
	mu.Lock()
	defer mu.Unlock()
	want := slices.Concat(signals(1200, at), signals(10, at.Add(time.Minute)), signals(10, at.Add(2*time.Minute)))
	if !slices.Equal(got[0], want) {
		t.Error("signals changed on their way")
	}
}
