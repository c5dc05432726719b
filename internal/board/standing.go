package board

import (
	"statuspage/internal/status"
	"time"
)

// Standing is how a service stands at one instant.
type Standing struct {
	State   status.Outcome
	Last    status.Sample  // The newest; the zero value when there is none.
	Regions status.Tally   // Of Last; zero without regions.
	Outage  *status.Outage // The newest, as it stands; nil when there was none.
}

// Standing tells how a service stands at now: what Row does, without the cells.
func (s *Service) Standing(now time.Time) Standing {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	var at Standing
	svc, r := s.stored(), s.row()
	if n := r.present(now); n > 0 {
		at.Last = r.samples[n-1]
		at.State = status.State(at.Last, svc, now)
		if r.regional != nil {
			at.Regions = r.tally(n-1, svc)
		}
	}
	if n := len(r.outages); n > 0 {
		o := r.outages[n-1].Settled(svc, now)
		at.Outage = &o
	}
	return at
}
