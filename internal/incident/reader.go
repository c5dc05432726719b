package incident

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"
)

// Store is where events are read from.
type Store interface {
	Events(ctx context.Context, since time.Time) iter.Seq2[Event, error]
	CountEvents(ctx context.Context) (int, error)
}

// Reader brings what a store has into a book.
type Reader struct {
	book  *Book
	store Store
	now   func() time.Time

	mu    sync.Mutex // One reads at a time.
	whole bool       // Everything was read once.
	count int        // Of events in the store, when all of them were read last.
	read  atomic.Bool
}

// NewReader returns a reader; CatchUp does its work.
func NewReader(b *Book, s Store, now func() time.Time) *Reader {
	return &Reader{book: b, store: s, now: now}
}

// Whole tells whether all that the store has was read at least once.
func (r *Reader) Whole() bool { return r.read.Load() }

// CatchUp reads all events, unless there are as many as the last time: then there is nothing new. An event may reach the
// store after a younger one, so that no instant tells from where on to read; they are thousands, not millions. Of a store that
// breaks off it takes what came, which does no harm, and returns the error.
func (r *Reader) CatchUp(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Counted before they are read: what comes in between is read now, and once more the next time.
	n, errCount := r.store.CountEvents(ctx)
	if errCount == nil && r.whole && n == r.count {
		return nil
	}
	var all []Event
	var err error
	for e, errRead := range r.store.Events(ctx, time.UnixMicro(0)) {
		if errRead != nil {
			err = errRead
			break
		}
		all = append(all, e)
	}
	r.book.Apply(all, r.now())
	if err == nil {
		err = errCount
	}
	if err != nil {
		return fmt.Errorf("read what was written: %w", err)
	}
	r.whole, r.count = true, n
	r.read.Store(true)
	return nil
}
