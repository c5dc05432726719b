// Package outbox is a queue of signals, and of events of incidents, on the local disk, for a store that can be away.
// What Append accepted is there after a crash, and leaves in the order it came, only when
// Ack says that the store has it.
package outbox

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"log/slog"
	"statuspage/db/sqlitefile"
	"statuspage/internal/status"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultMaxRows is the bound unless Options say otherwise: about 1 GB, or two weeks of
// 250 checks a minute.
const DefaultMaxRows = 5_000_000

const pendingPage = 1000

const schema = `
CREATE TABLE IF NOT EXISTS queue (
	seq         INTEGER PRIMARY KEY AUTOINCREMENT,
	received    INTEGER NOT NULL,
	service     TEXT NOT NULL,
	region      TEXT NOT NULL,
	url         TEXT NOT NULL,
	http_status INTEGER NOT NULL,
	available   INTEGER NOT NULL,
	outcome     TEXT NOT NULL,
	duration    INTEGER NOT NULL,
	reason      TEXT NOT NULL,
	error       TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS terms (
	since    INTEGER NOT NULL,
	service  TEXT NOT NULL,
	interval INTEGER NOT NULL,
	timeout  INTEGER NOT NULL,
	PRIMARY KEY (service, since)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
	seq      INTEGER PRIMARY KEY AUTOINCREMENT,
	at       INTEGER NOT NULL,
	id       TEXT NOT NULL,
	incident TEXT NOT NULL,
	kind     TEXT NOT NULL,
	shown_at INTEGER NOT NULL,
	actor    TEXT NOT NULL,
	after    TEXT NOT NULL,
	v        INTEGER NOT NULL,
	body     TEXT NOT NULL
);`

// Options bound the queue.
type Options struct {
	MaxRows int          // Append refuses beyond; 0 means DefaultMaxRows.
	Log     *slog.Logger // Nil for none.
}

// Status is the state of the queue after the last change.
type Status struct {
	Depth  int       // Signals in it.
	Last   int64     // Sequence number of the newest ever appended.
	First  int64     // Sequence number of the oldest in it; Last+1 when empty.
	Oldest time.Time // When the oldest in it was received; zero when empty.
	Events int       // Events in it.
}

// Outbox is the queue. Its methods may be called from any goroutine.
type Outbox struct {
	path   string
	db     *sql.DB
	insert *sql.Stmt
	state  *sql.Stmt
	max    int

	mu     sync.Mutex // Held while the file changes.
	status atomic.Pointer[Status]
}

// Open opens the queue in the file at path, and creates it and its folder when missing. A file
// that is damaged is put aside under another name, and an empty queue begun: signals to come
// must not wait for somebody who mends it.
func Open(ctx context.Context, path string, o Options) (*Outbox, error) {
	if path == "" {
		return nil, fmt.Errorf("outbox: no file given: %w", status.ErrInvalid)
	}
	b, err := open(ctx, path, o)
	if !sqlitefile.Damaged(err) {
		return b, err
	}
	aside, errAside := sqlitefile.PutAside(path)
	if errAside != nil {
		return nil, fmt.Errorf("outbox %s is damaged (%w), and can't be put aside: %w", path, err, errAside)
	}
	if o.Log != nil {
		o.Log.Error("outbox is damaged; it is put aside and an empty one begun. What sqlite3 can .recover from it may be inserted into the store",
			"file", aside, "error", err)
	}
	return open(ctx, path, o)
}

func open(ctx context.Context, path string, o Options) (*Outbox, error) {
	db, err := sqlitefile.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open outbox %s: %w", path, err)
	}
	b := &Outbox{path: path, db: db, max: o.MaxRows}
	if b.max <= 0 {
		b.max = DefaultMaxRows
	}
	if err := b.prepare(ctx); err != nil {
		_ = db.Close() // The first error tells more.
		return nil, fmt.Errorf("open outbox %s: %w; make room on its disk, name another file or move this one away", path, err)
	}
	return b, nil
}

// prepare makes the table when it is missing, and the statements that are used again and again.
func (b *Outbox) prepare(ctx context.Context) (err error) {
	if err = sqlitefile.Check(ctx, b.db, b.path); err != nil {
		return err
	}
	if _, err = b.db.ExecContext(ctx, schema); err != nil {
		return err
	}
	if b.insert, err = b.db.PrepareContext(ctx, `INSERT INTO queue
		(received, service, region, url, http_status, available, outcome, duration, reason, error)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`); err != nil {
		return err
	}
	if b.state, err = b.db.PrepareContext(ctx, `SELECT (SELECT seq FROM queue ORDER BY seq LIMIT 1),
		(SELECT received FROM queue ORDER BY seq LIMIT 1),
		coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'queue'), 0),
		coalesce((SELECT max(seq) FROM events) - (SELECT min(seq) FROM events) + 1, 0)`); err != nil {
		return err
	}
	now, err := read(ctx, b.state)
	if err == nil {
		b.status.Store(&now)
	}
	return err
}

