package sse

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

type kind uint8

const (
	join kind = iota
	connect
	publish
	stop
)

// message is what a worker is told. The order of messages is the order in which a viewer
// hears: nothing published before it joined, everything after.
type message struct {
	kind   kind
	stream *Stream  // Of publish.
	events *Events  // Of publish.
	viewer *viewer  // Of join and connect.
	out    outlet   // Of connect; nil when there is none.
	begin  [][]byte // Of connect.
}

// viewer is touched by its worker alone.
type viewer struct {
	stream  *Stream
	out     outlet // Nil until it is connected.
	pending [][]byte
	coding  Coding
	from    Address
	left    func()
	gone    bool
	at      int       // Index among the worker's viewers of the stream.
	heard   time.Time // When something was last sent, or taken while it lags.
	until   time.Time // End of its life here.
}

// worker writes to its share of the viewers. All it does is done in one goroutine.
type worker struct {
	broker  *Broker
	streams map[*Stream][]*viewer
	lagging []*viewer
	pause   time.Duration // Until those that lag are tried again.

	mu      sync.Mutex
	room    sync.Cond // Signalled when the mailbox was emptied.
	mailbox []message
	ended   bool
	wake    chan struct{}
}

func newWorker(h *Broker) *worker {
	w := &worker{broker: h, pause: retrySoonest, streams: make(map[*Stream][]*viewer), wake: make(chan struct{}, 1)}
	w.room.L = &w.mu
	return w
}

func (w *worker) post(m message) {
	w.mu.Lock()
	for len(w.mailbox) >= mailboxLimit && !w.ended {
		w.room.Wait()
	}
	if w.ended {
		w.mu.Unlock()
		w.refuse(m)
		return
	}
	w.mailbox = append(w.mailbox, m)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default: // It is awake, or about to be.
	}
}

// refuse answers for a worker that has ended.
func (w *worker) refuse(m message) {
	switch m.kind {
	case join:
		w.forget(m.viewer)
	case connect:
		if m.out != nil {
			m.out.close()
		}
	case publish, stop:
	}
}

func (w *worker) take() []message {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.mailbox
	w.mailbox = nil
	w.room.Broadcast()
	return all
}

func (w *worker) run() {
	second := time.NewTicker(tick)
	defer second.Stop()
	again, waiting := time.NewTimer(time.Hour), false
	defer again.Stop()
	for {
		select {
		case <-w.wake:
			messages := w.take()
			for i := 0; i < len(messages); i++ {
				if messages[i].kind == stop {
					w.end(messages[i+1:])
					return
				}
				i += w.handle(messages[i:])
			}
		case <-second.C:
			w.look()
		case <-again.C:
			waiting = false
			if w.retryLagging() {
				w.pause = retrySoonest
			} else {
				w.pause = min(2*w.pause, retryLatest)
			}
		}
		if len(w.lagging) > 0 && !waiting {
			waiting = true
			again.Reset(w.pause)
		}
	}
}

// handle does what the first message says, and returns how many of the following it has
// done with it: frames of one stream that came close together are written as one.
func (w *worker) handle(messages []message) (more int) {
	m := messages[0]
	switch m.kind {
	case join:
		m.viewer.heard = w.broker.now()
		m.viewer.until = m.viewer.heard.Add(lifetime + rand.N(lifetime/4))
		m.viewer.at = len(w.streams[m.viewer.stream])
		w.streams[m.viewer.stream] = append(w.streams[m.viewer.stream], m.viewer)
	case connect:
		w.connect(m)
	case publish:
		for more+1 < len(messages) && messages[more+1].kind == publish && messages[more+1].stream == m.stream {
			more++
		}
		w.publish(m.stream, messages[:more+1])
	case stop:
	}
	return more
}

func (w *worker) connect(m message) {
	v := m.viewer
	if v.gone || m.out == nil {
		if m.out != nil {
			m.out.close()
		}
		w.remove(v)
		return
	}
	v.out = m.out
	v.pending = append(m.begin, v.pending...)
	w.flush(v)
}

func (w *worker) publish(s *Stream, frames []message) {
	var joined [codings][]byte // Made when the first viewer of a coding turns up.
	now := w.broker.now()
	viewers := w.streams[s]
	for _, v := range slices.Backward(viewers) { // Backwards: who is removed is replaced by the last.
		if joined[v.coding] == nil {
			joined[v.coding] = together(frames, v.coding)
		}
		w.send(v, joined[v.coding], now)
	}
}

