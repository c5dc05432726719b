package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"statuspage/db"
	"statuspage/db/dbtest"
	"statuspage/db/sqlite"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func open(t *testing.T, path string, retention time.Duration) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Retention: retention})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // Some tests have closed it.
	return s
}

func TestContract(t *testing.T) {
	dbtest.Run(t, func(t *testing.T) db.Store {
		return open(t, filepath.Join(t.TempDir(), "a ?#%", "s.db"), 90*24*time.Hour)
	})
}

func TestPruneKeepsSums(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s := open(t, path, 0)
	var signals []status.Signal
	for i := range 12_000 { // More than two steps of pruning.
		signals = append(signals, dbtest.Signal("a", time.Duration(i)*time.Second, status.Up))
	}
	fresh := dbtest.Signal("a", 0, status.Down)
	fresh.Received = time.Now().UTC().Truncate(time.Microsecond)
	if err := s.Write(t.Context(), append(signals, fresh)); err != nil {
		t.Fatal(err)
	}
	hours := func(s db.Store) []status.Bucket {
		all, err := s.HoursOf(t.Context(), status.Service{ID: "a"}, dbtest.T0.AddDate(0, 0, -1), fresh.Received.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := hours(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, time.Hour) // Prunes after the start.
	dbtest.Poll(t, func() string {
		got, err := dbtest.Collect(t.Context(), s, dbtest.T0.AddDate(0, 0, -1), fresh.Received.Add(time.Hour))
		if err != nil {
			return err.Error()
		}
		if len(got) > 1 { // To tell thousands apart takes longer than to prune them.
			return fmt.Sprintf("%d signals are left, want 1", len(got))
		}
		return cmp.Diff([]status.Signal{fresh}, got)
	})
	if diff := cmp.Diff(before, hours(s)); diff != "" || len(before) < 4 {
		t.Errorf("sums changed (-before +after):\n%s", diff)
	}
}

// A copy of the files taken while the store is open is what a kill leaves behind.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "s.db"), 0)
	want := []status.Signal{dbtest.Signal("a", 0, status.Up), dbtest.Signal("a", time.Second, status.Down)}
	if err := s.Write(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "s.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(dir, "s.db") + suffix)
		if err == nil {
			err = os.WriteFile(copied+suffix, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	dbtest.Eventually(t, open(t, copied, 0), want)
}

func TestRefusesWhatIsNoDatabase(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, dir, filepath.Join(text, "below.db")} {
		_, err := sqlite.Open(context.Background(), path, sqlite.Options{})
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestPingSeesTheFileVanish(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	s := open(t, path, 0)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err == nil {
		t.Error("no error")
	}
}
