package monitor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/go-co-op/gocron/v2"
)

const (
	// roundSpan is the stretch of an interval whose slots share a job of gocron. A job costs
	// it some 50 µs a run, half of what a probe may cost; a round costs that once.
	roundSpan = time.Second
	// roundLead is how much earlier a round begins than its first slot may be, so that gocron's
	// own lateness is no lateness of a run.
	roundLead = 25 * time.Millisecond
	// together is how long a run waits for others that are planned so soon after it. Waking an idle
	// process costs as much as a probe (measured with 100 a second: 4 futex, 6 nanosleep, 5
	// epoll calls each), and they share it. A run without neighbours starts at its slot.
	together = 80 * time.Millisecond
	// startMargin is how far ahead gocron is given a job: it refuses an instant that is over.
	startMargin = 100 * time.Millisecond
	startTries  = 5
	// planned marks all jobs that a step of the clock makes void.
	planned = "planned"
)

// round is the checks of one interval whose slots lie in the same roundSpan of it.
type round struct {
	interval, begin time.Duration // The offset of the span in the interval.
	checks          []*watched    // By phase.
}

// rounds groups the checks.
func rounds(checks []*watched) []*round {
	type key struct{ interval, begin time.Duration }
	byKey := make(map[key]*round)
	var all []*round
	for _, c := range checks {
		k := key{c.Interval, c.Phase().Truncate(roundSpan)}
		r := byKey[k]
		if r == nil {
			r = &round{interval: k.interval, begin: k.begin}
			byKey[k] = r
			all = append(all, r)
		}
		r.checks = append(r.checks, c)
	}
	for _, r := range all {
		slices.SortStableFunc(r.checks, func(a, b *watched) int { return cmp.Compare(a.Phase(), b.Phase()) })
	}
	return all
}

// next is the first instant after t at which the round begins.
func (r *round) next(t time.Time) time.Time {
	offset := r.begin - roundLead
	n := t.Add(-offset).UnixMicro() / r.interval.Microseconds()
	return time.UnixMicro((n + 1) * r.interval.Microseconds()).Add(offset)
}

// slots are the planned instants of the round that begins about now. Which that is shows
// from the check's own slots, so that a round that comes late, or a clock that was set,
// plans no slot that is not one.
func (m *Monitor) slots(r *round, now time.Time) []run {
	all := make([]run, len(r.checks))
	for i, c := range r.checks {
		region, _ := m.region(c.Check)
		all[i] = run{check: c, region: region, slot: c.Nearest(now.Add(roundLead + c.Phase() - r.begin))}
	}
	return all
}

// schedule gives gocron the rounds, and one walk of first runs for the checks whose state is
// not known (docs/adr/0003).
func (m *Monitor) schedule(scheduler gocron.Scheduler, now time.Time) error {
	if err := m.plan(scheduler); err != nil {
		return err
	}
	first := m.firstRuns(now.Add(startMargin))
	if len(first) == 0 {
		return nil
	}
	if _, err := scheduler.NewJob(gocron.OneTimeJob(gocron.OneTimeJobStartImmediately()),
		gocron.NewTask(func(ctx context.Context) { m.walk(ctx, first) }), gocron.WithName("first runs"), gocron.WithTags(planned)); err != nil {
		return fmt.Errorf("schedule the first runs: %w", err)
	}
	return nil
}

// plan gives gocron the rounds.
func (m *Monitor) plan(scheduler gocron.Scheduler) error {
	for _, r := range rounds(m.checks) {
		if err := m.addRound(scheduler, r, func(ctx context.Context) { m.hand(ctx, m.slots(r, m.now())) }); err != nil {
			return fmt.Errorf("schedule the checks of each %v: %w", r.interval, err)
		}
	}
	return nil
}

// addRound tries again when the instant it chose has passed meanwhile: this process may be
// made to wait at any point.
func (m *Monitor) addRound(scheduler gocron.Scheduler, r *round, task func(context.Context)) (err error) {
	for range startTries {
		at := r.next(m.now().Add(startMargin))
		if _, err = scheduler.NewJob(gocron.DurationJob(r.interval), gocron.NewTask(task),
			gocron.WithName(r.checks[0].ID), gocron.WithTags(planned), gocron.WithStartAt(gocron.WithStartDateTime(at))); err == nil {
			return nil
		}
	}
	return err
}

// firstRuns plans a run soon after the start for each check whose state is not known.
func (m *Monitor) firstRuns(now time.Time) []run {
	var first []run
	if m.o.Dispatch != nil {
		return nil // Others may have started as well: only slots are the same for all.
	}
	for _, c := range m.checks {
		region, here := m.region(c.Check)
		if !here {
			continue
		}
		if known := m.o.MeasuredAt(c.ID); now.Sub(known) < c.Interval && !known.After(now) {
			continue
		}
		spread := min(firstRunSpread, c.Interval/2)
		if c.Next(now).Sub(now) <= spread {
			continue // The first slot comes soon enough.
		}
		at := now.Add(time.Duration(float64(spread) * float64(c.Phase()) / float64(c.Interval))).Truncate(time.Millisecond)
		first = append(first, run{check: c, region: region, slot: at.UTC()})
	}
	slices.SortStableFunc(first, func(a, b run) int { return a.slot.Compare(b.slot) })
	return first
}

// start is when the run at i begins: at its slot, or with its neighbours at the next
// multiple of together.
func start(runs []run, i int) time.Time {
	slot := runs[i].slot
	if i+1 == len(runs) || runs[i+1].slot.Sub(slot) > together {
		return slot
	}
	if at := slot.Truncate(together); at.Before(slot) {
		return at.Add(together)
	}
	return slot
}

// walk hands the runs over, each at its instant, until the end or Stop.
func (m *Monitor) walk(ctx context.Context, runs []run) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for i, r := range runs {
		if wait := start(runs, i).Sub(m.now()); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-m.halt:
				return
			case <-ctx.Done():
				return
			}
		}
		if m.halted() {
			return
		}
		m.enqueue(r)
	}
}
