package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// lines is a log that tests may read meanwhile.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

// until waits for a condition, ten seconds at most.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("it never came that ", what)
		}
	}
}

func (x *fixture) count(service string, o status.Outcome) (n int) {
	x.events.mu.Lock()
	defer x.events.mu.Unlock()
	for _, s := range x.written {
		if s.Service == service && s.Outcome == o {
			n++
		}
	}
	return n
}

func (x *fixture) skippedFor(cause string) int {
	x.events.mu.Lock()
	defer x.events.mu.Unlock()
	return x.skipped[cause]
}

// door is a listener that may be closed and opened again at the same address.
type door struct {
	t       *testing.T
	address string
	ln      net.Listener
}

func (d *door) open() {
	d.t.Helper()
	ln, err := net.Listen("tcp", d.address)
	if err != nil {
		d.t.Fatal(err)
	}
	d.ln, d.address = ln, ln.Addr().String()
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ReadHeaderTimeout: time.Second}
	server.SetKeepAlivesEnabled(false)
	d.t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(ln) }()
}

func (d *door) close() { _ = d.ln.Close() }

// TestOwnNetworkGone closes the targets and the canary at once, over real sockets.
func TestOwnNetworkGone(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"", "http://"} {
		t.Run("canary "+scheme, func(t *testing.T) {
			t.Parallel()
			canary, target := &door{t: t, address: "127.0.0.1:0"}, &door{t: t, address: "127.0.0.1:0"}
			canary.open()
			target.open()
			var checks []check.Check
			for i := range 5 {
				c := checkOf(fmt.Sprintf("c%d", i), time.Second)
				c.Target, c.How = "http://"+target.address, &check.HTTP{Method: http.MethodHead}
				checks = append(checks, c)
			}
			var log lines
			x := begin(t, nil, func(o *Options) {
				o.Probe, o.Canary, o.Log = probe.New(probe.Options{}).Kinds(), []string{scheme + canary.address}, slog.New(slog.NewTextHandler(&log, nil))
			}, checks...)
			until(t, "all are up", func() bool {
				for _, c := range checks {
					if x.count(c.ID, status.Up) == 0 {
						return false
					}
				}
				return true
			})

			canary.close() // Our own network goes.
			target.close()
			until(t, "failures are told apart", func() bool { return x.skippedFor(SkippedNetwork) >= 10 })
			if !x.Stats().NetworkDown || log.count("our own network is down") != 1 {
				t.Errorf("network down: %v, told %d times", x.Stats().NetworkDown, log.count("our own network is down"))
			}
			for _, c := range checks {
				if n := x.count(c.ID, status.Down); n != 0 {
					t.Errorf("%s: %d signals of failures that were ours", c.ID, n)
				}
			}

			canary.open() // It is back, and the targets really are down.
			until(t, "the network is back", func() bool { return !x.Stats().NetworkDown })
			until(t, "real failures are recorded", func() bool {
				for _, c := range checks {
					if x.count(c.ID, status.Down) == 0 {
						return false
					}
				}
				return true
			})
			target.open()
			before := x.count("c0", status.Up)
			until(t, "it is up again", func() bool { return x.count("c0", status.Up) > before })
			if log.count("our own network is back") != 1 {
				t.Errorf("told %d times that the network is back", log.count("our own network is back"))
			}
			x.end(t)
		})
	}
}

// TestAnyStatusOfACanaryWillDo asks one that answers with an error, and one that is not there.
func TestAnyStatusOfACanaryWillDo(t *testing.T) {
	t.Parallel()
	sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	t.Cleanup(sick.Close)
	gone := &door{t: t, address: "127.0.0.1:0"}
	gone.open()
	gone.close()
	p := probe.New(probe.Options{})
	if got := askAll(t.Context(), p, []string{gone.address, "http://" + gone.address, sick.URL}); got != prompt {
		t.Errorf("one that answers 418 gives %d, want %d", got, prompt)
	}
	if got := askAll(t.Context(), p, []string{gone.address, "http://" + gone.address, "nowhere.invalid:443"}); got != silent {
		t.Errorf("nobody gives %d, want %d", got, silent)
	}
}

