package sse

import (
	"errors"
	"sync"
)

// Address stands for where a viewer comes from, as the caller counts addresses. Zero is nowhere
// in particular, and not counted by itself.
type Address uint64

// Guest is a viewer on its way in.
type Guest struct {
	Coding Coding
	From   Address // As Admit was told.
	Left   func()  // Called once, when the viewer has left; it must not wait. Nil for nobody to tell.
}

// Why a viewer is not let in.
var (
	ErrFull  = errors.New("the broker is full")
	ErrShare = errors.New("the address has as many viewers as it may")
)

// places counts viewers by address. It has an entry for each address that has a viewer, so it
// is bounded by the number of viewers.
type places struct {
	limit int // Of one address.

	mu    sync.Mutex
	taken map[Address]int
}

func (p *places) take(a Address) bool {
	if a == 0 {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[a] >= p.limit {
		return false
	}
	p.taken[a]++
	return true
}

func (p *places) give(a Address) {
	if a == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[a]--; p.taken[a] <= 0 {
		delete(p.taken, a)
	}
}
