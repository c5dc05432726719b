package board

import (
	"math/rand/v2"
	"statuspage/internal/status"
	"testing"
	"time"
)

// clocked is newBoard by a clock that the test sets.
func clocked(t *testing.T, now *time.Time, ids ...string) *Board {
	t.Helper()
	b := newBoard(t, ids...)
	b.now = func() time.Time { return *now }
	return b
}

// upOf is how many measurements of the last day the page shows as up.
func upOf(b *Board, now time.Time) int {
	return b.Services()[0].Row(status.LastDay, time.UTC, now).Sum.Up
}

// TestNoClockTakesThePast sets clocks as they are found in the field: ahead for a moment, ahead in another
// region, begun in 1970, set back.
func TestNoClockTakesThePast(t *testing.T) {
	t.Parallel()
	day := func(b *Board) {
		for at := noon.Add(-20 * time.Hour); !at.After(noon); at = at.Add(time.Minute) {
			b.Apply([]status.Signal{signal("a", at, status.Up)})
		}
	}
	wrong := []time.Duration{6 * time.Minute, time.Hour, 25 * time.Hour, 92 * 24 * time.Hour, 366 * 24 * time.Hour, 70 * 365 * 24 * time.Hour}
	ways := map[string]func(b *Board, s status.Signal){
		"fresh":    func(b *Board, s status.Signal) { b.Apply([]status.Signal{s}) },
		"backfill": func(b *Board, s status.Signal) { b.Loader().Backfill([]status.Signal{s}) },
		"recall":   func(b *Board, s status.Signal) { b.Loader().Recall("a", Past{Signals: []status.Signal{s}}) },
	}
	for name, way := range ways {
		for _, ahead := range wrong {
			now := noon
			b := clocked(t, &now, "a")
			day(b)
			before := upOf(b, noon)
			if name == "recall" {
				before = 0 // It replaces the hours before.
			}
			way(b, signal("a", noon.Add(ahead), status.Down))
			if got := upOf(b, noon); got < before {
				t.Errorf("%s, %v ahead: %d up in the last day, %d before", name, ahead, got, before)
			}
			if newest := b.Newest(); newest.After(noon) {
				t.Errorf("%s, %v ahead: the newest sample is of %v", name, ahead, newest)
			}
			for i := 1; i <= 60; i++ {
				now = noon.Add(time.Duration(i) * time.Minute)
				b.Apply([]status.Signal{signal("a", now, status.Up)})
			}
			if got := upOf(b, now); got < before+60 && got < 60 {
				t.Errorf("%s, %v ahead: %d up an hour later", name, ahead, got)
			}
		}
	}
}

func TestHistoryOfTheFutureIsNone(t *testing.T) {
	t.Parallel()
	now := noon
	b := clocked(t, &now, "a")
	h := b.Loader().NewHistory(noon.AddDate(2, 0, 0))
	h.Add(status.Bucket{Service: "a", Start: noon.AddDate(1, 0, 0).Truncate(time.Hour), Counts: status.Counts{Up: 60}})
	h.Add(status.Bucket{Service: "a", Start: noon.Add(-time.Hour).Truncate(time.Hour), Counts: status.Counts{Up: 60}})
	b.Loader().SetHistory(h)
	if got := upOf(b, noon); got != 60 {
		t.Errorf("%d up in the last day, want 60", got)
	}
}

