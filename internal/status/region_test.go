package status

import (
	"testing"
	"time"
)

var watched = Service{
	ID: "web", Interval: time.Minute, Timeout: 10 * time.Second,
	Regions: []string{"eu", "us", "ap"}, DownWhen: 2, Quorum: Majority,
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		found     []Outcome
		quorum    Quorum
		downWhen  int
		measuring int
		want      Outcome
		tally     Tally
	}{
		{"all up", []Outcome{Up, Up, Up}, Majority, 2, 3, Up, Tally{0, 3}},
		{"one slow", []Outcome{Up, Degraded, Up}, Majority, 2, 3, Degraded, Tally{0, 3}},
		{"one down of three", []Outcome{Up, Down, Up}, Majority, 2, 3, Degraded, Tally{1, 3}},
		{"two down of three", []Outcome{Down, Down, Up}, Majority, 2, 3, Down, Tally{2, 3}},
		{"any", []Outcome{Up, Up, Down}, Fixed, 1, 3, Down, Tally{1, 3}},
		{"all but one", []Outcome{Down, Down, Up}, All, 3, 3, Degraded, Tally{2, 3}},
		{"all", []Outcome{Down, Down, Down}, All, 3, 3, Down, Tally{3, 3}},
		{"first report", []Outcome{Down}, Majority, 2, 3, Degraded, Tally{1, 1}},
		{"the only one that measures, majority", []Outcome{Down}, Majority, 2, 1, Down, Tally{1, 1}},
		{"the only one that measures, all", []Outcome{Down}, All, 3, 1, Down, Tally{1, 1}},
		{"the only one that measures, two needed", []Outcome{Down}, Fixed, 2, 1, Degraded, Tally{1, 1}},
		{"nobody", nil, Majority, 2, 0, Unknown, Tally{}},
	} {
		s := watched
		s.Quorum, s.DownWhen = c.quorum, c.downWhen
		var found []Sample
		for i, o := range c.found {
			found = append(found, Sample{Received: 1, Outcome: o, DurationUs: uint32(10 * (i + 1)), HTTPStatus: int16(200 + i)})
		}
		got, tally := s.Verdict(found, c.measuring)
		if got.Outcome != c.want || tally != c.tally {
			t.Errorf("%s: %v, %v; want %v, %v", c.name, got.Outcome, tally, c.want, c.tally)
		}
	}
	found := []Sample{{Outcome: Up, DurationUs: 10, HTTPStatus: 200}, {Outcome: Down, DurationUs: 9000, Reason: Timeout, HTTPStatus: -1}, {Outcome: Up, DurationUs: 30, HTTPStatus: 200}}
	got, _ := watched.Verdict(found, 3)
	if got.DurationUs != 20 || got.Reason != Timeout || got.HTTPStatus != -1 {
		t.Errorf("one region down: %+v, want the mean of the others and the reason of that one", got)
	}
}

func TestSilentRegionsAreNoGoodNews(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return noon.Add(time.Duration(minute) * time.Minute) }
	from := func(region string, minute int, o Outcome) Signal {
		return Signal{Service: "web", Region: region, Received: at(minute), Outcome: o}
	}
	// Two regions fall silent after minute 0; eu finds it down from minute 1 on.
	signals := []Signal{from("eu", 0, Up), from("us", 0, Up), from("ap", 0, Up), from("eu", 1, Down), from("eu", 2, Down), from("eu", 3, Down)}
	for _, c := range []struct {
		quorum   Quorum
		downWhen int
		want     []Outcome
	}{
		{Majority, 2, []Outcome{Up, Degraded, Down, Down}}, // At minute 1 the others are still waited for.
		{All, 3, []Outcome{Up, Degraded, Down, Down}},
		{Fixed, 2, []Outcome{Up, Degraded, Degraded, Degraded}},
		{Fixed, 1, []Outcome{Up, Down, Down, Down}},
	} {
		s := watched
		s.Quorum, s.DownWhen = c.quorum, c.downWhen
		for i, slot := range MergeSignals(s, signals) {
			if slot.Outcome != c.want[i] {
				t.Errorf("quorum %d of %d, minute %d: %v, want %v", c.quorum, c.downWhen, i, slot.Outcome, c.want[i])
			}
		}
	}
}

