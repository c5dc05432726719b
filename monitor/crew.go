package monitor

import (
	"sync"
	"sync/atomic"
)

const (
	spareWorkers = 64     // Kept when they have nothing to do.
	queueSize    = 20_000 // Runs that wait for a worker: one of each check.
)

// crew is the workers that measure, as many as there are runs, up to a limit: what hangs holds a worker each, and the
// others must not wait for it. No worker is hired, and nothing is taken in from elsewhere, after close.
type crew struct {
	most    int
	measure func(run)
	skip    func(run, string)

	queue   chan *run
	load    atomic.Int64  // Runs that wait or are being measured.
	halt    chan struct{} // Closed by close: no more runs.
	workers sync.WaitGroup
	taking  sync.WaitGroup // Runs of Take on their way to the workers.

	mu   sync.Mutex
	size int  // Workers there are.
	open bool // Between open and close.
}

func newCrew(most int, measure func(run), skip func(run, string)) *crew {
	return &crew{most: most, measure: measure, skip: skip, queue: make(chan *run, queueSize), halt: make(chan struct{})}
}

// begin lets runs of elsewhere in.
func (c *crew) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = true
}

// close ends the hiring and the taking. What is being measured goes on.
func (c *crew) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open = false
	close(c.halt)
}

// add hands a run to the workers, and tells whether there was room.
func (c *crew) add(r run) bool {
	select {
	case c.queue <- &r:
		c.load.Add(1)
		c.hire()
		return true
	default:
		return false
	}
}

// take runs what brings runs of elsewhere, unless the crew is closed; close waits for nothing that is begun later.
func (c *crew) take(bring func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open {
		c.taking.Go(bring)
	}
}

// hire adds a worker when there are fewer than runs.
func (c *crew) hire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.size >= c.most || int64(c.size) >= c.load.Load() || c.halted() {
		return
	}
	c.size++
	c.workers.Go(c.work)
}

// spare tells a worker to end because too many have nothing to do.
func (c *crew) spare() bool {
	if c.load.Load() > 0 && len(c.queue) > 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if int64(c.size) <= c.load.Load()+spareWorkers {
		return false
	}
	c.size--
	return true
}

func (c *crew) halted() bool {
	select {
	case <-c.halt:
		return true
	default:
		return false
	}
}

func (c *crew) work() {
	for {
		select {
		case <-c.halt:
			return
		case r := <-c.queue:
			if c.halted() {
				c.skip(*r, SkippedStopped)
			} else {
				c.measure(*r)
			}
			c.load.Add(-1)
		}
		if c.spare() {
			return
		}
	}
}

// discard counts what waited and is not begun any more.
func (c *crew) discard() {
	for {
		select {
		case r := <-c.queue:
			c.skip(*r, SkippedStopped)
		default:
			return
		}
	}
}
