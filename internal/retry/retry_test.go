package retry

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestWaitsDoubleUpToTheLongest: each is within half and all of its length, and they are not all alike.
func TestWaitsDoubleUpToTheLongest(t *testing.T) {
	t.Parallel()
	b := NewBackoff(time.Second, 10*time.Second)
	seen := map[time.Duration]bool{}
	for range 100 {
		for _, length := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 10 * time.Second, 10 * time.Second} {
			got := b.Next()
			if got < length/2 || got > length {
				t.Fatalf("a wait of %v, want %v to %v", got, length/2, length)
			}
			seen[got] = true
		}
		b.Reset()
	}
	if len(seen) < 500 {
		t.Errorf("%d of 600 waits differ", len(seen))
	}
}

func TestLongestMayBeTheFirst(t *testing.T) {
	t.Parallel()
	for _, length := range []time.Duration{1, time.Second} {
		b := NewBackoff(length, length)
		for range 3 {
			if got := b.Next(); got < length/2 || got > length {
				t.Errorf("a wait of %v, want %v to %v", got, length/2, length)
			}
		}
	}
}

func TestWaitEndsWithItsTimeOrItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBackoff(time.Minute, time.Hour)
		began := time.Now()
		b.Wait(t.Context())
		if took := time.Since(began); took < 30*time.Second || took > time.Minute {
			t.Errorf("waited %v for a minute", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began = time.Now()
		b.Wait(ctx)
		if took := time.Since(began); took != time.Second || ctx.Err() == nil {
			t.Errorf("waited %v, and the context ends after a second", took)
		}
	})
}
