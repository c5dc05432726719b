package control

import (
	"context"
	"database/sql"
	"fmt"
	"statuspage/internal/status"
	"time"
)

// maxChallenges is how many sign-ins by passkey may be under way.
const maxChallenges = 10_000

// Passkey signs an operator in by a device. What is kept of it is public.
type Passkey struct {
	ID            string
	Credential    string // Its own id.
	Operator      string
	Name          string
	Data          string // Public key and counter.
	Created, Used time.Time
}

const deviceColumns = `passkeys.id, passkeys.credential, passkeys.operator, passkeys.name, passkeys.data, passkeys.created, passkeys.used`

func scanPasskey(r row) (p Passkey, err error) {
	var created, used int64
	err = r.Scan(&p.ID, &p.Credential, &p.Operator, &p.Name, &p.Data, &created, &used)
	p.Created, p.Used = instant(created), instant(used)
	return p, err
}

// AddPasskey keeps a new one.
func (s *Store) AddPasskey(ctx context.Context, p Passkey, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO passkeys (id, credential, operator, name, data, created, used) VALUES ($1, $2, $3, $4, $5, $6, 0)`,
			p.ID, p.Credential, p.Operator, p.Name, p.Data, stamp(p.Created))
		return taken(err)
	})
}

// Passkeys are those of an operator, the newest first.
func (s *Store) Passkeys(ctx context.Context, operator string) ([]Passkey, error) {
	return all(ctx, s, scanPasskey, `SELECT `+deviceColumns+` FROM passkeys WHERE operator = $1 ORDER BY created DESC, id`, operator)
}

// Operator is the one of an id.
func (s *Store) Operator(ctx context.Context, id string) (Operator, error) {
	o, err := scanOperator(s.db.QueryRowContext(ctx, `SELECT `+operatorColumns+` FROM operators WHERE id = $1`, id))
	return o, unavailable(err)
}

// SignInByPasskey opens a session, and keeps what the device has counted.
func (s *Store) SignInByPasskey(ctx context.Context, credential, data string, of Session, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `UPDATE passkeys SET data = $1, used = $2 WHERE credential = $3 AND operator = $4`, data, stamp(by.At), credential, of.Operator)); err != nil {
			return err
		}
		return addSession(ctx, tx, of)
	})
}

// RemovePasskey ends one of an operator's.
func (s *Store) RemovePasskey(ctx context.Context, operator, id string, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error {
		return one(tx.ExecContext(ctx, `DELETE FROM passkeys WHERE operator = $1 AND id = $2`, operator, id))
	})
}

// AddChallenge keeps what a device was asked, until it is taken or expires. There are not too many at a time.
func (s *Store) AddChallenge(ctx context.Context, hash, data string, now, expires time.Time) error {
	return unavailable(s.change(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM challenges WHERE expires <= $1`, stamp(now)); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM challenges`).Scan(&n); err != nil {
			return err
		}
		if n >= maxChallenges {
			return fmt.Errorf("too many sign in at once: %w", status.ErrUnavailable)
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO challenges (hash, data, expires) VALUES ($1, $2, $3)`, hash, data, stamp(expires))
		return err
	}))
}

// TakeChallenge returns what AddChallenge has kept, once.
func (s *Store) TakeChallenge(ctx context.Context, hash string, now time.Time) (data string, err error) {
	err = s.change(ctx, func(tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, `SELECT data FROM challenges WHERE hash = $1 AND expires > $2`, hash, stamp(now)).Scan(&data); err != nil {
			return err
		}
		return one(tx.ExecContext(ctx, `DELETE FROM challenges WHERE hash = $1`, hash)) // Of two at once one finds it.
	})
	return data, unavailable(err)
}
