package monitor

import (
	"time"

	"github.com/jonboulle/clockwork"
)

const (
	clockLook = time.Second            // How often the clock is looked at.
	clockStep = 500 * time.Millisecond // A smaller step is made up for with the next run of each job.
)

// clock is gocron's: the wall clock as the monitor sees it, with timers that no step touches.
type clock struct {
	clockwork.Clock

	now func() time.Time
}

func (c clock) Now() time.Time { return c.now() }

// watchClock plans anew when the clock was set. gocron counts from the instant that it had planned
// last: after an hour back it would wait for an hour.
func (m *Monitor) watchClock() {
	defer close(m.clockWatched)
	tick := time.NewTicker(clockLook)
	defer tick.Stop()
	wall, steady := m.now().Round(0), time.Now() // Without and with a monotonic reading.
	pending := false
	for {
		select {
		case <-tick.C:
		case <-m.halt:
			return
		}
		wallNow, steadyNow := m.now().Round(0), time.Now()
		step := wallNow.Sub(wall) - steadyNow.Sub(steady)
		wall, steady = wallNow, steadyNow
		if step.Abs() >= clockStep {
			m.o.Log.Warn("the clock was set: all checks are planned anew", "by", step.Round(time.Millisecond))
			pending = true
		}
		if !pending {
			continue
		}
		m.scheduler.RemoveByTags(planned) // This ends their walks too.
		if err := m.plan(m.scheduler); err != nil {
			m.scheduler.RemoveByTags(planned)
			m.o.Log.Error("checks can't be planned; trying again", "error", err)
			continue
		}
		pending = false
	}
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
