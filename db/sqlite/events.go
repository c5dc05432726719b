package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"statuspage/internal/incident"
	"time"
)

const (
	insertEvent = `INSERT INTO incident_events (at, id, incident, kind, shown_at, actor, after, v, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (at, id) DO NOTHING`
	selectEvents = `SELECT at, id, incident, kind, shown_at, actor, after, v, body FROM incident_events WHERE at >= ? ORDER BY at, id`
)

// AppendEvents stores all events or none. One with the key (at, id) of a stored one changes nothing.
func (s *Store) AppendEvents(ctx context.Context, events []incident.Event) error {
	if len(events) == 0 {
		return ctx.Err()
	}
	if err := incident.CheckEvents(events); err != nil {
		return err
	}
	err := s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, e := range events {
			if _, err := tx.ExecContext(ctx, insertEvent, e.At.UnixMicro(), e.ID, e.Incident, e.Kind, e.ShownAt.UnixMicro(), e.Actor, e.After, e.Version, e.Body); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	return nil
}

// Events yields the events with an at of since or later, by at, then id. The iteration ends after an error.
func (s *Store) Events(ctx context.Context, since time.Time) iter.Seq2[incident.Event, error] {
	return func(yield func(incident.Event, error) bool) {
		rows, err := s.read.QueryContext(ctx, selectEvents, since.UnixMicro())
		if err != nil {
			yield(incident.Event{}, fmt.Errorf("read events: %w", err))
			return
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells all there is to tell.
		for rows.Next() {
			var e incident.Event
			var at, shownAt int64
			if err := rows.Scan(&at, &e.ID, &e.Incident, &e.Kind, &shownAt, &e.Actor, &e.After, &e.Version, &e.Body); err != nil {
				yield(incident.Event{}, fmt.Errorf("read events: %w", err))
				return
			}
			e.At, e.ShownAt = time.UnixMicro(at).UTC(), time.UnixMicro(shownAt).UTC()
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
func (s *Store) CountEvents(ctx context.Context) (n int, err error) {
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM incident_events`).Scan(&n); err != nil {
		return 0, fmt.Errorf("count events: %w", err)
	}
	return n, nil
}
