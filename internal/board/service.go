package board

import (
	"statuspage/internal/status"
)

// Service is one of a board's services: how it is watched, and what has been measured of it. Its methods read what
// the board has at the time, also after another board has taken the place of this one.
type Service struct {
	status.Service // With the terms that were known when this value was made; Known has those of now.

	board *Board
	at    int // In the board's rows.
}

// list makes the services of a board.
func (b *Board) list(services []status.Service) {
	own, all := make([]Service, len(services)), make([]*Service, len(services))
	for i, s := range services {
		own[i] = Service{s, b, i}
		all[i] = &own[i]
	}
	b.services.Store(&all)
}

// Plain are the services without what is measured of them.
func Plain(services []*Service) []status.Service {
	plain := make([]status.Service, len(services))
	for i, s := range services {
		plain[i] = s.Service
	}
	return plain
}

// Known is the service with all that the board knows of its past.
func (s *Service) Known() status.Service {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	return s.known()
}

func (s *Service) row() *row { return s.board.rows[s.at] }

// stored is the service with its terms of now.
func (s *Service) stored() status.Service { return s.board.Services()[s.at].Service }

func (s *Service) known() status.Service {
	svc := s.stored()
	if len(svc.Terms) > 0 && s.row().begun.Add(status.QuarterHour).Before(svc.Terms[0].Since) {
		svc.Begun = s.row().begun
	}
	return svc
}
