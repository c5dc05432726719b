package sqlite

import (
	"database/sql"
	"path/filepath"
	"statuspage/internal/incident"
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

// TestFilesOfTheVersionBeforeGetEvents opens a file without the table of events: its signals are there, and events are kept.
func TestFilesOfTheVersionBeforeGetEvents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "before.db")
	before, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range migrations[:4] {
		if _, err := before.ExecContext(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Now().UTC().Truncate(time.Hour)
	if _, err := before.ExecContext(t.Context(), `INSERT INTO signals VALUES (?, 'web', '', 'https://web.example', 200, 1, 'up', 5, '', '')`, at.UnixMicro()); err != nil {
		t.Fatal(err)
	}
	if _, err := before.ExecContext(t.Context(), `INSERT INTO signals_terms VALUES (?, 'web', 60000000, 10000000)`, at.UnixMicro()); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	event, err := incident.New(incident.Stamp{At: at, Incident: "abcdefabcdef", Actor: "human:ana"}, &incident.Published{})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 2 { // The second time it is a file of this version.
		s, err := Open(t.Context(), path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if count, err := s.CountEvents(t.Context()); err != nil || count != n {
			t.Errorf("%d events, %v; want %d", count, err, n)
		}
		if err := s.AppendEvents(t.Context(), []incident.Event{event}); err != nil {
			t.Error(err)
		}
		hours, err := s.HoursOf(t.Context(), status.Service{ID: "web"}, at, at.Add(time.Hour))
		terms, errTerms := s.Terms(t.Context())
		if err != nil || errTerms != nil || len(hours) != 1 || hours[0].Up != 1 || len(terms) != 1 {
			t.Errorf("hours %v, %v, terms %v, %v", hours, err, terms, errTerms)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
