package board

import (
	"errors"
	"statuspage/internal/status"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 29, 12, 0, 30, 0, time.UTC)

func newBoard(t testing.TB, ids ...string) *Board {
	t.Helper()
	var services []status.Service
	for _, id := range ids {
		services = append(services, status.Service{ID: id, Name: id, URL: "https://" + id + ".example", Interval: time.Minute, Timeout: 10 * time.Second})
	}
	b, err := New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func signal(id string, at time.Time, o status.Outcome) status.Signal {
	return status.Signal{Service: id, Received: at, Outcome: o, HTTPStatus: 200, Duration: time.Millisecond}
}

func TestApplyTellsSubscribersOnceASignal(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a", "b")
	version, sub := b.Subscribe()
	b.Apply([]status.Signal{signal("a", noon, status.Up), signal("b", noon, status.Down), signal("gone", noon, status.Up)})
	b.Apply([]status.Signal{signal("a", noon, status.Down)}) // The same slot again.
	change := <-sub.C
	if len(change.Signals) != 2 || change.Version != version+2 {
		t.Errorf("change = %+v, want 2 signals and version %d", change, version+2)
	}
	if len(sub.C) != 0 {
		t.Error("a repeated signal was published")
	}
	if got := b.Services()[0].Row(status.LastHour, time.UTC, noon).Sum; got.Up != 1 || got.Down != 0 {
		t.Errorf("counts after a repeated signal = %+v, want the first one only", got)
	}
}

func TestOutOfOrderSignalsAreSorted(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a")
	for _, minute := range []int{3, 1, 2, 0} {
		b.Apply([]status.Signal{signal("a", noon.Add(time.Duration(minute)*time.Minute), status.Up)})
	}
	got := b.Services()[0].Recent(10)
	for i, s := range got {
		if want := noon.Add(time.Duration(i) * time.Minute); !s.Time().Equal(want) {
			t.Errorf("sample %d at %v, want %v", i, s.Time(), want)
		}
	}
	if !b.MeasuredAt("a").Equal(noon.Add(3*time.Minute)) || !b.Newest().Equal(noon.Add(3*time.Minute)) {
		t.Error("the newest sample is not the latest in time")
	}
}

func TestSamplesAreBounded(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a")
	for i := range MaxSamples + sampleSpare + 100 {
		b.Apply([]status.Signal{signal("a", noon.Add(time.Duration(i)*time.Minute), status.Up)})
	}
	got := b.Services()[0].Recent(MaxSamples + sampleSpare*2)
	if len(got) != MaxSamples+sampleSpare {
		t.Fatalf("%d samples kept, want %d", len(got), MaxSamples+sampleSpare)
	}
	before := b.Version()
	b.Apply([]status.Signal{signal("a", noon, status.Down)})
	if b.Version() != before {
		t.Error("a signal older than all that is kept was taken in")
	}
}

func TestUptimeAddsHistoryAndLiveSignalsOnce(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a")
	hour := noon.Truncate(time.Hour)
	b.Apply([]status.Signal{signal("a", hour.Add(-time.Minute), status.Down), signal("a", hour.Add(time.Second), status.Up)})
	history := []status.Bucket{
		{Service: "a", Start: hour.Add(-time.Hour), Counts: status.Counts{Up: 59, Down: 1}},
		{URL: "https://a.example", Start: hour.Add(-2 * time.Hour), Counts: status.Counts{Up: 60}}, // Another writer's.
		{Service: "a", Start: hour.AddDate(0, 0, -5), Counts: status.Counts{Degraded: 60}},
		{Service: "a", Start: hour, Counts: status.Counts{Up: 99}}, // Counted live already.
	}
	for range 2 { // Reading the history again must change nothing.
		setHistory(b, hour, history...)
	}
	for _, c := range []struct {
		window              time.Duration
		up, degraded, downs int
	}{{time.Hour, 1, 0, 1}, {24 * time.Hour, 120, 0, 1}, {7 * 24 * time.Hour, 120, 60, 1}, {30 * 24 * time.Hour, 120, 60, 1}} {
		got := b.Services()[0].Uptime(c.window, noon)
		if got.Up != c.up || got.Degraded != c.degraded || got.Down != c.downs {
			t.Errorf("uptime of %v = %+v, want %d up, %d slow, %d down", c.window, got, c.up, c.degraded, c.downs)
		}
	}
}

func TestBetweenResumesWithoutAGap(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a", "b")
	b.Apply([]status.Signal{signal("a", noon, status.Up)})
	seen := b.Version()
	b.Apply([]status.Signal{signal("b", noon.Add(-time.Minute), status.Up)}) // Later, though planned earlier.
	b.Apply([]status.Signal{signal("a", noon.Add(time.Minute), status.Up)})
	got := b.Between(seen, b.Version(), 100)
	if len(got) != 2 || got[0].Service.ID != "b" || got[1].Service.ID != "a" {
		t.Errorf("Between = %+v, want b's signal and then a's", got)
	}
	if got := b.Since(noon, b.Version(), 100); len(got) != 2 {
		t.Errorf("Since noon = %d signals, want 2", len(got))
	}
}

// TestResumingIsBounded asks for all there is, of which the newest is given.
func TestResumingIsBounded(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a", "b")
	for i := range 100 {
		b.Apply([]status.Signal{signal([]string{"a", "b"}[i%2], noon.Add(time.Duration(i)*time.Second), status.Up)})
	}
	for name, got := range map[string][]Signal{"by version": b.Between(0, b.Version(), 10), "by time": b.Since(time.Time{}, b.Version(), 10)} {
		if len(got) != 10 || !got[0].Sample.Time().Equal(noon.Add(90*time.Second)) || !got[9].Sample.Time().Equal(noon.Add(99*time.Second)) {
			t.Errorf("%s: %d signals, want the newest ten: %+v", name, len(got), got)
		}
	}
	if got := b.Since(noon.Add(95*time.Second), b.Version(), 10); len(got) != 5 {
		t.Errorf("of fewer than the limit %d are given, want all 5", len(got))
	}
}

func TestNewRefusesWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := New(nil, nil); !errors.Is(err, status.ErrInvalid) {
		t.Errorf("no time zone: %v, want ErrInvalid", err)
	}
	if _, err := New([]status.Service{{ID: "a"}, {ID: "a"}}, time.UTC); !errors.Is(err, status.ErrInvalid) {
		t.Errorf("id twice: %v, want ErrInvalid", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a", "b")
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				b.Apply([]status.Signal{signal("a", noon.Add(time.Duration(w*1000+i)*time.Second), status.Up)})
				b.Services()[0].Row(status.LastHour, time.UTC, noon)
				b.Services()[0].Uptime(24*time.Hour, noon)
				_, sub := b.Subscribe()
				sub.Close()
			}
		})
	}
	wg.Wait()
	if got := len(b.Services()[0].Recent(MaxSamples)); got != 800 {
		t.Errorf("%d samples after concurrent use, want 800", got)
	}
}

