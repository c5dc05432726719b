package monitor

import (
	"fmt"
	"sync"
	"time"

	"github.com/jonboulle/clockwork"
)

const (
	clockLook = time.Second            // How often the clock is looked at.
	clockStep = 500 * time.Millisecond // What differs by less is not planned anew: the next run of each job makes up for it.
)

// firmware is before all times at which this program may run: a machine without a battery begins in 1970 or 1980. By
// such a clock no certificate is valid yet, and no instant is one that may be stored.
var firmware = time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)

// clock is gocron's. It follows the wall clock, but never a step of it: gocron counts from the
// instant that it planned last, so that after an hour back it would wait for an hour, and after
// years forward (a machine without a battery) it would count them through, interval by interval.
type clock struct {
	clockwork.Clock // Its timers: no step touches them.

	wall func() time.Time

	mu   sync.Mutex
	seen time.Time // By the wall clock.
	at   time.Time // The same instant with its monotonic reading.
}

func newClock(wall func() time.Time) *clock {
	c := &clock{Clock: clockwork.NewRealClock(), wall: wall}
	c.follow()
	return c
}

// Now is the time that the wall clock would show without steps since the last follow.
func (c *clock) Now() time.Time {
	t, _ := c.look()
	return t
}

// look also tells by how much the wall clock was set, 0 for not at all.
func (c *clock) look() (now time.Time, step time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wall, at := c.wall().Round(0), time.Now()
	steady := c.seen.Add(at.Sub(c.at))
	if step = wall.Sub(steady); step.Abs() >= clockStep {
		return steady, step
	}
	c.seen, c.at = wall, at
	return wall, 0
}

// follow takes the wall clock as it is.
func (c *clock) follow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen, c.at = c.wall().Round(0), time.Now()
}

// watchClock plans anew when the clock was set.
func (m *Monitor) watchClock() {
	defer close(m.clockWatched)
	tick := time.NewTicker(clockLook)
	defer tick.Stop()
	failed := false
	for {
		select {
		case <-tick.C:
		case <-m.crew.halt:
			return
		}
		_, step := m.clock.look()
		if step == 0 && !failed {
			continue
		}
		if step != 0 {
			m.o.Log.Warn("the clock was set: all checks are planned anew", "by", step.Round(time.Millisecond))
		}
		if !m.mu.TryLock() { // Who stops waits for this; who updates is soon done.
			failed = true
			continue
		}
		err := m.replan()
		m.mu.Unlock()
		if failed = err != nil; failed {
			m.o.Log.Error("checks can't be planned; trying again", "error", err)
		}
	}
}

// replan gives gocron all rounds anew, by the clock as it is. mu must be held.
func (m *Monitor) replan() error {
	m.scheduler.RemoveByTags(planned) // This ends their walks too.
	m.clock.follow()
	for at, r := range m.rounds {
		if err := m.addRound(r); err != nil {
			return fmt.Errorf("schedule the checks of each %v: %w", at.interval, err)
		}
	}
	return nil
}

// stamp is the received instant of the run of a slot. After the clock was set back, slots come
// that were measured before: a new measurement is no repetition, and must not be taken for
// one, so it stands a millisecond behind the old one, or as many as the clock was set back
// times. The same slot twice in a row is one measurement.
func (c *watched) stamp(slot time.Time) time.Time {
	if slot.Before(c.before) {
		c.turns++
	}
	c.before = slot
	if !slot.Before(c.newest) {
		c.newest = slot
		return slot
	}
	return slot.Add(time.Duration(max(1, c.turns)) * time.Millisecond)
}
