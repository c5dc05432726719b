package monitor

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// TestRunsOfUnknownServicesAreToldNowAndThen has a scheduler plan what our configuration, refused for a kind that we
// don't know, does not have.
func TestRunsOfUnknownServicesAreToldNowAndThen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log lines
		ended := 0
		x := begin(t, up, func(o *Options) {
			o.Log, o.Worker = slog.New(slog.NewTextHandler(&log, nil)), true
			o.Ended = func(string, string, time.Time) { ended++ }
		}, checkOf("a", time.Second))
		for range 150 { // Each second.
			x.Take([]Planned{{Service: "new", Slot: time.Now(), Deadline: time.Now().Add(time.Second)}})
			time.Sleep(time.Second)
		}
		if n := log.count("not in the configuration here"); n != 3 || ended != 150 || x.skippedFor(SkippedUnknown) != 150 || len(x.received("new")) != 0 {
			t.Errorf("%d lines in 150 s, %d runs ended, %d skipped, signals %v", n, ended, x.skippedFor(SkippedUnknown), x.received("new"))
		}
		x.end(t)
	})
}
