package sqlite

import (
	"database/sql"
	"path/filepath"
	"statuspage/internal/status"
	"testing"
	"time"
)

// TestFirstFilesAreMigrated opens a file of the first version: its latencies are rolled up.
func TestFirstFilesAreMigrated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.db")
	old, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Truncate(time.Hour).Add(-30 * time.Hour)
	if _, err := old.ExecContext(t.Context(), migrations[0]); err != nil {
		t.Fatal(err)
	}
	want := status.Histogram{}
	for i, us := range []int64{0, 900, 42_000, 42_000, 1_500_000} {
		outcome := []string{"up", "degraded"}[i%2]
		if _, err := old.ExecContext(t.Context(), `INSERT INTO signals VALUES (?, 'web', '', 'https://web.example', 200, 1, ?, ?, '', '')`,
			at.Add(time.Duration(i)*time.Minute).UnixMicro(), outcome, us); err != nil {
			t.Fatal(err)
		}
		want[status.Bin(time.Duration(us)*time.Microsecond)]++
	}
	if _, err := old.ExecContext(t.Context(), `INSERT INTO signals VALUES (?, 'web', '', 'https://web.example', -1, 0, 'down', 10000000, 'timeout', '')`, at.Add(time.Hour-1).UnixMicro()); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // The second time there is nothing to do.
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		hours, err := s.LatenciesOf(t.Context(), status.Service{ID: "web"}, at, at.Add(time.Hour))
		if err != nil || len(hours) != 1 || hours[0].Count() != want.Count() {
			t.Fatalf("latencies = %v, %v; want %v", hours, err, want)
		}
		for bin, n := range want {
			if hours[0].Histogram[bin] != n {
				t.Errorf("bin %d has %d, want %d", bin, hours[0].Histogram[bin], n)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
