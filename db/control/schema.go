package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"statuspage/internal/status"
)

// migrations lead from each version of the tables to the next; what has been shipped is never changed. Both engines
// take every statement: instants are microseconds since 1970, secrets are the hexadecimal SHA-256 of what people have.
var migrations = [][]string{
	{
		`CREATE TABLE turn (id BIGINT PRIMARY KEY, taken BIGINT NOT NULL)`,
		`INSERT INTO turn (id, taken) VALUES (1, 0)`,
		`CREATE TABLE operators (
			id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL, password TEXT NOT NULL, created BIGINT NOT NULL)`,
		`CREATE TABLE sessions (
			id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, operator TEXT NOT NULL REFERENCES operators (id),
			created BIGINT NOT NULL, seen BIGINT NOT NULL, expires BIGINT NOT NULL, address TEXT NOT NULL, browser TEXT NOT NULL)`,
		`CREATE INDEX sessions_operator ON sessions (operator)`,
		`CREATE TABLE tokens (
			id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, hash TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL, maker TEXT NOT NULL,
			created BIGINT NOT NULL, used BIGINT NOT NULL, expires BIGINT NOT NULL)`,
		`CREATE TABLE invites (
			id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, role TEXT NOT NULL, maker TEXT NOT NULL, created BIGINT NOT NULL, expires BIGINT NOT NULL)`,
		`CREATE TABLE audit (
			id TEXT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL, subject TEXT NOT NULL, detail TEXT NOT NULL, address TEXT NOT NULL)`,
		`CREATE INDEX audit_at ON audit (at)`,
	},
	{
		`CREATE TABLE passkeys (
			id TEXT PRIMARY KEY, credential TEXT NOT NULL UNIQUE, operator TEXT NOT NULL REFERENCES operators (id), name TEXT NOT NULL,
			data TEXT NOT NULL, created BIGINT NOT NULL, used BIGINT NOT NULL)`,
		`CREATE INDEX passkeys_operator ON passkeys (operator)`,
		`CREATE TABLE challenges (hash TEXT PRIMARY KEY, data TEXT NOT NULL, expires BIGINT NOT NULL)`,
	},
	alertTables,
}

// migrate brings the tables to the newest version, all or nothing. Of several processes that start at once one does it,
// and the others wait.
func (s *Store) migrate(ctx context.Context) error {
	return s.change(ctx, func(tx *sql.Tx) error {
		if s.postgres {
			if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(7736284501)`); err != nil { // Ours alone; CREATE IF NOT EXISTS is not safe from others.
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS control_version (version BIGINT NOT NULL)`); err != nil {
			return err
		}
		at, err := version(ctx, tx)
		if err != nil {
			return err
		}
		if at > len(migrations) {
			return fmt.Errorf("it is of a later version (%d, this one knows %d): use that one, or name another store: %w", at, len(migrations), status.ErrInvalid)
		}
		for _, steps := range migrations[at:] {
			for _, step := range steps {
				if _, err := tx.ExecContext(ctx, step); err != nil {
					return err
				}
			}
		}
		_, err = tx.ExecContext(ctx, `UPDATE control_version SET version = $1`, len(migrations))
		return err
	})
}

// version is that of the tables, 0 where there are none.
func version(ctx context.Context, tx *sql.Tx) (at int, err error) {
	err = tx.QueryRowContext(ctx, `SELECT version FROM control_version`).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = tx.ExecContext(ctx, `INSERT INTO control_version (version) VALUES (0)`)
	}
	return at, err
}
