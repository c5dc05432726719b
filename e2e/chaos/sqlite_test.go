package chaos

import (
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

const receivedFormat = "2006-01-02T15:04:05.000000Z" // As /signals writes it.

// copied is a copy of a SQLite database, as a kill or a power cut has left it.
func copied(t *testing.T, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), filepath.Base(path))
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + suffix)
		if err != nil && suffix == "" {
			t.Fatal(err)
		}
		if err != nil {
			continue // A clean end leaves no log.
		}
		if err := os.WriteFile(to+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func openSQLite(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file://"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// intact fails unless SQLite finds nothing wrong with a copy of the file.
func intact(t *testing.T, path string) {
	t.Helper()
	db := openSQLite(t, copied(t, path))
	defer db.Close()
	var says string
	if err := db.QueryRow(`PRAGMA integrity_check`).Scan(&says); err != nil || says != "ok" {
		t.Errorf("%s: integrity_check says %q, %v", filepath.Base(path), says, err)
	}
}

// sqliteRecords reads all signals from a copy of the store.
func sqliteRecords(t *testing.T, path string) (all []record) {
	t.Helper()
	db := openSQLite(t, copied(t, path))
	defer db.Close()
	rows, err := db.Query(`SELECT received, service, url, http_status, available, outcome, duration, reason FROM signals`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var r record
		var received, duration int64
		if err := rows.Scan(&received, &r.Service, &r.URL, &r.HTTPStatus, &r.Available, &r.Outcome, &duration, &r.Reason); err != nil {
			t.Fatal(err)
		}
		r.Received, r.DurationMs = time.UnixMicro(received).UTC().Format(receivedFormat), float64(duration)/1000
		all = append(all, r)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return all
}

// sums adds up the daily counts of a copy of the store: what they know of the signals.
func sums(t *testing.T, path string) (n int) {
	t.Helper()
	db := openSQLite(t, copied(t, path))
	defer db.Close()
	if err := db.QueryRow(`SELECT coalesce((SELECT sum(up + degraded + down) FROM signals_daily), 0) + (SELECT coalesce(sum(sign), 0) FROM changes)`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// waiting is the number of signals in a copy of an outbox.
func waiting(t *testing.T, path string) (n int) {
	t.Helper()
	db := openSQLite(t, copied(t, path))
	defer db.Close()
	if err := db.QueryRow(`SELECT count(*) FROM queue`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
