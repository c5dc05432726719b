package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// events is a store and a board in one: it notes what comes in which order.
type events struct {
	mu      sync.Mutex
	refuse  bool
	written []status.Signal
	shown   []status.Signal
	order   []string
}

func (e *events) Write(_ context.Context, signals []status.Signal) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.refuse {
		return errors.New("disk full")
	}
	e.written = append(e.written, signals...)
	e.order = append(e.order, "write")
	return nil
}

func (e *events) Apply(signals []status.Signal) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.shown = append(e.shown, signals...)
	e.order = append(e.order, "show")
}

func (e *events) setRefuse(refuse bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refuse = refuse
}

func (e *events) received(service string) (at []time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.written {
		if s.Service == service {
			at = append(at, s.Received)
		}
	}
	return at
}

func checkOf(id string, interval time.Duration) check.Check {
	return check.Check{Service: status.Service{ID: id, URL: "http://" + id, Interval: interval, Timeout: interval / 2}, How: &check.HTTP{}}
}

func up(context.Context, check.Check) probe.Result {
	return probe.Result{Outcome: status.Up, HTTPStatus: 200, Duration: time.Millisecond}
}

type fixture struct {
	*Monitor
	*events
	skipped map[string]int
}

// begin starts a monitor inside a synctest bubble.
func begin(t *testing.T, f probe.Func, change func(*Options), checks ...check.Check) *fixture {
	t.Helper()
	x := &fixture{skipped: map[string]int{}, events: &events{}}
	o := Options{
		Checks: checks, Store: x.events, Board: x.events, Log: slog.New(slog.DiscardHandler),
		Probe: map[string]probe.Func{"http": f},
		Skipped: func(cause string) {
			x.events.mu.Lock()
			defer x.events.mu.Unlock()
			x.skipped[cause]++
		},
	}
	if change != nil {
		change(&o)
	}
	var err error
	if x.Monitor, err = New(o); err != nil {
		t.Fatal(err)
	}
	if err := x.Start(); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *fixture) end(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := x.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := x.Stop(ctx); err != nil {
		t.Errorf("stop again: %v", err)
	}
}

func TestEverySlotIsMeasuredOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a, b := checkOf("a", time.Minute), checkOf("b", 10*time.Second)
		x := begin(t, up, func(o *Options) { o.MeasuredAt = func(string) time.Time { return time.Now() } }, a, b)
		start := time.Now()
		time.Sleep(time.Hour)
		synctest.Wait()
		for _, c := range []check.Check{a, b} {
			got := x.received(c.ID)
			if want := c.SlotsBetween(start, time.Now()); len(got) != want {
				t.Errorf("%s: %d signals in an hour, want %d", c.ID, len(got), want)
			}
			for i, at := range got {
				if !at.Equal(c.Nearest(at)) {
					t.Errorf("%s: signal %d at %v is on no slot", c.ID, i, at)
				}
			}
		}
		x.end(t)
	})
}

func TestFirstRunComesAtOnceWhenTheStateIsUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		known := checkOf("known", time.Hour)
		fresh := func(id string) time.Time {
			if id == "known" {
				return time.Now().Add(-30 * time.Minute)
			}
			return time.Now().Add(-2 * time.Hour)
		}
		x := begin(t, up, func(o *Options) { o.MeasuredAt = fresh }, known, checkOf("stale", time.Hour), checkOf("new", time.Hour))
		time.Sleep(firstRunSpread + time.Second)
		synctest.Wait()
		if n := len(x.received("stale")) + len(x.received("new")); n != 2 {
			t.Errorf("%d first runs, want one each", n)
		}
		if known.SlotsBetween(time.Now().Add(-firstRunSpread-time.Second), time.Now()) == 0 && len(x.received("known")) != 0 {
			t.Error("a check whose state is known ran before its slot")
		}
		x.end(t)
	})
}

func TestHangingTargetDelaysNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := func(ctx context.Context, c check.Check) probe.Result {
			if c.ID != "hang" {
				return up(ctx, c)
			}
			ctx, cancel := context.WithTimeout(ctx, c.Timeout)
			defer cancel()
			<-ctx.Done()
			return probe.Result{Outcome: status.Down, Reason: status.Timeout, HTTPStatus: status.NoHTTPStatus}
		}
		other := checkOf("other", time.Second)
		x := begin(t, hang, nil, checkOf("hang", 10*time.Second), other)
		time.Sleep(time.Minute + 5*time.Second)
		synctest.Wait()
		if got := len(x.received("other")); got < 60 {
			t.Errorf("%d signals of the other check in a minute, want 60 or more", got)
		}
		if got := len(x.received("hang")); got < 5 {
			t.Errorf("%d timeouts recorded in a minute, want 5 or more", got)
		}
		x.end(t)
	})
}

func TestManyHangingTargetsDelayNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		started := make(map[string][]time.Duration) // How late runs began, by check.
		var mu sync.Mutex
		f := func(ctx context.Context, c check.Check) probe.Result {
			now := time.Now()
			mu.Lock()
			started[c.ID] = append(started[c.ID], now.Sub(c.Nearest(now)))
			mu.Unlock()
			if strings.HasPrefix(c.ID, "hang") {
				select {
				case <-time.After(c.Timeout):
				case <-ctx.Done():
				}
				return probe.Result{Outcome: status.Down, Reason: status.Timeout, HTTPStatus: status.NoHTTPStatus}
			}
			return up(ctx, c)
		}
		var checks []check.Check
		for i := range 1000 {
			id := fmt.Sprintf("ok-%d", i)
			if i%2 == 0 {
				id = fmt.Sprintf("hang-%d", i)
			}
			checks = append(checks, checkOf(id, 10*time.Second))
		}
		x := begin(t, f, func(o *Options) { o.MeasuredAt = func(string) time.Time { return time.Now() } }, checks...)
		time.Sleep(time.Minute + roundSpan + together) // The last of six may begin that much later.
		synctest.Wait()
		mu.Lock()
		for id, late := range started {
			if n := len(late); n < 6 || slices.Max(late) > together+time.Millisecond {
				t.Errorf("%s: %d runs in a minute, %v late at worst; want 6, %v", id, n, slices.Max(late), together)
			}
		}
		mu.Unlock()
		x.crew.mu.Lock()
		size := x.crew.size
		x.crew.mu.Unlock()
		if size < 250 || size > 600 {
			t.Errorf("%d workers for some 250 probes at once", size)
		}
		x.end(t)
	})
}

func TestSignalsGatherWhenThereAreMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var e events
		r := newRecorder(&e, &e, slog.New(slog.DiscardHandler), func([]status.Signal) {}, func([]status.Signal) {})
		r.start()
		time.Sleep(time.Second)
		r.add(status.Signal{Service: "alone"})
		synctest.Wait()
		if len(e.written) != 1 {
			t.Errorf("a signal that came alone waits: %d written", len(e.written))
		}
		for range 1000 { // One a millisecond.
			r.add(status.Signal{Service: "many"})
			time.Sleep(time.Millisecond)
		}
		time.Sleep(gather)
		synctest.Wait()
		if writes := len(e.order) / 2; len(e.written) != 1001 || writes > 13 {
			t.Errorf("%d signals in %d writes, want 1001 in 13 or fewer", len(e.written), writes)
		}
		if err := r.stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestOurOwnFailureIsNoSignal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		x := begin(t, func(context.Context, check.Check) probe.Result {
			if calls++; calls%2 == 0 {
				panic("bug")
			}
			return probe.Result{Err: errors.New("too many open files")}
		}, nil, checkOf("a", time.Second))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if n := len(x.received("a")); n != 0 {
			t.Errorf("%d signals recorded for failures of ours", n)
		}
		if x.skipped[SkippedInternal] < 9 {
			t.Errorf("%d counted as internal, want every run", x.skipped[SkippedInternal])
		}
		x.end(t)
	})
}

func TestLateRunIsSkippedAndCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context, c check.Check) probe.Result {
			time.Sleep(c.Timeout - time.Millisecond)
			return up(ctx, c)
		}
		var checks []check.Check
		for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
			checks = append(checks, checkOf(id, 4*time.Second))
		}
		x := begin(t, slow, func(o *Options) { o.Workers = 1 }, checks...)
		time.Sleep(time.Minute)
		synctest.Wait()
		if x.skipped[SkippedLate] == 0 {
			t.Error("six checks of two seconds each on one worker, and none was late")
		}
		for _, id := range []string{"a", "b"} {
			if at := x.received(id); !slices.IsSortedFunc(at, time.Time.Compare) {
				t.Errorf("%s: slots out of order: %v", id, at)
			}
		}
		x.end(t)
	})
}

func TestSignalsAreDurableBeforeTheyAreShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := begin(t, up, nil, checkOf("a", time.Second))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		for i, what := range x.order {
			if want := []string{"write", "show"}[i%2]; what != want {
				t.Fatalf("order = %v, want each write before its show", x.order)
			}
		}
		x.end(t)
	})
}

func TestRefusingStoreLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		x := begin(t, up, nil, checkOf("a", time.Second))
		x.setRefuse(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		x.events.mu.Lock()
		shown, written := len(x.shown), len(x.written)
		x.events.mu.Unlock()
		if shown < 59 || written != 0 {
			t.Errorf("while the store refuses: %d shown, %d written; want 60, 0", shown, written)
		}
		if got := x.Stats().Unsaved; got != int64(shown) {
			t.Errorf("unsaved = %d, want %d", got, shown)
		}
		x.setRefuse(false)
		time.Sleep(maxRetry + time.Second)
		synctest.Wait()
		at := x.received("a")
		if len(at) < 69 || x.Stats().Unsaved != 0 {
			t.Errorf("after recovery: %d written, %d unsaved; want all and 0", len(at), x.Stats().Unsaved)
		}
		if !slices.IsSortedFunc(at, time.Time.Compare) || len(slices.CompactFunc(slices.Clone(at), time.Time.Equal)) != len(at) {
			t.Error("signals were written out of order, or twice")
		}
		x.end(t)
	})
}

