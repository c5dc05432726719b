package questdb

import (
	"context"
	"fmt"
	"statuspage/internal/status"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
)

// Terms returns in which terms services were watched, in no order.
func (s *Store) Terms(ctx context.Context) ([]status.ServiceTerm, error) {
	rows, err := s.readers.Query(ctx, s.sql.terms)
	if err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t status.ServiceTerm, err error) {
		var interval, timeout int64
		err = row.Scan((*zeronull.Text)(&t.Service), &t.Since, (*zeronull.Int8)(&interval), (*zeronull.Int8)(&timeout))
		t.Since = t.Since.UTC()
		t.Interval, t.Timeout = time.Duration(interval)*time.Microsecond, time.Duration(timeout)*time.Microsecond
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	return all, nil
}

// WriteTerms stores terms, all or none. The same twice is one.
func (s *Store) WriteTerms(ctx context.Context, terms []status.ServiceTerm) error {
	if len(terms) == 0 {
		return ctx.Err()
	}
	batch := &pgx.Batch{}
	for _, t := range terms {
		batch.Queue(s.sql.insertTerm, instant(t.Since), text(t.Service), t.Interval.Microseconds(), t.Timeout.Microseconds())
	}
	tx, err := s.writers.Begin(ctx)
	if err != nil {
		return fmt.Errorf("write terms: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // After a commit there is nothing left to roll back.
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write terms: %w", err)
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("write terms: %w", err)
	}
	return nil
}
