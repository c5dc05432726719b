package monitor

import (
	"fmt"
	"reflect"
	"statuspage/internal/check"
	"statuspage/internal/status"
)

// Update measures these checks from now on. Checks that stay as they are keep their slots,
// their running probes and their connections. One that changed takes its new settings over
// at its next slot; one that is new begins within two seconds; one that is gone gets no more
// runs, and a probe of it that is running ends and is recorded, since it was measured.
// After an error everything is as it was.
func (m *Monitor) Update(checks []check.Check) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopped {
		return fmt.Errorf("monitor: stopped: %w", status.ErrInvalid)
	}
	plans, err := m.plans(checks)
	if err != nil {
		return err
	}
	before := *m.checks.Load()
	next := make(map[string]*watched, len(plans))
	places := make([]place, len(plans))
	var joining []place // In a round that they were not in before.
	for i, p := range plans {
		w := before[p.ID]
		if w == nil {
			w = &watched{id: p.ID, newest: m.o.MeasuredAt(p.ID)}
		}
		was := w.plan.Load()
		if was != nil && reflect.DeepEqual(was.Check, p.Check) {
			p = was
		}
		next[p.ID], places[i] = w, place{w, p}
		if was == nil || was.Interval != p.Interval {
			joining = append(joining, places[i])
		}
	}
	if m.started && !m.o.Worker {
		warm(joining)
		if err := m.arrange(places); err != nil {
			return err
		}
	}
	for _, s := range places {
		s.check.plan.Store(s.plan)
	}
	for id, w := range before {
		if next[id] == nil {
			w.plan.Store(nil)
		}
	}
	m.checks.Store(&next)
	if !m.started || m.o.Worker {
		return nil
	}
	if err := m.begin(joining); err != nil { // Their slots come all the same.
		m.o.Log.Error("the first runs of new checks are late", "error", err)
	}
	return nil
}
