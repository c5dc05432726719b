package monitor

import (
	"testing"
	"time"
)

func TestLinesOfOneKindAreRare(t *testing.T) {
	t.Parallel()
	var r rarely
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		after time.Duration
		left  int64
		ok    bool
	}{
		{0, 0, true},
		{time.Second, 0, false},
		{59 * time.Second, 0, false},
		{time.Minute, 2, true},
		{90 * time.Second, 0, false},
		{-time.Hour, 1, true}, // The clock was set back.
		{-time.Hour + time.Second, 0, false},
		{time.Hour, 1, true},
	} {
		if left, ok := r.now(begin.Add(c.after)); left != c.left || ok != c.ok {
			t.Errorf("after %v: %d, %v, want %d, %v", c.after, left, ok, c.left, c.ok)
		}
	}
}
