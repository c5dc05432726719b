package live

import (
	"statuspage/internal/board"
	"statuspage/internal/status"
	"statuspage/views"
	"time"
)

// tally is what the states of services come to, as they were last drawn: of each group, and of all. A change costs the
// same however many services there are. It is guarded by Live.mu.
type tally struct {
	group    []int // Of each service.
	states   []status.Outcome
	declared []declared
	standing []views.Standing // Of each group.
	all      views.Standing
	end      time.Time // Of the newest outage that has ended.
}

func newTally(services []*board.Service, group []int, groups int) tally {
	t := tally{group: group, states: make([]status.Outcome, len(services)), declared: make([]declared, len(services)), standing: make([]views.Standing, groups)}
	for i, svc := range services {
		for _, s := range t.counting(i) {
			s.States[status.Unknown]++
			s.Partial = s.Partial || len(svc.Regions) > 0
		}
	}
	return t
}

// counting are those that count a service: its group's, and that of all.
func (t *tally) counting(service int) [2]*views.Standing {
	return [2]*views.Standing{&t.standing[t.group[service]], &t.all}
}

// declared is what people say of a service, as far as it counts.
type declared struct{ worse, maintained bool }

// set notes the state of a service where it counts.
func (t *tally) set(service int, now status.Outcome, said declared) {
	for _, s := range t.counting(service) {
		s.States[t.states[service]]--
		s.States[now]++
		s.Maintenance += count(said.maintained) - count(t.declared[service].maintained)
		s.Declared += count(said.worse) - count(t.declared[service].worse)
	}
	t.states[service], t.declared[service] = now, said
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// ended notes the newest outage of a service, if it has ended.
func (t *tally) ended(o *status.Outage) {
	if o != nil && o.End.After(t.end) {
		t.end = o.End
	}
}

// quiet is since when no service has been down; the zero time when none ever was, or one is.
func (t *tally) quiet() time.Time {
	if t.all.States[status.Down] > 0 {
		return time.Time{}
	}
	return t.end
}
