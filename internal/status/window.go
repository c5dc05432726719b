package status

import "time"

// GridMinutes is the number of cells in the grid of the last hour.
const GridMinutes = 60

// Window is a stretch of the recent past that the grid shows.
type Window struct {
	Name  string // As in addresses: 1h.
	Cells int
	Cell  time.Duration // Length of a cell; a day may have an hour more or less.
}

// Length is about how much time the window shows.
func (w Window) Length() time.Duration { return time.Duration(w.Cells) * w.Cell }

// The windows of the grid.
var (
	LastHour = Window{"1h", GridMinutes, time.Minute}
	LastDay  = Window{"24h", 24, time.Hour}
	Last90   = Window{"90d", 90, 24 * time.Hour}
	Windows  = []Window{LastHour, LastDay, Last90}
)

// FindWindow returns the window of that name.
func FindWindow(name string) (Window, bool) {
	for _, w := range Windows {
		if w.Name == name {
			return w, true
		}
	}
	return Window{}, false
}

// staleGrace is what a result may need on top of interval and timeout before its absence
// means that nobody knows the state any more.
const staleGrace = 5 * time.Second

// Cell is one field of a grid: what was measured in [Start, Start+Length).
type Cell struct {
	Start  time.Time
	Length time.Duration
	Counts
	Outcome    Outcome       // The worst measured; with Carried that of the run before.
	Before     bool          // The service was not watched yet.
	Carried    bool          // No run is due in this cell, or none yet; the outcome is that of a run which still holds.
	Reason     Reason        // Of the first measurement with the worst outcome.
	Regions    Tally         // Of the same measurement; zero without regions, and in cells above a minute.
	HTTPStatus int           // Of the same measurement.
	Latency    time.Duration // Mean of the measurements, 0 without one.
	Slowest    time.Duration
}

// Minutes lays the samples (oldest first) out in GridMinutes one-minute cells, the last of
// which is the minute that now lies in.
func Minutes(samples []Sample, svc Service, now time.Time) []Cell {
	return MinutesFrom(samples, svc, now.Truncate(time.Minute).Add(-(GridMinutes-1)*time.Minute), GridMinutes, now)
}

// MinutesFrom lays the samples (oldest first) out in n one-minute cells. A service that is
// checked less often than once a minute carries an outcome over the minutes in which no
// run was due, until the next is.
func MinutesFrom(samples []Sample, svc Service, first time.Time, n int, now time.Time) []Cell {
	cells := make([]Cell, n)
	next, last := 0, Sample{}
	for i := range cells {
		c := &cells[i]
		c.Start, c.Length = first.Add(time.Duration(i)*time.Minute), time.Minute
		end := c.Start.Add(c.Length)
		for ; next < len(samples) && samples[next].Received < end.UnixMicro(); next++ {
			if last = samples[next]; last.Received >= c.Start.UnixMicro() {
				c.add(last)
			}
		}
		c.Expected = svc.Due(c.Start, end, now)
		c.Counts = c.Each(svc.IntervalAt(c.Start))
		if n := c.Measured(); n > 0 {
			c.Latency /= time.Duration(n)
			continue
		}
		c.Before = svc.isBefore(end)
		if c.Expected == 0 && last.Outcome != Unknown && c.Start.Sub(last.Time()) < svc.IntervalAt(last.Time()) {
			c.Outcome, c.Carried, c.Reason, c.HTTPStatus = last.Outcome, true, last.Reason, int(last.HTTPStatus)
		}
	}
	return cells
}

// Count adds up what was measured in the quarters of an hour that begin in [from, to), Expected left out.
type Count func(from, to time.Time) Counts

// Hours lays counts out in the one-hour cells of UTC of which now lies in the last.
func Hours(count Count, svc Service, now time.Time, n int) []Cell {
	first := now.UTC().Truncate(time.Hour).Add(-time.Duration(n-1) * time.Hour)
	cells := make([]Cell, n)
	for i := range cells {
		cells[i] = CellOf(count, svc, first.Add(time.Duration(i)*time.Hour), first.Add(time.Duration(i+1)*time.Hour), now)
	}
	return cells
}

