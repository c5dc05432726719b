package control

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
)

// auditKept is how long it stays known who did what.
const auditKept = 400 * 24 * time.Hour

// Entry is something that somebody did. Who and to what are ids, so that a name is gone when its row is.
type Entry struct {
	ID      string // Made by the store; sorts entries of one instant.
	At      time.Time
	Actor   string // Id of an operator or token; empty for the command line.
	Action  string
	Subject string // Id of what it was done to; empty for themselves.
	Detail  string // Such as a role; nothing of a person.
	Address string // From where; empty for the command line.
}

func scanEntry(r row) (e Entry, err error) {
	var at int64
	err = r.Scan(&e.ID, &at, &e.Actor, &e.Action, &e.Subject, &e.Detail, &e.Address)
	e.At = instant(at)
	return e, err
}

func note(ctx context.Context, tx *sql.Tx, e Entry) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO audit (id, at, actor, action, subject, detail, address) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		id.String(), stamp(e.At), e.Actor, e.Action, e.Subject, e.Detail, e.Address)
	return err
}

// Note keeps what was done elsewhere.
func (s *Store) Note(ctx context.Context, e Entry) error {
	return unavailable(s.change(ctx, func(tx *sql.Tx) error { return note(ctx, tx, e) }))
}

// Audit is what was done before an entry, the newest first; the zero entry stands for now.
func (s *Store) Audit(ctx context.Context, before Entry, limit int) ([]Entry, error) {
	const columns = `SELECT id, at, actor, action, subject, detail, address FROM audit`
	if before.ID == "" {
		return all(ctx, s, scanEntry, columns+` ORDER BY at DESC, id DESC LIMIT $1`, limit)
	}
	return all(ctx, s, scanEntry, columns+` WHERE at < $1 OR (at = $1 AND id < $2) ORDER BY at DESC, id DESC LIMIT $3`, stamp(before.At), before.ID, limit)
}

// Sweep removes what has expired: sessions, invites, tokens a month later, so that it is seen why one fails, and old entries of the audit.
func (s *Store) Sweep(ctx context.Context, now, idle time.Time) error {
	var errs []error
	for _, old := range []struct {
		remove string
		before time.Time
	}{
		{`DELETE FROM sessions WHERE expires <= $1`, now},
		{`DELETE FROM sessions WHERE seen <= $1`, idle},
		{`DELETE FROM invites WHERE expires <= $1`, now},
		{`DELETE FROM tokens WHERE expires > 0 AND expires <= $1`, now.AddDate(0, -1, 0)},
		{`DELETE FROM audit WHERE at <= $1`, now.Add(-auditKept)},
	} {
		_, err := s.db.ExecContext(ctx, old.remove, stamp(old.before))
		errs = append(errs, err)
	}
	return unavailable(errors.Join(errs...))
}