// TestAClockThatWasSetIsFollowed is for machines without a battery, and for clocks that somebody mends.
func TestAClockThatWasSetIsFollowed(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]time.Time{
		"1970": time.Unix(600, 0).UTC(), "the day before 1970": time.Unix(-86000, 0).UTC(), "2000": time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		"a year ahead": noon.AddDate(1, 0, 0), "an hour ahead": noon.Add(time.Hour), "92 days ahead": noon.AddDate(0, 0, 92),
	} {
		now := first
		b := clocked(t, &now, "a")
		for i := range 90 {
			now = first.Add(time.Duration(i) * time.Minute)
			b.Apply([]status.Signal{signal("a", now, status.Down)})
		}
		for i := range 90 { // The clock is set; the past is read again (cmd), and measuring goes on.
			now = noon.Add(time.Duration(i) * time.Minute)
			b.Apply([]status.Signal{signal("a", now, status.Up)})
		}
		row := b.Services()[0].Row(status.LastHour, time.UTC, now)
		if row.State != status.Up || row.Sum.Up != 60 || row.Sum.Down != 0 {
			t.Errorf("%s: %v with %+v, want up with 60 up", name, row.State, row.Sum)
		}
		if got := b.Newest(); !got.Equal(now) {
			t.Errorf("%s: the newest sample is of %v, want %v", name, got, now)
		}
		if _, complete := b.Services()[0].Samples(noon.AddDate(0, 0, -10), now); complete {
			t.Errorf("%s: the samples are said to reach back ten days", name)
		}
		if cells := b.Services()[0].Row(status.Last90, time.UTC, now).Cells; status.Total(cells).Up != 90 {
			t.Errorf("%s: 90 days count %d up, want 90", name, status.Total(cells).Up)
		}
	}
}

// TestQuartersAreWhatWasMeasured compares the counts of any quarters with the measurements.
func TestQuartersAreWhatWasMeasured(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for _, interval := range []time.Duration{7 * time.Second, time.Minute, 10 * time.Minute, 26 * time.Minute, 2 * time.Hour} {
		var h hours
		var all []status.Sample
		for at := noon; at.Before(noon.Add(60 * time.Hour)); at = at.Add(interval) {
			if random.IntN(400) == 0 {
				at = at.Add(time.Duration(random.IntN(90)) * time.Minute)
			}
			o := status.Up
			if random.IntN(200) == 0 {
				o = status.Outcome(2 + random.IntN(2))
			}
			h.count(at, o)
			all = append(all, status.Sample{Received: at.UnixMicro(), Outcome: o})
		}
		for range 200 {
			from := noon.Truncate(time.Hour).Add(time.Duration(random.IntN(240)) * status.QuarterHour)
			to := from.Add(time.Duration(random.IntN(120)) * status.QuarterHour)
			var want status.Counts
			for _, s := range all {
				if !s.Time().Before(from) && s.Time().Before(to) {
					want = want.Count(s.Outcome)
				}
			}
			if got := h.between(from, to); got != want {
				t.Fatalf("each %v: %v to %v has %+v, want %+v", interval, from, to, got, want)
			}
		}
		for _, q := range h.uneven {
			if q.parts == evenly(whole(q.parts)) {
				t.Errorf("each %v: the quarters of an even hour are kept", interval)
			}
		}
	}
}

// TestDaysOfAllZones compares the days of zones with what was measured in them, from midnight to
// midnight of the zone.
func TestDaysOfAllZones(t *testing.T) {
	t.Parallel()
	now := noon
	b := clocked(t, &now, "a")
	var all []status.Sample
	random := rand.New(rand.NewPCG(7, 8))
	h := b.Loader().NewHistory(noon)
	byHour := map[int64]*[4]status.Counts{}
	for at := noon.AddDate(0, 0, -8); at.Before(noon); at = at.Add(time.Minute) {
		o := status.Up
		if random.IntN(300) == 0 {
			o = status.Down
		}
		if random.IntN(700) == 0 {
			at = at.Add(45 * time.Minute)
		}
		all = append(all, status.Sample{Received: at.UnixMicro(), Outcome: o})
		hour := at.Truncate(time.Hour)
		if byHour[hour.Unix()] == nil {
			byHour[hour.Unix()] = &[4]status.Counts{}
		}
		q := &byHour[hour.Unix()][at.Sub(hour)/status.QuarterHour]
		*q = q.Count(o)
	}
	for unix, quarters := range byHour {
		bucket := status.Bucket{Service: "a", Start: time.Unix(unix, 0).UTC()}
		for _, q := range quarters {
			bucket.Counts = bucket.Add(q)
		}
		bucket.SetQuarters(*quarters)
		h.Add(bucket)
	}
	b.Loader().SetHistory(h)
	for _, name := range []string{
		"UTC", "Europe/Budapest", "Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Yangon", "Australia/Adelaide", "Australia/Lord_Howe",
		"Australia/Eucla", "America/St_Johns", "Pacific/Chatham", "Pacific/Marquesas", "Pacific/Kiritimati",
	} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b.Services()[0].Row(status.Last90, zone, noon).Cells[83:] {
			var want status.Counts
			for _, s := range all {
				if !s.Time().Before(c.Start) && s.Time().Before(c.Start.Add(c.Length)) {
					want = want.Count(s.Outcome)
				}
			}
			if c.Up != want.Up || c.Down != want.Down || c.Outcome != want.Worst() {
				t.Errorf("%s, %v: %d up, %d down, %v; want %d, %d, %v", name, c.Start, c.Up, c.Down, c.Outcome, want.Up, want.Down, want.Worst())
			}
		}
	}
}