// scripted begins a monitor whose canary answers while there holds.
func scripted(t *testing.T, there *atomic.Bool, f probe.Func, checks ...check.Check) (*fixture, *atomic.Int64) {
	t.Helper()
	x, asked := &fixture{skipped: map[string]int{}, events: &events{}}, new(atomic.Int64)
	m, err := New(Options{
		Checks: checks, Store: x.events, Board: x.events, Log: slog.New(slog.DiscardHandler), Canary: []string{"canary.invalid:1"},
		Probe: map[string]probe.Func{"http": f},
		Skipped: func(cause string) {
			x.events.mu.Lock()
			defer x.events.mu.Unlock()
			x.skipped[cause]++
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.canary.ask = func(ctx context.Context) answer {
		asked.Add(1)
		if there.Load() {
			time.Sleep(20 * time.Millisecond)
			return prompt
		}
		select {
		case <-time.After(canaryTimeout):
		case <-ctx.Done():
		}
		return silent
	}
	x.Monitor = m
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	return x, asked
}

func down(reason status.Reason) probe.Result {
	return probe.Result{Outcome: status.Down, Reason: reason, HTTPStatus: status.NoHTTPStatus, Err: fmt.Errorf("%v", reason)}
}

// TestShortOutageOfOurs begins after some probes began and ends before they time out: when
// the canaries are asked about them, they answer again.
func TestShortOutageOfOurs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var there atomic.Bool
		there.Store(true)
		f := func(ctx context.Context, c check.Check) probe.Result {
			if there.Load() {
				return up(ctx, c)
			}
			time.Sleep(c.Timeout) // Its packets were lost; the network is back too late.
			return down(status.Timeout)
		}
		var checks []check.Check
		for i := range 50 {
			checks = append(checks, checkOf(fmt.Sprintf("c%d", i), 20*time.Second))
		}
		x, _ := scripted(t, &there, f, checks...)
		time.Sleep(time.Minute)
		there.Store(false)
		time.Sleep(7 * time.Second)
		there.Store(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		for _, c := range checks {
			if n := x.count(c.ID, status.Down); n != 0 {
				t.Errorf("%s: %d signals of failures that were ours", c.ID, n)
			}
			if n := x.count(c.ID, status.Up); n < 5 {
				t.Errorf("%s: up %d times in two minutes, want 5 or more", c.ID, n)
			}
		}
		if x.skippedFor(SkippedNetwork) < 15 {
			t.Errorf("%d runs counted as lost to the network", x.skippedFor(SkippedNetwork))
		}
		x.end(t)
	})
}

// TestHeldResultsKeepTheirOrderAndSlots holds failures back without holding up anybody else.
func TestHeldResultsKeepTheirOrderAndSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var there atomic.Bool
		there.Store(true)
		var calls atomic.Int64
		f := func(ctx context.Context, c check.Check) probe.Result {
			if c.ID == "flaky" && calls.Add(1)%2 == 0 {
				return down(status.ConnectionReset)
			}
			if c.ID == "sick" {
				return probe.Result{Outcome: status.Down, Reason: status.UnexpectedStatus, HTTPStatus: 500, Err: errors.New("500")}
			}
			return up(ctx, c)
		}
		flaky, sick := checkOf("flaky", time.Second), checkOf("sick", time.Second)
		x, asked := scripted(t, &there, f, flaky, sick)
		time.Sleep(time.Minute)
		synctest.Wait()
		at := x.received("flaky")
		for i := 1; i < len(at); i++ {
			if !at[i].After(at[i-1]) || i > 1 && !at[i].Equal(flaky.Nearest(at[i])) {
				t.Errorf("signal %d at %v follows %v", i, at[i], at[i-1])
			}
		}
		if n := x.count("flaky", status.Down); n < 25 || len(at) < 58 {
			t.Errorf("%d signals, %d of them down; want 60, 30", len(at), n)
		}
		if n := asked.Load(); n > 62 {
			t.Errorf("canaries were asked %d times in a minute, want once a second at most", n)
		}
		there.Store(false) // Who gives a status is down whatever the canaries say.
		before := x.count("sick", status.Down)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := x.count("sick", status.Down) - before; n < 59 {
			t.Errorf("%d signals of an answer with status 500 in a minute, want 60", n)
		}
		x.end(t)
		if k := x.canary; len(k.held)+len(k.of) != 0 {
			t.Errorf("%d results are held at the end", len(k.held))
		}
	})
}

// TestStopWithHeldResults leaves none behind and ends in time, whatever the canaries do.
func TestStopWithHeldResults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var there atomic.Bool
		x, _ := scripted(t, &there, func(context.Context, check.Check) probe.Result { return down(status.DNS) }, checkOf("a", time.Second))
		time.Sleep(5500 * time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 4*time.Second)
		defer cancel()
		began := time.Now()
		if err := x.Stop(ctx); err != nil || time.Since(began) > 4*time.Second {
			t.Errorf("stop took %v: %v", time.Since(began), err)
		}
		if n := len(x.received("a")); n != 0 || x.skippedFor(SkippedNetwork) < 5 {
			t.Errorf("%d signals, %d counted; want 0, all", n, x.skippedFor(SkippedNetwork))
		}
	})
}

