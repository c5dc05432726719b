package past

import (
	"context"
	"errors"
	"iter"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestVisitorsWaitForTheirTurn has many read at once of a store that says nothing: few ask it, and all are answered in the time of one query.
func TestVisitorsWaitForTheirTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, svc := atNoon(), once("plain", time.Minute)
		store := newMemory(days(svc, now, time.Hour)...)
		r := NewReader(&slow{memory: store, row: time.Hour}, time.Now)
		var all sync.WaitGroup
		for range 10 * readers {
			all.Go(func() {
				_, err := r.Signals(t.Context(), svc, now.Add(-time.Hour), now)
				if !errors.Is(err, status.ErrUnavailable) {
					t.Errorf("a store that says nothing: %v", err)
				}
			})
		}
		synctest.Wait()
		if n := store.times("SignalsOf"); n != readers {
			t.Errorf("%d queries at a time, want %d", n, readers)
		}
		all.Wait()
		if took := time.Since(now); took != readTimeout {
			t.Errorf("the last is answered after %v, want %v", took, readTimeout)
		}
		r.history = store
		if some, err := r.Signals(t.Context(), svc, now.Add(-time.Hour), now); err != nil || len(some) == 0 {
			t.Errorf("nobody reads any more, but: %d signals, %v", len(some), err)
		}
	})
}

// endless is a history of one service that never ends.
type endless struct{ *memory }

func (endless) SignalsOf(_ context.Context, svc status.Service, from, _ time.Time) iter.Seq2[status.Signal, error] {
	return func(yield func(status.Signal, error) bool) {
		for yield(upAt(svc, from), nil) {
			from = from.Add(time.Microsecond)
		}
	}
}

func TestAnswersAreBounded(t *testing.T) {
	t.Parallel()
	svc := once("plain", time.Minute)
	got, err := NewReader(endless{}, time.Now).Signals(t.Context(), svc, time.Unix(0, 0), time.Unix(1_000, 0))
	if err != nil || len(got) != maxSignals {
		t.Errorf("%d signals, %v; want %d", len(got), err, maxSignals)
	}
	none := NewReader(nil, time.Now)
	_, first := none.Signals(t.Context(), svc, time.Time{}, time.Now())
	_, second := none.Latencies(t.Context(), svc, time.Time{}, time.Now())
	_, third := none.Sum(t.Context(), svc, time.Time{}, time.Now(), time.Now())
	for _, err := range []error{first, second, third} {
		if !errors.Is(err, status.ErrUnavailable) {
			t.Errorf("without a store: %v", err)
		}
	}
}

// TestReaderCountsInQuarters holds that borders may lie on quarters of hours, and that what was due begins with what was measured.
func TestReaderCountsInQuarters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, svc := atNoon(), once("plain", time.Minute)
		from := now.Truncate(time.Hour).Add(-10 * time.Hour)
		var signals []status.Signal
		for at := from; at.Before(from.Add(2 * time.Hour)); at = at.Add(time.Minute) {
			s := upAt(svc, at)
			if at.Sub(from) >= 45*time.Minute && at.Sub(from) < time.Hour {
				s = downSome(s)
			}
			signals = append(signals, s)
		}
		r := NewReader(newMemory(signals...), time.Now)
		count, begun, err := r.Counts(t.Context(), svc, from.Add(-5*time.Hour), from.Add(3*time.Hour))
		if err != nil || !begun.Equal(from) {
			t.Fatalf("measured since %v, %v; want %v", begun, err, from)
		}
		for _, c := range []struct{ from, to, up, down int }{{0, 60, 45, 15}, {30, 60, 15, 15}, {45, 60, 0, 15}, {60, 300, 60, 0}, {-300, 0, 0, 0}, {31, 75, 15, 15}} {
			got := count(from.Add(time.Duration(c.from)*time.Minute), from.Add(time.Duration(c.to)*time.Minute))
			if got.Up != c.up || got.Down != c.down {
				t.Errorf("from minute %d to %d: %+v, want %d and %d", c.from, c.to, got, c.up, c.down)
			}
		}
		svc.Terms = []status.Term{svc.Now(now)} // Watched since now, as far as anybody has written down.
		sum, err := r.Sum(t.Context(), svc, from.Add(-24*time.Hour), from.Add(2*time.Hour), now)
		if err != nil || sum.Up != 105 || sum.Down != 15 || sum.Expected != 120 {
			t.Errorf("%+v, %v; want 105 up and 15 down of 120", sum, err)
		}
	})
}