func BenchmarkApply(b *testing.B) {
	bd := newBoard(b, "a")
	at := noon
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Minute)
		bd.Apply([]status.Signal{signal("a", at, status.Up)})
	}
}

func BenchmarkRow(b *testing.B) {
	bd := newBoard(b, "a")
	for i := range 60 {
		bd.Apply([]status.Signal{signal("a", noon.Add(time.Duration(i-59)*time.Minute), status.Up)})
	}
	b.ReportAllocs()
	for b.Loop() {
		bd.Services()[0].Row(status.LastHour, time.UTC, noon)
	}
}

func TestWindowsShowWhatTheHoursCount(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a")
	hour := noon.Truncate(time.Hour)
	setHistory(b, hour,
		status.Bucket{Service: "a", Start: hour.Add(-2 * time.Hour), Counts: status.Counts{Up: 58, Down: 2}},
		status.Bucket{Service: "a", Start: hour.AddDate(0, 0, -89), Counts: status.Counts{Degraded: 7}},
		status.Bucket{Service: "a", Start: hour.AddDate(0, 0, -200), Counts: status.Counts{Down: 7}},
	)
	b.Loader().SetOutages(hour, past(b, signal("a", hour.Add(-90*time.Minute), status.Down), signal("a", hour.Add(-89*time.Minute), status.Down)))
	b.Apply([]status.Signal{signal("a", noon, status.Up)})
	day := b.Services()[0].Row(status.LastDay, time.UTC, noon)
	if len(day.Cells) != 24 || day.Cells[21].Down != 2 || day.Cells[21].Outcome != status.Down || day.Cells[23].Up != 1 {
		t.Errorf("cells of the day = %+v", day.Cells[21:])
	}
	long := b.Services()[0].Row(status.Last90, time.UTC, noon)
	if len(long.Cells) != 90 || long.Cells[0].Degraded != 7 || long.Cells[89].Up != 59 {
		t.Errorf("first and last of 90 days = %+v, %+v", long.Cells[0], long.Cells[89])
	}
	if long.Sum.Down != 2 || long.Cells[0].Expected != 1440 {
		t.Errorf("sum of 90 days = %+v, expected in a day %d", long.Sum, long.Cells[0].Expected)
	}
}