func TestGuardedServiceIsToldOnce(t *testing.T) {
	t.Parallel()
	var log lines
	c := checkOf("a", time.Second)
	c.Target, c.How = "http://127.0.0.1:1", &check.HTTP{Method: http.MethodHead}
	x := begin(t, nil, func(o *Options) {
		o.Probe, o.Log = probe.New(probe.Options{Guard: &probe.Guard{}}).Kinds(), slog.New(slog.NewTextHandler(&log, nil))
	}, c)
	until(t, "three runs are skipped", func() bool { return x.skippedFor(SkippedGuarded) >= 3 })
	if n := log.count("the guard refuses"); n != 1 || len(x.received("a")) != 0 {
		t.Errorf("told %d times, %d signals; want 1, 0", n, len(x.received("a")))
	}
	x.end(t)
}

// TestPingsThatTheKernelRefusesAreToldOnce holds that two services without data, run after run, are one line with its remedy.
func TestPingsThatTheKernelRefusesAreToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log lines
		x := begin(t, func(context.Context, check.Check) probe.Result {
			return probe.Result{Err: fmt.Errorf("ours: %w", probe.ErrNoPing), HTTPStatus: status.NoHTTPStatus}
		}, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) }, checkOf("a", time.Second), checkOf("b", time.Second))
		time.Sleep(5500 * time.Millisecond)
		if n := log.count("net.ipv4.ping_group_range"); n != 1 || len(x.received("a")) != 0 || x.skippedFor(SkippedInternal) < 8 {
			t.Errorf("told %d times, %d signals, %d skipped", n, len(x.received("a")), x.skippedFor(SkippedInternal))
		}
		x.end(t)
	})
}

// TestHangingSocketsDelayNobody measures many targets that accept and say nothing, beside
// some that answer.
func TestHangingSocketsDelayNobody(t *testing.T) {
	t.Parallel()
	const hanging, answering, seconds = 300, 10, 4
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	var mu sync.Mutex
	var open []net.Conn
	go func() {
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
		}
	}()
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, c := range open {
			_ = c.Close()
		}
	})
	alive := &door{t: t, address: "127.0.0.1:0"}
	alive.open()
	var checks []check.Check
	for i := range hanging + answering {
		c := checkOf(fmt.Sprintf("hang-%d", i), 2*time.Second)
		if c.Target = "http://" + silent.Addr().String(); i < answering {
			c = checkOf(fmt.Sprintf("ok-%d", i), time.Second)
			c.Target = "http://" + alive.address
		}
		c.How = &check.HTTP{Method: http.MethodHead}
		checks = append(checks, c)
	}
	var slowest atomic.Int64
	x := begin(t, nil, func(o *Options) {
		o.Probe = probe.New(probe.Options{}).Kinds()
		o.MeasuredAt = func(string) time.Time { return time.Now() } // No runs on top of the slots.
		o.Observe = func(c check.Check, _ time.Time, r probe.Result) {
			over := r.Duration
			if r.Outcome == status.Down {
				over = r.Duration - c.Timeout
			}
			for old := slowest.Load(); int64(over) > old && !slowest.CompareAndSwap(old, int64(over)); old = slowest.Load() {
			}
		}
	}, checks...)
	until(t, "all have their signals", func() bool {
		for _, c := range checks[:answering] {
			if x.count(c.ID, status.Up) < seconds {
				return false
			}
		}
		for _, c := range checks[answering:] {
			if x.count(c.ID, status.Down) < seconds/2 {
				return false
			}
		}
		return true
	})
	for _, c := range checks[:answering] {
		at := x.received(c.ID)
		for i := 1; i < len(at); i++ {
			if at[i].Sub(at[i-1]) != c.Interval {
				t.Errorf("%s: a slot is missing between %v and %v", c.ID, at[i-1], at[i])
			}
		}
	}
	for _, cause := range []string{SkippedLate, SkippedRunning, SkippedFull, SkippedInternal} {
		if n := x.skippedFor(cause); n > 0 {
			t.Errorf("%d runs skipped: %s", n, cause)
		}
	}
	if over := time.Duration(slowest.Load()); over > 300*time.Millisecond {
		t.Errorf("a probe took %v longer than it may", over)
	}
	x.end(t)
}
