package status

import (
	"testing"
	"time"
)

func TestDaysFollowTheClockOfTheZone(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Budapest")
	if err != nil {
		t.Fatal(err)
	}
	svc := Service{ID: "a", Interval: time.Minute, Timeout: time.Second}
	hours := func(from, to time.Time) Counts { return Counts{Up: int(to.Sub(from) / time.Hour)} }
	for _, c := range []struct {
		now   time.Time
		hours int
	}{
		{time.Date(2026, 3, 29, 22, 30, 0, 0, zone), 23},
		{time.Date(2026, 10, 25, 22, 30, 0, 0, zone), 25},
		{time.Date(2026, 11, 24, 22, 30, 0, 0, zone), 24},
	} {
		cells := Days(hours, svc, c.now, 2, zone)
		if got := cells[1].Up; got != c.hours || cells[1].Length != time.Duration(c.hours)*time.Hour {
			t.Errorf("%v has %d hours and is %v long, want %d", c.now, got, cells[1].Length, c.hours)
		}
		if got := cells[0].Expected; got != 24*60 {
			t.Errorf("the day before %v expects %d runs, want 1440", c.now, got)
		}
		if h, m, s := cells[1].Start.Clock(); h+m+s != 0 {
			t.Errorf("day begins at %v", cells[1].Start)
		}
	}
}

func TestExplainPutsTheOutagesReasonOnCells(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	cells := make([]Cell, 4)
	for i := range cells {
		cells[i] = Cell{Start: start.Add(time.Duration(i) * time.Hour), Length: time.Hour, Counts: Counts{Down: min(i, 1)}}
	}
	Explain(cells, []Outage{
		{Begin: start.Add(70 * time.Minute), Last: start.Add(130 * time.Minute), Reason: Timeout},
		{Begin: start.Add(170 * time.Minute), Last: start.Add(190 * time.Minute), Reason: DNS},
	})
	for i, want := range []Reason{None, Timeout, Timeout, DNS} {
		if cells[i].Reason != want {
			t.Errorf("cell %d: reason %v, want %v", i, cells[i].Reason, want)
		}
	}
}

func TestPercentilesOfHistogramsAreClose(t *testing.T) {
	t.Parallel()
	h, all := Histogram{}, []time.Duration(nil)
	for i := 1; i <= 1000; i++ {
		d := time.Duration(i*i) * 37 * time.Microsecond
		h.Add(Histogram{Bin(d): 1})
		all = append(all, d)
	}
	want := Percentiles(all, 50, 95, 99)
	for i, got := range h.Percentiles(50, 95, 99) {
		if off := float64(got)/float64(want[i]) - 1; off > 0.045 || off < -0.045 {
			t.Errorf("percentile %d is %v, the exact one %v: off by %.1f %%", i, got, want[i], off*100)
		}
	}
	var sum time.Duration
	for _, d := range all {
		sum += d
	}
	if off := float64(h.Mean())/float64(sum/time.Duration(len(all))) - 1; off > 0.045 || off < -0.045 || (Histogram{}).Mean() != 0 {
		t.Errorf("the mean is off by %.1f %%", off*100)
	}
	if got := (Histogram{}).Percentiles(50); got[0] != 0 {
		t.Errorf("percentile of nothing = %v, want 0", got[0])
	}
	if Bin(0) != 0 || Bin(time.Microsecond) != 0 || Bin(2*time.Microsecond) != 8 {
		t.Error("bins do not begin at a microsecond, eight an octave")
	}
}

func TestGroupsKeepTheConfiguredOrder(t *testing.T) {
	t.Parallel()
	services := []Service{{ID: "a", Group: "Web"}, {ID: "b"}, {ID: "c", Group: "Data"}, {ID: "d", Group: "Web"}, {ID: "e", Group: "Ünï"}, {ID: "f", Group: "web"}}
	got := Groups(services, []Group{{ID: "data", Name: "Data", Description: "stores"}, {ID: "gone", Name: "Gone"}, {ID: "services", Name: "Web"}})
	want := []struct {
		id   string
		size int
	}{{"data", 1}, {"services", 2}, {"services-2", 1}, {"n", 1}, {"web", 1}}
	if len(got) != len(want) {
		t.Fatalf("groups = %+v", got)
	}
	for i, w := range want {
		if got[i].ID != w.id || len(got[i].Services) != w.size {
			t.Errorf("group %d = %+v, want %+v", i, got[i], w)
		}
	}
}

func TestWorstIsHonest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		states []Outcome
		want   Outcome
	}{{nil, Unknown}, {[]Outcome{Up, Up}, Up}, {[]Outcome{Up, Unknown}, Unknown}, {[]Outcome{Unknown, Degraded}, Degraded}, {[]Outcome{Up, Down, Unknown}, Down}} {
		var states States
		for _, o := range c.states {
			states[o]++
		}
		if got := states.Worst(); got != c.want {
			t.Errorf("worst of %v = %v, want %v", c.states, got, c.want)
		}
	}
}

// TestWorstOfAnyStates holds it to the rule that it is the greatest state, where up is hidden by
// what nobody knows.
func TestWorstOfAnyStates(t *testing.T) {
	t.Parallel()
	all := []Outcome{Unknown, Up, Degraded, Down}
	for mask := range 1 << len(all) {
		var states States
		want := Unknown
		for i, o := range all {
			if mask&(1<<i) != 0 {
				states[o] = 2
				want = max(want, o)
			}
		}
		if want == Up && states[Unknown] > 0 {
			want = Unknown
		}
		if got := states.Worst(); got != want {
			t.Errorf("%v: %v, want %v", states, got, want)
		}
	}
}
