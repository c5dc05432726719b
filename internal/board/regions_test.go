package board

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"statuspage/internal/status"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var regions = []string{"eu", "us", "ap"}

func newRegions(t testing.TB, q status.Quorum, n int) (*Board, status.Service) {
	t.Helper()
	svc := status.Service{ID: "a", URL: "https://a.example", Interval: time.Minute, Timeout: 10 * time.Second, Regions: regions, Quorum: q, DownWhen: n}
	b, err := New([]status.Service{svc}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return b, svc
}

func from(region string, minute int, o status.Outcome) status.Signal {
	s := signal("a", noon.Add(time.Duration(minute)*time.Minute), o)
	s.Region = region
	if o == status.Down {
		s.HTTPStatus, s.Reason = status.NoHTTPStatus, status.Timeout
	}
	return s
}

func TestSlotFollowsItsReports(t *testing.T) {
	t.Parallel()
	b, _ := newRegions(t, status.Majority, 2)
	_, sub := b.Subscribe()
	state := func(want status.Outcome, tally status.Tally, outages int) {
		t.Helper()
		row := b.Services()[0].Row(status.LastHour, time.UTC, noon.Add(30*time.Second))
		if row.State != want || row.Regions != tally || row.Sum.Measured() != 1 || row.Cells[59].Outcome != want {
			t.Errorf("row = %v %v with %d measurements, want %v %v and 1", row.State, row.Regions, row.Sum.Measured(), want, tally)
		}
		if got := b.Services()[0].Outages(noon); len(got) != outages {
			t.Errorf("%d outages, want %d", len(got), outages)
		}
		if got := b.Services()[0].Counts(noon.Truncate(time.Hour), noon, noon); got.Measured() != 1 || got.Worst() != want {
			t.Errorf("hour = %+v, want one %v", got, want)
		}
	}
	b.Apply([]status.Signal{from("us", 0, status.Down)})
	state(status.Degraded, status.Tally{Down: 1, Of: 1}, 0)
	b.Apply([]status.Signal{from("us", 0, status.Up)}) // The same again.
	state(status.Degraded, status.Tally{Down: 1, Of: 1}, 0)
	b.Apply([]status.Signal{from("eu", 0, status.Down)})
	state(status.Down, status.Tally{Down: 2, Of: 2}, 1)
	b.Apply([]status.Signal{from("ap", 0, status.Up)})
	state(status.Down, status.Tally{Down: 2, Of: 3}, 1)
	if got := b.Services()[0].Outages(noon)[0].Regions; !slices.Equal(got, []string{"eu", "us"}) {
		t.Errorf("outage in %v, want eu and us", got)
	}
	if len(sub.C) != 3 {
		t.Errorf("%d changes told, want one a report", len(sub.C))
	}
	if got := b.Services()[0].Reports(10, ""); len(got) != 3 || got[0].Region != "eu" || got[2].Region != "ap" {
		t.Errorf("reports = %+v, want each region's", got)
	}
	if got := b.Between(0, b.Version(), 100); len(got) != 3 || got[0].Region != "us" {
		t.Errorf("Between = %+v, want the three reports as they came", got)
	}
}

// model does by brute force what the board does step by step.
type model struct {
	svc   status.Service
	found map[string]map[int]status.Outcome // By region and minute; "" for what is not listed.
}

func (m model) slots() []int {
	var all []int
	for _, found := range m.found {
		for minute := range found {
			all = append(all, minute)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (m model) slot(minute int, all []int) (o status.Outcome, failing []string) {
	measuring, own, worst := 0, false, status.Unknown
	for _, region := range m.svc.Regions {
		o, there := m.found[region][minute]
		lastHeard := all[0]
		for heard := range m.found[region] {
			if heard <= minute {
				lastHeard = max(lastHeard, heard)
			}
		}
		if minute-lastHeard <= 1 { // Holds is 75 seconds.
			measuring++
		}
		if before, ok := m.found[region][minute-1]; !there && ok && minute == all[len(all)-1] {
			o = before
		}
		own = own || there
		worst = max(worst, o)
		if o == status.Down {
			failing = append(failing, region)
		}
	}
	if !own {
		if o = m.found[""][minute]; o == status.Down {
			failing = []string{""}
		} else {
			failing = nil
		}
		return o, failing
	}
	need := m.svc.DownWhen
	switch m.svc.Quorum {
	case status.Majority:
		need = measuring/2 + 1
	case status.All:
		need = measuring
	case status.Fixed:
	}
	if worst == status.Down && len(failing) < need {
		return status.Degraded, failing
	}
	return worst, failing
}

func TestReportsInAnyOrderGiveWhatBruteForceGives(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 150 {
		q := []struct {
			q status.Quorum
			n int
		}{{status.Majority, 2}, {status.All, 3}, {status.Fixed, 1}, {status.Fixed, 2}}[round%4]
		b, svc := newRegions(t, q.q, q.n)
		m := model{svc, map[string]map[int]status.Outcome{"": {}, "eu": {}, "us": {}, "ap": {}}}
		var signals []status.Signal
		for minute := range 130 {
			for _, region := range append([]string{""}, regions...) {
				if random.IntN(8) == 0 || region == "" && random.IntN(10) > 0 || region == "ap" && minute > 40 && minute < 60 {
					continue
				}
				signals = append(signals, from(region, minute, status.Outcome(1+random.IntN(3))))
			}
		}
		random.Shuffle(len(signals), func(i, j int) {
			if round%2 == 0 || i-j < 6 && j-i < 6 {
				signals[i], signals[j] = signals[j], signals[i]
			}
		})
		for i, s := range signals {
			if found, minute := m.found[s.Region], int(s.Received.Sub(noon)/time.Minute); found[minute] == status.Unknown {
				found[minute] = s.Outcome
			}
			b.Apply([]status.Signal{s, signals[random.IntN(i+1)]}) // And one again.
			if i%40 == 0 || i == len(signals)-1 {
				m.compare(t, b, fmt.Sprintf("round %d, report %d", round, i))
			}
		}
	}
}

func (m model) compare(t *testing.T, b *Board, when string) {
	t.Helper()
	all := m.slots()
	samples := b.Services()[0].Recent(MaxSamples)
	if len(samples) != len(all) {
		t.Fatalf("%s: %d slots, want %d", when, len(samples), len(all))
	}
	hours := map[time.Time]status.Counts{}
	var outages []status.Outage
	for i, minute := range all {
		want, failing := m.slot(minute, all)
		if samples[i].Outcome != want {
			t.Fatalf("%s: minute %d of %d is %v, want %v", when, minute, len(all), samples[i].Outcome, want)
		}
		hour := samples[i].Time().Truncate(time.Hour)
		hours[hour] = hours[hour].Count(want)
		if want != status.Down {
			status.Recovered(outages, samples[i], m.svc)
			continue
		}
		for _, region := range failing {
			outages = status.FailedAlso(outages, samples[i], region, m.svc, MaxOutages)
		}
	}
	for hour, want := range hours {
		if got := b.rows[0].hours.between(hour, hour.Add(time.Hour)); got != want {
			t.Fatalf("%s: hour %v is %+v, want %+v", when, hour, got, want)
		}
	}
	now := noon.Add(24 * time.Hour)
	got := b.Services()[0].Outages(now)
	slices.Reverse(got)
	for i := range outages {
		outages[i] = outages[i].Settled(m.svc, now)
	}
	if diff := cmp.Diff(outages, got); diff != "" {
		t.Fatalf("%s: outages differ:\n%s", when, diff)
	}
}

func TestRegionsAreBoundedAndSettled(t *testing.T) {
	t.Parallel()
	b, _ := newRegions(t, status.Majority, 2)
	const slots = MaxSamples + sampleSpare + 200
	for minute := range slots {
		for _, region := range regions {
			o := status.Up
			if minute >= 50 && minute < 60 || minute == slots-1 {
				o = status.Down
			}
			b.Apply([]status.Signal{from(region, minute, o)})
		}
	}
	if got := len(b.Services()[0].Recent(2 * slots)); got != MaxSamples+sampleSpare {
		t.Errorf("%d slots kept, want %d", got, MaxSamples+sampleSpare)
	}
	if got := len(b.Services()[0].Reports(9*slots, "")); got > 3*(MaxSamples+sampleSpare+1) {
		t.Errorf("%d reports kept", got)
	}
	got := b.Services()[0].Outages(noon.Add(slots * time.Minute))
	if len(got) != 2 || got[1].Failures != 10 || !got[1].End.Equal(noon.Add(60*time.Minute)) || len(got[1].Regions) != 3 {
		t.Errorf("outages = %+v, want the one whose samples are gone, and one now", got)
	}
}

func TestRegionsTellThemselvesApart(t *testing.T) {
	t.Parallel()
	b, _ := newRegions(t, status.Majority, 2)
	for minute := range 10 {
		b.Apply([]status.Signal{from("eu", minute, status.Up), from("us", minute, status.Down)})
	}
	got := b.Services()[0].ByRegion(time.Hour, noon.Add(9*time.Minute+30*time.Second))
	if len(got) != 3 || got[0].State != status.Up || got[0].Counts.Up != 10 || got[1].State != status.Down || got[1].Counts.Down != 10 || got[2].State != status.Unknown || got[2].Counts.Expected == 0 {
		t.Errorf("regions = %+v, want eu up, us down, ap without data", got)
	}
	if len(b.Services()[0].LatenciesIn("eu", noon, noon.Add(time.Hour))) != 10 || len(b.Services()[0].LatenciesIn("us", noon, noon.Add(time.Hour))) != 0 {
		t.Error("latencies of a region are not its own")
	}
}

func BenchmarkApplyRegions(b *testing.B) {
	bd, _ := newRegions(b, status.Majority, 2)
	minute := 0
	b.ReportAllocs()
	for b.Loop() {
		minute++
		for _, region := range regions {
			bd.Apply([]status.Signal{from(region, minute, status.Up)})
		}
	}
}
