package control

import (
	"context"
	"database/sql"
	"time"
)

// Session is a browser in which an operator has signed in.
type Session struct {
	ID                     string
	Hash                   string // Of its secret.
	Operator               string
	Created, Seen, Expires time.Time
	Address, Browser       string // From where it was opened.
}

// sessionColumns are without the hash, which nobody asks for.
const sessionColumns = `sessions.id, sessions.operator, sessions.created, sessions.seen, sessions.expires, sessions.address, sessions.browser`

func scanSession(r row) (s Session, err error) { return scanSessionAnd(r) }

func scanSessionAnd(r row, more ...any) (s Session, err error) {
	var created, seen, expires int64
	err = r.Scan(append([]any{&s.ID, &s.Operator, &created, &seen, &expires, &s.Address, &s.Browser}, more...)...)
	s.Created, s.Seen, s.Expires = instant(created), instant(seen), instant(expires)
	return s, err
}

// AddSession opens a session.
func (s *Store) AddSession(ctx context.Context, of Session, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error { return addSession(ctx, tx, of) })
}

func addSession(ctx context.Context, tx *sql.Tx, of Session) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO sessions (id, hash, operator, created, seen, expires, address, browser) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		of.ID, of.Hash, of.Operator, stamp(of.Created), stamp(of.Seen), stamp(of.Expires), of.Address, of.Browser)
	return err
}

// Session is the one of a secret's hash with its operator, unless it has ended or was not used since idle.
func (s *Store) Session(ctx context.Context, hash string, now, idle time.Time) (of Session, o Operator, err error) {
	var joined int64
	of, err = scanSessionAnd(s.db.QueryRowContext(ctx, `SELECT `+sessionColumns+`, `+operatorColumns+`
		FROM sessions JOIN operators ON operators.id = sessions.operator
		WHERE sessions.hash = $1 AND sessions.expires > $2 AND sessions.seen > $3`, hash, stamp(now), stamp(idle)), append(o.into(), &joined)...)
	o.Created = instant(joined)
	return of, o, unavailable(err)
}

// Sessions are those of an operator that count, the newest first.
func (s *Store) Sessions(ctx context.Context, operator string, now, idle time.Time) ([]Session, error) {
	return all(ctx, s, scanSession, `SELECT `+sessionColumns+` FROM sessions WHERE operator = $1 AND expires > $2 AND seen > $3 ORDER BY created DESC, id`,
		operator, stamp(now), stamp(idle))
}

// SeeSession notes that a session was used.
func (s *Store) SeeSession(ctx context.Context, id string, now time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE sessions SET seen = $1 WHERE id = $2 AND seen < $1`, stamp(now), id)
	return unavailable(err)
}

// EndSession ends one of an operator's.
func (s *Store) EndSession(ctx context.Context, operator, id string, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `DELETE FROM sessions WHERE operator = $1 AND id = $2`, operator, id))
	})
}

// EndSessions ends all of an operator's but the one that is kept.
func (s *Store) EndSessions(ctx context.Context, operator, keep string, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE operator = $1 AND id <> $2`, operator, keep)
		return err
	})
}