func TestStopWaitsForRunningProbesAndNoLonger(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		short := func(ctx context.Context, c check.Check) probe.Result {
			wait := 2 * time.Second
			if c.ID == "long" {
				wait = 25 * time.Second
			}
			select {
			case <-time.After(wait):
				return up(ctx, c)
			case <-ctx.Done():
				return probe.Result{Err: ctx.Err()}
			}
		}
		x := begin(t, short, nil, checkOf("short", time.Minute), checkOf("long", time.Minute))
		time.Sleep(firstRunSpread + 10*time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 9*time.Second)
		defer cancel()
		if err := x.Stop(ctx); err != nil {
			t.Error(err)
		}
		if n := len(x.received("short")); n != 1 {
			t.Errorf("%d signals of a probe that ended in time, want 1", n)
		}
		if n := len(x.received("long")); n != 0 || x.skipped[SkippedStopped] != 1 {
			t.Errorf("cancelled probe: %d signals, %d counted; want 0, 1", n, x.skipped[SkippedStopped])
		}
	})
}

func TestStopBeforeStart(t *testing.T) {
	t.Parallel()
	var e events
	m, err := New(Options{Store: &e, Board: &e, Log: slog.New(slog.DiscardHandler), Probe: map[string]probe.Func{"http": up}})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if err := m.Start(); !errors.Is(err, status.ErrInvalid) {
		t.Errorf("start after stop: %v, want ErrInvalid", err)
	}
}

func TestNewRefusesMistakes(t *testing.T) {
	t.Parallel()
	var e events
	long := checkOf("a", time.Minute)
	long.Timeout = time.Minute
	for name, mistake := range map[string]func(*Options){
		"":             func(*Options) {},
		"no store":     func(o *Options) { o.Store = nil },
		"no board":     func(o *Options) { o.Board = nil },
		"no log":       func(o *Options) { o.Log = nil },
		"no prober":    func(o *Options) { o.Probe = nil }, // One without a guard must not come by itself.
		"unknown kind": func(o *Options) { o.Checks = []check.Check{{}} },
		"id twice":     func(o *Options) { o.Checks = []check.Check{checkOf("a", time.Minute), checkOf("a", time.Minute)} },
		"long timeout": func(o *Options) { o.Checks = []check.Check{long} },
	} {
		o := Options{Store: &e, Board: &e, Log: slog.New(slog.DiscardHandler), Probe: map[string]probe.Func{"http": up}, Checks: []check.Check{checkOf("a", time.Minute)}}
		mistake(&o)
		if _, err := New(o); errors.Is(err, status.ErrInvalid) != (name != "") {
			t.Errorf("%s: %v, want ErrInvalid of mistakes", name, err)
		}
	}
}

func TestUnsavedIsBounded(t *testing.T) {
	t.Parallel()
	var e events
	var lost []status.Signal
	r := newRecorder(&e, &e, slog.New(slog.DiscardHandler), func([]status.Signal) {}, func(some []status.Signal) { lost = append(lost, some...) })
	batch := make([]status.Signal, maxUnsaved)
	batch[0].Service = "oldest"
	r.keep(batch)
	r.keep([]status.Signal{{Service: "newest"}})
	if len(r.kept) != maxUnsaved || r.kept[maxUnsaved-1].Service != "newest" || r.dropped != 1 {
		t.Errorf("kept %d, dropped %d; want %d, 1 with the newest at the end", len(r.kept), r.dropped, maxUnsaved)
	}
	if len(lost) != 1 || lost[0].Service != "oldest" { // Who holds its task holds it no longer.
		t.Errorf("told as lost: %v, want the oldest", lost)
	}
}

func TestLogTellsChangesOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		calls := 0
		f := func(ctx context.Context, c check.Check) probe.Result {
			if calls++; calls > 5 && calls <= 15 {
				return probe.Result{Outcome: status.Down, Reason: status.DNS, HTTPStatus: status.NoHTTPStatus, Err: errors.New("lookup a.example: no such host")}
			}
			return up(ctx, c)
		}
		x := begin(t, f, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) }, checkOf("a", time.Second))
		time.Sleep(30 * time.Second)
		synctest.Wait()
		x.end(t)
		if n := strings.Count(log.String(), "service changed"); n != 2 || !strings.Contains(log.String(), "no such host") {
			t.Errorf("%d lines for going down and coming back, want 2 with the error's text:\n%s", n, log.String())
		}
	})
}
