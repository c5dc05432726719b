package board

import (
	"cmp"
	"math"
	"slices"
	"statuspage/internal/status"
	"time"
)

// regional is what the board keeps on top of a service that is watched from several regions.
// The samples of its row are the merged ones, one a slot, made anew as reports come.
type regional struct {
	reports     status.Reports
	settled     []status.Outage // Those of before since; the others follow from the samples.
	since       int64           // Unix microseconds.
	near        []status.Outage // The same of before nearFrom, so that a new report looks at few slots.
	nearFrom    int64
	countedFrom int64 // The oldest slot that Apply brought: from there on hours are counted here.
}

func newRegional(svc status.Service) *regional {
	if len(svc.Regions) == 0 {
		return nil
	}
	return &regional{reports: status.NewReports(svc), countedFrom: math.MaxInt64}
}

// report takes what one region found into a row, and tells whether it was new. Slots that it
// changes are merged again, and count as what they are now.
func (r *row) report(s status.Sample, region string, svc status.Service, fresh bool) bool {
	g, limit := r.regional, sampleLimit(svc)
	if n := len(r.samples); n >= limit && s.Received < r.samples[0].Received {
		return false // Older than all that is kept.
	}
	at := g.reports.At(svc, region)
	// One more than of slots, so that none is without its reports.
	if !insert(&g.reports[at], s, limit+1) {
		return false
	}
	if fresh {
		g.countedFrom = min(g.countedFrom, s.Received)
	}
	slot, late := r.first(s.Time()), false
	if slot == len(r.samples) || r.samples[slot].Received != s.Received {
		if len(r.samples) >= limit {
			r.freeze()
			r.settle(svc)
		}
		insert(&r.samples, status.Sample{Received: s.Received}, limit)
		slot = r.first(s.Time())
		late = slot < len(r.samples)-1
	}
	until := s.Received + svc.HoldsAt(s.Time()).Microseconds()
	if slot == 0 && len(r.samples) > 1 { // From the oldest on, silent regions are waited for.
		until = r.samples[1].Received + svc.HoldsAt(r.samples[1].Time()).Microseconds()
	}
	if slot > 0 && slot == len(r.samples)-1 {
		slot-- // The one before is not open any more.
	}
	from := r.samples[slot].Received
	outages := late && len(r.outages) > 0 // It may stand within one, or end it earlier.
	for ; slot < len(r.samples) && r.samples[slot].Received <= until; slot++ {
		outages = r.merge(slot, svc) || outages
	}
	if n := len(r.outages); outages || n > 0 && r.outages[n-1].Ongoing() {
		r.deriveOutages(from, svc)
	}
	return true
}

// merge makes a slot's sample of the reports, and counts the difference. It tells whether
// the slot was or is down.
func (r *row) merge(slot int, svc status.Service) (down bool) {
	was := &r.samples[slot]
	now, _ := r.regional.reports.Slot(svc, was.Received, r.samples[0].Received, slot == len(r.samples)-1)
	if was.Received >= r.regional.countedFrom && now.Outcome != was.Outcome {
		r.hours.change(was.Time(), was.Outcome, now.Outcome)
	}
	down = was.Outcome == status.Down || now.Outcome == status.Down
	*was = now
	return down
}

// tally is how many regions found the service down in a slot.
func (r *row) tally(slot int, svc status.Service) status.Tally {
	_, tally := r.regional.reports.Slot(svc, r.samples[slot].Received, r.samples[0].Received, slot == len(r.samples)-1)
	return tally
}

// tallyCells says of each cell of a minute that is not up how many regions found it so.
func (r *row) tallyCells(cells []status.Cell, svc status.Service) {
	for i := range cells {
		c := &cells[i]
		if c.Outcome < status.Degraded || c.Carried {
			continue
		}
		for slot := r.first(c.Start); slot < len(r.samples); slot++ {
			if r.samples[slot].Outcome == c.Outcome {
				c.Regions = r.tally(slot, svc)
				break
			}
		}
	}
}

// nearSlots is for how many slots a report may come late and cost little.
const nearSlots = 64

