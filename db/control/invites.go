package control

import (
	"context"
	"database/sql"
	"time"
)

// Invite lets one person become an operator.
type Invite struct {
	ID      string
	Hash    string // Of its secret.
	Role    string
	Maker   string // Id of the operator; empty for the command line.
	Created time.Time
	Expires time.Time
}

const inviteColumns = `id, role, maker, created, expires`

func scanInvite(r row) (i Invite, err error) {
	var created, expires int64
	err = r.Scan(&i.ID, &i.Role, &i.Maker, &created, &expires)
	i.Created, i.Expires = instant(created), instant(expires)
	return i, err
}

// AddInvite keeps a new one.
func (s *Store) AddInvite(ctx context.Context, i Invite, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO invites (id, hash, role, maker, created, expires) VALUES ($1, $2, $3, $4, $5, $6)`,
			i.ID, i.Hash, i.Role, i.Maker, stamp(i.Created), stamp(i.Expires))
		return err
	})
}

// Invites are those that count, the newest first.
func (s *Store) Invites(ctx context.Context, now time.Time) ([]Invite, error) {
	return all(ctx, s, scanInvite, `SELECT `+inviteColumns+` FROM invites WHERE expires > $1 ORDER BY created DESC, id`, stamp(now))
}

// Invite is the one of a secret's hash, unless it has been used or expired.
func (s *Store) Invite(ctx context.Context, hash string, now time.Time) (Invite, error) {
	i, err := scanInvite(s.db.QueryRowContext(ctx, `SELECT `+inviteColumns+` FROM invites WHERE hash = $1 AND expires > $2`, hash, stamp(now)))
	return i, unavailable(err)
}

// RemoveInvite takes one back.
func (s *Store) RemoveInvite(ctx context.Context, id string, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error { return one(tx.ExecContext(ctx, `DELETE FROM invites WHERE id = $1`, id)) })
}