// TestReloadMeansWhatARestartMeans changes configurations at random, and compares the board that went along with one
// that was started on what the first one knew.
func TestReloadMeansWhatARestartMeans(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(9, 10))
	for round := range 60 {
		now := noon
		service := func(id string, regional bool) status.Service {
			every := []time.Duration{5 * time.Second, 30 * time.Second, time.Minute, 5 * time.Minute}[random.IntN(4)]
			s := status.Service{ID: id, Name: id, URL: "https://" + id, Interval: every, Timeout: every / 5}
			if regional {
				s.Regions, s.Quorum, s.DownWhen = []string{"x", "y", "z"}, status.Quorum(random.IntN(3)), 1+random.IntN(3)
			}
			return s
		}
		services := []status.Service{service("plain", false), service("spread", true)}
		b, err := New(services, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		b.now = func() time.Time { return now }
		terms := map[string][]status.Term{}
		note := func() {
			for _, s := range services {
				terms[s.ID] = status.WithTerm(terms[s.ID], s.Now(now))
			}
		}
		note()
		b.Loader().SetTerms(terms)
		var all []status.Signal
		for range 1 + random.IntN(3) {
			for range 40 {
				now = now.Add(time.Duration(1+random.IntN(60)) * time.Second)
				for _, s := range services {
					at := s.Nearest(now)
					if at.After(now) || at.Before(noon) {
						continue
					}
					for _, region := range append([]string{""}, s.Regions...) {
						if len(s.Regions) > 0 && region == "" || random.IntN(6) == 0 {
							continue
						}
						sig := signal(s.ID, at, status.Up)
						if sig.Region = region; random.IntN(3) == 0 {
							sig.Outcome, sig.Reason = status.Down, status.Timeout
						}
						all = append(all, sig)
						b.Apply([]status.Signal{sig})
					}
				}
			}
			services = []status.Service{service("plain", false), service("spread", true)}
			if b, err = b.With(services, time.UTC); err != nil {
				t.Fatal(err)
			}
			note()
		}
		restarted, err := New(services, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		restarted.now = b.now
		restarted.Loader().SetTerms(terms)
		restarted.Apply(all)
		for i, s := range services {
			for _, w := range status.Windows {
				got, want := b.Services()[i].Row(w, time.UTC, now), restarted.Services()[i].Row(w, time.UTC, now)
				if got.Sum != want.Sum || got.State != want.State || got.Regions != want.Regions {
					t.Fatalf("round %d, %s, %s: after a reload %v %+v, after a restart %v %+v", round, s.ID, w.Name, got.State, got.Sum, want.State, want.Sum)
				}
			}
			got, want := b.Services()[i].Outages(now), restarted.Services()[i].Outages(now)
			same := len(got) == len(want)
			for n := range min(len(got), len(want)) {
				same = same && got[n].Begin.Equal(want[n].Begin) && got[n].End.Equal(want[n].End) && got[n].Failures == want[n].Failures
			}
			if !same {
				t.Fatalf("round %d, %s: outages after a reload\n%+v\nafter a restart\n%+v", round, s.ID, got, want)
			}
		}
	}
}
