package db_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"statuspage/db"
	"statuspage/db/dbtest"
	"statuspage/e2e/harness"
	"statuspage/internal/status"
	"strings"
	"sync"
	"testing"
	"time"
)

// quick is a gap between batches that tests need not wait for.
const quick = 20 * time.Millisecond

func TestMain(m *testing.M) { dbtest.Main(m) }

// logged gathers what is logged.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

func pending(t *testing.T, d *db.Database) (n int) {
	t.Helper()
	for _, err := range d.Pending(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func waitUp(t *testing.T, d *db.Database, want bool) {
	t.Helper()
	dbtest.Poll(t, func() string {
		if s := d.State(); s.Up != want {
			return fmt.Sprintf("state %+v", s)
		}
		return ""
	})
}

func TestSQLite(t *testing.T) {
	t.Chdir(t.TempDir())
	ctx := t.Context()
	d, err := db.Open(ctx, "sqlite:///data/x.db", db.Options{Retention: time.Hour * 24 * 90})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Write(ctx, []status.Signal{dbtest.Signal("a", 0, status.Up)}); err != nil {
		t.Error(err)
	}
	dbtest.Eventually(t, d, []status.Signal{dbtest.Signal("a", 0, status.Up)})
	if s := d.State(); !s.Up || s.Engine != "sqlite" || pending(t, d) != 0 || d.WaitDrained(ctx) != nil || d.Ping(ctx) != nil {
		t.Errorf("state %+v", s)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join("data", "x.db")); err != nil {
		t.Error(err)
	}
	d, err = db.Open(ctx, "sqlite:///"+filepath.Join(t.TempDir(), "abs.db"), db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_ = d.Close()
}

func TestOpenRefuses(t *testing.T) {
	for _, bad := range []string{
		"", "hunter2", "mysql://u:hunter2@h/x", "sqlite://x.db", "sqlite:///", "questdb://u:hunter2@:1/x", "questdb://u:hunter2@h:x/y",
		"sqlite:////proc/none/x.db",
	} {
		d, err := db.Open(t.Context(), bad, db.Options{Outbox: filepath.Join(t.TempDir(), "o.db")})
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", bad, err)
		}
		if d != nil {
			t.Errorf("%q: not nil", bad)
		}
	}
	if _, err := db.Open(t.Context(), "questdb://h", db.Options{}); err == nil {
		t.Error("no outbox: no error")
	}
}

func TestContractBehindOutbox(t *testing.T) {
	address := dbtest.QuestDB(t)
	dbtest.Run(t, func(t *testing.T) db.Store {
		d, err := db.Open(t.Context(), address, db.Options{Outbox: filepath.Join(t.TempDir(), "o.db")}.WithPrefix(dbtest.Prefix()).WithGap(quick))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
		waitUp(t, d, true) // Before that, reads find no table.
		return d
	})
}

// The store is away at the start, comes, is cut in the middle of writing, comes again; the
// process ends with signals waiting. Nothing may be lost or doubled.
func TestQuestDBAwayAndBack(t *testing.T) {
	u, err := url.Parse(dbtest.QuestDB(t))
	if err != nil {
		t.Fatal(err)
	}
	p := harness.LaunchProxy(t, u.Host)
	u.Host = p.Address
	var log logged
	options := db.Options{Outbox: filepath.Join(t.TempDir(), "o.db"), Log: slog.New(slog.NewTextHandler(&log, nil))}.WithPrefix(dbtest.Prefix()).WithGap(quick)
	open := func() *db.Database {
		d, err := db.Open(t.Context(), u.String(), options)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	var want []status.Signal
	write := func(d *db.Database, n int) {
		for range n {
			sig := dbtest.Signal("a", time.Duration(len(want))*time.Second, status.Up)
			want = append(want, sig)
			if err := d.Write(t.Context(), []status.Signal{sig}); err != nil {
				t.Fatal(err)
			}
		}
	}
	drained := func(d *db.Database) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := d.WaitDrained(ctx); err != nil {
			t.Fatalf("%v, state %+v", err, d.State())
		}
	}

	d := open()
	write(d, 100)
	if s := d.State(); s.Up || s.Outbox != 100 || s.Err == nil || !s.OldestPending.Equal(want[0].Received) || pending(t, d) != 100 {
		t.Errorf("away: %+v", s)
	}
	harness.Must(t, p.Open())
	drained(d)
	waitUp(t, d, true)
	for range 5 {
		write(d, 50)
		p.Close()
		write(d, 50)
		harness.Must(t, p.Open())
	}
	drained(d)
	waitUp(t, d, true)
	if s := d.State(); s.Outbox != 0 || s.Err != nil {
		t.Errorf("back: %+v", s)
	}
	dbtest.Eventually(t, d, want)
	if n := log.count("store is away"); n < 1 || n > 6 || log.count("store is up") != n {
		t.Errorf("away logged %d times, up %d times", n, log.count("store is up"))
	}

	p.Close()
	waitUp(t, d, false)
	write(d, 10)
	start := time.Now()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 6*time.Second {
		t.Errorf("close took %v", took)
	}
	d = open()
	if n := pending(t, d); n != 10 {
		t.Errorf("%d pending after reopen, want 10", n)
	}
	harness.Must(t, p.Open())
	drained(d)
	dbtest.Eventually(t, d, want)
	write(d, 5) // Closed at once: the last attempt takes them.
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	d = open()
	defer d.Close()
	if n := pending(t, d); n != 0 {
		t.Errorf("%d pending after a quick close", n)
	}
	waitUp(t, d, true)
	dbtest.Eventually(t, d, want)
}
