package monitor

import (
	"context"
	"log/slog"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestOnlyWhatIsOnDiskIsToldAsStored has the disk refuse for a while: what the page shows from memory is not stored,
// and its run has not ended either.
func TestOnlyWhatIsOnDiskIsToldAsStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		stored, ended := 0, 0
		count := func() (int, int) {
			mu.Lock()
			defer mu.Unlock()
			return stored, ended
		}
		c := checkOf("a", time.Second)
		x := begin(t, up, func(o *Options) {
			o.Worker = true
			o.Stored = func(signals []status.Signal) {
				mu.Lock()
				defer mu.Unlock()
				stored += len(signals)
			}
			o.Ended = func(string, string, time.Time) {
				mu.Lock()
				defer mu.Unlock()
				ended++
			}
		}, c)
		take := func() {
			slot := c.Next(time.Now())
			x.Take([]Planned{{Service: c.ID, Slot: slot, Deadline: slot.Add(time.Second)}})
			time.Sleep(2 * time.Second)
			synctest.Wait()
		}
		take()
		if s, e := count(); s != 1 || e != 0 {
			t.Errorf("%d stored, %d ended; want 1, 0", s, e)
		}
		x.setRefuse(true)
		for range 20 {
			take()
		}
		x.events.mu.Lock()
		shown := len(x.shown)
		x.events.mu.Unlock()
		if s, e := count(); s != 1 || e != 0 || shown != 21 {
			t.Errorf("while the disk refuses: %d told as stored, %d as ended, %d shown; want 1, 0, 21", s, e, shown)
		}
		x.setRefuse(false)
		time.Sleep(maxRetry + time.Second)
		synctest.Wait()
		if s, e := count(); s != 21 || e != 0 {
			t.Errorf("when it takes them: %d told as stored, %d as ended; want 21, 0", s, e)
		}
		x.end(t)
	})
}

// TestNothingIsTakenBeforeStartOrAfterStop leaves such runs to others, and nothing behind.
func TestNothingIsTakenBeforeStartOrAfterStop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // It fails when a goroutine is left.
		c, e := checkOf("a", time.Second), &events{}
		ended := 0
		m, err := New(Options{
			Checks: []check.Check{c}, Store: e, Board: e, Log: slog.New(slog.DiscardHandler), Probe: map[string]probe.Func{"http": up}, Worker: true,
			Ended: func(string, string, time.Time) { ended++ },
		})
		if err != nil {
			t.Fatal(err)
		}
		take := func() {
			slot := c.Next(time.Now())
			m.Take([]Planned{{Service: c.ID, Slot: slot, Deadline: slot.Add(time.Second)}})
			time.Sleep(3 * time.Second)
		}
		take()
		if err := m.Start(); err != nil {
			t.Fatal(err)
		}
		var taking sync.WaitGroup
		for range 50 { // Some come while it stops.
			taking.Go(take)
		}
		if err := m.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		taking.Wait()
		take()
		synctest.Wait()
		if n := len(e.received("a")); n > 1 || ended != 0 {
			t.Errorf("%d signals, %d runs told as ended; want at most the one taken before the stop, 0", n, ended)
		}
	})
}