// Append puts the signals at the end, all or none; when it returns they are on disk. It
// refuses what would not fit with an error that wraps status.ErrUnavailable.
func (b *Outbox) Append(ctx context.Context, signals []status.Signal) error {
	if err := status.CheckSignals(signals); err != nil {
		return err
	}
	b.mu.Lock() // Writers take turns, so that the bound holds and the status fits the file.
	defer b.mu.Unlock()
	if depth := b.Depth(); depth+len(signals) > b.max {
		return fmt.Errorf("outbox %s is full with %d signals: %w", b.path, depth, status.ErrUnavailable)
	}
	return b.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		stmt := tx.StmtContext(ctx, b.insert)
		for _, s := range signals {
			if _, err := stmt.ExecContext(ctx, s.Received.UnixMicro(), s.Service, s.Region, s.URL, s.HTTPStatus, s.Available,
				s.Outcome.String(), s.Duration.Microseconds(), s.Reason.String(), s.Error); err != nil {
				return err
			}
		}
		return nil
	})
}

// Ack removes the signals up to and including the sequence number last.
func (b *Outbox) Ack(ctx context.Context, last int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.change(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM queue WHERE seq <= ?`, last)
		return err
	})
}

// Next returns the oldest signals, at most limit, and the sequence number of the last of
// them. They stay until Ack.
func (b *Outbox) Next(ctx context.Context, limit int) (signals []status.Signal, last int64, err error) {
	return b.after(ctx, 0, limit)
}

// Pending yields the signals that wait, oldest first. The iteration ends after an error.
func (b *Outbox) Pending(ctx context.Context) iter.Seq2[status.Signal, error] {
	return func(yield func(status.Signal, error) bool) {
		for seq := int64(0); ; {
			page, last, err := b.after(ctx, seq, pendingPage)
			if err != nil {
				yield(status.Signal{}, err)
				return
			}
			for _, s := range page {
				if !yield(s, nil) {
					return
				}
			}
			if len(page) < pendingPage {
				return
			}
			seq = last
		}
	}
}

// Status returns the state of the queue at once, without touching the disk.
func (b *Outbox) Status() Status { return *b.status.Load() }

// Depth is the number of signals that wait.
func (b *Outbox) Depth() int { return b.Status().Depth }

// Close closes the file; what waits stays in it.
func (b *Outbox) Close() error {
	if err := b.db.Close(); err != nil {
		return fmt.Errorf("close outbox %s: %w", b.path, err)
	}
	return nil
}

// change runs fn in a transaction and brings the status up to date. The wait for the file
// ends with ctx. What follows is short and does not: the driver starts a goroutine for each
// statement whose context can end.
func (b *Outbox) change(ctx context.Context, fn func(context.Context, *sql.Tx) error) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("outbox %s: %w", b.path, err)
	}
	defer tx.Rollback() //nolint:errcheck // After a commit there is nothing left to roll back.
	ctx = context.WithoutCancel(ctx)
	if err := fn(ctx, tx); err != nil {
		return fmt.Errorf("outbox %s: %w", b.path, err)
	}
	now, err := read(ctx, tx.StmtContext(ctx, b.state))
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("outbox %s: %w", b.path, err)
	}
	b.status.Store(&now)
	return nil
}

// read reads the status from the file. Sequence numbers have no gaps, since only the
// oldest are ever removed, so the depth needs no counting.
func read(ctx context.Context, state *sql.Stmt) (Status, error) {
	var first, received sql.NullInt64
	var last int64
	var events int
	if err := state.QueryRowContext(ctx).Scan(&first, &received, &last, &events); err != nil {
		return Status{}, err
	}
	s := Status{Last: last, First: last + 1, Events: events}
	if first.Valid {
		s.First, s.Depth = first.Int64, int(last-first.Int64)+1
		s.Oldest = time.UnixMicro(received.Int64).UTC()
	}
	return s, nil
}

func (b *Outbox) after(ctx context.Context, seq int64, limit int) (signals []status.Signal, last int64, err error) {
	rows, err := b.db.QueryContext(ctx, `SELECT seq, received, service, region, url, http_status, available, outcome, duration, reason, error
		FROM queue WHERE seq > ? ORDER BY seq LIMIT ?`, seq, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("outbox %s: %w", b.path, err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells all there is to tell.
	for rows.Next() {
		var s status.Signal
		var received, duration int64
		var outcome, reason string
		if err := rows.Scan(&last, &received, &s.Service, &s.Region, &s.URL, &s.HTTPStatus, &s.Available,
			&outcome, &duration, &reason, &s.Error); err != nil {
			return nil, 0, fmt.Errorf("outbox %s: %w", b.path, err)
		}
		s.Received = time.UnixMicro(received).UTC()
		s.Duration = time.Duration(duration) * time.Microsecond
		s.Outcome = status.ParseOutcome(outcome, s.Available)
		s.Reason = status.ParseReason(reason)
		signals = append(signals, s)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("outbox %s: %w", b.path, err)
	}
	return signals, last, nil
}