func TestOpenSlotHoldsWhatRegionsFoundLast(t *testing.T) {
	t.Parallel()
	reports := NewReports(watched)
	slot := func(minute int) int64 { return noon.Add(time.Duration(minute) * time.Minute).UnixMicro() }
	reports[0] = []Sample{{Received: slot(0), Outcome: Down}, {Received: slot(1), Outcome: Down}}
	reports[1] = []Sample{{Received: slot(0), Outcome: Down}}
	reports[2] = []Sample{{Received: slot(0), Outcome: Up}}
	if got, tally := reports.Slot(watched, slot(1), slot(0), true); got.Outcome != Down || tally != (Tally{2, 3}) {
		t.Errorf("first report of a new slot: %v %v, want down in 2 of 3 as before", got.Outcome, tally)
	}
	if got, tally := reports.Slot(watched, slot(1), slot(0), false); got.Outcome != Degraded || tally != (Tally{1, 1}) {
		t.Errorf("the same slot, over: %v %v, want only what was found in it", got.Outcome, tally)
	}
}

func TestUnlistedRegionsCountAlone(t *testing.T) {
	t.Parallel()
	signals := []Signal{
		{Received: noon, Outcome: Down}, // From before the service had regions.
		{Received: noon.Add(time.Minute), Outcome: Down}, {Region: "eu", Received: noon.Add(time.Minute), Outcome: Up},
	}
	got := MergeSignals(watched, signals)
	if len(got) != 2 || got[0].Outcome != Down || got[1].Outcome != Up {
		t.Errorf("merged = %+v, want down, then what the listed region found", got)
	}
}

func TestSumOfRegions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		raw    Counts
		failed FailedHour
		want   Counts
	}{
		{"three regions", Counts{Up: 180}, FailedHour{}, Counts{Up: 60}},
		{"one region gone", Counts{Up: 120}, FailedHour{}, Counts{Up: 60}},
		{"from before there were regions", Counts{Up: 58, Down: 2}, FailedHour{FailedSlots: FailedSlots{Down: 2}}, Counts{Up: 58, Down: 2}},
		{"failures known", Counts{Up: 174, Down: 6}, FailedHour{FailedSlots: FailedSlots{Down: 2, Partial: 1}}, Counts{Up: 57, Degraded: 1, Down: 2}},
		{"failures gone", Counts{Up: 150, Degraded: 9, Down: 21}, FailedHour{}, Counts{Up: 50, Degraded: 3, Down: 7}},
		{"down all the time", Counts{Down: 180}, FailedHour{FailedSlots: FailedSlots{Down: 60}}, Counts{Down: 60}},
		{"nothing", Counts{}, FailedHour{}, Counts{}},
	} {
		if got := SumOfRegions(watched, Bucket{Start: noon.Truncate(time.Hour), Counts: c.raw}, c.failed).Counts; got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestFailuresAreMergedSlotBySlot(t *testing.T) {
	t.Parallel()
	f := NewFailures(watched, func(time.Time) int { return 3 }, 10)
	fail := func(minute int, regions ...string) {
		for _, r := range regions {
			f.Add(Signal{Service: "web", Region: r, Received: noon.Add(time.Duration(minute) * time.Minute), Outcome: Down, Reason: Timeout})
		}
	}
	fail(0, "eu")
	fail(1, "eu", "us")
	fail(2, "us", "ap")
	fail(3, "ap")
	f.Close()
	if len(f.Outages) != 1 || f.Outages[0].Failures != 2 || len(f.Outages[0].Regions) != 3 || !f.Outages[0].End.Equal(noon.Add(3*time.Minute)) {
		t.Errorf("outages = %+v, want one of 2 failures in 3 regions that ended at minute 3", f.Outages)
	}
	if got := f.Hours[noon.Truncate(time.Hour).Unix()].FailedSlots; got != (FailedSlots{Down: 2, Partial: 2}) {
		t.Errorf("hour = %+v, want 2 down and 2 partial", got)
	}
}
