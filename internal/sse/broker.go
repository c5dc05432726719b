// Package sse sends server-sent events to many viewers at once. An event is made once and
// its bytes are shared by all; a viewer is a connection and a hundred bytes, without a
// goroutine or a buffer of its own. A few workers write to all connections in turn, without
// ever waiting for one: what the kernel does not take at once is tried again, and a viewer
// that does not read for some seconds is dropped, so that it delays nobody. It reconnects
// and catches up.
package sse

import (
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Heartbeat is how long nothing may happen until a viewer hears that we are here; below the 30–60 s
// idle cut-off of common proxies.
const Heartbeat = 15 * time.Second

const (
	heartSpread   = 3 * time.Second       // Earlier by chance, so that not all are due at once.
	stallLimit    = 5 * time.Second       // A viewer that takes nothing for so long is gone.
	retrySoonest  = 2 * time.Millisecond  // Until viewers that lag are tried again while they take something,
	retryLatest   = 64 * time.Millisecond // and, doubled each time, when they take nothing.
	lifetime      = time.Hour             // Then the browser reconnects; spreads viewers over servers.
	retryWait     = 2 * time.Second       // What browsers are told to wait, plus as much again by chance.
	greetingEvery = 50 * time.Millisecond // How long a greeting is right, which says what time it is.
	greetings     = 16                    // Of each such time, with other waits.
	tick          = time.Second           // How often heartbeats and lifetimes are looked at.
	mailboxLimit  = 1024                  // Messages that wait for a worker; more, and the publisher waits.
	sendBuffer    = 128 << 10             // Bytes the kernel may hold of a viewer that does not read; it doubles them.
)

// Broker is all viewers of a process: how many there may be, and the workers that write.
type Broker struct {
	limit   int64
	places  places
	now     func() time.Time
	workers []*worker
	next    atomic.Uint64 // Viewers go to the workers in turn.

	viewers atomic.Int64
	refused atomic.Uint64
	dropped atomic.Uint64

	running sync.WaitGroup
	once    sync.Once

	mu        sync.Mutex // Guards the greetings.
	greeted   time.Time
	greetings [greetings]*Events
}

// NewBroker opens a broker for so many viewers in all and of one address. Close ends its workers.
func NewBroker(limit, perAddress int, now func() time.Time) *Broker {
	h := &Broker{limit: int64(limit), places: places{limit: perAddress, taken: make(map[Address]int)}, now: now}
	for range runtime.GOMAXPROCS(0) {
		w := newWorker(h)
		h.workers = append(h.workers, w)
		h.running.Go(w.run)
	}
	return h
}

// Admit reserves a place for a viewer, or refuses it with ErrFull or ErrShare. Every place
// that was reserved must be given to Join or back to Leave, with the same address.
func (h *Broker) Admit(from Address) error {
	if h.viewers.Add(1) > h.limit {
		h.viewers.Add(-1)
		h.refused.Add(1)
		return ErrFull
	}
	if !h.places.take(from) {
		h.viewers.Add(-1)
		h.refused.Add(1)
		return ErrShare
	}
	return nil
}

// Leave gives a place back that was not used.
func (h *Broker) Leave(from Address) {
	h.places.give(from)
	h.viewers.Add(-1)
}

// Viewers is the number of viewers, Refused that of those turned away, Dropped that of those
// who did not read what was sent.
func (h *Broker) Viewers() int { return int(h.viewers.Load()) }

// Refused counts the viewers that were turned away.
func (h *Broker) Refused() uint64 { return h.refused.Load() }

// Dropped counts the viewers that did not read what was sent.
func (h *Broker) Dropped() uint64 { return h.dropped.Load() }

// Close ends all streams and waits for it. Connections that come later are closed at once.
func (h *Broker) Close() {
	h.once.Do(func() {
		for _, w := range h.workers {
			w.post(message{kind: stop})
		}
	})
	h.running.Wait()
}

// Stream is what all viewers of one thing hear. Make it with Broker.Stream.
type Stream struct {
	broker  *Broker
	backlog int
	viewers atomic.Int64
}

// Stream returns a stream without viewers. A viewer may lag backlog writes behind.
func (h *Broker) Stream(backlog int) *Stream { return &Stream{broker: h, backlog: backlog} }

// Len is the number of viewers.
func (s *Stream) Len() int { return int(s.viewers.Load()) }

// Publish sends events to all present viewers. It waits for none of them, only, in a storm,
// for workers that are far behind.
func (s *Stream) Publish(events []byte) {
	if s.viewers.Load() == 0 || len(events) == 0 {
		return
	}
	m := message{kind: publish, stream: s, events: NewEvents(events)}
	for _, w := range s.broker.workers {
		w.post(m)
	}
}

// Joining is a viewer on its way in. What is published from now on waits for it.
type Joining struct {
	broker *Broker
	worker *worker
	viewer *viewer
}

// Join lets a viewer in that Admit has let through: it hears everything that is published from
// now on. Connect says where it is.
func (s *Stream) Join(g Guest) Joining {
	h := s.broker
	j := Joining{broker: h, viewer: &viewer{stream: s, coding: g.Coding, from: g.From, left: g.Left}, worker: h.workers[h.next.Add(1)%uint64(len(h.workers))]}
	s.viewers.Add(1)
	j.worker.post(message{kind: join, viewer: j.viewer})
	return j
}

// Connect gives the viewer its connection, which belongs to the broker from then on, and sends
// the head of the answer and the first events.
func (j Joining) Connect(conn net.Conn, head []byte, first *Events) {
	out, err := open(conn)
	if err != nil {
		_ = conn.Close()
	}
	j.connect(out, head, first)
}

func (j Joining) connect(out outlet, head []byte, first *Events) {
	begin := [][]byte{append(slices.Clip(head), j.broker.greeting().in(j.viewer.coding)...)}
	if first != nil {
		begin = append(begin, first.in(j.viewer.coding))
	}
	j.worker.post(message{kind: connect, viewer: j.viewer, out: out, begin: begin})
}

// greeting is what a viewer is told first: when to come back, by chance, so that not all do at
// once, and our clock. Those who come at about the same time are told the same.
func (h *Broker) greeting() *Events {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.now()
	if at := now.Truncate(greetingEvery); !at.Equal(h.greeted) {
		h.greeted, h.greetings = at, [greetings]*Events{}
	}
	g := &h.greetings[rand.N(greetings)]
	if *g == nil {
		*g = NewEvents(append(retry(retryWait+rand.N(retryWait)), beat(now)...))
	}
	return *g
}
