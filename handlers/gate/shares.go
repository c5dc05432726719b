package gate

import (
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/internal/sse"
	"sync"
)

// Refusals of streams.
var (
	ErrFull  = &answer.Problem{Code: http.StatusServiceUnavailable, Detail: "Too many live viewers at the moment; the page itself goes on.", Retry: 10, Refusal: true}
	ErrShare = &answer.Problem{Code: http.StatusTooManyRequests, Detail: "Your address has as many live views open as it may; the page itself goes on.", Retry: 10, Refusal: true}
)

// Shares is what addresses watch of things that are kept live for whoever watches them, of which there can only be so
// many. However many viewers of an address watch one, it is one.
type Shares struct {
	mu   sync.Mutex
	all  map[string]int                 // Viewers, by what they watch.
	held map[sse.Address]map[string]int // The same of each address that is counted.
}

func newShares() *Shares {
	return &Shares{all: make(map[string]int), held: make(map[sse.Address]map[string]int)}
}

// Watched is one of what there may be total of, and share for an address; the zero value is one that there is for everybody.
type Watched struct {
	Shares       *Shares
	What         string
	Total, Share int
}

// Take counts a viewer in, or tells why not.
func (w Watched) Take(from sse.Address) error {
	s := w.Shares
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.held[from]
	switch {
	case from != 0 && mine[w.What] == 0 && len(mine) >= w.Share:
		return ErrShare
	case s.all[w.What] == 0 && len(s.all) >= w.Total:
		return ErrFull
	}
	s.all[w.What]++
	if from == 0 {
		return nil
	}
	if mine == nil {
		mine = make(map[string]int)
		s.held[from] = mine
	}
	mine[w.What]++
	return nil
}

// Give counts a viewer out.
func (w Watched) Give(from sse.Address) {
	s := w.Shares
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[w.What]--; s.all[w.What] == 0 {
		delete(s.all, w.What)
	}
	if from == 0 {
		return
	}
	mine := s.held[from]
	if mine[w.What]--; mine[w.What] == 0 {
		delete(mine, w.What)
	}
	if len(mine) == 0 {
		delete(s.held, from)
	}
}

// Len is how many different things are watched.
func (s *Shares) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.all)
}