// Tally says of each cell of a minute that is not up in how many regions it was so.
func (s *Service) Tally(cells []status.Cell) {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	if r := s.row(); r.regional != nil {
		r.tallyCells(cells, s.stored())
	}
}

// deriveOutages makes the outages of the settled ones and the samples after them, when slots
// from the given one on have changed.
func (r *row) deriveOutages(changed int64, svc status.Service) {
	g := r.regional
	if changed < g.nearFrom || g.nearFrom < g.since {
		g.near, g.nearFrom = slices.Clone(g.settled), g.since
	}
	slot := r.first(time.UnixMicro(g.nearFrom))
	if keep := len(r.samples) - nearSlots; slot < keep-nearSlots {
		for ; slot < keep; slot++ {
			g.near = r.trackSlot(g.near, slot, svc)
		}
		g.nearFrom = r.samples[slot].Received
	}
	r.outages = slices.Clone(g.near)
	for ; slot < len(r.samples); slot++ {
		r.outages = r.trackSlot(r.outages, slot, svc)
	}
}

// resolve is Board.Resolve for outages that others are derived from.
func (g *regional) resolve(o status.Outage, at time.Time) {
	for _, outages := range [][]status.Outage{g.settled, g.near} {
		for n := range outages {
			if known := &outages[n]; known.Begin.Equal(o.Begin) {
				known.End, known.Lapsed = at, false
			}
		}
	}
}

// settle takes the oldest sample, which is about to go, into the settled outages.
func (r *row) settle(svc status.Service) {
	g := r.regional
	if oldest := r.samples[0].Received; oldest >= g.since {
		g.settled = r.trackSlot(g.settled, 0, svc)
		g.since = oldest + 1
	}
}

func (r *row) trackSlot(outages []status.Outage, slot int, svc status.Service) []status.Outage {
	s := r.samples[slot]
	switch s.Outcome {
	case status.Down:
		r.regional.reports.Failing(svc, s.Received, slot == len(r.samples)-1, func(region string) {
			outages = status.FailedAlso(outages, s, region, svc, MaxOutages)
		})
	case status.Up, status.Degraded:
		status.Recovered(outages, s, svc)
	case status.Unknown:
	}
	return outages
}

// setOutages is SetOutages for a service with regions.
func (r *row) setOutages(before time.Time, past []status.Outage, svc status.Service) {
	r.regional.settled, r.regional.since = slices.Clone(past), before.UnixMicro()
	r.deriveOutages(0, svc)
}

// Recount makes the counts of services with regions, of whole hours before the given one, and
// their outages anew from the samples that the board keeps: sums of the store don't tell
// regions apart, nor failed signals who measured.
func (l Loader) Recount(before time.Time) {
	b := l.board
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, r := range b.rows {
		if r.regional != nil && len(r.samples) > 0 {
			r.recount(before)
			r.resettle(b.Services()[i].Service)
		}
	}
	b.version++
}

func (r *row) recount(before time.Time) {
	if len(r.samples) == 0 {
		return
	}
	for hour := r.whole(); hour.Before(before.Truncate(time.Hour)); hour = hour.Add(time.Hour) {
		var parts [4]counts
		for _, s := range r.samples[r.first(hour):r.first(hour.Add(time.Hour))] {
			q := quarterOf(s.Time())
			parts[q] = parts[q].plus(s.Outcome)
		}
		r.hours.set(hourOf(hour), parts)
	}
}

// resettle derives the outages from the samples as far as they reach back: from the first slot
// on at which the service was available, and in no outage of the past.
func (r *row) resettle(svc status.Service) {
	g := r.regional
	for _, s := range r.samples[r.first(r.whole()):] {
		at := s.Time()
		if !s.Outcome.Available() || slices.ContainsFunc(g.settled, func(o status.Outage) bool {
			return !o.Begin.After(at) && (o.Ongoing() || o.End.After(at))
		}) {
			continue
		}
		if s.Received < g.since {
			g.settled = slices.DeleteFunc(slices.Clone(g.settled), func(o status.Outage) bool { return o.Begin.After(at) })
			g.since = s.Received
			g.near, g.nearFrom = nil, 0
			r.deriveOutages(0, svc)
		}
		return
	}
}

