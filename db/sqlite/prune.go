package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

const (
	pruneEvery = time.Hour
	pruneRows  = 5000 // A step holds the write lock for some 30 ms.
)

// prune removes the signals that are older than the retention, now and every hour. The
// sums stay.
func (s *Store) prune(ctx context.Context, retention time.Duration) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		n, err := s.pruneBefore(ctx, time.Now().Add(-retention))
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Warn("old signals could not be removed", "err", err)
		case n > 0:
			s.log.Info("old signals removed", "rows", n)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// pruneBefore removes the signals received before limit, in steps that leave room for
// the writers between them.
func (s *Store) pruneBefore(ctx context.Context, limit time.Time) (rows int64, err error) {
	for {
		upTo := limit.UnixMicro() - 1
		err := s.read.QueryRowContext(ctx, `SELECT received FROM signals WHERE received <= ? ORDER BY received LIMIT 1 OFFSET ?`,
			upTo, pruneRows-1).Scan(&upTo)
		last := errors.Is(err, sql.ErrNoRows)
		if err != nil && !last {
			return rows, err
		}
		result, err := s.write.ExecContext(ctx, `DELETE FROM signals WHERE received <= ?`, upTo)
		if err != nil {
			return rows, err
		}
		n, _ := result.RowsAffected() // The driver always knows.
		if rows += n; last {
			return rows, nil
		}
	}
}
