package past

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"statuspage/internal/status"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// kept is a store of terms that can be away.
type kept struct {
	mu    sync.Mutex
	terms []status.ServiceTerm
	away  bool
}

func (k *kept) Terms(context.Context) ([]status.ServiceTerm, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.terms), nil
}

func (k *kept) WriteTerms(_ context.Context, terms []status.ServiceTerm) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.away {
		return errors.New("away")
	}
	k.terms = append(k.terms, terms...)
	return nil
}

// stored are the terms that it has by now.
func (k *kept) stored() []status.ServiceTerm {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.terms)
}

func (k *kept) set(away bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.away = away
}

func watched(id string, interval time.Duration) status.Service {
	return status.Service{ID: id, Interval: interval, Timeout: time.Second}
}

// TestTermsTellHowServicesWereWatched goes through the life of two services: starts, edits, a removal, a
// store that is away for a while.
func TestTermsTellHowServicesWereWatched(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		store := &kept{}
		start := func(services ...status.Service) *Terms {
			of := NewTerms(store, true, nobody)
			if _, err := of.load(ctx, services, time.Now()); err != nil {
				t.Fatal(err)
			}
			running.Go(func() { of.Keep(ctx) })
			synctest.Wait()
			return of
		}
		begin := time.Now()
		start(watched("a", time.Minute), watched("b", time.Hour))
		time.Sleep(time.Hour)
		of := start(watched("a", time.Minute), watched("b", time.Hour)) // A restart begins nothing.
		if stored := store.stored(); len(stored) != 2 {
			t.Fatalf("%d terms after a restart, want 2: %+v", len(stored), stored)
		}
		store.set(true)
		all := of.Follow([]status.Service{watched("a", 10*time.Second)}, time.Now())
		if got := all["a"]; len(got) != 2 || !got[0].Since.Equal(begin) || got[1].Interval != 10*time.Second {
			t.Errorf("terms of a at once = %+v", got)
		}
		time.Sleep(30 * time.Second)
		store.set(false)
		time.Sleep(time.Minute)
		if stored := store.stored(); len(stored) != 4 {
			t.Errorf("%d terms after the store came back, want 4: %+v", len(stored), stored)
		}
		of = start(watched("a", 10*time.Second), watched("b", time.Hour)) // It returns.
		all = of.Follow([]status.Service{watched("b", time.Hour)}, time.Now())
		b := status.Service{ID: "b", Interval: time.Hour, Terms: all["b"]}
		if got := b.SlotsBetween(begin, begin.Add(time.Hour)); got != 1 {
			t.Errorf("b had %d slots in its first hour, want 1", got)
		}
		if got := len(all["b"]); got != 3 {
			t.Errorf("b has %d terms, want 3: watched, gone, watched", got)
		}
		stop()
		running.Wait()
	})
}

func TestAPageServerWritesNoTerms(t *testing.T) {
	t.Parallel()
	store := &kept{terms: []status.ServiceTerm{{Service: "gone", Term: status.Term{Since: time.Unix(1, 0), Interval: time.Minute}}}}
	of := NewTerms(store, false, slog.New(slog.DiscardHandler))
	all, err := of.load(t.Context(), []status.Service{watched("a", time.Minute)}, time.Now())
	if err != nil || len(all["a"]) != 1 {
		t.Errorf("terms = %+v, %v; want one of a", all, err)
	}
	if len(of.waiting) != 0 {
		t.Errorf("a page server wants to write %+v", of.waiting)
	}
}

// TestTermsGoOnWhenTheClockIsSetBack: what begins later must not stand before what began earlier.
func TestTermsGoOnWhenTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	of := NewTerms(&kept{}, true, slog.New(slog.DiscardHandler))
	now := time.Now()
	if _, err := of.load(t.Context(), []status.Service{watched("a", time.Minute)}, now); err != nil {
		t.Fatal(err)
	}
	all := of.Follow([]status.Service{watched("a", time.Second)}, now.Add(-time.Hour))
	if got := all["a"]; len(got) != 2 || got[1].Interval != time.Second {
		t.Errorf("terms = %+v, want the new interval last", got)
	}
}
