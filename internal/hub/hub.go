// Package hub fans values out from one publisher to many bounded subscribers. Publishing
// never waits: a subscriber whose queue is full is dropped and its channel closed, so that
// one slow reader delays nobody; it reconnects and catches up.
package hub

import "sync"

// Hub hands each published value to all present subscribers. The zero value is ready.
type Hub[T any] struct {
	mu      sync.Mutex
	subs    map[*Subscription[T]]struct{}
	closed  bool
	dropped uint64
}

// Subscription is one subscriber's end. Read C until it is closed, then call Close.
type Subscription[T any] struct {
	C   <-chan T
	c   chan T
	hub *Hub[T]
}

// Subscribe adds a subscriber that may lag behind by backlog values before it is dropped.
// On a closed hub C is closed from the start.
func (h *Hub[T]) Subscribe(backlog int) *Subscription[T] {
	c := make(chan T, backlog)
	s := &Subscription[T]{C: c, c: c, hub: h}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(c)
		return s
	}
	if h.subs == nil {
		h.subs = make(map[*Subscription[T]]struct{})
	}
	h.subs[s] = struct{}{}
	return s
}

// Publish hands v to every subscriber and drops those whose queue is full.
func (h *Hub[T]) Publish(v T) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subs {
		select {
		case s.c <- v:
		default:
			h.dropped++
			h.remove(s)
		}
	}
}

// Close ends the subscription; closing twice, or after being dropped, does nothing.
func (s *Subscription[T]) Close() {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.remove(s)
}

// Close ends all subscriptions, present and future. It may be called more than once.
func (h *Hub[T]) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.subs {
		h.remove(s)
	}
}

// Len is the number of present subscribers.
func (h *Hub[T]) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subs)
}

// Dropped counts the subscribers that lagged too far behind.
func (h *Hub[T]) Dropped() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.dropped
}

// remove needs the lock; only who finds the subscriber in the map closes its channel.
func (h *Hub[T]) remove(s *Subscription[T]) {
	if _, in := h.subs[s]; in {
		delete(h.subs, s)
		close(s.c)
	}
}
