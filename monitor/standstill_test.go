package monitor

import (
	"context"
	"math"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"testing"
	"testing/synctest"
	"time"
)

// TestWhatAnswersInTimeCountsThoughWeStoodStill holds that being up needs no status of HTTP for that: a connection that came
// about is an answer, and one that did not may not have because of us.
func TestWhatAnswersInTimeCountsThoughWeStoodStill(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		result probe.Result
		counts bool
	}{
		"HTTP answers": {probe.Result{Outcome: status.Up, HTTPStatus: 200, Duration: time.Millisecond}, true},
		"TCP connects": {probe.Result{Outcome: status.Up, HTTPStatus: status.NoHTTPStatus, Duration: time.Millisecond}, true},
		"none answers": {down(status.Timeout), false},
		"slow":         {probe.Result{Outcome: status.Degraded, HTTPStatus: status.NoHTTPStatus, Duration: time.Millisecond}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				x := begin(t, func(context.Context, check.Check) probe.Result { return c.result }, nil, checkOf("a", time.Second))
				x.watchdog.ended.Store(math.MaxInt64) // As if it had just ended, always.
				time.Sleep(5 * time.Second)
				if n := len(x.received("a")); (n > 0) != c.counts || (x.skippedFor(SkippedPaused) > 0) == c.counts {
					t.Errorf("%d signals, %d skipped", n, x.skippedFor(SkippedPaused))
				}
				x.end(t)
			})
		})
	}
}