// Days lays counts out in the days of a zone, of which now lies in the last. A day begins and ends
// on a quarter of an hour, as the offsets of all zones are whole ones since 1972; it is an
// hour, or half of one, shorter or longer when the clock changes.
func Days(count Count, svc Service, now time.Time, n int, zone *time.Location) []Cell {
	year, month, day := now.In(zone).Date()
	cells := make([]Cell, n)
	for i := range cells {
		start := time.Date(year, month, day-(n-1)+i, 0, 0, 0, 0, zone)
		cells[i] = CellOf(count, svc, start, time.Date(year, month, day-(n-1)+i+1, 0, 0, 0, 0, zone), now)
	}
	return cells
}

// CellOf is the cell of [start, end) as counts say it.
func CellOf(count Count, svc Service, start, end, now time.Time) Cell {
	c := Cell{Start: start, Length: end.Sub(start), Counts: svc.Sum(count, start, end, now)}
	c.Outcome = c.Worst()
	c.Before = c.Outcome == Unknown && svc.isBefore(end)
	return c
}

// Sum adds up what was measured and due of the service in [from, to), each measurement weighed by
// the interval that was in force.
func (s Service) Sum(count Count, from, to, now time.Time) (sum Counts) {
	for from.Before(to) {
		_, end := s.term(from)
		if end.IsZero() || end.After(to) {
			end = to
		}
		c := count(from, end)
		c.Expected = s.Due(from, end, now)
		sum = sum.Add(c.Each(s.IntervalAt(from)))
		from = end
	}
	return sum
}

// Explain puts the reason of the first outage that touches it on every cell with a failure.
func Explain(cells []Cell, outages []Outage) {
	next := 0
	for i := range cells {
		c := &cells[i]
		end := c.Start.Add(c.Length)
		for next < len(outages) && outages[next].Last.Before(c.Start) {
			next++
		}
		if c.Down > 0 && next < len(outages) && outages[next].Begin.Before(end) {
			c.Reason, c.HTTPStatus = outages[next].Reason, outages[next].HTTPStatus
		}
	}
}

func (c *Cell) add(s Sample) {
	c.Counts = c.Count(s.Outcome)
	c.Latency += s.Duration()
	c.Slowest = max(c.Slowest, s.Duration())
	if s.Outcome > c.Outcome {
		c.Outcome, c.Reason, c.HTTPStatus = s.Outcome, s.Reason, int(s.HTTPStatus)
	}
}

// Due counts the slots in [from, to) whose run must be over by now: a probe still on its
// way is not missing.
func (s Service) Due(from, to, now time.Time) int {
	if over := now.Add(-s.Timeout); over.Before(to) {
		to = over
	}
	return s.SlotsBetween(from, to)
}

// State is the service's present state: the outcome of its last sample while that is
// fresh, Unknown once the run after it is overdue.
func State(last Sample, svc Service, now time.Time) Outcome {
	if last.Outcome == Unknown || now.Sub(last.Time()) > svc.HoldsAt(last.Time()) {
		return Unknown
	}
	return last.Outcome
}

// Merge makes one cell of neighbouring ones: their counts, and the reason of the first of
// the worst.
func Merge(cells []Cell) Cell {
	if len(cells) == 0 {
		return Cell{}
	}
	last := cells[len(cells)-1]
	whole := Cell{Start: cells[0].Start, Length: last.Start.Add(last.Length).Sub(cells[0].Start), Counts: Total(cells)}
	for _, c := range cells {
		if c.Outcome > whole.Outcome && !c.Carried {
			whole.Outcome, whole.Reason, whole.HTTPStatus = c.Outcome, c.Reason, c.HTTPStatus
		}
	}
	return whole
}

// Total adds up the counts of cells.
func Total(cells []Cell) Counts {
	var sum Counts
	for _, c := range cells {
		sum = sum.Add(c.Counts)
	}
	return sum
}

// Span is a time in which the signals of one service are asked for.
type Span struct {
	Service  Service
	From, To time.Time // Without To.
}
