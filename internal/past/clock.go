package past

import (
	"context"
	"time"
)

const (
	clockLook = 5 * time.Second
	// clockStep is from where on the past must be read again: the board may have forgotten hours, or
	// never have had them, by a clock that was wrong. The grid's cells are minutes.
	clockStep = time.Minute
)

// WatchClock has the past read again after the clock was set, until ctx ends.
func (f *Filler) WatchClock(ctx context.Context) {
	if !f.page {
		return
	}
	tick := time.NewTicker(clockLook)
	defer tick.Stop()
	seen := time.Now()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := time.Now()
		step := now.Round(0).Sub(seen.Round(0)) - now.Sub(seen) // By the wall clock, less by the steady one.
		if seen = now; step.Abs() < clockStep {
			continue
		}
		f.readAgain(ctx, step)
	}
}

func (f *Filler) readAgain(ctx context.Context, step time.Duration) {
	f.log.Warn("the clock was set: the history is read again", "by", step.Round(time.Second))
	p, waiting := f.patient("history can't be read again; trying again"), 1
	_ = f.fillAll(ctx, p, time.Now(), &waiting, func() {}) // It fails when the process ends.
}
