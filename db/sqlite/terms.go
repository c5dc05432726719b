package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"statuspage/internal/status"
	"time"
)

const (
	selectTerms = `SELECT service, since, interval, timeout FROM signals_terms ORDER BY service, since`
	insertTerm  = `INSERT INTO signals_terms (service, since, interval, timeout) VALUES (?, ?, ?, ?)
		ON CONFLICT (service, since) DO UPDATE SET interval = excluded.interval, timeout = excluded.timeout`
)

// Terms returns in which terms services were watched, in no order.
func (s *Store) Terms(ctx context.Context) ([]status.ServiceTerm, error) {
	rows, err := s.read.QueryContext(ctx, selectTerms)
	if err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells all there is to tell.
	var all []status.ServiceTerm
	for rows.Next() {
		var t status.ServiceTerm
		var since, interval, timeout int64
		if err := rows.Scan(&t.Service, &since, &interval, &timeout); err != nil {
			return nil, fmt.Errorf("read terms: %w", err)
		}
		t.Since = time.UnixMicro(since).UTC()
		t.Interval, t.Timeout = time.Duration(interval)*time.Microsecond, time.Duration(timeout)*time.Microsecond
		all = append(all, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read terms: %w", err)
	}
	return all, nil
}

// WriteTerms stores terms, all or none. The same twice is one.
func (s *Store) WriteTerms(ctx context.Context, terms []status.ServiceTerm) error {
	err := s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, t := range terms {
			if _, err := tx.ExecContext(ctx, insertTerm, t.Service, t.Since.UnixMicro(), t.Interval.Microseconds(), t.Timeout.Microseconds()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write terms: %w", err)
	}
	return nil
}