// setHistory replaces the counts of a board by those of a store.
func setHistory(b *Board, before time.Time, history ...status.Bucket) {
	h := b.Loader().NewHistory(before)
	for _, bucket := range history {
		h.Add(bucket)
	}
	b.Loader().SetHistory(h)
}

// past makes outages of failed signals of the first service.
func past(b *Board, failed ...status.Signal) map[string][]status.Outage {
	var outages []status.Outage
	for _, s := range failed {
		outages = status.Failed(outages, s.Sample(), s.Region, b.Services()[0].Service, MaxOutages)
	}
	return map[string][]status.Outage{b.Services()[0].ID: outages}
}

func TestOutagesFollowTheSignals(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a")
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	b.Loader().SetOutages(at(0), past(b, signal("a", at(-300), status.Down), signal("a", at(-299), status.Down), signal("a", at(-1), status.Down)))
	b.Apply([]status.Signal{signal("a", at(0), status.Down), signal("a", at(1), status.Up), signal("a", at(2), status.Down)})
	got := b.Services()[0].Outages(at(2))
	if len(got) != 3 || !got[0].Ongoing() || !got[1].End.Equal(at(1)) || got[1].Lapsed || got[1].Failures != 2 || !got[2].Lapsed {
		t.Fatalf("outages = %+v, want an old one lapsed, one ended at minute 1, and one going on", got)
	}
	b.Loader().Resolve(got[2], at(-298))
	if got := b.Services()[0].Outages(at(30)); !got[0].Lapsed || got[2].Lapsed || !got[2].End.Equal(at(-298)) {
		t.Errorf("outages half an hour later = %+v, want the newest lapsed and the oldest resolved", got)
	}
}

func TestHoursForgetWhatIsTooOld(t *testing.T) {
	t.Parallel()
	var h hours
	first := hourOf(noon)
	up := func(n int) [4]counts { return evenly(counts{up: uint16(n)}) }
	for i := range int64(maxHours + 10) {
		h.add(first+i, up(int(i%9+1)))
	}
	h.add(first, [4]counts{{down: 1}}) // Too old by now.
	if got := h.at(first + 9); got != (counts{}) {
		t.Errorf("an hour that fell out counts %+v", got)
	}
	if got, want := h.at(first+10), (counts{up: 10%9 + 1}); got != want {
		t.Errorf("the oldest hour kept counts %d, want %d", got, want)
	}
	h.add(first+3*maxHours, up(1))
	if got := h.at(first + 3*maxHours - 1); got.up != 0 {
		t.Error("a jump ahead left old counts")
	}
	if got := h.at(first + 3*maxHours); got.up != 1 {
		t.Error("a jump ahead lost its own count")
	}
}