// TestReaderMergesRegions counts slots, not reports: what one of three regions found is no outage.
func TestReaderMergesRegions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, svc := atNoon(), threefold(status.Majority, 2)
		from := now.Truncate(time.Hour).Add(-3 * time.Hour)
		var signals []status.Signal
		for minute := range 60 {
			for n, region := range svc.Regions {
				s := upAt(svc, svc.Next(from.Add(time.Duration(minute)*time.Minute)))
				s.Region = region
				if minute < 20 && n == 0 || minute >= 40 && minute < 50 && n < 2 {
					s = downSome(s)
				}
				signals = append(signals, s)
			}
		}
		store := newMemory(signals...)
		count, _, err := NewReader(store, time.Now).Counts(t.Context(), svc, from, from.Add(2*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if got := count(from, from.Add(2*time.Hour)); got.Down != 10 || got.Measured() != 60 {
			t.Errorf("%+v, want 10 of 60 slots down", got)
		}
		r := NewReader(brokenSignals{store}, time.Now)
		if _, _, err := r.Counts(t.Context(), svc, from, from.Add(2*time.Hour)); !errors.Is(err, status.ErrUnavailable) {
			t.Errorf("the store breaks off: %v", err)
		}
	})
}

// brokenSignals is a history whose signals can't be read.
type brokenSignals struct{ *memory }

func (brokenSignals) SignalsOf(context.Context, status.Service, time.Time, time.Time) iter.Seq2[status.Signal, error] {
	return func(yield func(status.Signal, error) bool) { yield(status.Signal{}, errBroke) }
}

// TestLatenciesAreKeptForAWhile asks the store once a minute for what many look at, and forgets what would be too much.
func TestLatenciesAreKeptForAWhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, svc := atNoon(), once("plain", time.Minute)
		store := newMemory(days(svc, now, 28*time.Hour)...)
		r := NewReader(store, time.Now)
		ask := func(back time.Duration, want int) {
			t.Helper()
			hours, err := r.Latencies(t.Context(), svc, now.Add(-back).Truncate(time.Hour), now)
			if err != nil || len(hours) == 0 || hours[0].Start.Before(now.Add(-back).Truncate(time.Hour)) {
				t.Errorf("%d hours, %v", len(hours), err)
			}
			if n := store.times("LatenciesOf"); n != want {
				t.Errorf("the store was asked %d times, want %d", n, want)
			}
		}
		ask(10*time.Hour, 1)
		ask(3*time.Hour, 1)
		ask(20*time.Hour, 2) // It reaches back further than what is kept.
		ask(10*time.Hour, 2)
		time.Sleep(latencyKept + time.Second)
		ask(10*time.Hour, 3)
		for i := range MaxKept {
			if _, err := r.Latencies(t.Context(), once("s"+strconv.Itoa(i), time.Minute), now, now); err != nil {
				t.Fatal(err)
			}
		}
		if n := len(r.series); n > MaxKept {
			t.Errorf("%d services are kept, want %d at most", n, MaxKept)
		}
	})
}

// TestAnHourIsCutOnce asks for the latencies of two days that meet within an hour.
func TestAnHourIsCutOnce(t *testing.T) {
	t.Parallel()
	hour := time.Now().UTC().Truncate(time.Hour).Add(-50 * time.Hour)
	store, svc := newMemory(), once("plain", time.Minute)
	for minute := range 60 {
		s := upAt(svc, hour.Add(time.Duration(minute)*time.Minute))
		if minute >= 45 {
			s.Duration = time.Second
		}
		store.write(s)
	}
	r := NewReader(store, time.Now)
	cut := hour.Add(45 * time.Minute)
	for range 2 {
		first, err := r.Latencies(t.Context(), svc, hour.Add(-24*time.Hour), cut, cut)
		if err != nil || len(first) != 1 || first[0].Count() != 45 {
			t.Errorf("before the cut: %+v, %v; want 45 latencies", first, err)
		}
		second, err := r.Latencies(t.Context(), svc, cut, cut.Add(24*time.Hour), cut)
		if err != nil || len(second) != 1 || second[0].Count() != 15 {
			t.Errorf("after the cut: %+v, %v; want 15 latencies", second, err)
		}
		whole, err := r.Latencies(t.Context(), svc, hour, hour.Add(time.Hour))
		if err != nil || len(whole) != 1 || whole[0].Count() != 60 {
			t.Errorf("without a cut: %+v, %v; want 60 latencies", whole, err)
		}
	}
	if n := store.times("SignalsOf"); n != 1 {
		t.Errorf("the hour was cut %d times", n)
	}
	pruned := newMemory() // The sums outlive the signals.
	r = NewReader(latenciesOnly{pruned, []status.LatencyHour{{Start: hour, Histogram: status.Histogram{80: 60}}}}, time.Now)
	first, err := r.Latencies(t.Context(), svc, hour.Add(-24*time.Hour), cut, cut)
	if err != nil || len(first) != 1 || first[0].Count() != 60 {
		t.Errorf("an hour without its signals: %+v, %v; want it whole where it begins", first, err)
	}
}

// latenciesOnly is a history whose signals are gone.
type latenciesOnly struct {
	*memory
	hours []status.LatencyHour
}

func (l latenciesOnly) LatenciesOf(context.Context, status.Service, time.Time, time.Time) ([]status.LatencyHour, error) {
	return slices.Clone(l.hours), nil
}
