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
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	driver "modernc.org/sqlite"
)

// readers bounds the queries that run at once; more would only wait for the same disk.
const readers = 4

// pragmas hold for one connection each, so they are part of the address. FULL because a
// signal that was acknowledged must survive a power cut.
const pragmas = "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"

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
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	// As every distribution's SQLite does: the same durability without the file's timestamps.
	_, _ = driver.Fdatasync(true) // Where there is none it stays fsync.
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find the folder of %s: %w", path, err)
	}
	file := "file://" + (&url.URL{Path: filepath.ToSlash(abs)}).EscapedPath()
	s := &Store{path: path, log: o.Log, full: make(chan struct{}, 1)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.write, err = sql.Open("sqlite", file+"?"+pragmas); err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	s.write.SetMaxOpenConns(1)
	if err := s.prepare(ctx); err != nil {
		_ = s.write.Close() // The first error tells more.
		return nil, fmt.Errorf("open %s: %w; make room on its disk, name another file or move this one away", path, err)
	}
	if s.read, err = sql.Open("sqlite", file+"?mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)"); err != nil {
		_ = s.write.Close()
		return nil, fmt.Errorf("open %s for reading: %w", path, err)
	}
	s.read.SetMaxOpenConns(readers)
	s.read.SetMaxIdleConns(readers)

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

// create makes the file before SQLite does, since SQLite would let everybody read it, and takes it from
// others who may read it from before; what SQLite puts beside it gets its mode. A folder that is there is
// the operator's, who may have others look into it.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("create the folder of the database: %w; make it writable or choose another path", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open the database: %w; make it writable or choose another path", err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Chmod(path+suffix, 0o600) // There may be none, or of an owner who let us in.
	}
	return f.Close()
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
