package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"statuspage/internal/status"
)

const upsert = `INSERT INTO signals (received, service, region, url, http_status, available, outcome, duration, reason, error)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (received, service, region, url) DO UPDATE SET http_status = excluded.http_status, available = excluded.available,
	outcome = excluded.outcome, duration = excluded.duration, reason = excluded.reason, error = excluded.error`

// Write stores all signals or none. A signal with the key (received, service, region, url)
// of a stored one replaces it.
func (s *Store) Write(ctx context.Context, signals []status.Signal) error {
	if len(signals) == 0 {
		return ctx.Err()
	}
	if err := status.CheckSignals(signals); err != nil {
		return err
	}
	if err := s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error { return s.put(ctx, tx, signals) }); err != nil {
		return fmt.Errorf("write signals: %w", err)
	}
	if s.owe(signals) > maxChanges {
		_ = s.fold(ctx) // The signals are stored; keepFolding tells of what is wrong.
	}
	return nil
}

func (s *Store) put(ctx context.Context, tx *sql.Tx, signals []status.Signal) error {
	put := tx.StmtContext(ctx, s.upsert)
	for _, sig := range signals {
		if _, err := put.ExecContext(ctx, sig.Received.UnixMicro(), sig.Service, sig.Region, sig.URL, sig.HTTPStatus, sig.Available,
			sig.Outcome.String(), sig.Duration.Microseconds(), sig.Reason.String(), sig.Error); err != nil {
			return err
		}
	}
	return nil
}

// inTx runs fn in a transaction. The wait for the connection and for the lock ends with
// ctx. What follows is short and does not: the driver starts a goroutine for each
// statement whose context can end.
func (s *Store) inTx(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // After a commit there is nothing left to roll back.
	if err := fn(context.WithoutCancel(ctx), tx); err != nil {
		return err
	}
	return tx.Commit()
}
