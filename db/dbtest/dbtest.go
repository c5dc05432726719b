// Package dbtest is the contract of db.Store as a test suite, which every engine passes,
// and the means to test against a real QuestDB.
package dbtest

import (
	stdcmp "cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"statuspage/db"
	"statuspage/internal/status"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// patience is how long a read may stay behind a write.
const patience = 30 * time.Second

// T0 is an instant that the suite's signals lie around: the middle of an hour of the day
// before yesterday, so that no retention removes them.
var T0 = time.Now().UTC().Truncate(24 * time.Hour).Add(-48*time.Hour + 10*time.Hour + 30*time.Minute)

// Run checks the contract on stores that open returns, empty and each its own.
func Run(t *testing.T, open func(t *testing.T) db.Store) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s db.Store)
	}{
		{"empty", empty},
		{"every field comes back", everyField},
		{"replay changes nothing", replay},
		{"last write wins", lastWriteWins},
		{"order and borders", orderAndBorders},
		{"hours and days", hoursAndDays},
		{"quarters of hours", quartersOfHours},
		{"terms", terms},
		{"events come back", eventsComeBack},
		{"events are added once", eventsAreAddedOnce},
		{"refused events", refusedEvents},
		{"concurrent writers of events", concurrentEvents},
		{"rows of other writers", otherWriters},
		{"one service", oneService},
		{"latencies", latencies},
		{"failures", failures},
		{"first available", firstAvailable},
		{"refused signals", refused},
		{"cancelled context", cancelled},
		{"concurrent writers", concurrent},
		{"reader stops early", stopsEarly},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

// Signal returns a valid signal of a service, received the given time after T0.
func Signal(service string, after time.Duration, o status.Outcome) status.Signal {
	s := status.Signal{
		Received: T0.Add(after), Service: service, Region: "eu", URL: "https://" + service + ".example", HTTPStatus: 200,
		Outcome: o, Available: o.Available(), Duration: 12_345 * time.Microsecond,
	}
	switch o {
	case status.Degraded:
		s.Reason = status.Slow
	case status.Down:
		s.Reason, s.HTTPStatus, s.Error = status.Timeout, status.NoHTTPStatus, "context deadline exceeded"
	case status.Up, status.Unknown:
	}
	return s
}

// Collect reads all signals of a range.
func Collect(ctx context.Context, s db.Store, from, to time.Time) ([]status.Signal, error) {
	return collect(s.Signals(ctx, from, to))
}

func collect(signals iter.Seq2[status.Signal, error]) ([]status.Signal, error) {
	var all []status.Signal
	for sig, err := range signals {
		if err != nil {
			return all, err
		}
		all = append(all, sig)
	}
	return all, nil
}

// Eventually waits until the store holds exactly these signals around T0.
func Eventually(t *testing.T, s db.Store, want []status.Signal) {
	t.Helper()
	Poll(t, func() string {
		got, err := Collect(t.Context(), s, T0.AddDate(0, 0, -10), T0.AddDate(0, 0, 10))
		if err != nil {
			return err.Error()
		}
		return cmp.Diff(want, got, bySignal, cmpopts.EquateEmpty())
	})
}

// Poll calls check until it finds nothing to complain of.
func Poll(t *testing.T, check func() (complaint string)) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		complaint := check()
		if complaint == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still after %v: %s", patience, complaint)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// withoutQuarters leaves the quarters of hours to a test of their own.
var withoutQuarters = cmpopts.IgnoreFields(status.Bucket{}, "Quarters")

// bySignal ignores the order among signals of one instant, which the contract leaves open.
var bySignal = cmpopts.SortSlices(func(a, b status.Signal) bool { return key(a) < key(b) })

func key(s status.Signal) string {
	return fmt.Sprintf("%020d %s %s %s", s.Received.UnixMicro(), s.Service, s.Region, s.URL)
}

func write(t *testing.T, s db.Store, signals ...status.Signal) {
	t.Helper()
	if err := s.Write(t.Context(), signals); err != nil {
		t.Fatal(err)
	}
}

// sums waits until hours and days around T0 are these.
func sums(t *testing.T, s db.Store, hours, days []status.Bucket) {
	t.Helper()
	for _, kind := range []struct {
		name string
		read func(context.Context, time.Time, time.Time) ([]status.Bucket, error)
		want []status.Bucket
	}{{"hours", hoursOf(s), counted(hours)}, {"days", s.Days, days}} {
		Poll(t, func() string {
			got, err := kind.read(t.Context(), T0.AddDate(0, 0, -10), T0.AddDate(0, 0, 10))
			if err != nil {
				return err.Error()
			}
			if diff := cmp.Diff(kind.want, got, cmpopts.EquateEmpty(), withoutQuarters); diff != "" {
				return kind.name + " (-want +got):\n" + diff
			}
			return ""
		})
	}
}

// hoursOf reads the counts of hours with the parts added up, by start, then service.
func hoursOf(s db.Store) func(context.Context, time.Time, time.Time) ([]status.Bucket, error) {
	return func(ctx context.Context, from, to time.Time) ([]status.Bucket, error) {
		type key struct {
			start        int64
			service, url string
		}
		whole := map[key]status.Bucket{}
		for b, err := range s.Hours(ctx, from, to) {
			if err != nil {
				return nil, err
			}
			k := key{b.Start.UnixMicro(), b.Service, b.URL}
			if before, there := whole[k]; there {
				b = before.Join(b)
			}
			whole[k] = b
		}
		return slices.SortedFunc(maps.Values(whole), func(a, b status.Bucket) int {
			return stdcmp.Or(a.Start.Compare(b.Start), strings.Compare(a.Service, b.Service), strings.Compare(a.URL, b.URL))
		}), nil
	}
}

// counted is what Hours tells of these buckets.
func counted(buckets []status.Bucket) []status.Bucket {
	all := slices.Clone(buckets)
	for i := range all {
		if all[i].Duration = 0; all[i].Service != "" {
			all[i].URL = ""
		}
	}
	return all
}

func empty(t *testing.T, s db.Store) {
	write(t, s)
	Eventually(t, s, nil)
	sums(t, s, nil, nil)
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if got, err := Collect(t.Context(), s, time.Time{}, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil || len(got) > 0 {
		t.Errorf("all of time: %v, %v", got, err)
	}
}

func everyField(t *testing.T, s db.Store) {
	var want []status.Signal
	for o := status.Up; o <= status.Down; o++ {
		for r := status.None; r <= status.Other; r++ {
			sig := Signal("api", time.Duration(len(want))*time.Microsecond, o)
			sig.Reason, sig.Duration = r, time.Duration(len(want)*7919)*time.Microsecond
			want = append(want, sig)
		}
	}
	for i, text := range []string{"", `it's "quoted" \ ; DROP TABLE signals; --`, "naïve 日本語 🚦 \u202e", "line\nbreak\ttab %s $1 ?", strings.Repeat("long ", 2000)} {
		sig := Signal("text", time.Duration(i)*time.Second, status.Down)
		sig.Error, sig.URL, sig.Region = text, "https://x.example/?q="+text, text
		want = append(want, sig)
	}
	odd := Signal("odd", time.Minute, status.Up)
	odd.Available = false // Stored as it was given, whatever it says.
	odd.HTTPStatus, odd.Duration = 0, 0
	want = append(want, odd)

	given := append([]status.Signal(nil), want...)
	for i := range given {
		given[i].Received = given[i].Received.In(time.FixedZone("far east", 9*3600))
	}
	write(t, s, given...)
	Eventually(t, s, want)
}

func replay(t *testing.T, s db.Store) {
	batch := []status.Signal{Signal("a", 0, status.Up), Signal("a", time.Second, status.Down), Signal("b", 0, status.Degraded)}
	for range 3 {
		write(t, s, batch...)
	}
	write(t, s, append(batch, batch...)...)
	Eventually(t, s, batch)
	d := 12_345 * time.Microsecond
	hour, day := T0.Truncate(time.Hour), T0.Truncate(24*time.Hour)
	want := func(start time.Time) []status.Bucket {
		return []status.Bucket{
			{Service: "a", URL: "https://a.example", Start: start, Counts: status.Counts{Up: 1, Down: 1}, Duration: 2 * d},
			{Service: "b", URL: "https://b.example", Start: start, Counts: status.Counts{Degraded: 1}, Duration: d},
		}
	}
	sums(t, s, want(hour), want(day))
}

func lastWriteWins(t *testing.T, s db.Store) {
	last := Signal("a", 0, status.Up)
	last.Duration = time.Second
	write(t, s, Signal("a", 0, status.Down), Signal("a", 0, status.Degraded))
	write(t, s, Signal("a", 0, status.Down), last)
	Eventually(t, s, []status.Signal{last})
	want := func(start time.Time) []status.Bucket {
		return []status.Bucket{{Service: "a", URL: last.URL, Start: start, Counts: status.Counts{Up: 1}, Duration: time.Second}}
	}
	sums(t, s, want(T0.Truncate(time.Hour)), want(T0.Truncate(24*time.Hour)))
}

func orderAndBorders(t *testing.T, s db.Store) {
	var want []status.Signal
	for i := range 200 {
		want = append(want, Signal("a", time.Duration(i)*time.Second, status.Up))
	}
	for i := len(want) - 1; i >= 0; i -= 2 {
		write(t, s, want[i], want[i-1])
	}
	Eventually(t, s, want)
	got, err := Collect(t.Context(), s, want[10].Received, want[20].Received.In(time.FixedZone("west", -5*3600)))
	if diff := cmp.Diff(want[10:20], got); diff != "" || err != nil { // Not sorted here: the order is the point.
		t.Errorf("[from, to): %v %s", err, diff)
	}
}

func hoursAndDays(t *testing.T, s db.Store) {
	h := T0.Truncate(time.Hour)
	day := T0.Truncate(24 * time.Hour)
	at := func(service string, t time.Time, o status.Outcome) status.Signal {
		sig := Signal(service, 0, o)
		sig.Received = t
		return sig
	}
	moved := at("a", h.Add(time.Minute), status.Up)
	moved.URL = "https://moved.example" // Still the same service.
	elsewhere := at("a", h, status.Up)
	elsewhere.Region = "us"
	write(t, s,
		at("a", h.Add(-time.Microsecond), status.Down), at("a", h, status.Up), elsewhere, moved,
		at("a", h.Add(time.Hour-time.Microsecond), status.Degraded), at("b", h, status.Down),
		at("a", h.Add(time.Hour), status.Up), at("a", day.Add(-time.Microsecond), status.Down), at("a", day.AddDate(0, 0, 1), status.Up))
	d := 12_345 * time.Microsecond
	b := func(service, url string, start time.Time, c status.Counts) status.Bucket {
		return status.Bucket{Service: service, URL: url, Start: start, Counts: c, Duration: time.Duration(c.Measured()) * d}
	}
	hours := []status.Bucket{
		b("a", "https://a.example", day.Add(-time.Hour), status.Counts{Down: 1}),
		b("a", "https://a.example", h.Add(-time.Hour), status.Counts{Down: 1}),
		b("a", "https://moved.example", h, status.Counts{Up: 3, Degraded: 1}),
		b("b", "https://b.example", h, status.Counts{Down: 1}),
		b("a", "https://a.example", h.Add(time.Hour), status.Counts{Up: 1}),
		b("a", "https://a.example", day.AddDate(0, 0, 1), status.Counts{Up: 1}),
	}
	days := []status.Bucket{
		b("a", "https://a.example", day.AddDate(0, 0, -1), status.Counts{Down: 1}),
		b("a", "https://moved.example", day, status.Counts{Up: 4, Degraded: 1, Down: 1}),
		b("b", "https://b.example", day, status.Counts{Down: 1}),
		b("a", "https://a.example", day.AddDate(0, 0, 1), status.Counts{Up: 1}),
	}
	sums(t, s, hours, days)
	got, err := hoursOf(s)(t.Context(), h, h.Add(time.Hour))
	if diff := cmp.Diff(counted(hours[2:4]), got, withoutQuarters); diff != "" || err != nil {
		t.Errorf("hours of [from, to): %v %s", err, diff)
	}
	got, err = s.Days(t.Context(), day, day.AddDate(0, 0, 1))
	if diff := cmp.Diff(days[1:3], got); diff != "" || err != nil {
		t.Errorf("days of [from, to): %v %s", err, diff)
	}
}

func otherWriters(t *testing.T, s db.Store) {
	one, two := Signal("one", 0, status.Up), Signal("two", 0, status.Down)
	one.Service, one.Region, two.Service, two.Region = "", "", "", ""
	write(t, s, one, two)
	Eventually(t, s, []status.Signal{one, two})
	want := func(start time.Time) []status.Bucket {
		return []status.Bucket{
			{URL: one.URL, Start: start, Counts: status.Counts{Up: 1}, Duration: one.Duration},
			{URL: two.URL, Start: start, Counts: status.Counts{Down: 1}, Duration: two.Duration},
		}
	}
	sums(t, s, want(T0.Truncate(time.Hour)), want(T0.Truncate(24*time.Hour)))
}

// api is the service that the reads of one service are asked for.
var api = status.Service{ID: "api", URL: "https://api.example"}

func oneService(t *testing.T, s db.Store) {
	foreign := Signal("api", time.Minute, status.Down)
	foreign.Service = "" // Of another writer, under the same URL.
	stranger := Signal("other", 2*time.Minute, status.Up)
	stranger.Service = ""
	moved := Signal("api", 3*time.Minute, status.Up)
	moved.URL = "https://moved.example"
	want := []status.Signal{Signal("api", 0, status.Up), foreign, moved}
	write(t, s, append([]status.Signal{Signal("apis", 0, status.Down), stranger, Signal("api", -time.Hour, status.Down), Signal("api", time.Hour, status.Down)}, want...)...)
	hour := T0.Truncate(time.Hour)
	Poll(t, func() string {
		got, err := collect(s.SignalsOf(t.Context(), api, T0, T0.Add(time.Hour)))
		if err != nil {
			return err.Error()
		}
		return cmp.Diff(want, got)
	})
	Poll(t, func() string {
		got, err := s.HoursOf(t.Context(), api, hour, hour.Add(time.Hour))
		switch {
		case err != nil:
			return err.Error()
		case len(got) != 1 || !got[0].Start.Equal(hour) || got[0].Counts != status.Counts{Up: 2, Down: 1}:
			return fmt.Sprintf("hours = %+v, want one with 2 up and 1 down", got)
		}
		return ""
	})
}

func latencies(t *testing.T, s db.Store) {
	var batch []status.Signal
	want := status.Histogram{}
	for i, d := range []time.Duration{0, 1500 * time.Nanosecond, 700 * time.Microsecond, 42 * time.Millisecond, 43 * time.Millisecond, 1234 * time.Millisecond, 59 * time.Second} {
		sig := Signal("api", time.Duration(i)*time.Second, status.Up+status.Outcome(i%2))
		sig.Duration = d.Truncate(time.Microsecond)
		want[status.Bin(sig.Duration)]++
		batch = append(batch, sig)
	}
	later := Signal("api", time.Hour, status.Up)
	batch = append(batch, Signal("api", 20*time.Second, status.Down), Signal("other", 0, status.Up), later)
	changed := Signal("api", 30*time.Second, status.Up)
	write(t, s, changed)
	changed.Outcome, changed.Available = status.Down, false // Overwritten: its latency counts no more.
	write(t, s, append(batch, changed)...)
	write(t, s, batch...)
	hour := T0.Truncate(time.Hour)
	all := []status.LatencyHour{{Start: hour, Histogram: want}, {Start: hour.Add(time.Hour), Histogram: status.Histogram{status.Bin(later.Duration): 1}}}
	Poll(t, func() string {
		got, err := s.LatenciesOf(t.Context(), api, hour, hour.Add(2*time.Hour))
		if err != nil {
			return err.Error()
		}
		return cmp.Diff(all, got)
	})
	got, err := s.LatenciesOf(t.Context(), api, hour, hour.Add(time.Hour))
	if diff := cmp.Diff(all[:1], got); diff != "" || err != nil {
		t.Errorf("[from, to): %v %s", err, diff)
	}
}

func failures(t *testing.T, s db.Store) {
	foreign := Signal("x", 3*time.Second, status.Down)
	foreign.Service = ""
	want := []status.Signal{Signal("a", 0, status.Down), Signal("b", time.Second, status.Down), foreign}
	write(t, s, append([]status.Signal{Signal("a", time.Second, status.Up), Signal("b", 0, status.Degraded), Signal("a", time.Hour, status.Down)}, want...)...)
	Poll(t, func() string {
		got, err := collect(s.Failures(t.Context(), T0, T0.Add(time.Hour)))
		if err != nil {
			return err.Error()
		}
		return cmp.Diff(want, got)
	})
}

func firstAvailable(t *testing.T, s db.Store) {
	foreign := Signal("api", 5*time.Minute, status.Degraded)
	foreign.Service = "" // Of another writer, under the same URL.
	write(t, s, Signal("api", 0, status.Down), Signal("other", time.Minute, status.Up), Signal("api", 2*time.Minute, status.Up),
		Signal("api", 3*time.Minute, status.Up), Signal("api", 4*time.Minute, status.Down), foreign)
	other := status.Service{ID: "other", URL: "https://other.example"}
	span := func(svc status.Service, from, to time.Duration) status.Span {
		return status.Span{Service: svc, From: T0.Add(from), To: T0.Add(to)}
	}
	spans := []status.Span{
		span(api, 0, time.Hour), span(api, 2*time.Minute, time.Hour), span(api, 2*time.Minute+time.Microsecond, time.Hour),
		span(api, 0, 2*time.Minute), span(api, 4*time.Minute, time.Hour), span(other, 0, time.Hour), span(other, time.Hour, 2*time.Hour),
	}
	want := []time.Time{
		T0.Add(2 * time.Minute), T0.Add(2 * time.Minute), T0.Add(3 * time.Minute),
		{},
		T0.Add(5 * time.Minute), T0.Add(time.Minute),
		{},
	}
	spans, want = slices.Repeat(spans, 100), slices.Repeat(want, 100) // As many as a start asks for.
	Poll(t, func() string {
		got, err := s.FirstAvailable(t.Context(), spans)
		if err != nil {
			return err.Error()
		}
		return cmp.Diff(want, got)
	})
	if got, err := s.FirstAvailable(t.Context(), nil); len(got) > 0 || err != nil {
		t.Errorf("of no spans: %v, %v", got, err)
	}
}

func refused(t *testing.T, s db.Store) {
	for _, bad := range []status.Signal{Signal("a", 0, status.Unknown), {Outcome: status.Up}} {
		if err := s.Write(t.Context(), []status.Signal{Signal("a", 0, status.Up), bad}); !errors.Is(err, status.ErrInvalid) {
			t.Errorf("%v: %v, want ErrInvalid", bad, err)
		}
	}
	write(t, s, Signal("b", 0, status.Up))
	Eventually(t, s, []status.Signal{Signal("b", 0, status.Up)}) // Nothing of the refused batches.
}

func cancelled(t *testing.T, s db.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Write(ctx, []status.Signal{Signal("a", 0, status.Up)}); !errors.Is(err, context.Canceled) {
		t.Errorf("write: %v", err)
	}
	if _, err := Collect(ctx, s, T0, T0.Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("signals: %v", err)
	}
	if _, err := hoursOf(s)(ctx, T0, T0.Add(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("hours: %v", err)
	}
	if _, err := s.FirstAvailable(ctx, []status.Span{{Service: api, From: T0, To: T0.Add(time.Hour)}}); !errors.Is(err, context.Canceled) {
		t.Errorf("first available: %v", err)
	}
	write(t, s, Signal("b", 0, status.Up)) // And it goes on working.
	Eventually(t, s, []status.Signal{Signal("b", 0, status.Up)})
}

func concurrent(t *testing.T, s db.Store) {
	const writers, batches, rows = 8, 10, 20
	var want []status.Signal
	var wg sync.WaitGroup
	for w := range writers {
		for b := range batches {
			for r := range rows {
				want = append(want, Signal(fmt.Sprint("w", w), time.Duration(b*rows+r)*time.Second, status.Up))
			}
		}
		mine := want[len(want)-batches*rows:]
		wg.Go(func() {
			for b := range batches {
				if err := s.Write(t.Context(), mine[b*rows:(b+1)*rows]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	Eventually(t, s, want)
}

func stopsEarly(t *testing.T, s db.Store) {
	var want []status.Signal
	for i := range 3000 {
		want = append(want, Signal("a", time.Duration(i)*time.Millisecond, status.Up))
	}
	write(t, s, want...)
	Eventually(t, s, want)
	for range 20 { // More often than any pool has connections.
		for _, err := range s.Signals(t.Context(), T0, T0.Add(time.Hour)) {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}
