package lang

import (
	"strconv"
	"strings"
	"time"
)

// Dates are written by patterns of the catalogue: {weekday}, {day}, {month}, {mon}, {m}, {year}.

// Date writes a day in full: Tuesday, 24 November 2026.
func (l *Language) Date(t time.Time) string { return l.write("date.full", t) }

// ShortDate writes a day without its year: 24 Nov.
func (l *Language) ShortDate(t time.Time) string { return l.write("date.short", t) }

// Month writes a month: November 2026.
func (l *Language) Month(t time.Time) string { return l.write("date.month", t) }

// Clock writes hour and minute.
func (l *Language) Clock(t time.Time) string { return t.Format("15:04") }

// Moment writes day and time, to the second: 24 Nov 15:04:05.
func (l *Language) Moment(t time.Time) string { return l.ShortDate(t) + t.Format(" 15:04:05") }

func (l *Language) write(pattern string, t time.Time) string {
	w := l.words()
	return strings.NewReplacer(
		"{weekday}", w.weekdays[t.Weekday()],
		"{day}", strconv.Itoa(t.Day()),
		"{month}", w.months[t.Month()-1],
		"{mon}", w.shortMonths[t.Month()-1],
		"{m}", strconv.Itoa(int(t.Month())),
		"{year}", strconv.Itoa(t.Year()),
	).Replace(w.texts[pattern])
}

// Duration writes how long something took, in its two largest units: 2 h 5 min.
func (l *Language) Duration(d time.Duration) string {
	d = d.Round(time.Second)
	units := []struct {
		key  string
		unit time.Duration
	}{{"unit.day", 24 * time.Hour}, {"unit.hour", time.Hour}, {"unit.minute", time.Minute}, {"unit.second", time.Second}}
	for i, u := range units {
		if d < u.unit {
			continue
		}
		text := l.T(u.key, int(d/u.unit))
		if i+1 < len(units) {
			if rest := d % u.unit / units[i+1].unit; rest > 0 {
				text += " " + l.T(units[i+1].key, int(rest))
			}
		}
		return text
	}
	return l.T("unit.second", 0)
}

// Milliseconds writes a latency as people read it: 0.4 ms, 123 ms, 2.34 s.
func (l *Language) Milliseconds(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return l.Decimal(strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64)) + " ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	default:
		return l.Decimal(strconv.FormatFloat(d.Seconds(), 'f', 2, 64)) + " s"
	}
}
