package db

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

const (
	// stalledAfter is how long a store that was asked may say nothing at all before it is told as away. One that
	// answers slowly says something; one that doesn't is waited for all the same, up to shipTimeout.
	stalledAfter = 4500 * time.Millisecond
	knockEvery   = time.Second
	knockTimeout = 10 * time.Second
	watchEvery   = 250 * time.Millisecond
)

var errStalled = errors.New("it has not answered for some seconds")

// listened is a receiver that tells a stall from a slow answer.
type listened interface {
	// Knock asks for a sign of life; it is called by one goroutine.
	Knock(ctx context.Context) error
	// Leave ends what Knock began.
	Leave()
	// Heard is when it said something last, to anybody here.
	Heard() time.Time
}

// listen knocks while the receiver is up, and tells when it stalls, until life ends. That it is back, the
// shipper finds out.
func (s *shipper) listen(life context.Context, to listened) {
	var asked atomic.Int64 // When the knock began that has no answer yet, Unix nanoseconds; 0 for none.
	knocking := make(chan struct{})
	go func() {
		defer close(knocking)
		defer to.Leave()
		for {
			if s.state().up {
				asked.Store(time.Now().UnixNano())
				ctx, cancel := context.WithTimeout(life, knockTimeout)
				_ = to.Knock(ctx) // Whatever is wrong, the shipper finds out; only silence is told here.
				cancel()
				asked.Store(0)
			}
			select {
			case <-life.Done():
				return
			case <-time.After(knockEvery):
			}
		}
	}()
	watch := time.NewTicker(watchEvery)
	defer watch.Stop()
	for {
		select {
		case <-life.Done():
			<-knocking
			return
		case now := <-watch.C:
			began := asked.Load()
			if began == 0 || now.Sub(time.Unix(0, began)) < stalledAfter || now.Sub(to.Heard()) < stalledAfter || !s.state().up {
				continue
			}
			s.stalled.Store(true)
			s.report(errStalled)
		}
	}
}
