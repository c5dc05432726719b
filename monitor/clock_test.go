package monitor

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// wall is a clock that can be set. Timers go on as before, as they do on a machine.
type wall struct {
	offset atomic.Int64
	ppm    int64 // How fast it goes, in millionths.
	start  time.Time
}

func (w *wall) now() time.Time {
	t := time.Now()
	drift := int64(t.Sub(w.start)) / 1_000_000 * w.ppm
	return t.Add(time.Duration(w.offset.Load() + drift)).Round(0)
}

func (w *wall) set(by time.Duration) { w.offset.Add(int64(by)) }

// TestClockIsSet sets the clock while checks go on.
func TestClockIsSet(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]time.Duration{
		"forward":                {time.Hour},
		"back":                   {-time.Hour},
		"back and forth":         {-time.Hour, time.Hour},
		"forth and back":         {time.Hour, -time.Hour},
		"back twice":             {-time.Hour, -time.Hour},
		"by no whole interval":   {time.Hour + 13*time.Second + 700*time.Millisecond},
		"back by no whole one":   {-time.Hour - 13*time.Second - 700*time.Millisecond},
		"back by a little":       {-3 * time.Second},
		"back by less than seen": {-400 * time.Millisecond, -400 * time.Millisecond},
		"forward by years":       {30 * 365 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { clockIsSet(t, steps) })
		})
	}
}

func clockIsSet(t *testing.T, steps []time.Duration) {
	t.Helper()
	w := &wall{start: time.Now()}
	var mu sync.Mutex
	ran := map[string][]time.Time{} // By the steady clock.
	f := func(ctx context.Context, c check.Check) probe.Result {
		mu.Lock()
		ran[c.ID] = append(ran[c.ID], time.Now())
		mu.Unlock()
		return up(ctx, c)
	}
	var checks []check.Check
	for _, interval := range []time.Duration{time.Second, 7 * time.Second, time.Minute} {
		for i := range 8 {
			checks = append(checks, checkOf(fmt.Sprintf("%v-%d", interval, i), interval))
		}
	}
	x := begin(t, f, func(o *Options) { o.now = w.now }, checks...)
	const pause = 10*time.Minute + 20*time.Second
	time.Sleep(pause)
	var set []time.Time // By the steady clock, as ran.
	for _, step := range steps {
		w.set(step)
		set = append(set, time.Now())
		time.Sleep(pause)
	}
	synctest.Wait()
	end := time.Now()
	mu.Lock()
	defer mu.Unlock()
	for _, c := range checks {
		// A second to notice, and an interval; the slot may have been just over.
		longest := c.Interval + clockLook + startMargin + together + roundSpan
		at := ran[c.ID]
		for i, step := range set {
			next, _ := slices.BinarySearchFunc(at, step, time.Time.Compare)
			most := longest
			if back := -steps[i]; back > 0 && back < time.Minute {
				most += min(back, c.Interval) // The slot just measured may come again, and is no other.
			}
			if gap := at[min(next, len(at)-1)].Sub(step); gap > most {
				t.Errorf("%s: nobody measured for %v after step %d", c.ID, gap, i)
			}
		}
		for i := 1; i < len(at); i++ {
			if gap := at[i].Sub(at[i-1]); gap > longest+c.Interval {
				t.Errorf("%s: nobody measured for %v", c.ID, gap)
			}
		}
		if gap := end.Sub(at[len(at)-1]); gap > longest {
			t.Errorf("%s: nobody measures since %v", c.ID, gap)
		}
		most := int(end.Sub(w.start)/c.Interval) + 2*len(steps) + 2
		if len(at) > most {
			t.Errorf("%s: %d runs, want %d at most: what was missed must not be made up for", c.ID, len(at), most)
		}
		received := x.received(c.ID)
		slices.SortFunc(received, time.Time.Compare)
		if n := len(slices.CompactFunc(received, time.Time.Equal)); n < len(at)-len(steps) {
			t.Errorf("%s: %d different instants for %d measurements", c.ID, n, len(at))
		}
	}
	x.events.mu.Lock()
	for _, s := range x.written {
		if s.Duration < 0 {
			t.Errorf("%s took %v", s.Service, s.Duration)
		}
	}
	if err := status.CheckSignals(x.written); err != nil {
		t.Error(err)
	}
	x.events.mu.Unlock()
	x.end(t)
}