// together is the frames as one.
func together(frames []message, c Coding) []byte {
	if len(frames) == 1 {
		return frames[0].events.in(c)
	}
	var all []byte
	for _, f := range frames {
		all = append(all, f.events.in(c)...)
	}
	return all
}

// send writes what the kernel takes at once; the rest waits.
func (w *worker) send(v *viewer, b []byte, now time.Time) {
	if v.out == nil || len(v.pending) > 0 {
		if len(v.pending) >= v.stream.backlog {
			w.drop(v)
			return
		}
		v.pending = append(v.pending, b)
		return
	}
	n, err := v.out.write(b)
	if err != nil {
		w.remove(v)
		return
	}
	v.heard = now
	if n < len(b) {
		v.pending = append(v.pending, b[n:])
		w.lag(v)
	}
}

// flush writes what waits for a viewer, and notes it among those that lag when the kernel
// does not take it all.
func (w *worker) flush(v *viewer) {
	if left, _ := w.empty(v); left {
		w.lag(v)
	}
}

func (w *worker) lag(v *viewer) {
	w.lagging = append(w.lagging, v)
	w.pause = retrySoonest
}

// empty writes what waits for a viewer, as far as the kernel takes it, and tells whether
// something is left, and whether something was taken.
func (w *worker) empty(v *viewer) (left, taken bool) {
	for len(v.pending) > 0 {
		n, err := v.out.write(v.pending[0])
		if err != nil {
			w.remove(v)
			return false, taken
		}
		if n > 0 {
			v.heard, taken = w.broker.now(), true
		}
		if n < len(v.pending[0]) {
			v.pending[0] = v.pending[0][n:]
			return true, taken
		}
		v.pending = v.pending[1:]
	}
	v.pending = nil
	return false, taken
}

// retryLagging tells whether any of the viewers that lag took something.
func (w *worker) retryLagging() (progress bool) {
	now := w.broker.now()
	w.lagging = slices.DeleteFunc(w.lagging, func(v *viewer) bool {
		if v.gone {
			return true
		}
		left, taken := w.empty(v)
		if progress = progress || taken; left && now.Sub(v.heard) > stallLimit {
			w.drop(v)
		}
		return v.gone || !left
	})
	return progress
}

// look sends heartbeats to those who have heard nothing for a while, and ends what has
// lived long enough.
func (w *worker) look() {
	now := w.broker.now()
	var beats [codings][]byte
	for _, viewers := range w.streams {
		for i, v := range slices.Backward(viewers) {
			silent := now.Sub(v.heard)
			switch {
			case v.out == nil && silent > stallLimit, now.After(v.until) && len(v.pending) == 0:
				w.remove(v) // Its connection never came, or its time is over.
			case len(v.pending) == 0 && silent > Heartbeat-heartSpread*time.Duration(i%8)/8:
				if beats[v.coding] == nil {
					beats[v.coding] = encode(beat(now), v.coding)
				}
				w.send(v, beats[v.coding], now)
			}
		}
	}
}

// drop removes a viewer that does not read.
func (w *worker) drop(v *viewer) {
	if !v.gone {
		w.broker.dropped.Add(1)
	}
	w.remove(v)
}

func (w *worker) remove(v *viewer) {
	if v.gone {
		return
	}
	viewers := w.streams[v.stream]
	last := len(viewers) - 1
	viewers[v.at] = viewers[last]
	viewers[v.at].at = v.at
	viewers[last] = nil
	if w.streams[v.stream] = viewers[:last]; last == 0 {
		delete(w.streams, v.stream)
	}
	if v.out != nil {
		v.out.close()
	}
	w.forget(v)
}

func (w *worker) forget(v *viewer) {
	v.gone, v.pending = true, nil
	v.stream.viewers.Add(-1)
	w.broker.Leave(v.from)
	if v.left != nil {
		v.left()
	}
}

// end closes everything; what is posted from now on is refused.
func (w *worker) end(rest []message) {
	w.mu.Lock()
	w.ended = true
	rest = append(rest, w.mailbox...)
	w.mailbox = nil
	w.room.Broadcast()
	w.mu.Unlock()
	for _, m := range rest {
		w.refuse(m)
	}
	for _, viewers := range w.streams {
		for _, viewer := range slices.Backward(viewers) {
			w.remove(viewer)
		}
	}
}