// Report is what one region found, as Reports hands it out.
type Report struct {
	Region string // Empty for a service without regions, and for a region that it does not list.
	Sample status.Sample
}

// each calls yield with all that is kept of a service, region by region, without merging; -1 is
// no region that the service lists.
func (s *Service) each(yield func(region int, samples []status.Sample)) {
	r := s.row()
	if r.regional == nil {
		yield(-1, r.samples)
		return
	}
	for i, samples := range r.regional.reports {
		if i == len(r.regional.reports)-1 {
			i = -1
		}
		yield(i, samples)
	}
}

// eachIn is each with the names of the regions: all, or one.
func (s *Service) eachIn(only string, yield func(region string, samples []status.Sample)) {
	s.each(func(region int, samples []status.Sample) {
		name := ""
		if region >= 0 {
			name = s.stored().Regions[region]
		}
		if only == "" || only == name {
			yield(name, samples)
		}
	})
}

// Reports returns the newest measurements of a service as they were made, at most limit, oldest
// first: those of one region, or of all when it is empty.
func (s *Service) Reports(limit int, region string) []Report {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	var out []Report
	s.eachIn(region, func(from string, samples []status.Sample) {
		for _, s := range samples[max(0, len(samples)-limit):] {
			out = append(out, Report{from, s})
		}
	})
	sortReports(out)
	return out[max(0, len(out)-limit):]
}

// ReportsBetween returns the measurements of a service received in [from, to) as they were
// made, oldest first.
func (s *Service) ReportsBetween(from, to time.Time) []Report {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	var out []Report
	s.eachIn("", func(region string, samples []status.Sample) {
		for _, s := range samples[first(samples, from):first(samples, to)] {
			out = append(out, Report{region, s})
		}
	})
	sortReports(out)
	return out
}

// sortReports sorts by time; within a slot the order of the regions stays.
func sortReports(reports []Report) {
	slices.SortStableFunc(reports, func(a, b Report) int { return cmp.Compare(a.Sample.Received, b.Sample.Received) })
}

// Region is what one region says of a service.
type Region struct {
	Name   string
	State  status.Outcome
	Last   status.Sample // The zero value when it has sent none.
	Counts status.Counts // Of the window.
}

// RegionReach is how far back the board tells regions apart.
const RegionReach = 24 * time.Hour

// ByRegion returns what each region says of a service in the window that ends at now, of at
// most RegionReach; nil for a service without regions.
func (s *Service) ByRegion(window time.Duration, now time.Time) []Region {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	r, svc := s.row(), s.known()
	if r.regional == nil {
		return nil
	}
	from := now.Add(-min(window, RegionReach))
	all := make([]Region, len(svc.Regions))
	for i, name := range svc.Regions {
		region, samples := &all[i], r.regional.reports[i]
		region.Name = name
		region.Counts = svc.Sum(func(from, to time.Time) (sum status.Counts) {
			for _, s := range samples[first(samples, from):first(samples, to)] {
				sum = sum.Count(s.Outcome)
			}
			return sum
		}, from, now.Add(time.Microsecond), now)
		if n := len(samples); n > 0 {
			region.Last = samples[n-1]
			region.State = status.State(region.Last, svc, now)
		}
	}
	return all
}

// LatenciesIn is Latencies of one region.
func (s *Service) LatenciesIn(region string, from, to time.Time) []time.Duration {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	var out []time.Duration
	s.eachIn(region, func(_ string, samples []status.Sample) {
		for _, s := range samples[first(samples, from):first(samples, to)] {
			if s.Outcome.Available() {
				out = append(out, s.Duration())
			}
		}
	})
	return out
}

// HasRegion tells whether any service lists a region.
func (b *Board) HasRegion(name string) bool {
	return slices.ContainsFunc(b.Services(), func(s *Service) bool { return slices.Contains(s.Regions, name) })
}
