package sqlite

import (
	"os"
	"path/filepath"
	"statuspage/internal/status"
	"testing"
	"time"
)

// TestSumsSurviveAKill takes the files as they are after a write, before its shares are folded
// into the sums.
func TestSumsSurviveAKill(t *testing.T) {
	t.Parallel()
	ctx, folder := t.Context(), t.TempDir()
	s, err := Open(ctx, filepath.Join(folder, "a.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	hour := time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)
	signals := make([]status.Signal, 100)
	for i := range signals {
		signals[i] = status.Signal{
			Received: hour.Add(time.Duration(i) * time.Minute), Service: "a", URL: "http://a", HTTPStatus: 200,
			Available: true, Outcome: status.Up, Duration: time.Millisecond,
		}
	}
	if err := s.Write(ctx, signals); err != nil {
		t.Fatal(err)
	}
	signals[0].Outcome, signals[0].Available = status.Down, false // Replaces a row.
	if err := s.Write(ctx, signals); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal"} {
		file, err := os.ReadFile(filepath.Join(folder, "a.db"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "b.db"+suffix), file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var waiting int
	if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM changes`).Scan(&waiting); err != nil || waiting != 102 {
		t.Errorf("%d changes wait (%v), want 100 and 2 of the replaced row", waiting, err)
	}
	for name, open := range map[string]func() (*Store, error){
		"running": func() (*Store, error) { return s, nil },
		"killed":  func() (*Store, error) { return Open(ctx, filepath.Join(folder, "b.db"), Options{}) },
	} {
		s, err := open()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		hours, err := s.HoursOf(ctx, status.Service{ID: "a"}, hour, hour.Add(2*time.Hour))
		if err != nil || len(hours) != 2 || hours[0].Up != 59 || hours[0].Down != 1 || hours[1].Up != 40 {
			t.Errorf("%s: hours %+v (%v), want 59 up, 1 down and 40 up", name, hours, err)
		}
		latencies, err := s.LatenciesOf(ctx, status.Service{ID: "a"}, hour, hour.Add(2*time.Hour))
		if err != nil || len(latencies) != 2 || latencies[0].Count() != 59 {
			t.Errorf("%s: latencies %+v (%v), want 59 and 40", name, latencies, err)
		}
		if err := s.read.QueryRowContext(ctx, `SELECT count(*) FROM changes`).Scan(&waiting); err != nil || waiting != 0 {
			t.Errorf("%s: %d changes wait after the read (%v)", name, waiting, err)
		}
	}
}
