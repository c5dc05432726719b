package incident

import "time"

// WallFormat is a time on the clock on the wall, without a zone.
const WallFormat = "2006-01-02T15:04"

// keyFormat names an occurrence by its original start on the wall, as iCalendar's RECURRENCE-ID does.
const keyFormat = "20060102T1504"

// around is further than any two offsets of a zone are apart.
const around = 26 * time.Hour

// instantOf is when a clock on the wall of loc shows what wall has as UTC. Of an hour that comes twice the first
// counts, and one that is left out is as late as it would be without the change of the clock (RFC 5545, 3.3.5):
// both are the offset before the change. time.Date leaves open which of the two it takes.
func instantOf(wall time.Time, loc *time.Location) time.Time {
	before, after := offset(wall.Add(-around), loc), offset(wall.Add(around), loc)
	at := wall.Add(-before)
	if offset(at, loc) == before {
		return at
	}
	if later := wall.Add(-after); offset(later, loc) == after {
		return later
	}
	return at
}

// wallOf is what the clock on the wall of loc shows at t, as UTC.
func wallOf(t time.Time, loc *time.Location) time.Time {
	return t.UTC().Add(offset(t, loc))
}

func offset(t time.Time, loc *time.Location) time.Duration {
	_, seconds := t.In(loc).Zone()
	return time.Duration(seconds) * time.Second
}

// Wall is what the clock of a schedule's zone shows at an instant.
func (s Schedule) Wall(t time.Time) string {
	loc, err := location(s.Zone)
	if err != nil {
		loc = time.UTC
	}
	return wallOf(t, loc).Format(WallFormat)
}

// Once is when a schedule begins the first time, and how long it takes then.
func (s Schedule) Once() (start time.Time, length time.Duration, err error) {
	p, _, err := s.parts()
	if err != nil {
		return time.Time{}, 0, err
	}
	return instantOf(p.wall, p.loc), s.length(), nil
}
