package db

import (
	"context"
	"fmt"
	"log/slog"
	"statuspage/db/sqlitefile"
	"statuspage/internal/retry"
	"statuspage/internal/status"
	"sync/atomic"
	"time"
)

const (
	reopenMin = time.Second
	reopenMax = 5 * time.Second
)

// late is something on a disk that may be full or read-only at the start: then it is opened as soon as the
// disk lets it, and a page can be served before.
type late[T any] struct {
	got  atomic.Pointer[T]
	why  error // Of the first attempt; nil when it went well.
	stop context.CancelFunc
	done chan struct{}
}

// openLate calls open, and again and again after an error that may be over without a restart. Any other it returns.
func openLate[T any](ctx context.Context, log *slog.Logger, open func(context.Context) (*T, error)) (*late[T], error) {
	got, err := open(ctx)
	if err != nil && !sqlitefile.Refused(err) {
		return nil, err
	}
	life, stop := context.WithCancel(context.Background()) //nolint:gosec // End calls it.
	l := &late[T]{why: err, stop: stop, done: make(chan struct{})}
	if err == nil {
		l.got.Store(got)
		close(l.done)
		return l, nil
	}
	log.Warn("the disk is full or read-only; it is tried again until it is not, and no restart is needed", "error", err)
	go l.keepTrying(life, log, open)
	return l, nil
}

func (l *late[T]) keepTrying(life context.Context, log *slog.Logger, open func(context.Context) (*T, error)) {
	defer close(l.done)
	began := time.Now()
	pause := retry.NewBackoff(reopenMin, reopenMax)
	for {
		if pause.Wait(life); life.Err() != nil {
			return
		}
		if got, err := open(life); err == nil {
			l.got.Store(got)
			log.Info("the disk can be written to", "after", time.Since(began).Round(time.Millisecond))
			return
		}
	}
}

// now is what was opened, or why nothing was yet.
func (l *late[T]) now() (*T, error) {
	if got := l.got.Load(); got != nil {
		return got, nil
	}
	return nil, fmt.Errorf("not open yet, as %w: %w", l.why, status.ErrUnavailable)
}

// end stops trying, and returns what was opened, nil for nothing.
func (l *late[T]) end() *T {
	l.stop()
	<-l.done
	return l.got.Load()
}
