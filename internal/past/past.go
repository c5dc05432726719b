// Package past brings the history that the store has to the board: at the start, for services that are added, after
// signals that came late, and after the clock was set. However slow the store is, each question to it has its time, and what
// is asked for goes on being asked for until it is answered. What lies behind the board a Reader reads for visitors, within bounds.
package past

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"sync"
	"sync/atomic"
	"time"
)

// Signals reads single signals, as db.Store says how.
type Signals interface {
	Signals(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error]
	SignalsOf(ctx context.Context, svc status.Service, from, to time.Time) iter.Seq2[status.Signal, error]
	Failures(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error]
}

// Sums reads what was counted, as db.Store says how.
type Sums interface {
	Hours(ctx context.Context, from, to time.Time) iter.Seq2[status.Bucket, error]
	HoursOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.Bucket, error)
	Days(ctx context.Context, from, to time.Time) ([]status.Bucket, error)
}

// Outbox is what waits before the store.
type Outbox interface {
	Pending(ctx context.Context) iter.Seq2[status.Signal, error]
	WaitDrained(ctx context.Context) error
}

// Store is what keeps the signals.
type Store interface {
	Signals
	Sums
	Outbox
	FirstAvailable(ctx context.Context, spans []status.Span) ([]time.Time, error)
}

// State is what is known of a store.
type State struct {
	Open     bool  // Our disk has let us open it.
	Readable bool  // What is read is whole.
	Up       bool  // The last attempt to reach it went well.
	Err      error // Why it is not up.
}

// Options are what New needs; all of it but Page.
type Options struct {
	Store     Store
	State     func() State
	Terms     *Terms
	Board     *board.Board  // Of any configuration; its Current counts.
	Retention time.Duration // How long the store keeps signals.
	Page      bool          // Without a page there is no past to read but that of the terms.
	Shared    func() bool   // Tells whether others measure for this page as well.
	Log       *slog.Logger
}

// Filler brings the past to the board.
type Filler struct {
	source
	terms     *Terms
	board     *board.Board
	retention time.Duration
	page      bool
	shared    func() bool

	filled  atomic.Bool
	tried   atomic.Bool
	filling sync.Mutex // Held while the past is read.
	late    late
}

// source is a store, and what is known of it.
type source struct {
	store Store
	state func() State
	log   *slog.Logger
}

// New returns a filler that has read nothing yet.
func New(o Options) (*Filler, error) {
	if o.Store == nil || o.State == nil || o.Terms == nil || o.Board == nil || o.Retention <= 0 || o.Shared == nil || o.Log == nil {
		return nil, fmt.Errorf("the past needs a store, its state, terms, a board, a retention and a log: %w", status.ErrInvalid)
	}
	return &Filler{
		source: source{store: o.Store, state: o.State, log: o.Log},
		terms:  o.Terms, board: o.Board, retention: o.Retention, page: o.Page, shared: func() bool { return o.Page && o.Shared() },
	}, nil
}

// Filled tells whether the history is on the board.
func (f *Filler) Filled() bool { return f.filled.Load() }

// Tried tells whether the history was asked for at least once: the page says what it can.
func (f *Filler) Tried() bool { return f.tried.Load() }

// CatchUp brings what others have stored since an instant to the board. It asks once.
func (f *Filler) CatchUp(ctx context.Context, from time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout) // Who asks has more to do than to wait for it.
	defer cancel()
	if err := f.readable(); err != nil {
		return err
	}
	_, err := feed(f.store.Signals(ctx, from, time.Now().Add(time.Hour)), f.board.Apply)
	return err
}

// readable is why the store can't be read yet, nil when it can.
func (s *source) readable() error {
	if state := s.state(); !state.Readable {
		return fmt.Errorf("%w: %w", errNotInOrder, state.Err)
	}
	return nil
}

// await waits for a store that is being reached, or whose tables are being made.
func (s *source) await(ctx context.Context, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !s.state().Readable {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// signalsOf reads those of one service.
func (s *source) signalsOf(svc status.Service) func(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return func(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
		return s.store.SignalsOf(ctx, svc, from, to)
	}
}
