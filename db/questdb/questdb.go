// Package questdb keeps signals in QuestDB, over the PostgreSQL wire protocol with pgx in
// its default mode: the other modes are refused by QuestDB or store wrong values. Errors
// are never told apart by SQLSTATE, which is always 00000.
package questdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"statuspage/internal/status"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	connectTimeout   = 5 * time.Second
	statementTimeout = "60000" // Milliseconds; for the pool, not for the upgrade of a large table.
	// readConnections are for who reads, and none of them for who writes: however many read, and however slowly they take what
	// they asked for, signals go on to the store. So does the look at how it is.
	readConnections  = 4
	writeConnections = 2
	statements       = 32 // QuestDB keeps at most 64 a connection, pgx would cache 512.
)

// Options say where QuestDB is and how to keep the signals.
type Options struct {
	URL       string        // questdb://user:password@host:8812/qdb, or the same with postgresql.
	Retention time.Duration // Age at which signals are removed, by whole days; their sums stay. 0 keeps all.
	Prefix    string        // Before the names of all tables, [a-z0-9_]; lets tests share a server.
	Log       *slog.Logger  // Nil for none.
}

// Store is a QuestDB. It satisfies db.Store; reads see a write some milliseconds later.
type Store struct {
	readers   *pgxpool.Pool
	writers   *pgxpool.Pool
	setup     *pgx.ConnConfig // For the schema's own connection.
	knocker   knocker
	names     names
	sql       statementTexts
	retention time.Duration
	lag       lag
	errors    errorTexts
	log       *slog.Logger
	step      func(name string) error // Called after each step of the schema; tests fail here.
}

// New returns a store for the QuestDB of the URL. It doesn't connect: call Ensure before
// the first use.
func New(o Options) (*Store, error) {
	if !regexp.MustCompile(`^[a-z0-9_]*$`).MatchString(o.Prefix) {
		return nil, fmt.Errorf("prefix %q of the tables: %w", o.Prefix, status.ErrInvalid)
	}
	address, err := address(o.URL)
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		// The parser's text may hold the password.
		return nil, fmt.Errorf("store URL: want questdb://user:password@host:8812/qdb: %w", status.ErrInvalid)
	}
	if mode := config.ConnConfig.DefaultQueryExecMode; mode == pgx.QueryExecModeExec || mode == pgx.QueryExecModeSimpleProtocol {
		// The simple protocol wants a setting that QuestDB doesn't have; in the other, reading signals hangs.
		return nil, fmt.Errorf("store URL: default_query_exec_mode %v does not work with QuestDB: %w", mode, status.ErrInvalid)
	}
	config.MaxConns = readConnections
	config.MaxConnIdleTime = 2 * time.Minute // QuestDB hangs up after 5.
	config.HealthCheckPeriod = 30 * time.Second
	config.ConnConfig.ConnectTimeout = connectTimeout
	config.ConnConfig.StatementCacheCapacity = statements
	s := &Store{names: namesWith(o.Prefix), retention: o.Retention, lag: newLag(), log: o.Log}
	config.ConnConfig.DialFunc = s.knocker.listening(config.ConnConfig.DialFunc)
	s.setup = config.ConnConfig.Copy()
	s.knocker.config = s.setup
	config.ConnConfig.RuntimeParams["options"] = "-c statement_timeout=" + statementTimeout

	if s.readers, err = pgxpool.NewWithConfig(context.Background(), config); err != nil {
		return nil, fmt.Errorf("prepare connections to QuestDB: %w", err)
	}
	config = config.Copy()
	config.MaxConns = writeConnections
	if s.writers, err = pgxpool.NewWithConfig(context.Background(), config); err != nil {
		s.readers.Close()
		return nil, fmt.Errorf("prepare connections to QuestDB: %w", err)
	}
	s.sql = textsFor(s.names)
	s.step = func(string) error { return nil }
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// address turns the store URL into one that pgx reads.
func address(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		// The text of err would print the URL with its password.
		return "", fmt.Errorf("store URL: want questdb://user:password@host:8812/qdb: %w", status.ErrInvalid)
	}
	switch u.Scheme {
	case "questdb", "postgres", "postgresql":
		u.Scheme = "postgresql"
	default:
		return "", fmt.Errorf("store URL with scheme %q: want questdb: %w", u.Scheme, status.ErrInvalid)
	}
	if u.Port() == "" {
		u.Host += ":8812"
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/qdb"
	}
	query := u.Query()
	if !query.Has("sslmode") {
		query.Set("sslmode", "disable") // QuestDB has no TLS here; pgx would try it first.
	}
	u.RawQuery = query.Encode()
	return u.String(), nil
}

// Ping tells whether the store can be read and written now: the table and its views are
// there, and the table applies what is written to it.
func (s *Store) Ping(ctx context.Context) error {
	var suspended bool
	err := s.writers.QueryRow(ctx, `SELECT suspended FROM wal_tables() WHERE name = $1`, s.names.signals).Scan(&suspended)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return fmt.Errorf("table %s is missing: %w", s.names.signals, status.ErrUnavailable)
	case err != nil:
		return fmt.Errorf("ping QuestDB: %w", err)
	case suspended:
		return fmt.Errorf("table %s is suspended, see wal_tables(): %w", s.names.signals, status.ErrUnavailable)
	}
	var views int64
	if err := s.writers.QueryRow(ctx, `SELECT count() FROM materialized_views() WHERE view_name IN ($1, $2, $3, $4) AND view_status != 'invalid'`,
		s.names.hourly, s.names.daily, s.names.quarters, s.names.latencies).Scan(&views); err != nil {
		return fmt.Errorf("ping QuestDB: %w", err)
	}
	if views != 4 {
		return fmt.Errorf("view %s, %s, %s or %s is missing or invalid: %w",
			s.names.hourly, s.names.daily, s.names.quarters, s.names.latencies, status.ErrUnavailable)
	}
	return nil
}

// Close ends all connections.
func (s *Store) Close() error {
	s.readers.Close()
	s.writers.Close()
	return nil
}
