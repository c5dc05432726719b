package status

import "time"

// GridMinutes is the number of cells in the grid of the last hour.
const GridMinutes = 60

// staleGrace is what a result may need on top of interval and timeout before its absence
// means that nobody knows the state any more.
const staleGrace = 5 * time.Second

// Cell is one field of a grid: what was measured in [Start, Start+Length).
type Cell struct {
	Start  time.Time
	Length time.Duration
	Counts
	Outcome    Outcome       // The worst measured; with Carried that of the run before.
	Carried    bool          // No run was due in this cell; the outcome is that of a run which still holds.
	Reason     Reason        // Of the first measurement with the worst outcome.
	HTTPStatus int           // Of the same measurement.
	Latency    time.Duration // Mean of the measurements, 0 without one.
	Slowest    time.Duration
}

// Minutes lays the samples (oldest first) out in GridMinutes one-minute cells, the last of
// which is the minute that now lies in. A service that is checked less often than once a
// minute carries an outcome over the minutes in which no run was due, until the next is.
func Minutes(samples []Sample, svc Service, now time.Time) []Cell {
	first := now.Truncate(time.Minute).Add(-(GridMinutes - 1) * time.Minute)
	cells := make([]Cell, GridMinutes)
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
		if n := c.Measured(); n > 0 {
			c.Latency /= time.Duration(n)
			continue
		}
		if svc.SlotsBetween(c.Start, end) == 0 && last.Outcome != Unknown && c.Start.Sub(last.Time()) < svc.Interval {
			c.Outcome, c.Carried, c.Reason, c.HTTPStatus = last.Outcome, true, last.Reason, int(last.HTTPStatus)
		}
	}
	return cells
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
	if last.Outcome == Unknown || now.Sub(last.Time()) > svc.Interval+svc.Timeout+staleGrace {
		return Unknown
	}
	return last.Outcome
}

// Total adds up the counts of cells.
func Total(cells []Cell) Counts {
	var sum Counts
	for _, c := range cells {
		sum = sum.Add(c.Counts)
	}
	return sum
}

// Bucket is what was measured of one service in one hour or day of UTC: the stores'
// rollups, which outlive the signals.
type Bucket struct {
	Service  string // Empty on rows of other writers; then URL tells whose it is.
	URL      string
	Start    time.Time
	Counts                 // Expected is not stored.
	Duration time.Duration // Sum over all measurements.
}
