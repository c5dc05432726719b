package past

import (
	"context"
	"fmt"
	"statuspage/internal/status"
	"testing"
	"testing/synctest"
	"time"
)

// added is a page that shows some services, filled, and shows others as well from then on.
func added(t *testing.T, store keeper, old []status.Service, more ...status.Service) (f *Filler, ids []string) {
	t.Helper()
	f = filled(t, store, old...)
	next := append(old, more...) //nolint:gocritic // The services of the next configuration.
	if _, err := f.board.Current().With(next, time.UTC); err != nil {
		t.Fatal(err)
	}
	f.board.Loader().SetTerms(f.terms.Follow(next, time.Now()))
	for _, s := range more {
		ids = append(ids, s.ID)
	}
	return f, ids
}

// TestAddedServicesGetTheirPast holds that services that come to a page show what one shows that has had them from its
// start, however slow the store.
func TestAddedServicesGetTheirPast(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]*slow{"quick": {}, "slow": {row: 100 * time.Millisecond}, "breaking": {row: time.Millisecond, fails: 41}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				now := atNoon()
				old, plain, regions := once("old", time.Minute), once("plain", time.Minute), threefold(status.Majority, 2)
				from.memory = newMemory(history(now, old, plain, regions)...)
				watchedFor(from.memory, now, old, plain, regions)
				f, ids := added(t, from.memory, []status.Service{old}, plain, regions)
				f.store = from
				f.Recall(t.Context(), ids, now.Truncate(time.Hour))
				want := filled(t, from.memory, old, plain, regions)
				sameBoards(t, want.board, f.board.Current())
			})
		})
	}
}

// TestRecallWaitsForTheFill holds that what is recalled is not replaced by the first fill.
func TestRecallWaitsForTheFill(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, plain := atNoon(), once("plain", time.Minute)
		store := newMemory(history(now, plain)...)
		f := over(t, store, plain)
		done := make(chan struct{})
		go func() { defer close(done); f.Recall(t.Context(), []string{"plain"}, now.Truncate(time.Hour)) }()
		time.Sleep(time.Minute)
		if closed(done) || store.times("HoursOf") > 0 {
			t.Error("the past is brought to a board that is not filled")
		}
		f.Fill(t.Context(), make(chan struct{}))
		<-done
		if store.times("HoursOf") == 0 {
			t.Error("nothing was recalled after the fill")
		}
	})
}

// TestRecallOfServicesThatAreGone leaves the board as it is.
func TestRecallOfServicesThatAreGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, plain := atNoon(), once("plain", time.Minute)
		store := newMemory(history(now, plain)...)
		watchedFor(store, now, plain)
		f := filled(t, store, plain)
		f.Recall(t.Context(), []string{"removed again", ""}, now.Truncate(time.Hour))
		if n := store.times("HoursOf") + store.times("SignalsOf"); n > 0 {
			t.Errorf("the store is asked %d times for services that nobody shows", n)
		}
		sameBoards(t, filled(t, newMemoryOf(store), plain).board, f.board)
	})
}

// picky is a store that refuses large questions.
type picky struct{ *memory }

func (p picky) FirstAvailable(ctx context.Context, spans []status.Span) ([]time.Time, error) {
	if len(spans) > resolvedOnce/3 {
		return nil, errBroke
	}
	return p.memory.FirstAvailable(ctx, spans)
}

// TestOutagesOfManyServicesEnd asks for more ends than one question may hold, of a store that refuses large ones.
func TestOutagesOfManyServicesEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now := atNoon()
		var services []status.Service
		var signals []status.Signal
		const n = resolvedOnce + 50
		for i := range n {
			svc := once(fmt.Sprintf("s%d", i), time.Minute)
			services = append(services, svc)
			failed := svc.Next(now.Add(-30 * time.Hour))
			signals = append(signals, downSome(upAt(svc, failed)), upAt(svc, failed.Add(svc.Interval)))
		}
		f := filled(t, picky{newMemory(signals...)}, services...)
		for i := range services {
			all := f.board.Services()[i].Outages(now)
			if len(all) != 1 || all[0].Ongoing() || !all[0].End.Equal(signals[2*i+1].Received) {
				t.Fatalf("outages of %s: %+v, want one that ended at %v", services[i].ID, all, signals[2*i+1].Received)
			}
		}
	})
}
