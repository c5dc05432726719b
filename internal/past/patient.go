package past

import (
	"context"
	"errors"
	"iter"
	"statuspage/internal/retry"
	"statuspage/internal/status"
	"sync"
	"time"
)

const (
	fillTimeout  = 30 * time.Second // For one question to the store.
	fillRetry    = time.Second      // Doubled up to fillRetryMax.
	fillRetryMax = 10 * time.Second
	leastSpan    = time.Minute // Of signals that are asked for at once.
)

// patient reads the past, however much it is and however slow the store: each question has its time, one that
// fails is asked again or for less at once, and what was read is not read again. It goes on until ctx ends.
type patient struct {
	*source
	before func() // Called before each question; nil for nothing.
	failed func() // Called after each that fails; nil for nothing.
	told   string // What the log says when the first fails.

	mu   sync.Mutex
	said bool
}

func (s *source) patient(told string) *patient { return &patient{source: s, told: told} }

// errNotInOrder says that a store is not ready to be read.
var errNotInOrder = errors.New("its tables are not in order yet")

// partlyError is that of a question which was answered in part.
type partlyError struct{ err error }

func (e *partlyError) Error() string { return e.err.Error() }
func (e *partlyError) Unwrap() error { return e.err }

// keep asks on and on until next says that nothing more is to be asked. Its error is that of ctx.
func (p *patient) keep(ctx context.Context, next func(context.Context) (more bool, err error)) error {
	pause := retry.NewBackoff(fillRetry, fillRetryMax)
	for {
		more, err := p.once(ctx, next)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && !more:
			return nil
		case err == nil:
			pause.Reset()
			continue
		}
		p.complain(err)
		var partly *partlyError
		switch {
		case errors.Is(err, errNotInOrder):
			p.await(ctx, fillRetryMax) // From when it is, nothing is waited for.
			continue
		case errors.As(err, &partly):
			pause.Reset()
		}
		pause.Wait(ctx)
	}
}

func (p *patient) once(ctx context.Context, next func(context.Context) (bool, error)) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	if p.before != nil {
		p.before()
	}
	if err := p.readable(); err != nil {
		return true, err
	}
	return next(ctx)
}

func (p *patient) complain(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.said {
		p.said = true
		p.log.Warn(p.told, "error", err)
	}
	if p.failed != nil {
		p.failed()
	}
}

// complained tells whether anything has failed.
func (p *patient) complained() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said
}

// ask asks one question, which leaves nothing behind when it fails.
func (p *patient) ask(ctx context.Context, question func(context.Context) error) error {
	return p.keep(ctx, func(ctx context.Context) (bool, error) { return false, question(ctx) })
}

// each hands on the signals received in [from, to), which come oldest first. A question that fails is taken up at the instant that it
// came to, and one that came nowhere is asked for half as long a time.
func (p *patient) each(ctx context.Context, from, to time.Time, read func(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error], take func([]status.Signal)) error {
	return p.inParts(ctx, from, to, leastSpan, func(ctx context.Context, from, to time.Time) (time.Time, error) {
		return feedInstants(read(ctx, from, to), take)
	})
}

// inParts reads what begins in [from, to) at once, or, where that takes too long, in ever smaller parts down to least. Read reads one
// part. When it fails, what it leaves behind is all before the instant that it returns, and nothing with the zero time.
func (p *patient) inParts(ctx context.Context, from, to time.Time, least time.Duration, read func(ctx context.Context, from, to time.Time) (time.Time, error)) error {
	whole := to.Sub(from)
	span := whole
	return p.keep(ctx, func(ctx context.Context) (bool, error) {
		if !from.Before(to) {
			return false, nil
		}
		began, end := time.Now(), from.Add(min(span, to.Sub(from)))
		reached, err := read(ctx, from, end)
		switch {
		case err == nil:
			if from = end; time.Since(began) < fillTimeout/4 {
				span = min(2*span, whole)
			}
		case reached.After(from):
			from, err = reached, &partlyError{err}
		default: // It may be away, and then this does no harm; or it is slow, or breaks off long answers.
			span = max(span/2, min(least, whole))
		}
		return from.Before(to), err
	})
}

// feed hands signals on in batches and returns how many there were.
func feed(signals iter.Seq2[status.Signal, error], take func([]status.Signal)) (n int, err error) {
	_, err = feedInstants(signals, func(some []status.Signal) { n += len(some); take(some) })
	return n, err
}

// feedInstants hands signals on in batches, never a part of those of one instant unless they are the last: reached is an instant before which
// all have been handed on.
func feedInstants(signals iter.Seq2[status.Signal, error], take func([]status.Signal)) (reached time.Time, err error) {
	batch := make([]status.Signal, 0, fillBatch)
	for s, err := range signals {
		if err != nil {
			n := len(batch)
			for n > 0 && batch[n-1].Received.Equal(batch[len(batch)-1].Received) {
				n--
			}
			if n > 0 {
				reached = batch[n].Received
				take(batch[:n])
			}
			return reached, err
		}
		if len(batch) >= fillBatch && s.Received.After(batch[len(batch)-1].Received) {
			take(batch)
			reached, batch = s.Received, batch[:0]
		}
		batch = append(batch, s)
	}
	take(batch)
	return reached, nil
}
