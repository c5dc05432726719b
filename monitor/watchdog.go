package monitor

import (
	"sync/atomic"
	"time"
)

const (
	watchdogEvery = 200 * time.Millisecond
	// stallFrom is a silence in which this process did not run: stopped by a signal, a debugger or
	// its machine, or starved. What was being measured then timed out because of us.
	stallFrom = time.Second
)

// watchdog notices that the whole process stood still.
type watchdog struct {
	begin time.Time
	last  atomic.Int64 // Since begin, of the newest beat.
	ended atomic.Int64 // Since begin, of the end of the newest silence.
}

func newWatchdog() *watchdog { return &watchdog{begin: time.Now()} }

// run beats until halt is closed.
func (p *watchdog) run(halt <-chan struct{}) {
	beat := time.NewTicker(watchdogEvery)
	defer beat.Stop()
	for {
		select {
		case <-halt:
			return
		case <-beat.C:
			p.beat()
		}
	}
}

func (p *watchdog) beat() {
	now := int64(time.Since(p.begin))
	if now-p.last.Swap(now) > int64(stallFrom) {
		p.ended.Store(now)
	}
}

// lostSince tells whether the process stood still at some time after t.
func (p *watchdog) lostSince(t time.Time) bool {
	// Who wakes up may come here before the next beat.
	return int64(time.Since(p.begin))-p.last.Load() > int64(stallFrom) || p.ended.Load() > int64(t.Sub(p.begin))
}
