package board

import (
	"statuspage/internal/status"
	"time"
)

// Transition is a service that goes from one state to another.
type Transition struct {
	Service  *Service
	From, To status.Outcome
	At       time.Time // Planned instant of the sample that shows it; to Unknown, when it was noticed that nobody measures.
}

// Elapse tells the subscribers of services whose state has changed by the passing of time alone, or by a past
// that was read. On a board that has a successor it acts on that.
func (b *Board) Elapse(now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b = b.newest
	if changed := b.transitions(b.Services(), now); len(changed) > 0 {
		b.feed.Publish(Change{Version: b.version, Transitions: changed})
	}
}

// touched are the services of signals, each once.
func touched(signals []Signal) (services []*Service) {
	for _, s := range signals {
		if n := len(services); n == 0 || services[n-1] != s.Service { // Twice does no harm.
			services = append(services, s.Service)
		}
	}
	return services
}

// transitions compares the states of services at now with what subscribers know; mu must be held.
func (b *Board) transitions(of []*Service, now time.Time) (changed []Transition) {
	for _, svc := range of {
		r := svc.row()
		state, at := status.Unknown, now
		if n := r.present(now); n > 0 {
			if state = status.State(r.samples[n-1], svc.stored(), now); state != status.Unknown {
				at = r.samples[n-1].Time()
			}
		}
		if state != r.told {
			changed = append(changed, Transition{svc, r.told, state, at})
			r.told = state
		}
	}
	return changed
}