// TestClockIsNotSetAtTheStart begins at the epoch, and a second before it, as machines without a battery do, and has NTP set the
// clock later: until then there is no data, and from then on all is measured.
func TestClockIsNotSetAtTheStart(t *testing.T) {
	t.Parallel()
	for name, begins := range map[string]time.Time{
		"1970": time.Unix(0, 0), "before 1970": time.Unix(-1, 0), "1980": time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &wall{start: time.Now()}
				w.set(time.Until(begins))
				var log lines
				checks := []check.Check{checkOf("second", time.Second), checkOf("minute", time.Minute), checkOf("ten minutes", 10*time.Minute)}
				newest := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) // Of before, when the clock was right.
				x := begin(t, up, func(o *Options) {
					o.now, o.Log = w.now, slog.New(slog.NewTextHandler(&log, nil))
					o.MeasuredAt = func(string) time.Time { return newest }
				}, checks...)
				time.Sleep(5 * time.Minute)
				synctest.Wait()
				for _, c := range checks {
					if at := x.received(c.ID); len(at) > 0 {
						t.Errorf("%s: %d signals by a clock that is not set, such as %v", c.ID, len(at), at[0])
					}
				}
				if n := log.count("clock is not set"); n != 1 || x.skippedFor(SkippedClock) < 300 {
					t.Errorf("told %d times, %d runs counted; want once, all", n, x.skippedFor(SkippedClock))
				}
				w.set(newest.Add(time.Hour).Sub(w.now()))
				time.Sleep(20*time.Minute + 10*time.Second)
				synctest.Wait()
				for i, least := range []int{20*60 - 5, 19, 2} {
					if at := x.received(checks[i].ID); len(at) < least || !at[0].After(newest) {
						t.Errorf("%s: %d signals in twenty minutes after the clock was set, want %d", checks[i].ID, len(at), least)
					}
				}
				x.end(t)
			})
		})
	}
}

// TestSmearedLeapSecond lets the wall clock go as fast and as slow as NTP lets it.
func TestSmearedLeapSecond(t *testing.T) {
	t.Parallel()
	for _, ppm := range []int64{500, 12, -12, -500} {
		t.Run(strconv.FormatInt(ppm, 10), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := &wall{start: time.Now(), ppm: ppm}
				a, b := checkOf("a", time.Minute), checkOf("b", time.Second)
				x := begin(t, up, func(o *Options) {
					o.now = w.now
					o.MeasuredAt = func(string) time.Time { return w.now() }
				}, a, b)
				start := w.now()
				time.Sleep(2 * time.Hour)
				synctest.Wait()
				for _, c := range []check.Check{a, b} {
					at := x.received(c.ID)
					want := c.SlotsBetween(start, w.now())
					if len(at) < want-1 || len(at) > want {
						t.Errorf("%s: %d signals, want %d", c.ID, len(at), want)
					}
					for i := 1; i < len(at); i++ {
						if at[i].Sub(at[i-1]) != c.Interval {
							t.Errorf("%s: %v follows %v", c.ID, at[i], at[i-1])
						}
					}
				}
				x.end(t)
			})
		})
	}
}

// TestRestartInARepeatedHour starts when the newest signal lies ahead.
func TestRestartInARepeatedHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := checkOf("a", time.Minute)
		ahead := c.Next(time.Now().Add(30 * time.Minute))
		x := begin(t, up, func(o *Options) { o.MeasuredAt = func(string) time.Time { return ahead } }, c)
		time.Sleep(time.Hour)
		synctest.Wait()
		at := x.received("a")
		if len(at) < 60 {
			t.Errorf("%d signals in an hour, want 60", len(at))
		}
		for i, r := range at {
			if i > 0 && !r.After(at[i-1]) {
				t.Errorf("%v follows %v", r, at[i-1])
			}
			if slot := c.Nearest(r); i > 0 && r.Before(ahead) && r.Sub(slot) != time.Millisecond {
				t.Errorf("%v may have been measured before, and stands on its slot", r)
			}
		}
		x.end(t)
	})
}
