package status

import (
	"cmp"
	"slices"
	"time"
)

// MaxRegions is from how many regions a service can be watched.
const MaxRegions = 16

// Quorum says what a service's DownWhen is a share of.
type Quorum uint8

// The quorums. With a Fixed one DownWhen holds whoever measures; the others are taken of the
// regions that measure, so that a prober which is gone neither hides an outage nor makes one.
const (
	Fixed Quorum = iota
	Majority
	All
)

// Of is how many of n regions a quorum needs; fixed is what a Fixed one needs.
func (q Quorum) Of(n, fixed int) int {
	switch q {
	case Majority:
		return n/2 + 1
	case All:
		return max(1, n)
	case Fixed:
	}
	return max(1, fixed)
}

// Region is what a measurement of the service by a prober in a region is marked with: the
// region where the service lists it, else nothing.
func (s Service) Region(region string) string {
	if slices.Contains(s.Regions, region) {
		return region
	}
	return ""
}

// Tally is how many regions found a service down, of those that were heard.
type Tally struct{ Down, Of uint8 }

// Verdict merges what regions found in one slot, in the order in which the service lists
// them: Down when as many as it takes of those that measure found it down, Degraded when
// any found it down or degraded, else Up. Reason and status are those of the first that
// found the worst; the duration is the mean of those that found it available, or, when the
// verdict is Down, of the first that did not.
func (s Service) Verdict(found []Sample, measuring int) (Sample, Tally) {
	var verdict, worst Sample
	var tally Tally
	var sum, available uint64
	for _, f := range found {
		if f.Outcome == Unknown {
			continue
		}
		tally.Of++
		if f.Outcome == Down {
			tally.Down++
		} else {
			sum += uint64(f.DurationUs)
			available++
		}
		if f.Outcome > worst.Outcome {
			worst = f
		}
		verdict.Received, verdict.Seq = max(verdict.Received, f.Received), max(verdict.Seq, f.Seq)
	}
	verdict.Outcome, verdict.Reason, verdict.HTTPStatus, verdict.DurationUs = worst.Outcome, worst.Reason, worst.HTTPStatus, worst.DurationUs
	if worst.Outcome == Down && int(tally.Down) < s.Quorum.Of(max(measuring, int(tally.Of)), s.DownWhen) {
		verdict.Outcome = Degraded
	}
	if verdict.Outcome.Available() && available > 0 {
		verdict.DurationUs = uint32(sum / available)
	}
	return verdict, tally
}

// Reports are the samples of one service by region: those of Service.Regions in their order,
// and behind them those of regions that it does not list, such as from before it had any.
// Each is sorted by time.
type Reports [][]Sample

// NewReports returns empty reports of a service.
func NewReports(s Service) Reports { return make(Reports, len(s.Regions)+1) }

// At is the index of a region; what is not listed is last.
func (r Reports) At(s Service, region string) int {
	if i := slices.Index(s.Regions, region); i >= 0 {
		return i
	}
	return len(r) - 1
}

// Slot merges the reports of the slot at received, in Unix microseconds.
//
// A region measures while its newest report is no older than Service.Holds; before it has
// sent any, it is waited for as long from first on, the oldest report of the service. An
// open slot is the newest: regions that did not report on it yet stand in it with what they
// found last. A slot that only regions saw which the service does not list is what the first
// of them found.
func (r Reports) Slot(s Service, received, first int64, open bool) (Sample, Tally) {
	var kept [MaxRegions]Sample
	found, measuring, own := kept[:0], 0, false
	holds := s.HoldsAt(time.UnixMicro(received)).Microseconds()
	for _, samples := range r[:len(r)-1] {
		before, at, there := around(samples, received)
		last := max(before.Received, first)
		switch {
		case there:
			found, own = append(found, at), true
			last = received
		case open && received-before.Received <= holds:
			found = append(found, before)
		}
		if received-last <= holds {
			measuring++
		}
	}
	if !own {
		_, at, _ := around(r[len(r)-1], received) // Nobody, where that has none either.
		return at, Tally{}
	}
	verdict, tally := s.Verdict(found, measuring)
	verdict.Received = received
	return verdict, tally
}

// Failing calls yield with each region that was found down in the slot, as Slot counts them.
func (r Reports) Failing(s Service, received int64, open bool, yield func(region string)) {
	var kept [MaxRegions]int
	failing, own := kept[:0], false
	for i, samples := range r[:len(r)-1] {
		before, at, there := around(samples, received)
		own = own || there
		if !there && open && received-before.Received <= s.HoldsAt(time.UnixMicro(received)).Microseconds() {
			at = before
		}
		if at.Outcome == Down {
			failing = append(failing, i)
		}
	}
	if !own {
		yield("")
		return
	}
	for _, i := range failing {
		yield(s.Regions[i])
	}
}

// around returns the sample received at an instant, if there is one, and the last before it.
func around(samples []Sample, received int64) (before, at Sample, there bool) {
	n := len(samples)
	if n > 0 && samples[n-1].Received >= received { // Else the usual case: newer than all.
		n, there = slices.BinarySearchFunc(samples, received, func(s Sample, us int64) int { return cmp.Compare(s.Received, us) })
		if there {
			at = samples[n]
		}
	}
	if n > 0 {
		before = samples[n-1]
	}
	return before, at, there
}

