package demo

import (
	"path/filepath"
	"statuspage/db/sqlite"
	"statuspage/internal/status"
	"testing"
	"time"
)

// TestDemoHasAPast opens a demo: every service has days behind it, at the pace that its term tells, and what is broken has been
// for a while.
func TestDemoHasAPast(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg, err := Open(t.Context(), dir, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "demo.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := time.Now()
	counts, last := map[string]status.Counts{}, map[string]status.Signal{}
	for b, err := range store.Hours(t.Context(), now.AddDate(0, 0, -pastDays-1), now.Add(time.Hour)) {
		if err != nil {
			t.Fatal(err)
		}
		counts[b.Service] = counts[b.Service].Add(b.Counts)
	}
	for s, err := range store.Signals(t.Context(), now.Add(-time.Hour), now) {
		if err != nil {
			t.Fatal(err)
		}
		last[s.Service] = s
	}
	terms, err := store.Terms(t.Context())
	if err != nil || len(terms) != len(cfg.Checks) {
		t.Errorf("%d terms (%v), want one a service", len(terms), err)
	}
	for i, c := range cfg.Checks {
		slots := int(pastDays * 24 * time.Hour / pastInterval)
		if n := counts[c.ID].Measured(); n < slots*9/10 || n > slots {
			t.Errorf("%s has %d measurements of %d slots", c.ID, n, slots)
		}
		if s := last[c.ID]; targets[i].broken && (s.Outcome != status.Down || s.HTTPStatus != 500) {
			t.Errorf("%s was found %+v", c.ID, s)
		}
	}
}
