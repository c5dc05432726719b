package board

import (
	"statuspage/internal/status"
	"testing"
	"time"
)

// TestClockSetBack lets samples lie an hour ahead: they must not hide the present.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a")
	for i := range 60 {
		b.Apply([]status.Signal{signal("a", noon.Add(time.Duration(i)*time.Minute), status.Up)})
	}
	if got := b.Services()[0].State(noon.Add(-time.Minute)); got != status.Unknown {
		t.Errorf("before anything was measured: %v, want unknown", got)
	}
	for i := range 30 { // The same hour again.
		now := noon.Add(time.Duration(i)*time.Minute + time.Millisecond)
		b.Apply([]status.Signal{signal("a", now, status.Down)})
		if row := b.Services()[0].Row(status.LastHour, time.UTC, now); row.State != status.Down || !row.Last.Time().Equal(now) || b.Services()[0].State(now) != status.Down {
			t.Fatalf("minute %d: %v, measured at %v; want down, at %v", i, row.State, row.Last.Time(), now)
		}
	}
	now := noon.Add(30 * time.Minute)
	if got := b.Services()[0].Uptime(time.Hour, now); got.Up != 31 || got.Down != 30 {
		t.Errorf("uptime = %+v, want 31 up and 30 down", got)
	}
	if c := b.Services()[0].Uptime(time.Hour, now).Coverage(); c == "0" {
		t.Errorf("coverage %s", c)
	}
	last := b.Services()[0].Recent(100)
	for i := 1; i < len(last); i++ {
		if last[i].Received <= last[i-1].Received {
			t.Fatalf("sample %d is out of order", i)
		}
	}
}

// TestClockSetForward leaves an hour that nobody measured.
func TestClockSetForward(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a")
	b.Apply([]status.Signal{signal("a", noon, status.Up)})
	now := noon.Add(time.Hour)
	if got := b.Services()[0].State(now); got != status.Unknown {
		t.Errorf("after an hour without a sample: %v, want unknown", got)
	}
	b.Apply([]status.Signal{signal("a", now, status.Up)})
	row := b.Services()[0].Row(status.LastHour, time.UTC, now)
	if row.State != status.Up || row.Sum.Up != 1 || row.Sum.Down != 0 || row.Cells[30].Outcome != status.Unknown {
		t.Errorf("%v, %+v; want up, and no data before", row.State, row.Sum)
	}
}

// TestDaysOfAClockChange holds that days have the hours that they have, and every hour its day.
func TestDaysOfAClockChange(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Budapest")
	if err != nil {
		t.Skip(err)
	}
	for name, c := range map[string]struct {
		day   time.Time
		hours int
	}{
		"spring": {time.Date(2026, 3, 29, 0, 0, 0, 0, zone), 23},
		"autumn": {time.Date(2026, 10, 25, 0, 0, 0, 0, zone), 25},
		"plain":  {time.Date(2026, 6, 1, 0, 0, 0, 0, zone), 24},
	} {
		b := newBoard(t, "a")
		svc := b.Services()[0]
		end := time.Date(c.day.Year(), c.day.Month(), c.day.Day()+1, 0, 0, 0, 0, zone)
		for at := svc.Next(c.day.Add(-24 * time.Hour)); at.Before(end.Add(24 * time.Hour)); at = at.Add(svc.Interval) {
			b.Apply([]status.Signal{signal("a", at, status.Up)})
		}
		row := b.Services()[0].Row(status.Last90, zone, end.Add(12*time.Hour))
		day := row.Cells[len(row.Cells)-2]
		if !day.Start.Equal(c.day) || day.Length != time.Duration(c.hours)*time.Hour || day.Up != c.hours*60 || day.Expected != c.hours*60 {
			t.Errorf("%s: the day from %v has %v, %d measured of %d; want %d hours, all", name, day.Start, day.Length, day.Up, day.Expected, c.hours)
		}
		for i, cell := range b.Services()[0].Row(status.LastDay, zone, end.Add(-time.Minute)).Cells {
			if cell.Length != time.Hour || cell.Up != 60 && i < 23 {
				t.Errorf("%s: hour %d has %v and %d measured", name, i, cell.Length, cell.Up)
			}
		}
	}
}

// TestBeginningIsToldAlikeByHoursAndSamples: a board that has read both the counts and the samples of a service's first quarter of an
// hour knows its beginning as one that has seen it, whichever came first.
func TestBeginningIsToldAlikeByHoursAndSamples(t *testing.T) {
	t.Parallel()
	first := noon.Add(7 * time.Minute)
	seen := newBoard(t, "a")
	seen.now = func() time.Time { return first.Add(time.Minute) }
	seen.Apply([]status.Signal{signal("a", first, status.Up)})
	read := newBoard(t, "a")
	read.now = seen.now
	read.Apply([]status.Signal{signal("a", first, status.Up)})
	setHistory(read, noon.Truncate(time.Hour))
	if got, want := read.rows[0].begun, seen.rows[0].begun; !got.Equal(want) {
		t.Errorf("it begins at %v where the past was read, at %v where it was seen", got, want)
	}
}
