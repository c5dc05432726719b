package cluster

import (
	"context"
	"slices"
	"sync"
	"time"
)

// outgoing is what waits to be told to the other processes, in order. It never blocks who hands it over: what is too much
// while Redis is away is lost here, the oldest first, and found by others in the database.
type outgoing[T any] struct {
	link   *Link
	what   string // For the log.
	limit  int    // That wait at most.
	next   func(waiting []T) int
	pack   func(batch []T) ([]byte, error)
	append func(ctx context.Context, message []byte) error // To a stream of Redis.
	woken  chan struct{}

	mu     sync.Mutex
	buffer []T
	lost   uint64
}

// share takes what is on disk.
func (o *outgoing[T]) share(some []T) {
	o.mu.Lock()
	o.buffer = append(o.buffer, some...)
	if over := len(o.buffer) - o.limit; over > 0 {
		o.lost += uint64(over)
		o.buffer = slices.Delete(o.buffer, 0, over)
	}
	o.mu.Unlock()
	select {
	case o.woken <- struct{}{}:
	default: // Already due.
	}
}

// Lost counts what others must find in the database, because Redis was away for too long.
func (o *outgoing[T]) Lost() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}

// Run publishes until ctx ends, and then what is left.
func (o *outgoing[T]) Run(ctx context.Context) {
	for {
		wait := time.Hour
		if !o.flush(ctx) {
			wait = askAway
		}
		select {
		case <-ctx.Done():
			o.flush(context.WithoutCancel(ctx))
			return
		case <-o.woken:
		case <-time.After(wait):
		}
	}
}

// flush publishes what is there, and tells whether it could.
func (o *outgoing[T]) flush(ctx context.Context) bool {
	for {
		o.mu.Lock()
		batch := slices.Clone(o.buffer[:o.next(o.buffer)])
		before := o.lost
		o.mu.Unlock()
		if len(batch) == 0 {
			return true
		}
		message, err := o.pack(batch)
		if err != nil {
			o.link.log.Error("encode "+o.what+" for the relay", "error", err) // Plain values always encode.
			return true
		}
		if err := o.link.do(ctx, func(ctx context.Context) error { return o.append(ctx, message) }); err != nil {
			return false
		}
		o.mu.Lock()
		gone := len(batch) - int(o.lost-before) // Those that were dropped meanwhile are not there any more.
		o.buffer = slices.Delete(o.buffer, 0, max(0, min(gone, len(o.buffer))))
		o.mu.Unlock()
	}
}
