// Package sqlite keeps signals in an embedded SQLite file: the store that needs no server.
// What a batch changes in the hourly and daily sums is noted in its own transaction and folded
// into them later, at the latest before they are read, so that what is read is right at every
// instant, also after a repeated batch, an overwritten row or a power cut.
package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"os"
	"statuspage/db/sqlitefile"
	"sync"
	"time"
)

// readers bounds the queries that run at once; more would only wait for the same disk.
const readers = 4

// Options say how to keep the signals.
type Options struct {
	Retention time.Duration // Age at which signals are removed; their sums stay. 0 keeps all.
	Log       *slog.Logger  // Nil for none.
}

// Store is a SQLite file. It satisfies db.Store.
type Store struct {
	path  string
	write *sql.DB // One connection: SQLite has one writer, and waiting here is fair.
	read  *sql.DB
	log   *slog.Logger

	upsert  *sql.Stmt
	full    chan struct{} // Sums lack a lot.
	folding sync.Mutex
	mu      sync.Mutex // Guards debt.
	debt    debt

	stop  context.CancelFunc
	tasks sync.WaitGroup
}

// Open opens the file at path, and creates it and its folder when missing.
func Open(ctx context.Context, path string, o Options) (_ *Store, err error) {
	s := &Store{path: path, log: o.Log, full: make(chan struct{}, 1)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.write, err = sqlitefile.Open(path); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if err := s.prepare(ctx); err != nil {
		_ = s.write.Close() // The first error tells more.
		return nil, fmt.Errorf("open %s: %w; make room on its disk, name another file or move this one away", path, err)
	}
	if s.read, err = sqlitefile.OpenReader(path, readers); err != nil {
		_ = s.write.Close()
		return nil, fmt.Errorf("open %s for reading: %w", path, err)
	}

	life, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.tasks.Go(func() { s.keepFolding(life) })
	if o.Retention > 0 {
		s.tasks.Go(func() { s.prune(life, o.Retention) })
	}
	return s, nil
}

// prepare brings the file up to date, and finds what its sums lack.
func (s *Store) prepare(ctx context.Context) (err error) {
	if err := migrate(ctx, s.write); err != nil {
		return err
	}
	if s.upsert, err = s.write.PrepareContext(ctx, upsert); err != nil {
		return err
	}
	return s.readDebt(ctx)
}

// Ping tells whether the store can be read and written now.
func (s *Store) Ping(ctx context.Context) error {
	if _, err := os.Stat(s.path); err != nil {
		return fmt.Errorf("database file: %w", err) // SQLite would go on in a file that nobody can find.
	}
	var one int
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM signals LIMIT 1)`).Scan(&one); err != nil {
		return fmt.Errorf("read %s: %w", s.path, err)
	}
	tx, err := s.write.BeginTx(ctx, nil) // Immediate: takes the write lock.
	if err != nil {
		return fmt.Errorf("write %s: %w", s.path, err)
	}
	if err := tx.Rollback(); err != nil {
		return fmt.Errorf("write %s: %w", s.path, err)
	}
	return nil
}

// Close ends the pruning, brings the sums up to date and closes the file.
func (s *Store) Close() error {
	s.stop()
	s.tasks.Wait()
	errRead, errWrite := s.read.Close(), s.write.Close()
	if errRead != nil {
		return fmt.Errorf("close %s: %w", s.path, errRead)
	}
	if errWrite != nil {
		return fmt.Errorf("close %s: %w", s.path, errWrite)
	}
	return nil
}
