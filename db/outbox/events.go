package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"time"
)

// maxEvents bounds the events that wait: far more than people write while a store is away.
const maxEvents = 100_000

const eventColumns = `at, id, incident, kind, shown_at, actor, after, v, body`

// AppendEvents puts events at the end, all or none; when it returns they are on disk. It refuses what would not fit with
// an error that wraps status.ErrUnavailable.
func (b *Outbox) AppendEvents(ctx context.Context, events []incident.Event) error {
	if len(events) == 0 {
		return ctx.Err()
	}
	if err := incident.CheckEvents(events); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if waiting := b.Status().Events; waiting+len(events) > maxEvents {
		return fmt.Errorf("outbox %s is full with %d events: %w", b.path, waiting, status.ErrUnavailable)
	}
	return b.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for _, e := range events {
			if _, err := tx.ExecContext(ctx, `INSERT INTO events (`+eventColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				e.At.UnixMicro(), e.ID, e.Incident, e.Kind, e.ShownAt.UnixMicro(), e.Actor, e.After, e.Version, e.Body); err != nil {
				return err
			}
		}
		return nil
	})
}

// NextEvents returns the events that came first, at most limit, and the sequence number of the last of them. They stay
// until AckEvents.
func (b *Outbox) NextEvents(ctx context.Context, limit int) (events []incident.Event, last int64, err error) {
	return b.events(ctx, `SELECT seq, `+eventColumns+` FROM events ORDER BY seq LIMIT ?`, limit)
}

// Events returns those that wait with an at of since or later, by at, then id, each once.
func (b *Outbox) Events(ctx context.Context, since time.Time) ([]incident.Event, error) {
	events, _, err := b.events(ctx, `SELECT seq, `+eventColumns+` FROM events WHERE at >= ?`, since.UnixMicro())
	slices.SortFunc(events, incident.Event.Compare)
	return slices.CompactFunc(events, func(a, b incident.Event) bool { return a.Compare(b) == 0 }), err
}

// AckEvents removes the events up to and including the sequence number last.
func (b *Outbox) AckEvents(ctx context.Context, last int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM events WHERE seq <= ?`, last)
		return err
	})
}

func (b *Outbox) events(ctx context.Context, query string, arg any) (events []incident.Event, last int64, err error) {
	rows, err := b.db.QueryContext(ctx, query, arg)
	if err != nil {
		return nil, 0, fmt.Errorf("outbox %s: %w", b.path, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells all there is to tell.
	for rows.Next() {
		var e incident.Event
		var at, shownAt int64
		if err := rows.Scan(&last, &at, &e.ID, &e.Incident, &e.Kind, &shownAt, &e.Actor, &e.After, &e.Version, &e.Body); err != nil {
			return nil, 0, fmt.Errorf("outbox %s: %w", b.path, err)
		}
		e.At, e.ShownAt = time.UnixMicro(at).UTC(), time.UnixMicro(shownAt).UTC()
		events = append(events, e)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("outbox %s: %w", b.path, err)
	}
	return events, last, nil
}
