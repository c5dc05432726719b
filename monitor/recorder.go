package monitor

import (
	"context"
	"fmt"
	"log/slog"
	"statuspage/internal/retry"
	"statuspage/internal/status"
	"sync/atomic"
	"time"
)

const (
	recorderQueue = 20_000                 // Results on their way to the recorder.
	maxBatch      = 2000                   // Signals of one write.
	gather        = 200 * time.Millisecond // Between the beginnings of two writes, at least: a write costs a sync of the disk.
	writeTimeout  = 2 * time.Second        // A disk that takes longer is in trouble; the page goes on.
	maxUnsaved    = 100_000                // Signals kept in memory while the store refuses them.
	firstRetry    = time.Second
	maxRetry      = 10 * time.Second
)

// recorder makes signals durable and shows them then: in that order, so that what anyone
// has seen is on disk. While the store refuses, it shows them at once, keeps them in memory
// up to a bound, and writes them when the store takes them again.
type recorder struct {
	store   Store
	board   Board
	log     *slog.Logger
	saved   func([]status.Signal) // Is told of all that is on disk,
	lost    func([]status.Signal) // and of all that never will be.
	in      chan *status.Signal   // Pointers: all of its places are there from the start.
	done    chan struct{}
	kept    []status.Signal // Refused by the store, oldest first.
	trouble bool            // The store refuses.
	again   *retry.Backoff  // Until it is asked again.
	dropped int             // Since the trouble began.
	unsaved atomic.Int64
	wrote   time.Time // When the newest write began.
	begun   bool
	final   context.Context //nolint:containedctx // Bounds the last write; set by stop before in is closed.
}

func newRecorder(store Store, board Board, log *slog.Logger, saved, lost func([]status.Signal)) *recorder {
	return &recorder{
		store: store, board: board, log: log, saved: saved, lost: lost, again: retry.NewBackoff(firstRetry, maxRetry),
		in: make(chan *status.Signal, recorderQueue), done: make(chan struct{}),
	}
}

func (r *recorder) start() {
	r.begun = true
	go r.run()
}

// add hands a signal over. The queue holds a result of every check there may be, and the
// recorder never waits longer than writeTimeout, so this does not block for long.
func (r *recorder) add(s status.Signal) { r.in <- &s }

// stop writes what is left until ctx ends.
func (r *recorder) stop(ctx context.Context) error {
	if !r.begun {
		return nil
	}
	r.final = ctx
	close(r.in)
	<-r.done
	if n := len(r.kept); n > 0 {
		return fmt.Errorf("%d signals could not be saved", n)
	}
	return nil
}

func (r *recorder) run() {
	defer close(r.done)
	again := time.NewTimer(time.Hour)
	defer again.Stop()
	for {
		select {
		case s, open := <-r.in:
			if !open {
				r.flush(r.final)
				return
			}
			r.pause()
			if r.take(r.batch(*s)) {
				again.Reset(r.again.Next())
			}
		case <-again.C:
			if r.flush(context.Background()); r.trouble {
				again.Reset(r.again.Next())
			}
		}
	}
}

// pause lets signals gather when the last write is not long ago: a signal that comes alone
// is written at once, many share a write. Who adds meanwhile does not wake the recorder.
func (r *recorder) pause() {
	if wait := gather - time.Since(r.wrote); wait > 0 && !r.trouble {
		time.Sleep(wait)
	}
	r.wrote = time.Now()
}

// batch takes what is there, without waiting for more.
func (r *recorder) batch(first status.Signal) []status.Signal {
	signals := []status.Signal{first}
	for len(signals) < maxBatch {
		select {
		case s, open := <-r.in:
			if !open {
				return signals // The next receive sees the end again.
			}
			signals = append(signals, *s)
		default:
			return signals
		}
	}
	return signals
}

// take writes a batch and shows it. In times of trouble it is shown at once and kept. It
// tells whether trouble has begun.
func (r *recorder) take(signals []status.Signal) (began bool) {
	if r.trouble {
		r.board.Apply(signals)
		r.keep(signals)
		return false
	}
	err := r.write(context.Background(), signals)
	r.board.Apply(signals)
	if err != nil {
		r.log.Error("signals can't be saved; the page goes on from memory", "error", err)
		r.trouble = true
		r.keep(signals)
	}
	return err != nil
}

// write tells who waits for it what is on disk: in memory nothing is.
func (r *recorder) write(ctx context.Context, signals []status.Signal) error {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	err := r.store.Write(ctx, signals)
	if err == nil {
		r.saved(signals)
	}
	return err
}

func (r *recorder) keep(signals []status.Signal) {
	r.kept = append(r.kept, signals...)
	if over := len(r.kept) - maxUnsaved; over > 0 {
		if r.dropped == 0 {
			r.log.Error("too many unsaved signals; the oldest are lost from now on", "kept", maxUnsaved)
		}
		r.dropped += over
		r.lost(r.kept[:over])
		r.kept = append(r.kept[:0], r.kept[over:]...)
	}
	r.unsaved.Store(int64(len(r.kept)))
}

// flush writes what was kept, batch by batch, until the store refuses again.
func (r *recorder) flush(ctx context.Context) {
	saved := 0
	for len(r.kept) > 0 {
		n := min(maxBatch, len(r.kept))
		if r.write(ctx, r.kept[:n]) != nil {
			return // Told when it began.
		}
		r.kept = r.kept[n:]
		r.unsaved.Store(int64(len(r.kept)))
		saved += n
	}
	if r.trouble {
		r.log.Info("signals are saved again", "saved", saved, "lost", r.dropped)
	}
	r.kept, r.trouble, r.dropped = nil, false, 0
	r.again.Reset()
}
