package monitor

import (
	"context"
	"fmt"
	"slices"
	"statuspage/internal/check"
	"statuspage/monitor/probe"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// known keeps first runs out of the way.
func known(o *Options) { o.MeasuredAt = func(string) time.Time { return time.Now() } }

func (x *fixture) update(t *testing.T, checks ...check.Check) {
	t.Helper()
	if err := x.Update(checks); err != nil {
		t.Fatal(err)
	}
}

// exact expects one signal at every slot in [from, to).
func (x *fixture) exact(t *testing.T, c check.Check, from, to time.Time) {
	t.Helper()
	var want []time.Time
	for at := c.Next(from); at.Before(to); at = at.Add(c.Interval) {
		want = append(want, at)
	}
	got := slices.DeleteFunc(x.received(c.ID), func(at time.Time) bool { return at.Before(from) || !at.Before(to) })
	slices.SortFunc(got, time.Time.Compare)
	if !slices.EqualFunc(got, want, time.Time.Equal) {
		t.Errorf("%s: %d signals from %v to %v, want %d, one a slot", c.ID, len(got), from, to, len(want))
	}
}

func TestUpdateLeavesTheOthersTheirSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var steady []check.Check
		for i := range 100 { // In nearly every round of each interval, many with neighbours.
			steady = append(steady, checkOf(fmt.Sprintf("minute-%d", i), time.Minute), checkOf(fmt.Sprintf("second-%d", i), 2*time.Second))
		}
		x := begin(t, up, known, append(steady, checkOf("old", time.Minute))...)
		start := time.Now()
		for i := range 100 {
			time.Sleep(time.Duration(i) * 137 * time.Millisecond)
			more := []check.Check{checkOf(fmt.Sprintf("new-%d", i), time.Minute), checkOf("changing", time.Duration(1+i%3)*time.Second)}
			if i%2 == 1 {
				slices.Reverse(steady)
			}
			x.update(t, append(more, steady...)...)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		end := time.Now().Add(-5 * time.Second)
		for _, c := range steady {
			x.exact(t, c, start, end)
		}
		if n := x.skipped[SkippedLate] + x.skipped[SkippedRunning] + x.skipped[SkippedFull]; n != 0 {
			t.Errorf("skipped: %v", x.skipped)
		}
		x.end(t)
	})
}

func TestUpdateBeginsAndEndsChecks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fresh := func(o *Options) {
			o.MeasuredAt = func(id string) time.Time {
				if id == "known" {
					return time.Now()
				}
				return time.Time{}
			}
		}
		first, second := checkOf("first", time.Minute), checkOf("known", time.Minute)
		x := begin(t, up, fresh)
		time.Sleep(time.Hour)
		at := time.Now()
		x.update(t, first, second)
		time.Sleep(firstRunSpread + 500*time.Millisecond)
		synctest.Wait()
		if n := len(x.received("first")); n != 1 {
			t.Errorf("%d signals of an added check within two seconds, want 1", n)
		}
		time.Sleep(10*time.Minute - time.Since(at))
		x.update(t, second)
		gone := time.Now()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		x.exact(t, second, at, time.Now().Add(-5*time.Second))
		x.exact(t, first, at.Add(firstRunSpread+500*time.Millisecond), gone)
		if got := x.received("first"); got[len(got)-1].After(gone) {
			t.Errorf("a removed check ran at %v, removed at %v", got[len(got)-1], gone)
		}
		if n := len(x.rounds); n != 1 {
			t.Errorf("%d rounds are left, want 1", n)
		}
		x.end(t)
	})
}

func TestUpdateCatchesTheSlotOfARoundThatHasBegun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := checkOf("late", time.Hour)
		x := begin(t, up, known)
		round := spanOf(c.Service).next(time.Now())
		if lead := c.Next(round).Sub(round); lead < 50*time.Millisecond {
			t.Fatalf("the slot comes %v after the begin of its round: choose another id", lead)
		}
		time.Sleep(time.Until(c.Next(round)) - 10*time.Millisecond)
		x.update(t, c)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := x.received("late"); len(got) != 1 || !got[0].Equal(c.Next(round)) {
			t.Errorf("received %v, want %v", got, c.Next(round))
		}
		x.end(t)
	})
}

func TestUpdateChangesFromTheNextSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var old, changed atomic.Int64
		f := func(ctx context.Context, c check.Check) probe.Result {
			if c.Target == "new" {
				changed.Add(1)
			} else {
				old.Add(1)
			}
			return up(ctx, c)
		}
		c := checkOf("web", 10*time.Second)
		x := begin(t, f, known, c)
		start := time.Now()
		time.Sleep(time.Minute)
		switched := time.Now()
		c.Target = "new"
		x.update(t, c)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, want := old.Load(), int64(c.SlotsBetween(start, switched)); got != want {
			t.Errorf("%d runs before the change, want %d", got, want)
		}
		if got, want := changed.Load(), int64(c.SlotsBetween(switched, time.Now())); got != want {
			t.Errorf("%d runs after it, want %d", got, want)
		}
		quick := c
		quick.Interval, quick.Timeout = 3*time.Second, time.Second
		x.update(t, quick)
		at := time.Now()
		time.Sleep(time.Minute)
		synctest.Wait()
		x.exact(t, quick, at, time.Now().Add(-time.Second))
		x.end(t)
	})
}

func TestUpdateLetsARunningProbeEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := func(ctx context.Context, c check.Check) probe.Result {
			select {
			case <-time.After(4 * time.Second):
			case <-ctx.Done():
				t.Error("a running probe was cancelled")
			}
			return up(ctx, c)
		}
		c, stays := checkOf("gone", 10*time.Second), checkOf("stays", 10*time.Second)
		x := begin(t, slow, known, c, stays)
		time.Sleep(time.Until(c.Next(time.Now())) + time.Second)
		x.update(t, stays)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(x.received("gone")); n != 1 {
			t.Errorf("%d signals of a check that was removed during its first run, want 1", n)
		}
		x.end(t)
	})
}

func TestUpdateRefusesMistakesAndChangesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := checkOf("web", 10*time.Second)
		x := begin(t, up, known, c)
		start := time.Now()
		for _, bad := range [][]check.Check{{checkOf("a", time.Millisecond)}, {checkOf("a", time.Minute), checkOf("a", time.Minute)}} {
			if err := x.Update(bad); err == nil {
				t.Error("bad checks are taken")
			}
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		x.exact(t, c, start, time.Now().Add(-time.Second))
		x.end(t)
		if err := x.Update([]check.Check{c}); err == nil {
			t.Error("a stopped monitor takes checks")
		}
	})
}
