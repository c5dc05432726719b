// Package retry says how long to wait before something that failed is tried again.
package retry

import (
	"context"
	"math/rand/v2"
	"time"
)

// Backoff is waits that become longer while something goes on failing. It never gives up; who asks
// ends with a context. It is for one goroutine.
type Backoff struct{ first, most, next time.Duration }

// NewBackoff returns waits of first at most, then of twice as long each time, and never longer than most.
func NewBackoff(first, most time.Duration) *Backoff {
	return &Backoff{first: first, most: most, next: first}
}

// Next is how long to wait now: between half and all of what it may be, so that many who saw the same
// failure don't come back at once.
func (b *Backoff) Next() time.Duration {
	now := b.next
	b.next = min(2*now, b.most)
	return now - rand.N(now/2+1)
}

// Wait waits for Next, or until ctx ends.
func (b *Backoff) Wait(ctx context.Context) {
	timer := time.NewTimer(b.Next())
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// Reset begins again with the first, when something has gone well.
func (b *Backoff) Reset() { b.next = b.first }
