package incident

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// byHand computes what a rule means in another way than the code: it looks at each day of the calendar, and finds the
// instant of a time on the wall by trying every minute around it.
func byHand(t *testing.T, zone, clock string, from, to time.Time, day func(time.Time) bool) (all []time.Time) {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	for d := from; d.Before(to); d = d.AddDate(0, 0, 1) {
		if !day(d) {
			continue
		}
		wall := d.Format("2006-01-02T") + clock
		at, found := find(wall, loc, d)
		for shift := 0; !found; shift++ { // The clock skips it: as long after the skip as it would have been after its begin.
			before, _ := time.Parse(WallFormat, wall)
			if _, there := find(before.Add(-time.Duration(shift)*time.Minute).Format(WallFormat), loc, d); there {
				at, _ = find(before.Add(-time.Duration(shift)*time.Minute).Format(WallFormat), loc, d)
				at, found = at.Add(time.Duration(shift)*time.Minute), true
			}
		}
		all = append(all, at)
	}
	slices.SortFunc(all, time.Time.Compare)
	return slices.CompactFunc(all, time.Time.Equal)
}

// find is the first minute at which the wall shows a text.
func find(wall string, loc *time.Location, day time.Time) (time.Time, bool) {
	for at := day.Add(-30 * time.Hour); at.Before(day.Add(54 * time.Hour)); at = at.Add(time.Minute) {
		// Most minutes are far off: the hour before the offset is known is enough to pass them over.
		if at.Minute()%15 != 0 && at.In(loc).Format(":04") != wall[13:] {
			continue
		}
		if at.In(loc).Format(WallFormat) == wall {
			return at, true
		}
	}
	return time.Time{}, false
}

