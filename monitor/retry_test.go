package monitor

import (
	"context"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRetriesStayInTheirSlot holds that the last attempt is the signal, that a slot has one, and that only what is down is tried again.
func TestRetriesStayInTheirSlot(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		attempts []status.Outcome // Of each slot.
		want     status.Outcome
		asked    int
	}{
		"up at once":           {[]status.Outcome{status.Up}, status.Up, 1},
		"up at last":           {[]status.Outcome{status.Down, status.Down, status.Up}, status.Up, 3},
		"degraded at last":     {[]status.Outcome{status.Down, status.Degraded}, status.Degraded, 2},
		"down":                 {[]status.Outcome{status.Down, status.Down, status.Down}, status.Down, 3},
		"we could not":         {[]status.Outcome{status.Unknown}, status.Unknown, 1},
		"we could not at last": {[]status.Outcome{status.Down, status.Unknown}, status.Unknown, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var asked atomic.Int32
				one := checkOf("a", 10*time.Second)
				one.Retries, one.RetryAfter, one.Timeout = 2, time.Second, 5*time.Second
				attempts, last := 0, status.Unknown
				x := begin(t, func(_ context.Context, k check.Check) probe.Result {
					if k.Timeout != time.Second {
						t.Errorf("an attempt has %v", k.Timeout)
					}
					o := c.attempts[(int(asked.Add(1))-1)%len(c.attempts)]
					r := probe.Result{Outcome: o, HTTPStatus: status.NoHTTPStatus, Duration: time.Millisecond}
					switch o {
					case status.Down:
						r.Reason, r.Err = status.Timeout, context.DeadlineExceeded
					case status.Unknown:
						r.Err = context.Canceled
					case status.Up, status.Degraded:
					}
					return r
				}, func(o *Options) {
					o.Observe = func(_ check.Check, _ time.Time, r probe.Result) { attempts, last = r.Attempts, r.Outcome }
				}, one)
				time.Sleep(25 * time.Second)
				signals := x.received("a")
				slots := int(asked.Load()) / c.asked
				if slots < 2 || int(asked.Load())%c.asked != 0 || c.want != status.Unknown && (len(signals) != slots || attempts != c.asked) || c.want == status.Unknown && len(signals) != 0 {
					t.Errorf("asked %d times, %d signals, %d attempts", asked.Load(), len(signals), attempts)
				}
				if last != c.want {
					t.Errorf("%v, want %v", last, c.want)
				}
				x.end(t)
			})
		})
	}
}

// TestStoppingBetweenAttemptsIsNoVerdict holds that the end of the process does not make the last word of what was none.
func TestStoppingBetweenAttemptsIsNoVerdict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one := checkOf("a", time.Minute)
		one.Retries, one.RetryAfter, one.Timeout = 1, 20*time.Second, 40*time.Second
		x := begin(t, func(context.Context, check.Check) probe.Result { return down(status.Timeout) }, nil, one)
		time.Sleep(5 * time.Second)
		began := time.Now()
		x.end(t)
		if n := len(x.received("a")); n != 0 || time.Since(began) > 5*time.Second {
			t.Errorf("%d signals, stopped after %v", n, time.Since(began))
		}
	})
}
