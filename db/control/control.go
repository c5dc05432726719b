// Package control keeps what changes and must be erasable: who may write, their sessions and tokens, who did what, and what operators
// have been told.
// It is SQLite, or PostgreSQL where several processes share it, in one SQL. No secret is kept, only what tells
// that somebody has it.
package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"statuspage/db/sqlitefile"
	"statuspage/internal/status"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

const (
	connectWait = 5 * time.Second
	conns       = 4               // To PostgreSQL, of each process.
	connIdle    = 2 * time.Minute // Below what firewalls forget.
)

// The errors that tell what was asked from a store that is away, which is status.ErrUnavailable.
var (
	ErrTaken     = errors.New("the name is taken")
	ErrLastAdmin = errors.New("the last admin stays one")
)

// Store is an open store. Its methods may be called from any goroutine, and wrap status.ErrNotFound for what is not there and
// status.ErrUnavailable for a store that can't be asked.
type Store struct {
	db       *sql.DB
	postgres bool
}

// Open opens the store that a URL names, sqlite:///folder/control.db or postgres://user:password@host/name, and makes its tables
// where they are missing. No error shows the password.
func Open(ctx context.Context, url string) (*Store, error) {
	s, path, err := connect(url)
	if err != nil {
		return nil, err
	}
	if path != "" {
		err = sqlitefile.Check(ctx, s.db, path)
	}
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		_ = s.db.Close() // The first error tells more.
		return nil, fmt.Errorf("control store: %w", unavailable(err))
	}
	return s, nil
}

// connect prepares connections; path is that of a file.
func connect(url string) (s *Store, path string, err error) {
	scheme, _, _ := strings.Cut(url, "://")
	switch scheme {
	case "sqlite":
		if path, err = sqlitefile.Path(url); err != nil {
			return nil, "", err
		}
		db, err := sqlitefile.Open(path)
		if err != nil {
			return nil, "", fmt.Errorf("control store: %w", unavailable(err))
		}
		return &Store{db: db}, path, nil
	case "postgres", "postgresql":
		settings, err := pgx.ParseConfig(url)
		if err != nil {
			return nil, "", fmt.Errorf("control store: not a URL of PostgreSQL: write postgres://user:password@host:5432/name: %w", status.ErrInvalid) // The error might show more.
		}
		if settings.ConnectTimeout == 0 {
			settings.ConnectTimeout = connectWait
		}
		db := stdlib.OpenDB(*settings)
		db.SetMaxOpenConns(conns)
		db.SetMaxIdleConns(conns)
		db.SetConnMaxIdleTime(connIdle)
		return &Store{db: db, postgres: true}, "", nil
	}
	return nil, "", fmt.Errorf("control store: want sqlite:///folder/control.db or postgres://user:password@host:5432/name: %w", status.ErrInvalid)
}

// There tells whether the store of a URL has been made, as far as that is seen from here.
func There(url string) bool {
	path, err := sqlitefile.Path(url)
	if err != nil {
		return true // Of another machine.
	}
	_, err = os.Stat(path)
	return err == nil
}

// Close ends all connections.
func (s *Store) Close() error { return s.db.Close() }

// Shared tells whether several processes on several machines may have the store.
func (s *Store) Shared() bool { return s.postgres }

// change runs do as one transaction.
func (s *Store) change(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback() // The first error tells more.
		return err
	}
	return tx.Commit()
}

// act changes something in its turn, and notes who did it in the same transaction: what was done is noted, and what is noted was done.
func (s *Store) act(ctx context.Context, by Entry, do func(tx *sql.Tx) error) error {
	return unavailable(s.change(ctx, func(tx *sql.Tx) error {
		// What is judged by other rows, such as who is the last admin, must not be judged by two at once.
		if _, err := tx.ExecContext(ctx, `UPDATE turn SET taken = taken + 1 WHERE id = 1`); err != nil {
			return err
		}
		if err := do(tx); err != nil {
			return err
		}
		return note(ctx, tx, by)
	}))
}

// one says that a statement has changed something, or that there is nothing to change.
func one(done sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		err = status.ErrNotFound
	}
	return err
}

// taken tells an error of a name that is there from others.
func taken(err error) error {
	const uniqueViolation = "23505"
	if of, is := errors.AsType[*pgconn.PgError](err); is && of.Code == uniqueViolation {
		return ErrTaken
	}
	if of, is := errors.AsType[*sqlite.Error](err); is && (of.Code() == lib.SQLITE_CONSTRAINT_UNIQUE || of.Code() == lib.SQLITE_CONSTRAINT_PRIMARYKEY) {
		return ErrTaken
	}
	return err
}

// unavailable makes every error that is not of ours one of a store that can't be asked.
func unavailable(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return status.ErrNotFound
	}
	for _, ours := range []error{nil, ErrTaken, ErrLastAdmin, status.ErrNotFound, status.ErrInvalid, status.ErrUnavailable} {
		if errors.Is(err, ours) {
			return err
		}
	}
	return fmt.Errorf("%w: %w", status.ErrUnavailable, err)
}

// stamp is how an instant is kept; none is 0.
func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func instant(stamp int64) time.Time {
	if stamp == 0 {
		return time.Time{}
	}
	return time.UnixMicro(stamp).UTC()
}

// all reads every row of a question.
func all[T any](ctx context.Context, s *Store, scan func(row) (T, error), question string, args ...any) (found []T, err error) {
	rows, err := s.db.QueryContext(ctx, question, args...)
	if err != nil {
		return nil, unavailable(err)
	}
	defer rows.Close() //nolint:errcheck // Err tells.
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, unavailable(err)
		}
		found = append(found, one)
	}
	return found, unavailable(rows.Err())
}

// row is one that is read.
type row interface{ Scan(dst ...any) error }