func TestRecurrenceKeepsTheWallClockOverTwoYears(t *testing.T) {
	t.Parallel()
	daily := func(time.Time) bool { return true }
	sundays := func(d time.Time) bool { return d.Weekday() == time.Sunday }
	lastSunday := func(d time.Time) bool { return sundays(d) && d.AddDate(0, 0, 7).Month() != d.Month() }
	for _, c := range []struct {
		zone, rule string
		year       int
		day        func(time.Time) bool
		clocks     []string
	}{
		{"Europe/Berlin", "FREQ=WEEKLY;BYDAY=SU", 2026, sundays, []string{"01:59", "02:00", "02:30", "03:00", "23:45"}},
		{"Europe/Berlin", "FREQ=MONTHLY;BYDAY=-1SU", 2026, lastSunday, []string{"02:30"}},
		{"Australia/Lord_Howe", "FREQ=WEEKLY;BYDAY=SU", 2026, sundays, []string{"01:30", "01:45", "02:00", "02:15", "02:30"}}, // Half an hour.
		{"America/Santiago", "FREQ=WEEKLY;BYDAY=SA,SU", 2026, func(d time.Time) bool { return sundays(d) || d.Weekday() == time.Saturday }, []string{"00:00", "00:30", "23:30"}},
		{"Pacific/Apia", "FREQ=DAILY", 2011, daily, []string{"03:00", "00:00"}}, // Without the 30th of December 2011.
		{"Pacific/Apia", "FREQ=MONTHLY;BYMONTHDAY=1,-1", 2026, func(d time.Time) bool { return d.Day() == 1 || d.AddDate(0, 0, 1).Day() == 1 }, []string{"12:00"}},
		{"Asia/Kathmandu", "FREQ=DAILY;INTERVAL=10", 2026, func(d time.Time) bool { return (d.YearDay()-1+365*(d.Year()-2026))%10 == 0 }, []string{"00:10"}},
	} {
		for _, clock := range c.clocks {
			t.Run(c.zone+" "+c.rule+" "+clock, func(t *testing.T) {
				t.Parallel()
				from, to := time.Date(c.year, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(c.year+2, 1, 1, 0, 0, 0, 0, time.UTC)
				s := Schedule{Start: from.Format("2006-01-02T") + clock, Minutes: 1, Zone: c.zone, Rule: c.rule + ";UNTIL=" + to.AddDate(0, 0, -1).Format("20060102")}
				var got []time.Time
				for _, o := range s.expand(from.AddDate(-1, 0, 0), to.AddDate(1, 0, 0)) {
					got = append(got, o.start)
				}
				want := byHand(t, c.zone, clock, from, to, c.day)
				if !slices.EqualFunc(got, want, time.Time.Equal) {
					for n := range min(len(got), len(want)) {
						if !got[n].Equal(want[n]) {
							t.Fatalf("number %d of %d: got %v, want %v", n, len(want), got[n], want[n])
						}
					}
					t.Fatalf("%d, want %d", len(got), len(want))
				}
				if len(got) < 20 {
					t.Errorf("only %d", len(got))
				}
			})
		}
	}
}

func TestRulesThatCostOrMeanNothingAreRefused(t *testing.T) {
	t.Parallel()
	for _, rule := range []string{
		"FREQ=SECONDLY", "FREQ=HOURLY", "FREQ=DAILY;BYHOUR=1,2", "FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=99999", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "INTERVAL=2", "FREQ=", "x",
		"FREQ=DAILY;DTSTART=19700101T000000Z", "FREQ=DAILY;FREQ=WEEKLY", "FREQ=DAILY;UNTIL=tomorrow", "FREQ=DAILY;COUNT=2;UNTIL=20270101", "FREQ=WEEKLY;BYDAY=XX", "FREQ=MONTHLY;BYMONTHDAY=99",
		"FREQ=MONTHLY;BYDAY=10SA", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=DAILY;BYSETPOS=2",
		"DTSTART:20260101\nRRULE:FREQ=DAILY", "FREQ=DAILY;" + strings.Repeat("BYDAY=MO", 99),
	} {
		s := Schedule{Start: "2026-03-11T03:00", Minutes: 30, Zone: "UTC", Rule: rule}
		if _, field, err := s.parts(); err == nil || field != "rrule" {
			t.Errorf("%q: %s, %v", rule, field, err)
		}
	}
	for rule, want := range map[string]int{
		"RRULE:FREQ=DAILY;COUNT=3": 3, "freq=daily;count=12": 12, "FREQ=DAILY;UNTIL=20260313": 3, "FREQ=DAILY;UNTIL=20260313T020000Z": 3, "FREQ=DAILY;UNTIL=20260313T015959Z": 2,
		"FREQ=DAILY;UNTIL=20260313T030000": 3, "FREQ=DAILY;UNTIL=20260313T025959": 2, "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30": 0,
	} {
		s := Schedule{Start: "2026-03-11T03:00", Minutes: 30, Zone: "Europe/Berlin", Rule: rule}
		if got := s.expand(t0, t0.AddDate(1, 0, 0)); len(got) != want {
			t.Errorf("%q: %d, want %d", rule, len(got), want)
		}
	}
}

func FuzzRule(f *testing.F) {
	f.Add("FREQ=MONTHLY;BYDAY=-1SU;BYSETPOS=1;WKST=SU;BYMONTH=1,2;UNTIL=20280101")
	f.Add("FREQ=MONTHLY;BYDAY=10SA;BYSETPOS=1;WKST=SA;BYMONTH=1,1;UNTIL=00000101") // rrule-go panics.
	f.Fuzz(func(t *testing.T, rule string) {
		s := Schedule{Start: "2026-03-11T03:00", Minutes: 30, Zone: "Europe/Berlin", Rule: rule}
		began := time.Now()
		all := s.expand(t0, t0.AddDate(1, 0, 0))
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%q takes %v", rule, took)
		}
		if !slices.IsSortedFunc(all, func(a, b slot) int { return a.start.Compare(b.start) }) {
			t.Errorf("%q is not in order", rule)
		}
	})
}
