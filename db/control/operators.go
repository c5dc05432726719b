package control

import (
	"context"
	"database/sql"
	"time"
)

// RoleAdmin is the role of which one stays.
const RoleAdmin = "admin"

// Operator is somebody who may sign in.
type Operator struct {
	ID       string
	Name     string // As it is typed at sign-in.
	Role     string
	Password string // Its hash.
	Created  time.Time
}

const operatorColumns = `operators.id, operators.name, operators.role, operators.password, operators.created`

func (o *Operator) into() []any { return []any{&o.ID, &o.Name, &o.Role, &o.Password} }

func scanOperator(r row) (o Operator, err error) {
	var created int64
	err = r.Scan(append(o.into(), &created)...)
	o.Created = instant(created)
	return o, err
}

// Operators are all, by their names.
func (s *Store) Operators(ctx context.Context) ([]Operator, error) {
	return all(ctx, s, scanOperator, `SELECT `+operatorColumns+` FROM operators ORDER BY name`)
}

// OperatorNamed is the one of a name.
func (s *Store) OperatorNamed(ctx context.Context, name string) (Operator, error) {
	o, err := scanOperator(s.db.QueryRowContext(ctx, `SELECT `+operatorColumns+` FROM operators WHERE name = $1`, name))
	return o, unavailable(err)
}

// Any tells whether there is anybody, or an invite that counts: whether the operators' area is of use.
func (s *Store) Any(ctx context.Context, now time.Time) (is bool, err error) {
	var n int
	err = s.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM operators) + (SELECT count(*) FROM invites WHERE expires > $1)`, stamp(now)).Scan(&n)
	return n > 0, unavailable(err)
}

// Join makes an operator of who has an invite, which is used up by it, and opens a session.
func (s *Store) Join(ctx context.Context, invite string, o Operator, first Session, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `DELETE FROM invites WHERE hash = $1 AND role = $2 AND expires > $3`, invite, o.Role, stamp(by.At))); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO operators (id, name, role, password, created) VALUES ($1, $2, $3, $4, $5)`, o.ID, o.Name, o.Role, o.Password, stamp(o.Created)); err != nil {
			return taken(err)
		}
		return addSession(ctx, tx, first)
	})
}

// SetRole gives an operator another role.
func (s *Store) SetRole(ctx context.Context, id, role string, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `UPDATE operators SET role = $1 WHERE id = $2`, role, id)); err != nil {
			return err
		}
		return adminLeft(ctx, tx)
	})
}

// SetPassword gives an operator another password. All sessions end but the one that is kept.
func (s *Store) SetPassword(ctx context.Context, id, password, keep string, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error {
		if err := one(tx.ExecContext(ctx, `UPDATE operators SET password = $1 WHERE id = $2`, password, id)); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE operator = $1 AND id <> $2`, id, keep)
		return err
	})
}

// RemoveOperator erases an operator: account, sessions, the tokens and invites that they made, and the addresses in what they did, of which
// only a number without a name stays.
func (s *Store) RemoveOperator(ctx context.Context, id string, by Entry) error {
	return s.act(ctx, by, func(tx *sql.Tx) error {
		for _, erase := range []string{
			`DELETE FROM sessions WHERE operator = $1`,
			`DELETE FROM tokens WHERE maker = $1`,
			`DELETE FROM invites WHERE maker = $1`,
		} {
			if _, err := tx.ExecContext(ctx, erase, id); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE audit SET address = '' WHERE actor = $1`, id); err != nil {
			return err
		}
		if err := one(tx.ExecContext(ctx, `DELETE FROM operators WHERE id = $1`, id)); err != nil {
			return err
		}
		return adminLeft(ctx, tx)
	})
}

// adminLeft refuses what leaves nobody who may invite others.
func adminLeft(ctx context.Context, tx *sql.Tx) error {
	var n int
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM operators WHERE role = $1`, RoleAdmin).Scan(&n); err != nil {
		return err
	}
	if n == 0 {
		return ErrLastAdmin
	}
	return nil
}
