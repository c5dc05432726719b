package board

import (
	"slices"
	"statuspage/internal/status"
	"time"
)

// cut forgets what a row has of the future: it was measured by a clock that has been set back
// since, and would hide what is measured now. Who set the clock has the past read again.
func (b *Board) cut(r *row, limit time.Time) {
	if r.cut(limit) {
		b.latest = b.scan()
	}
}

func (r *row) cut(limit time.Time) (cut bool) {
	us := limit.UnixMicro()
	if hour := hourOf(limit); len(r.hours.ring) > 0 && r.hours.newest > hour {
		r.hours.cutAfter(hour)
		cut = true
	}
	if r.newest() > us {
		r.samples = r.samples[:r.first(limit.Add(time.Microsecond))]
		r.outages = slices.DeleteFunc(r.outages, func(o status.Outage) bool { return o.Begin.After(limit) })
		cut = true
	}
	if g := r.regional; g != nil && cut {
		for i, samples := range g.reports {
			g.reports[i] = samples[:first(samples, limit.Add(time.Microsecond))]
		}
		later := func(o status.Outage) bool { return o.Begin.After(limit) }
		g.settled, g.near = slices.DeleteFunc(g.settled, later), slices.DeleteFunc(g.near, later)
		g.since, g.nearFrom = min(g.since, us), min(g.nearFrom, us)
	}
	return cut
}

// begin notes when a service was measured. A row whose clock began in 1970 has a gap that no sample
// may bridge: what is kept on its other side is forgotten, as if it reached back no further.
func (r *row) begin(at time.Time) {
	if r.begun.IsZero() || at.Before(r.begun) {
		r.begun = at
	}
	if n := len(r.samples); n > 0 {
		oldest := r.samples[n-1].Received - maxHours*time.Hour.Microseconds()
		if r.samples[0].Received < oldest {
			r.samples = r.samples[first(r.samples, time.UnixMicro(oldest)):]
		}
	}
}

// remember notes when a service was measured by the counts of its past, which know it to a quarter of an hour: what is known
// better is kept, else one server would tell another beginning than the next.
func (r *row) remember() {
	if begun, known := r.hours.begun(); known && (r.begun.IsZero() || !r.begun.Before(begun.Add(status.QuarterHour))) {
		r.begun = begun
	}
}
