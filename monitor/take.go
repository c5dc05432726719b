package monitor

import (
	"cmp"
	"context"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"time"
)

// Planned is one planned run, as schedulers and workers of several processes hand it on.
type Planned struct {
	Service  string
	Region   string // Where it is to be measured; empty for a check without regions.
	Slot     time.Time
	Deadline time.Time // It is not begun later than this.
}

// handOnLate is how long after its slot a run that another worker left may begin.
const handOnLate = 15 * time.Second

// deadline is the last instant at which a run that others may take over is begun: late enough
// that they can, and well before the next slot.
func deadline(c check.Check, slot time.Time) time.Time {
	return slot.Add(min(handOnLate, c.Interval*3/4))
}

// region is where this process measures a check: its own region, or none for a check
// without regions. It tells whether the check is measured here at all.
func (m *Monitor) region(c check.Check) (region string, here bool) {
	if len(c.Regions) == 0 {
		return "", true
	}
	return m.o.Region, slices.Contains(c.Regions, m.o.Region)
}

// hand brings the runs of a round to where they are measured: to the queue, once for each
// region, or to the workers of this process.
func (m *Monitor) hand(ctx context.Context, runs []run) {
	if m.o.Dispatch != nil {
		err := m.o.Dispatch(ctx, forRegions(runs))
		if err == nil {
			return
		}
		// Whoever else measures these slots as well writes the same key.
	}
	m.walk(ctx, slices.DeleteFunc(runs, func(r run) bool {
		c := r.plan()
		if c == nil {
			return true
		}
		_, here := m.region(c.Check)
		return !here
	}))
}

func forRegions(runs []run) []Planned {
	all := make([]Planned, 0, len(runs))
	for _, r := range runs {
		c := r.plan()
		if c == nil {
			continue
		}
		p := Planned{Service: c.ID, Slot: r.slot, Deadline: deadline(c.Check, r.slot)}
		if len(c.Regions) == 0 {
			all = append(all, p)
		}
		for _, p.Region = range c.Regions {
			all = append(all, p)
		}
	}
	return all
}

// TakeOurs measures those of the runs that this process would plan for itself.
func (m *Monitor) TakeOurs(all []Planned) {
	m.Take(slices.DeleteFunc(slices.Clone(all), func(p Planned) bool {
		_, c := m.find(p.Service)
		if c == nil {
			return true
		}
		region, here := m.region(c.Check)
		return !here || region != p.Region
	}))
}

// Take measures runs that were planned elsewhere, each at its slot. It returns at once.
// Options.Ended is told of those that will give no signal. Before Start and after Stop nothing is taken: others
// may still be in time for it.
func (m *Monitor) Take(all []Planned) {
	runs := make([]run, 0, len(all))
	for _, p := range all {
		w, c := m.find(p.Service)
		if c == nil {
			m.o.Ended(p.Service, p.Region, p.Slot) // It is not in our configuration any more, or not yet.
			m.o.Skipped(SkippedUnknown)
			m.stranger(p.Service)
			continue
		}
		runs = append(runs, run{check: w, slot: p.Slot, every: c.Interval, region: p.Region, deadline: p.Deadline})
	}
	slices.SortStableFunc(runs, func(a, b run) int { return cmp.Compare(a.slot.UnixMicro(), b.slot.UnixMicro()) })
	m.crew.take(func() { m.walk(m.probeCtx, runs) })
}

// stranger tells, a line a minute at most, that others plan what we don't know. For a moment that is so after each change of the
// configuration; for longer it means that ours was refused.
func (m *Monitor) stranger(service string) {
	if _, ok := m.strangers.now(m.now()); ok {
		m.o.Log.Warn("a run is planned elsewhere for a service that is not in the configuration here; it is no data. Give all processes the same configuration, and the version that reads it", "service", service)
	}
}

// lost ends the runs whose signals were in memory for so long that there was no more room.
func (m *Monitor) lost(signals []status.Signal) {
	for _, s := range signals {
		m.o.Ended(s.Service, s.Region, s.Received)
	}
}
