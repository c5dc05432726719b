package questdb

import (
	"context"
	"fmt"
	"iter"
	"statuspage/internal/incident"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
)

// AppendEvents stores all events or none. The same twice is one.
func (s *Store) AppendEvents(ctx context.Context, events []incident.Event) error {
	if len(events) == 0 {
		return ctx.Err()
	}
	if err := incident.CheckEvents(events); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, e := range events {
		batch.Queue(s.sql.insertEvent, instant(e.At), e.ID, e.Incident, e.Kind, instant(e.ShownAt), text(e.Actor), text(e.After), int32(e.Version), text(e.Body))
	}
	tx, err := s.writers.Begin(ctx)
	if err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // After a commit there is nothing left to roll back.
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	return nil
}

// Events yields the events with an at of since or later, by at, then id. The iteration ends after an error.
func (s *Store) Events(ctx context.Context, since time.Time) iter.Seq2[incident.Event, error] {
	return func(yield func(incident.Event, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // A reader who stops early doesn't wait for the rest.
		defer cancel()
		rows, err := s.readers.Query(ctx, s.sql.events, instant(since))
		if err != nil {
			yield(incident.Event{}, fmt.Errorf("read events: %w", err))
			return
		}
		defer func() { cancel(); rows.Close() }()
		for rows.Next() {
			var e incident.Event
			var v int64
			// Rows of other writers may lack anything but at; the fold passes them over.
			if err := rows.Scan(&e.At, (*zeronull.Text)(&e.ID), (*zeronull.Text)(&e.Incident), (*zeronull.Text)(&e.Kind), (*zeronull.Timestamp)(&e.ShownAt),
				(*zeronull.Text)(&e.Actor), (*zeronull.Text)(&e.After), (*zeronull.Int8)(&v), (*zeronull.Text)(&e.Body)); err != nil {
				yield(incident.Event{}, fmt.Errorf("read events: %w", err))
				return
			}
			e.At, e.ShownAt, e.Version = e.At.UTC(), e.ShownAt.UTC(), int(v)
			if !yield(e, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(incident.Event{}, fmt.Errorf("read events: %w", err))
		}
	}
}

// CountEvents tells how many events there are.
func (s *Store) CountEvents(ctx context.Context) (int, error) {
	var n int64
	if err := s.readers.QueryRow(ctx, s.sql.countEvents).Scan(&n); err != nil {
		return 0, fmt.Errorf("count events: %w", err)
	}
	return int(n), nil
}
