package control

import (
	"context"
	"database/sql"
	"time"
)

// Token lets a program in.
type Token struct {
	ID      string
	Name    string
	Hash    string // Of its secret.
	Scopes  string // Joined by spaces.
	Maker   string // Id of the operator; empty for the command line.
	Created time.Time
	Used    time.Time // Zero: never.
	Expires time.Time // Zero: never.
}

const tokenColumns = `id, name, scopes, maker, created, used, expires`

func scanToken(r row) (t Token, err error) {
	var created, used, expires int64
	err = r.Scan(&t.ID, &t.Name, &t.Scopes, &t.Maker, &created, &used, &expires)
	t.Created, t.Used, t.Expires = instant(created), instant(used), instant(expires)
	return t, err
}

// AddToken keeps a new one.
func (s *Store) AddToken(ctx context.Context, t Token, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO tokens (id, name, hash, scopes, maker, created, used, expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			t.ID, t.Name, t.Hash, t.Scopes, t.Maker, stamp(t.Created), stamp(t.Used), stamp(t.Expires))
		return taken(err)
	})
}

// Tokens are all, by their names.
func (s *Store) Tokens(ctx context.Context) ([]Token, error) {
	return all(ctx, s, scanToken, `SELECT `+tokenColumns+` FROM tokens ORDER BY name`)
}

// Token is the one of a secret's hash, unless it has expired.
func (s *Store) Token(ctx context.Context, hash string, now time.Time) (Token, error) {
	t, err := scanToken(s.db.QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE hash = $1 AND (expires = 0 OR expires > $2)`, hash, stamp(now)))
	return t, unavailable(err)
}

// UseToken notes that a token was used.
func (s *Store) UseToken(ctx context.Context, id string, now time.Time) error {
	_, err := s.db.ExecContext(ctx, `UPDATE tokens SET used = $1 WHERE id = $2 AND used < $1`, stamp(now), id)
	return unavailable(err)
}

// RemoveToken ends one.
func (s *Store) RemoveToken(ctx context.Context, id string, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error { return one(tx.ExecContext(ctx, `DELETE FROM tokens WHERE id = $1`, id)) })
}