// MergeSignals merges signals of a service with regions, in any order, slot by slot, oldest first.
func MergeSignals(s Service, signals []Signal) []Sample {
	reports := NewReports(s)
	var slots []int64
	for _, sig := range signals {
		i := reports.At(s, sig.Region)
		reports[i] = append(reports[i], sig.Sample())
		slots = append(slots, sig.Received.UnixMicro())
	}
	for _, samples := range reports {
		slices.SortStableFunc(samples, func(a, b Sample) int { return cmp.Compare(a.Received, b.Received) })
	}
	slices.Sort(slots)
	slots = slices.Compact(slots)
	merged := make([]Sample, len(slots))
	for i, received := range slots {
		merged[i], _ = reports.Slot(s, received, slots[0], false)
	}
	return merged
}

// SumOfRegions is what an hour of one service means for its page when only the sum over all
// regions and the failed signals are known: one measurement a slot. The number of regions
// that measured is taken from how many measurements there are for each slot. Down slots are
// exact while the failed signals are kept; after that all regions are taken to have failed
// together. A slot that was slow in one region only counts for that share.
func SumOfRegions(s Service, raw Bucket, failed FailedHour) Bucket {
	n := MeasuringRegions(s, raw)
	total := share(raw.Measured(), n)
	known := failed.Down+failed.Partial > 0
	if !known {
		failed.Down = share(raw.Down, n)
	}
	c := Counts{Down: failed.Down, Degraded: failed.Partial + share(raw.Degraded, n)}
	total = max(total, failed.Down+failed.Partial)
	c.Degraded = min(c.Degraded, total-c.Down)
	c.Up = total - c.Down - c.Degraded
	sum := raw
	sum.Counts = c
	sum.SetQuarters(quartersOfRegions(c, raw, failed, known))
	return sum
}

// quartersOfRegions lays the slots of an hour out in its quarters, as its measurements lie in them.
func quartersOfRegions(c Counts, raw Bucket, failed FailedHour, known bool) (quarters [4]Counts) {
	in := raw.InQuarters()
	lay := func(n int, weight func(i int) int, put func(q *Counts, n int)) {
		all := 0
		for i := range in {
			all += weight(i)
		}
		before := 0
		for i := range in {
			sum := n * (i + 1) / 4
			if all > 0 {
				sum = 0
				for k := range i + 1 {
					sum += weight(k)
				}
				sum = n * sum / all
			}
			put(&quarters[i], sum-before)
			before = sum
		}
	}
	lay(c.Down, func(i int) int {
		if known {
			return failed.Quarters[i].Down
		}
		return in[i].Down
	}, func(q *Counts, n int) { q.Down = n })
	lay(c.Degraded, func(i int) int { return in[i].Degraded + failed.Quarters[i].Partial }, func(q *Counts, n int) { q.Degraded = n })
	lay(c.Up, func(i int) int { return in[i].Up }, func(q *Counts, n int) { q.Up = n })
	return quarters
}

// MeasuringRegions is how many regions measured a service in an hour, by the number of
// their measurements.
func MeasuringRegions(s Service, raw Bucket) int {
	slots := s.SlotsBetween(raw.Start, raw.Start.Add(time.Hour))
	return min(max(share(raw.Measured(), max(1, slots)), 1), max(1, len(s.Regions)))
}

// share is part divided by n, rounded.
func share(part, n int) int { return (2*part + n) / (2 * n) }

// FailedHour counts the slots of an hour in which regions found a service down.
type FailedHour struct {
	FailedSlots
	Quarters [4]FailedSlots // The same by quarters of the hour.
}

// FailedSlots counts slots in which regions found a service down.
type FailedSlots struct {
	Down    int // Enough of them.
	Partial int // Some.
}

// Failures derives the outages of a service with regions from its failed signals alone, which come
// oldest first.
type Failures struct {
	Outages []Outage             // Oldest first.
	Hours   map[int64]FailedHour // By the Unix time of their beginning.

	service   Service
	measuring func(hour time.Time) int
	limit     int
	failed    []Signal // Of the slot that is being read.
}

// NewFailures keeps at most limit outages; measuring says how many regions measured in an hour of UTC.
func NewFailures(s Service, measuring func(hour time.Time) int, limit int) *Failures {
	return &Failures{service: s, measuring: measuring, limit: limit, Hours: make(map[int64]FailedHour)}
}

// Add takes a failed signal in.
func (f *Failures) Add(s Signal) {
	if len(f.failed) > 0 && !f.failed[0].Received.Equal(s.Received) {
		f.Close()
	}
	if len(f.failed) <= MaxRegions {
		f.failed = append(f.failed, s)
	}
}

// Close ends the slot that is being read.
func (f *Failures) Close() {
	if len(f.failed) == 0 {
		return
	}
	at := f.failed[0].Received
	hour := at.UTC().Truncate(time.Hour)
	reports := NewReports(f.service)
	for _, s := range f.failed {
		i := reports.At(f.service, s.Region)
		reports[i] = append(reports[i][:0], s.Sample())
	}
	var found []Sample
	for _, samples := range reports[:len(reports)-1] {
		found = append(found, samples...)
	}
	verdict := f.failed[0].Sample() // Of a region that is not listed, unless one that is failed as well.
	if len(found) > 0 {
		verdict, _ = f.service.Verdict(found, f.measuring(hour))
	}
	sum := f.Hours[hour.Unix()]
	quarter := &sum.Quarters[at.Sub(hour)/QuarterHour]
	if verdict.Outcome == Down {
		sum.Down++
		quarter.Down++
		reports.Failing(f.service, at.UnixMicro(), false, func(region string) {
			f.Outages = FailedAlso(f.Outages, verdict, region, f.service, f.limit)
		})
	} else {
		sum.Partial++
		quarter.Partial++
		Recovered(f.Outages, verdict, f.service)
	}
	f.Hours[hour.Unix()] = sum
	f.failed = f.failed[:0]
}
