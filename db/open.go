package db

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"statuspage/db/outbox"
	"statuspage/db/questdb"
	"statuspage/db/sqlite"
	"statuspage/db/sqlitefile"
	"statuspage/internal/status"
	"strings"
	"time"
)

// Options say how to keep the signals.
type Options struct {
	Retention time.Duration // Age at which signals are removed; their sums stay. 0 keeps all.
	Outbox    string        // File of the outbox; needed for a remote store only.
	Log       *slog.Logger  // Nil for none.

	prefix string        // Before QuestDB's table names; tests share a server.
	gap    time.Duration // Between batches that are not full; shipGap unless tests say otherwise.
}

// Open opens the store that the URL names: sqlite:///folder/file.db (four slashes for an
// absolute path), or questdb://user:password@host:8812/qdb, for which postgresql and
// postgres mean the same. It succeeds when QuestDB is away: signals wait in the outbox. It
// also does when our disk is full or read-only: then Write and all that reads say so until that is over.
// No error shows the password.
func Open(ctx context.Context, url string, o Options) (*Database, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	scheme, _, _ := strings.Cut(url, "://")
	switch scheme {
	case "sqlite":
		path, err := sqlitefile.Path(url)
		if err != nil {
			return nil, err
		}
		return open(ctx, "sqlite", o.Log, func(ctx context.Context) (*parts, error) {
			store, err := sqlite.Open(ctx, path, sqlite.Options{Retention: o.Retention, Log: o.Log})
			if err != nil {
				return nil, err
			}
			return embedded(store), nil
		})
	case "questdb", "postgresql", "postgres":
		return open(ctx, "questdb", o.Log, func(ctx context.Context) (*parts, error) {
			store, err := questdb.New(questdb.Options{URL: url, Retention: o.Retention, Prefix: o.prefix, Log: o.Log})
			if err != nil {
				return nil, err
			}
			box, err := outbox.Open(ctx, o.Outbox, outbox.Options{Log: o.Log})
			if err != nil {
				_ = store.Close() // Holds nothing yet.
				return nil, err
			}
			return remote(store, box, cmp.Or(o.gap, shipGap), o.Log), nil
		})
	default:
		if !strings.Contains(url, "://") {
			scheme = "" // Might be anything, a password included.
		}
		return nil, fmt.Errorf("store URL with scheme %q: want sqlite:///folder/file.db or questdb://user:password@host:8812/qdb: %w",
			scheme, status.ErrInvalid)
	}
}

func open(ctx context.Context, engine string, log *slog.Logger, how func(context.Context) (*parts, error)) (*Database, error) {
	late, err := openLate(ctx, log, how)
	if err != nil {
		return nil, err
	}
	return &Database{engine: engine, opened: time.Now(), late: late}, nil
}
