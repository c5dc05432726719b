package past

import (
	"context"
	"math/rand/v2"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// TestPastIsReadHoweverSlowTheStore fills a page from stores whose answers take far longer than one question may, or break in the
// middle: in the end the page is the same as from a quick one, and no question lasted longer than it may.
func TestPastIsReadHoweverSlowTheStore(t *testing.T) {
	t.Parallel()
	plain, other, regions := once("plain", time.Minute), once("other", time.Minute), threefold(status.Majority, 2)
	for name, c := range map[string]struct {
		row      time.Duration
		fails    int
		services []status.Service
	}{
		"very slow":              {3 * time.Second, 0, []status.Service{plain}},
		"slow and breaking":      {400 * time.Millisecond, 61, []status.Service{plain, other}},
		"slow, with regions":     {500 * time.Millisecond, 0, []status.Service{regions}},
		"breaking, with regions": {time.Millisecond, 41, []status.Service{regions, other}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				at := time.Now()
				store := newMemory(history(at, c.services...)...)
				quick := filled(t, store, c.services...)
				from := &slow{memory: store, row: c.row, fails: c.fails}
				f := over(t, from, c.services...)
				first := make(chan struct{})
				done := make(chan struct{})
				go func() { defer close(done); f.Fill(t.Context(), first) }()
				<-first
				if waited := time.Since(at); waited > fillTimeout {
					t.Errorf("the prober waits for %v", waited)
				}
				<-done
				if !f.Filled() || !f.Tried() || from.most > fillTimeout {
					t.Errorf("filled: %v, tried: %v, the longest question took %v", f.Filled(), f.Tried(), from.most)
				}
				sameBoards(t, quick.board, f.board)
				t.Logf("it took %v", time.Since(at))
			})
		})
	}
}

// TestFillEndsWithTheProcess stops while a store that says nothing is being asked.
func TestFillEndsWithTheProcess(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		svc := once("plain", time.Minute)
		store := newMemory(history(time.Now(), svc)...)
		for _, after := range []time.Duration{0, time.Second, 10 * time.Minute} {
			f := over(t, &slow{memory: store, row: time.Hour}, svc)
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); f.Fill(ctx, make(chan struct{})) }()
			time.Sleep(after)
			stop()
			began := time.Now()
			<-done
			if took := time.Since(began); took > 0 || f.Filled() {
				t.Errorf("stopped after %v it goes on for %v; filled: %v", after, took, f.Filled())
			}
		}
	})
}

// TestSignalsAreHandedOnOnce reads signals, many of one instant, from a store that breaks off after any number of them: all are
// handed on in their order, none twice.
func TestSignalsAreHandedOnOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(1, 2))
		begin := time.Now()
		var signals []status.Signal
		at := begin
		for i := range 3 * fillBatch {
			signals = append(signals, status.Signal{Received: at, Service: strconv.Itoa(i)})
			if random.IntN(6) == 0 {
				at = at.Add(time.Duration(1+random.IntN(20)) * time.Second)
			}
		}
		for _, fails := range []int{0, 97, 113, fillBatch, fillBatch + 1, 2*fillBatch + 3} {
			from := &slow{memory: newMemory(signals...), row: time.Millisecond, fails: fails}
			f := over(t, from)
			var got []status.Signal
			err := f.patient("it breaks off").each(t.Context(), begin, at.Add(time.Second), from.Signals, func(some []status.Signal) { got = append(got, some...) })
			if err != nil || !slices.Equal(got, signals) {
				t.Errorf("breaking after %d rows it hands %d signals on of %d: %v", fails, len(got), len(signals), err)
			}
		}
	})
}

func TestBatchesHoldWholeInstants(t *testing.T) {
	t.Parallel()
	at := time.Unix(1_000, 0)
	several := func(groups ...int) (all []status.Signal) {
		for i, n := range groups {
			all = append(all, slices.Repeat([]status.Signal{{Received: at.Add(time.Duration(i) * time.Second)}}, n)...)
		}
		return all
	}
	for name, c := range map[string]struct {
		signals []status.Signal
		err     error
		batches []int
		reached time.Duration // Since the first; -1 for nowhere.
	}{
		"nothing":              {nil, nil, []int{0}, -1},
		"few":                  {several(2, 3), nil, []int{5}, -1},
		"an instant of many":   {several(fillBatch + 7), nil, []int{fillBatch + 7}, -1},
		"cut between instants": {several(fillBatch-1, 3, 4), nil, []int{fillBatch + 2, 4}, 2 * time.Second},
		"failed at once":       {nil, errBroke, nil, -1},
		"failed in the first":  {several(9), errBroke, nil, -1},
		"failed in the second": {several(9, 2), errBroke, []int{9}, time.Second},
		"failed in the next":   {several(fillBatch, 1), errBroke, []int{fillBatch}, time.Second},
	} {
		var batches []int
		reached, err := feedInstants(func(yield func(status.Signal, error) bool) {
			for _, s := range c.signals {
				if !yield(s, nil) {
					return
				}
			}
			if c.err != nil {
				yield(status.Signal{}, c.err)
			}
		}, func(some []status.Signal) { batches = append(batches, len(some)) })
		want := time.Time{}
		if c.reached >= 0 {
			want = at.Add(c.reached)
		}
		if !slices.Equal(batches, c.batches) || !reached.Equal(want) || err != c.err { //nolint:errorlint // The same error, not one like it.
			t.Errorf("%s: batches %v, reached %v, %v; want %v, %v", name, batches, reached, err, c.batches, want)
		}
	}
}

// TestPartsShrinkAndGrow asks a store that answers only for so long a time at once.
func TestPartsShrinkAndGrow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		whole, least, bears time.Duration
		most                int // Questions.
	}{
		"all at once":         {90 * time.Hour, time.Hour, 90 * time.Hour, 1},
		"half":                {64 * time.Hour, time.Hour, 32 * time.Hour, 5},
		"an hour":             {16 * time.Hour, time.Hour, time.Hour, 40},
		"the least is borne":  {16 * time.Hour, 3 * time.Hour, 3 * time.Hour, 20},
		"less than the least": {time.Minute, time.Hour, time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := over(t, newMemory())
				begin, asked := time.Now(), 0
				next := begin
				err := f.patient("too much").inParts(t.Context(), begin, begin.Add(c.whole), c.least, func(_ context.Context, from, to time.Time) (time.Time, error) {
					asked++
					if to.Sub(from) > c.bears {
						return time.Time{}, errBroke
					}
					if !from.Equal(next) || !to.After(from) {
						t.Errorf("asked for [%v, %v) where %v is next", from, to, next)
					}
					next = to
					return time.Time{}, nil
				})
				if err != nil || !next.Equal(begin.Add(c.whole)) || asked > c.most {
					t.Errorf("%v: read until %v with %d questions, want all of %v with %d at most", err, next.Sub(begin), asked, c.whole, c.most)
				}
			})
		})
	}
}
