package handlers

import (
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/internal/sse"
	"sync"
)

// Refusals of streams.
var (
	errFull  = &answer.Problem{Code: http.StatusServiceUnavailable, Detail: "Too many live viewers at the moment; the page itself goes on.", Retry: 10, Refusal: true}
	errShare = &answer.Problem{Code: http.StatusTooManyRequests, Detail: "Your address has as many live views open as it may; the page itself goes on.", Retry: 10, Refusal: true}
)

// shares is what addresses watch of things that are kept live for whoever watches them, of which there can only be so
// many. However many viewers of an address watch one, it is one.
type shares struct {
	mu   sync.Mutex
	all  map[string]int                 // Viewers, by what they watch.
	held map[sse.Address]map[string]int // The same of each address that is counted.
}

func newShares() *shares {
	return &shares{all: make(map[string]int), held: make(map[sse.Address]map[string]int)}
}

// watched is one of what there may be total of, and share for an address; the zero value is one that there is for everybody.
type watched struct {
	shares       *shares
	what         string
	total, share int
}

// take counts a viewer in, or tells why not.
func (w watched) take(from sse.Address) error {
	s := w.shares
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mine := s.held[from]
	switch {
	case from != 0 && mine[w.what] == 0 && len(mine) >= w.share:
		return errShare
	case s.all[w.what] == 0 && len(s.all) >= w.total:
		return errFull
	}
	s.all[w.what]++
	if from == 0 {
		return nil
	}
	if mine == nil {
		mine = make(map[string]int)
		s.held[from] = mine
	}
	mine[w.what]++
	return nil
}

// give counts a viewer out.
func (w watched) give(from sse.Address) {
	s := w.shares
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all[w.what]--; s.all[w.what] == 0 {
		delete(s.all, w.what)
	}
	if from == 0 {
		return
	}
	mine := s.held[from]
	if mine[w.what]--; mine[w.what] == 0 {
		delete(mine, w.what)
	}
	if len(mine) == 0 {
		delete(s.held, from)
	}
}
