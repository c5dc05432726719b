package past

import (
	"slices"
	"statuspage/internal/status"
	"testing"
	"testing/synctest"
	"time"
)

// watchedFor has services watched since some days, whoever of the servers starts when.
func watchedFor(store *memory, now time.Time, services ...status.Service) {
	for _, s := range services {
		store.terms = append(store.terms, status.ServiceTerm{Service: s.ID, Term: s.Now(now.AddDate(0, 0, -10))})
	}
}

// TestSignalsThatCameLateAreShown holds that a page server shows what came to the store after its start
// as one does that starts later, and keeps what it has heard itself since.
func TestSignalsThatCameLateAreShown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := atNoon()
		svc, plain, quick := threefold(status.Majority, 2), once("plain", time.Minute), once("quick", 10*time.Second)
		signals := slices.Concat(regionDays(svc, now, 2, 5), days(plain, now, 50*time.Hour), days(quick, now, 14*time.Hour))
		// What waits in the outboxes of others: a region for a day, and hours of the others, in some of which they were down.
		waits := func(s status.Signal) bool {
			ago := now.Sub(s.Received)
			switch s.Service {
			case "web":
				return s.Region == "us" && ago > 2*time.Hour && ago < 26*time.Hour
			case "plain":
				return ago > 90*time.Minute && ago < 9*time.Hour || ago > 30*time.Hour && ago < 40*time.Hour
			default:
				return ago > 3*time.Hour && ago < 12*time.Hour
			}
		}
		store := newMemory(slices.DeleteFunc(slices.Clone(signals), waits)...)
		watchedFor(store, now, svc, plain, quick)
		f := filled(t, store, svc, plain, quick)
		if n, err := f.lookForLate(t.Context()); n != 0 || err != nil {
			t.Fatalf("%d services are read again though nothing came: %v", n, err)
		}
		// Heard since, and not in the store yet.
		heard := upAt(plain, now.Add(time.Millisecond))
		f.board.Apply([]status.Signal{heard})
		late := slices.DeleteFunc(slices.Clone(signals), func(s status.Signal) bool { return !waits(s) })
		for part := range slices.Chunk(late, len(late)/2+1) { // A server may look while they come.
			store.write(part...)
			if n, err := f.lookForLate(t.Context()); n == 0 || err != nil {
				t.Fatalf("late signals are not noticed: %d, %v", n, err)
			}
		}
		store.write(heard)
		sameBoards(t, filled(t, store, svc, plain, quick).board, f.board)
		if n, err := f.lookForLate(t.Context()); n != 0 || err != nil {
			t.Errorf("%d services are read again though nothing more came: %v", n, err)
		}
	})
}

// TestLateSignalsAreLookedForSeldom holds how often the store is asked: twice as seldom each time, and often again
// after something came.
func TestLateSignalsAreLookedForSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, plain := atNoon(), once("plain", time.Minute)
		store := newMemory(history(now, plain)...)
		watchedFor(store, now, plain)
		f := filled(t, store, plain)
		began := store.times("Days")
		go f.WatchLate(t.Context())
		looks := func(after time.Duration, want int) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if got := store.times("Days") - began; got != want {
				t.Errorf("%v after the start it has looked %d times, want %d", time.Since(now), got, want)
			}
		}
		looks(29*time.Second, 0)
		looks(2*time.Second, 1)
		looks(time.Minute, 2)
		looks(time.Minute, 2)
		looks(time.Minute, 3)
		store.write(upAt(plain, now.Add(-26*time.Hour+time.Second)))
		looks(4*time.Minute, 4) // It has found something.
		looks(time.Minute, 5)   // And looks again soon.
		looks(24*time.Hour, 5+3+95)
		store.set(func(s *State) { s.Up = false })
		looks(time.Hour, 5+3+95)
	})
}

// TestNobodyElseNothingLate holds that a page whose process measures alone doesn't ask for what others left.
func TestNobodyElseNothingLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, plain := atNoon(), once("plain", time.Minute)
		store := newMemory(history(now, plain)...)
		f := over(t, store, plain)
		f.shared = func() bool { return false }
		f.Fill(t.Context(), make(chan struct{}))
		store.write(upAt(plain, now.Add(-5*time.Hour+time.Second)))
		if n, err := f.lookForLate(t.Context()); n != 0 || err != nil || store.times("Days") != 0 {
			t.Errorf("%d services, %v, %d questions", n, err, store.times("Days"))
		}
	})
}
