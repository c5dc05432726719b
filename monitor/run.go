package monitor

import (
	"errors"
	"fmt"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"time"
)

// verdict is what a change of is worth a line in the log.
type verdict struct {
	outcome status.Outcome
	reason  status.Reason
	code    int
}

// errHalted is of a run that was between two attempts when Stop began.
var errHalted = errors.New("stopped between two attempts")

// run is one planned measurement.
type run struct {
	check    *watched
	slot     time.Time
	every    time.Duration // The interval that the slot is one of.
	region   string
	deadline time.Time // Of a run that was planned elsewhere; zero for one of our own.
}

// taken tells whether the run was planned elsewhere.
func (r run) taken() bool { return !r.deadline.IsZero() }

// late tells whether it is too late to begin.
func (r run) late(now time.Time) bool {
	if r.taken() {
		return now.After(r.deadline)
	}
	return now.Sub(r.slot) > min(maxLate, r.every/2)
}

// plan is that of the run's service, or nil when the slot is none any more.
func (r run) plan() *plan {
	if p := r.check.plan.Load(); p != nil && p.Interval == r.every {
		return p
	}
	return nil
}

// enqueue hands a run to the workers, or counts why not.
func (m *Monitor) enqueue(r run) {
	if r.plan() == nil {
		m.skip(r, SkippedRemoved)
		return
	}
	if r.slot.Before(firmware) {
		m.skip(r, SkippedClock)
		if !m.unset.Swap(true) {
			m.o.Log.Error("the machine's clock is not set; nothing is measured until it is", "clock", r.slot)
		}
		return
	}
	m.unset.Store(false)
	if !r.taken() && r.check.last.Swap(r.slot.UnixMicro()) == r.slot.UnixMicro() {
		return // The same slot again, after a small step of the clock.
	}
	if !m.crew.add(r) {
		m.skip(r, SkippedFull)
	}
}

// skip counts a run that gives no signal.
func (m *Monitor) skip(r run, cause string) {
	m.o.Skipped(cause)
	if r.taken() && cause != SkippedStopped && cause != SkippedPaused { // Else another may still be in time.
		m.o.Ended(r.check.id, r.region, r.slot)
	}
}

// measure runs one probe and hands its signal to the recorder.
func (m *Monitor) measure(r run) {
	w, c := r.check, r.plan()
	switch {
	case c == nil:
		m.skip(r, SkippedRemoved)
		return
	case r.late(m.now()):
		m.skip(r, SkippedLate)
		return
	}
	// A run that another worker left may overlap with the next; it has its own slot.
	if !r.taken() {
		if !w.busy.CompareAndSwap(false, true) {
			m.skip(r, SkippedRunning)
			return
		}
		defer w.busy.Store(false)
	}
	m.inFlight.Add(1)
	defer m.inFlight.Add(-1)
	began := time.Now()
	result := m.attempt(c)
	switch {
	case m.watchdog.lostSince(began) && (r.taken() || result.HTTPStatus == status.NoHTTPStatus && !result.Outcome.Available() || result.Duration > c.Timeout || result.Outcome == status.Degraded):
		m.skip(r, SkippedPaused) // An answer in time is one all the same, and one that was slow may be so because of us.
		return
	case result.Outcome == status.Unknown:
		m.unmeasured(r, result)
		return
	case !r.taken(): // Slots that others plan are theirs to keep apart.
		r.slot = w.stamp(r.slot)
	}
	o := measured{r, c, result, began}
	if m.canary == nil {
		m.deliver(o)
		return
	}
	m.canary.settle(o)
}

// unmeasured counts a run that gave no verdict, by its cause.
func (m *Monitor) unmeasured(r run, result probe.Result) {
	switch {
	case m.probeCtx.Err() != nil, errors.Is(result.Err, errHalted):
		m.skip(r, SkippedStopped)
	case errors.Is(result.Err, probe.ErrGuarded):
		m.skip(r, SkippedGuarded)
		if !r.check.guarded.Swap(true) {
			m.o.Log.Warn("not measured: the guard refuses its address; allow it under guard: if that is meant to be", "service", r.check.id, "error", result.Err)
		}
	case errors.Is(result.Err, probe.ErrNoPing):
		m.skip(r, SkippedInternal)
		if !m.pingless.Swap(true) {
			m.o.Log.Error("services are not pinged, and have no data", "first", r.check.id, "error", result.Err)
		}
	default:
		m.skip(r, SkippedInternal)
		if left, ok := m.internal.now(m.now()); ok {
			m.o.Log.Error("could not measure", "service", r.check.id, "error", result.Err, "more_before", left)
		}
	}
}

// deliver hands a verdict to the log, the hook and the recorder.
func (m *Monitor) deliver(o measured) {
	m.tell(o.check, o.result)
	m.o.Observe(o.by.Check, o.began, o.result)
	m.recorder.add(signal(o.by, o.slot, o.region, o.result))
}

// tell logs a verdict that differs from the one before, with the full text of the error:
// a line a change, not a line a probe.
func (m *Monitor) tell(w *watched, r probe.Result) {
	now := verdict{r.Outcome, r.Reason, r.HTTPStatus}
	w.telling.Lock()
	before := w.told
	w.told = now
	w.telling.Unlock()
	if now == before || before.outcome == status.Unknown && now.outcome == status.Up {
		return
	}
	args := []any{"service", w.id, "outcome", r.Outcome.String(), "was", before.outcome.String()}
	if r.Err != nil {
		args = append(args, "reason", r.Reason.String(), "error", r.Err)
	}
	m.o.Log.Info("service changed", args...)
}

// find returns the plan of a service, nil for none. It does not wait for an Update.
func (m *Monitor) find(id string) (*watched, *plan) {
	w := (*m.checks.Load())[id]
	if w == nil {
		return nil, nil
	}
	return w, w.plan.Load()
}

// attempt survives a probe that panics, and has the canaries asked meanwhile.
func (m *Monitor) attempt(c *plan) (result probe.Result) {
	defer func() {
		if cause := recover(); cause != nil {
			result = probe.Result{Err: fmt.Errorf("probe panicked: %v", cause)}
		}
	}()
	if m.canary != nil {
		defer m.canary.watch()()
	}
	one := c.Attempt()
	for attempt := 1; ; attempt++ {
		result = c.measure(m.probeCtx, one)
		result.Attempts = attempt
		if result.Outcome != status.Down || attempt > c.Retries {
			return result
		}
		again := time.NewTimer(c.RetryAfter)
		select {
		case <-again.C:
		case <-m.crew.halt: // What was found was not to be the last word.
			again.Stop()
			return probe.Result{Err: errHalted, HTTPStatus: status.NoHTTPStatus}
		}
	}
}

func signal(c *plan, slot time.Time, region string, r probe.Result) status.Signal {
	s := status.Signal{
		Received:   slot.UTC().Truncate(time.Microsecond),
		Service:    c.ID,
		Region:     c.Region(region),
		URL:        c.URL,
		HTTPStatus: r.HTTPStatus,
		Available:  r.Outcome.Available(),
		Outcome:    r.Outcome,
		Duration:   max(0, r.Duration).Truncate(time.Microsecond),
		Reason:     r.Reason,
	}
	if r.Err != nil {
		s.Error = r.Err.Error()
	}
	return s
}
