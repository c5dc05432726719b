package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"statuspage/internal/status"
	"time"
)

// maxTerms bounds the terms that wait: far more than a configuration has services.
const maxTerms = 200_000

// AppendTerms keeps terms until AckTerms, all or none; when it returns they are on disk.
func (b *Outbox) AppendTerms(ctx context.Context, terms []status.ServiceTerm) error {
	return b.changeTerms(ctx, terms, func(ctx context.Context, tx *sql.Tx, t status.ServiceTerm) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO terms (service, since, interval, timeout) SELECT ?, ?, ?, ?
			WHERE (SELECT count(*) FROM terms) < ? ON CONFLICT (service, since) DO UPDATE SET interval = excluded.interval, timeout = excluded.timeout`,
			t.Service, t.Since.UnixMicro(), t.Interval.Microseconds(), t.Timeout.Microseconds(), maxTerms)
		return err
	})
}

// AckTerms removes terms that the store has.
func (b *Outbox) AckTerms(ctx context.Context, terms []status.ServiceTerm) error {
	return b.changeTerms(ctx, terms, func(ctx context.Context, tx *sql.Tx, t status.ServiceTerm) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM terms WHERE service = ? AND since = ? AND interval = ? AND timeout = ?`,
			t.Service, t.Since.UnixMicro(), t.Interval.Microseconds(), t.Timeout.Microseconds())
		return err
	})
}

func (b *Outbox) changeTerms(ctx context.Context, terms []status.ServiceTerm, one func(context.Context, *sql.Tx, status.ServiceTerm) error) error {
	if len(terms) == 0 {
		return ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, t := range terms {
			if err := one(ctx, tx, t); err != nil {
				return err
			}
		}
		return nil
	})
}

// Terms returns the terms that wait.
func (b *Outbox) Terms(ctx context.Context) ([]status.ServiceTerm, error) {
	rows, err := b.db.QueryContext(ctx, `SELECT service, since, interval, timeout FROM terms`)
	if err != nil {
		return nil, fmt.Errorf("outbox %s: %w", b.path, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells all there is to tell.
	var all []status.ServiceTerm
	for rows.Next() {
		var t status.ServiceTerm
		var since, interval, timeout int64
		if err := rows.Scan(&t.Service, &since, &interval, &timeout); err != nil {
			return nil, fmt.Errorf("outbox %s: %w", b.path, err)
		}
		t.Since = time.UnixMicro(since).UTC()
		t.Interval, t.Timeout = time.Duration(interval)*time.Microsecond, time.Duration(timeout)*time.Microsecond
		all = append(all, t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("outbox %s: %w", b.path, err)
	}
	return all, nil
}
