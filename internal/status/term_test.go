package status

import (
	"testing"
	"time"
)

// TestDueIsWhatWasDueThen holds what was due to the intervals that were in force.
func TestDueIsWhatWasDueThen(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	now := noon.Add(24 * time.Hour)
	term := func(after, interval time.Duration) Term {
		return Term{Since: noon.Add(after), Interval: interval, Timeout: time.Second}
	}
	for name, c := range map[string]struct {
		terms    []Term
		begun    time.Duration // After noon; 0 for none.
		from, to time.Duration
		want     int
	}{
		"nothing known":          {nil, 0, -time.Hour, time.Hour, 120},
		"one term":               {[]Term{term(-10*time.Hour, time.Minute)}, 0, 0, time.Hour, 60},
		"before it existed":      {[]Term{term(0, time.Minute)}, 0, -2 * time.Hour, 0, 0},
		"begun within":           {[]Term{term(0, time.Minute)}, 0, -time.Hour, time.Hour, 60},
		"measured before":        {[]Term{term(0, time.Minute)}, -90 * time.Minute, -3 * time.Hour, 0, 90},
		"measured after":         {[]Term{term(0, time.Minute)}, 30 * time.Minute, 0, time.Hour, 60},
		"quicker from now on":    {[]Term{term(-time.Hour, time.Minute), term(0, 10*time.Second)}, 0, -time.Hour, time.Hour, 60 + 360},
		"the past of a quick":    {[]Term{term(-time.Hour, time.Minute), term(0, 10*time.Second)}, 0, -time.Hour, 0, 60},
		"not watched for a time": {[]Term{term(-2*time.Hour, time.Minute), term(-time.Hour, 0), term(0, time.Minute)}, 0, -2 * time.Hour, time.Hour, 120},
		"gone":                   {[]Term{term(-2*time.Hour, time.Minute), term(-time.Hour, 0)}, 0, -time.Hour, time.Hour, 0},
	} {
		svc := Service{ID: "a", Interval: time.Minute, Timeout: time.Second, Terms: c.terms}
		if c.begun != 0 {
			svc.Begun = noon.Add(c.begun)
		}
		got := svc.Due(noon.Add(c.from), noon.Add(c.to), now)
		if got < c.want-1 || got > c.want+1 { // A term begins anywhere between two slots.
			t.Errorf("%s: %d due, want %d", name, got, c.want)
		}
	}
}

// TestUptimeIsAShareOfTime weighs a measurement by the time that it stands for.
func TestUptimeIsAShareOfTime(t *testing.T) {
	t.Parallel()
	quick := Counts{Up: 0, Down: 720, Expected: 720}.Each(5 * time.Second) // An hour.
	slow := Counts{Up: 180, Expected: 180}.Each(time.Minute)               // Three.
	sum := quick.Add(slow)
	if got, _ := sum.Uptime(); got != "75" {
		t.Errorf("an hour of four down is an uptime of %s, want 75", got)
	}
	half := Counts{Up: 360, Expected: 720}.Each(5 * time.Second)
	if got := half.Add(slow).Coverage(); got != "87.5" {
		t.Errorf("half an hour of four not measured is a coverage of %s, want 87.5", got)
	}
	if got, _ := (Counts{Up: 3, Down: 1}).Uptime(); got != "75" {
		t.Errorf("without weights: %s, want 75", got)
	}
}

// TestAMeasurementHoldsAsLongAsThen follows an outage over changes of the interval.
func TestAMeasurementHoldsAsLongAsThen(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	svc := Service{ID: "a", Interval: 5 * time.Second, Timeout: time.Second, Terms: []Term{
		{Since: noon, Interval: time.Minute, Timeout: 10 * time.Second},
		{Since: noon.Add(time.Hour), Interval: 5 * time.Second, Timeout: time.Second},
	}}
	var outages []Outage
	for i := range 10 {
		s := Sample{Received: noon.Add(time.Duration(i) * time.Minute).UnixMicro(), Outcome: Down}
		outages = Failed(outages, s, "", svc, 100)
	}
	if len(outages) != 1 || outages[0].Failures != 10 {
		t.Errorf("ten failures in a row, each a minute apart as was due then, are %d outages", len(outages))
	}
	if got := State(Sample{Received: noon.Add(time.Minute).UnixMicro(), Outcome: Up}, svc, noon.Add(2*time.Minute)); got != Up {
		t.Errorf("a minute after a measurement of each minute the state was %v", got)
	}
	if got := svc.HoldsAt(noon.Add(2 * time.Hour)); got != 11*time.Second {
		t.Errorf("holds for %v now, want 11s", got)
	}
	back := svc
	back.Terms = []Term{svc.Terms[1], {Since: noon.Add(2 * time.Hour), Interval: time.Minute, Timeout: 10 * time.Second}}
	if got := back.HoldsAt(noon.Add(2*time.Hour - time.Second)); got != 75*time.Second {
		t.Errorf("the last before a longer interval holds for %v, want until the next is due: 75s", got)
	}
}

// TestDaysBeginOnQuarters is what counting by quarters of an hour rests on.
func TestDaysBeginOnQuarters(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Asia/Kolkata", "Asia/Kathmandu", "Australia/Eucla", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Chatham", "Pacific/Apia", "Asia/Pyongyang", "America/Caracas", "Antarctica/Troll", "Africa/Casablanca"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for day := time.Date(2010, 1, 1, 0, 0, 0, 0, zone); day.Year() < 2031; {
			if day.Unix()%900 != 0 {
				t.Fatalf("%s: %v begins on no quarter of an hour", name, day)
			}
			y, m, d := day.Date()
			next := time.Date(y, m, d+1, 0, 0, 0, 0, zone)
			if !next.After(day) {
				next = time.Date(y, m, d+2, 0, 0, 0, 0, zone)
			}
			day = next
		}
	}
}
