package monitor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"statuspage/internal/status"
	"sync/atomic"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"
)

// planned marks what is planned anew when the clock was set.
const planned = "planned"

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
)

// span is a stretch of an interval.
type span struct{ interval, begin time.Duration }

func spanOf(s status.Service) span { return span{s.Interval, s.Phase().Truncate(roundSpan)} }

// place is a service's place in a round.
type place struct {
	check *watched
	plan  *plan
}

// round is the checks whose slots lie in the same span, and its job. Who is in it may change
// while the job stays.
type round struct {
	span
	job    uuid.UUID
	places atomic.Pointer[[]place] // By phase; replaced, never changed.
}

// next is the first instant after t at which the round begins.
func (s span) next(t time.Time) time.Time {
	offset := s.begin - roundLead
	n := t.Add(-offset).UnixMicro() / s.interval.Microseconds()
	return time.UnixMicro((n + 1) * s.interval.Microseconds()).Add(offset)
}

// slots are the planned instants of the round that begins about now. Which that is shows
// from the check's own slots, so that a round that comes late, or a clock that was set,
// plans no slot that is not one.
func (m *Monitor) slots(r *round, now time.Time) []run {
	places := *r.places.Load()
	all := make([]run, len(places))
	for i, s := range places {
		region, _ := m.region(s.plan.Check)
		all[i] = run{check: s.check, slot: s.plan.Nearest(now.Add(roundLead + s.plan.Phase() - r.begin)), every: s.plan.Interval, region: region}
	}
	return all
}

// arrange places all checks in their rounds. A round that is there already keeps its job, and
// with it its slots; new ones get a job, and those that nobody sits in any more lose theirs.
// After an error everything is as it was. mu must be held.
func (m *Monitor) arrange(places []place) error {
	members := make(map[span][]place)
	for _, s := range places {
		at := spanOf(s.plan.Service)
		members[at] = append(members[at], s)
	}
	var fresh []*round
	for at, list := range members {
		slices.SortFunc(list, func(a, b place) int {
			return cmp.Or(cmp.Compare(a.plan.Phase(), b.plan.Phase()), cmp.Compare(a.plan.ID, b.plan.ID))
		})
		if m.rounds[at] != nil {
			continue
		}
		r := &round{span: at}
		r.places.Store(&list)
		if err := m.addRound(r); err != nil {
			for _, r := range fresh {
				_ = m.scheduler.RemoveJob(r.job) // It is there.
			}
			return fmt.Errorf("schedule the checks of each %v: %w", at.interval, err)
		}
		fresh = append(fresh, r)
	}
	for at, r := range m.rounds {
		list, stays := members[at]
		if !stays {
			_ = m.scheduler.RemoveJob(r.job) // It is there.
			delete(m.rounds, at)
			continue
		}
		r.places.Store(&list)
	}
	for _, r := range fresh {
		m.rounds[r.span] = r
	}
	return nil
}

// begin brings checks in whose rounds have been arranged: those whose state is not known get a run
// soon (docs/adr/0003), and those whose first slot comes before their round begins again get
// that one. mu must be held.
func (m *Monitor) begin(places []place) error {
	first := m.firstRuns(places, m.now())
	if len(first) == 0 {
		return nil
	}
	if _, err := m.scheduler.NewJob(gocron.OneTimeJob(gocron.OneTimeJobStartImmediately()),
		gocron.NewTask(func(ctx context.Context) { m.walk(ctx, first) }), gocron.WithName("first runs"), gocron.WithTags(planned)); err != nil {
		return fmt.Errorf("schedule the first runs: %w", err)
	}
	return nil
}

// addRound tries again when the instant it chose has passed meanwhile: this process may be
// made to wait at any point.
func (m *Monitor) addRound(r *round) (err error) {
	task := func(ctx context.Context) { m.hand(ctx, m.slots(r, m.now())) }
	name := (*r.places.Load())[0].plan.ID
	for range startTries {
		var job gocron.Job
		at := r.next(m.now().Add(startMargin))
		job, err = m.scheduler.NewJob(gocron.DurationJob(r.interval), gocron.NewTask(task),
			gocron.WithName(name), gocron.WithTags(planned), gocron.WithStartAt(gocron.WithStartDateTime(at)))
		if err == nil {
			r.job = job.ID()
			return nil
		}
	}
	return err
}

// firstRuns plans a run soon for each check whose state is not known, and the first slot of
// those whose round has begun or is about to. A slot that is planned twice runs once.
func (m *Monitor) firstRuns(places []place, now time.Time) []run {
	if m.o.Dispatch != nil {
		return nil // Others may have started as well: only slots are the same for all.
	}
	var first []run
	soon := now.Add(startMargin)
	for _, s := range places {
		c := s.plan
		region, here := m.region(c.Check)
		if !here {
			continue
		}
		slot := c.Next(now)
		spread := min(firstRunSpread, c.Interval/2)
		newest := m.o.MeasuredAt(c.ID)
		known := now.Sub(newest) < c.Interval && !newest.After(soon)
		switch {
		case !known && c.Next(soon).Sub(soon) > spread:
			slot = soon.Add(time.Duration(float64(spread) * float64(c.Phase()) / float64(c.Interval))).Truncate(time.Millisecond).UTC()
		case !slot.Before(spanOf(c.Service).next(soon)):
			continue // Its round brings it.
		}
		first = append(first, run{check: s.check, slot: slot, every: c.Interval, region: region})
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
			case <-m.crew.halt:
				return
			case <-ctx.Done():
				return
			}
		}
		if m.crew.halted() {
			return
		}
		m.enqueue(r)
	}
}
