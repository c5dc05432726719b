package questdb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"statuspage/internal/status"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// The views follow the table once a minute. The hour that is going on may lack that much;
// hours that are over are read whole: who reads one that the views may not know well has
// them brought up to date before.

// nothing is the oldest hour unknown to the views when they know all.
const nothing = math.MaxInt64

// lag is what the views may not know yet.
type lag struct {
	mu      sync.Mutex
	oldest  int64         // Hour of the oldest signal, Unix microseconds; 0 at first: another process may have written it.
	closing chan struct{} // Holds one while somebody brings the views up to date; who waits for that gives up with its context.
}

func newLag() lag { return lag{closing: make(chan struct{}, 1)} }

// note takes in what was written.
func (l *lag) note(signals []status.Signal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, sig := range signals {
		l.oldest = min(l.oldest, sig.Received.Truncate(time.Hour).UnixMicro())
	}
}

func (l *lag) before(limit time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.oldest < limit.UnixMicro()
}

// swap sets the oldest hour and returns what it was.
func (l *lag) swap(oldest int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.oldest
	l.oldest = oldest
	return was
}

// settle brings the views up to date when hours before to that are over may lack something.
func (s *Store) settle(ctx context.Context, to time.Time) error {
	limit := time.Now().Truncate(time.Hour)
	if to.Before(limit) {
		limit = to
	}
	if !s.lag.before(limit) {
		return nil
	}
	select {
	case s.lag.closing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.lag.closing }()
	if !s.lag.before(limit) {
		return nil // Who was here before has seen to it.
	}
	was := s.lag.swap(nothing) // What is written from here on counts anew.
	err := refreshAll(ctx, s.readers, s.names)
	if err != nil {
		s.lag.mu.Lock()
		s.lag.oldest = min(s.lag.oldest, was)
		s.lag.mu.Unlock()
	}
	return err
}

// querier is a connection or a pool of them.
type querier interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// refreshAll brings the views up to what is committed now.
func refreshAll(ctx context.Context, q querier, n names) error {
	for _, view := range []struct{ name, base string }{{n.hourly, n.signals}, {n.quarters, n.signals}, {n.latencies, n.signals}, {n.daily, n.hourly}} {
		if err := refresh(ctx, q, view.name, view.base); err != nil {
			return fmt.Errorf("bring %s up to date: %w", view.name, err)
		}
	}
	return nil
}

// refresh brings a view up to what is committed to its base now. QuestDB refreshes up to
// what is applied, in its own time: the base is waited for first, then the view, then the
// view's own rows.
func refresh(ctx context.Context, q querier, view, base string) error {
	var want int64
	if err := q.QueryRow(ctx, `SELECT sequencerTxn FROM wal_tables() WHERE name = $1`, base).Scan(&want); err != nil {
		return err
	}
	const applied = `SELECT count() FROM wal_tables() WHERE name = $1 AND writerTxn >= $2`
	const known = `SELECT count() FROM materialized_views() WHERE view_name = $1 AND refresh_base_table_txn >= $2`
	if err := poll(ctx, q, time.Hour, applied, base, want); err != nil {
		return err
	}
	var n int64
	if err := q.QueryRow(ctx, known, view, want).Scan(&n); err != nil {
		return err
	}
	for n == 0 {
		if _, err := q.Exec(ctx, `REFRESH MATERIALIZED VIEW `+view+` INCREMENTAL`); err != nil {
			return err
		}
		// One that was running already may end short of what we want: then it is asked again.
		err := poll(ctx, q, time.Second, known, view, want)
		if err == nil {
			break
		}
		if !errors.Is(err, errAgain) {
			return err
		}
	}
	if err := q.QueryRow(ctx, `SELECT sequencerTxn FROM wal_tables() WHERE name = $1`, view).Scan(&want); err != nil {
		return err
	}
	return poll(ctx, q, time.Hour, applied, view, want)
}

var errAgain = errors.New("not yet")

// poll asks until the count is above zero; errAgain says that it was not in time.
func poll(ctx context.Context, q querier, patience time.Duration, query string, args ...any) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		var n int64
		if err := q.QueryRow(ctx, query, args...).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %v: %w", args[0], ctx.Err())
		case <-late.C:
			return errAgain
		case <-tick.C:
		}
	}
}
