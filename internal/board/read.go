package board

import (
	"cmp"
	"math"
	"slices"
	"statuspage/internal/status"
	"time"
)

// Row is what a page shows of one service at one instant.
type Row struct {
	Service status.Service
	State   status.Outcome // Unknown when nobody has known for longer than a run may take.
	Last    status.Sample  // Newest sample; the zero value when there is none.
	Cells   []status.Cell  // Of the window, oldest first.
	Sum     status.Counts  // Of the window, as Uptime counts it: the first cell may be younger.
	Regions status.Tally   // Of Last; zero without regions.
}

// Row returns the state of one service at now, with the cells of a window whose days are
// those of the zone.
func (s *Service) Row(window status.Window, zone *time.Location, now time.Time) Row {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	svc, r := s.known(), s.row()
	row := Row{Service: svc}
	switch window.Name {
	case status.LastDay.Name:
		row.Cells = status.Hours(r.hours.between, svc, now, window.Cells)
		status.Explain(row.Cells, r.outages)
	case status.Last90.Name:
		row.Cells = status.Days(r.hours.between, svc, now, window.Cells, zone)
		status.Explain(row.Cells, r.outages)
	default:
		// The sample before the first cell may still hold in it.
		start := now.Add(-status.GridMinutes * time.Minute)
		from := start.Add(-max(svc.Interval, svc.IntervalAt(start)) - time.Minute)
		row.Cells = status.Minutes(r.samples[r.first(from):], svc, now)
		if r.regional != nil {
			r.tallyCells(row.Cells, svc)
		}
	}
	row.Sum = r.uptime(svc, window.Length(), now)
	if n := r.present(now); n > 0 {
		row.Last = r.samples[n-1]
		row.State = status.State(row.Last, svc, now)
		if r.regional != nil {
			row.Regions = r.tally(n-1, svc)
		}
	}
	return row
}

// first is the index of the first sample received at or after t.
func (r *row) first(t time.Time) int { return first(r.samples, t) }

func first(samples []status.Sample, t time.Time) int { return firstAt(samples, t.UnixMicro()) }

func firstAt(samples []status.Sample, us int64) int {
	at, _ := slices.BinarySearchFunc(samples, us, func(s status.Sample, us int64) int { return cmp.Compare(s.Received, us) })
	return at
}

// ahead is how far the clock may have been set back unnoticed since the newest sample.
const ahead = 500 * time.Millisecond

// present is the number of samples that are not of the future. Those that are came before the
// clock was set back, and must not hide what is measured since.
func (r *row) present(now time.Time) int {
	if n := len(r.samples); n == 0 || r.samples[n-1].Received <= now.Add(ahead).UnixMicro() {
		return n
	}
	return r.first(now.Add(ahead + time.Microsecond))
}

// Counts adds up what was measured and due of a service in the quarters of an hour that begin in
// [from, to). The board reaches back 91 days.
func (s *Service) Counts(from, to, now time.Time) status.Counts {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	return s.known().Sum(s.row().hours.between, from, to, now)
}

// Cell is one cell of [from, to), as the grid has them.
func (s *Service) Cell(from, to, now time.Time) status.Cell {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	return status.CellOf(s.row().hours.between, s.known(), from, to, now)
}

// Recent returns a copy of the newest samples of a service, at most limit, oldest first.
func (s *Service) Recent(limit int) []status.Sample {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	all := s.row().samples
	return slices.Clone(all[max(0, len(all)-limit):])
}

// State returns the present state of one service.
func (s *Service) State(now time.Time) status.Outcome {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	if n := s.row().present(now); n > 0 {
		return status.State(s.row().samples[n-1], s.stored(), now)
	}
	return status.Unknown
}

// Between returns what the changes after version after, up to and including version until,
// brought, of all services, in the order it came; of more than limit the last.
func (b *Board) Between(after, until uint64, limit int) []Signal {
	if n := uint64(limit); until > n { // Each signal is a version.
		after = max(after, until-n)
	}
	return b.collect(math.MinInt64, func(s status.Sample) bool { return s.Seq > after && s.Seq <= until }, func(x, y Signal) int {
		return cmp.Compare(x.Sample.Seq, y.Sample.Seq)
	})
}

// Since returns the samples received at or after t and brought by a version up to until,
// of all services, by time; of more than limit the newest, as far as they are told apart by time.
func (b *Board) Since(t time.Time, until uint64, limit int) []Signal {
	return b.collect(b.newestFrom(t.UnixMicro(), limit), func(s status.Sample) bool { return s.Seq <= until }, func(x, y Signal) int {
		return cmp.Compare(x.Sample.Received, y.Sample.Received)
	})
}

// newestFrom is the instant at or after us from which on at most limit samples were received.
func (b *Board) newestFrom(us int64, limit int) int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	more := func(us int64) bool {
		n := 0
		for _, svc := range b.Services() {
			svc.each(func(_ int, samples []status.Sample) { n += len(samples) - firstAt(samples, us) })
		}
		return n > limit
	}
	if !more(us) {
		return us
	}
	low, high := us, b.scan()+1 // More from low on, and none from high on.
	for high-low > 1 {
		if middle := low + (high-low)/2; more(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

func (b *Board) collect(from int64, take func(status.Sample) bool, order func(x, y Signal) int) []Signal {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []Signal
	for _, svc := range b.Services() {
		svc.eachIn("", func(region string, samples []status.Sample) {
			for _, s := range samples[firstAt(samples, from):] {
				if take(s) {
					out = append(out, Signal{svc, region, s})
				}
			}
		})
	}
	slices.SortFunc(out, order)
	return out
}

// Newest is the planned instant of the newest sample of all services, zero when there is none.
func (b *Board) Newest() time.Time {
	b.mu.RLock()
	defer b.mu.RUnlock()
	us := b.latest
	if b != b.newest {
		us = b.scan()
	}
	if us == 0 {
		return time.Time{}
	}
	return status.Sample{Received: us}.Time()
}

// scan looks for the newest sample of all rows.
func (b *Board) scan() (us int64) {
	for _, r := range b.rows {
		us = max(us, r.newest())
	}
	return us
}

// newest is when the newest sample of a row was received, 0 for none.
func (r *row) newest() int64 {
	if n := len(r.samples); n > 0 {
		return r.samples[n-1].Received
	}
	return 0
}

// MeasuredAt is the planned instant of a service's newest sample, zero when there is none.
func (b *Board) MeasuredAt(id string) time.Time {
	svc, ok := b.Find(id)
	if !ok {
		return time.Time{}
	}
	if last := svc.Recent(1); len(last) == 1 {
		return last[0].Time()
	}
	return time.Time{}
}

// Uptime counts the measurements of a service in the window that ends at now: exactly as far as
// the samples reach back, else from the first full hour of the window on.
func (s *Service) Uptime(window time.Duration, now time.Time) status.Counts {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	return s.row().uptime(s.known(), window, now)
}

func (r *row) uptime(svc status.Service, window time.Duration, now time.Time) status.Counts {
	from := now.Add(-window)
	if window <= time.Hour || len(r.samples) > 0 && r.samples[0].Received <= from.UnixMicro() {
		return svc.Sum(r.counted, from.Add(time.Microsecond), now.Add(time.Microsecond), now)
	}
	if full := from.Truncate(time.Hour); full.Before(from) {
		from = full.Add(time.Hour)
	}
	return svc.Sum(r.hours.between, from, now, now)
}

// counted adds up the samples received in [from, to).
func (r *row) counted(from, to time.Time) (sum status.Counts) {
	for _, s := range r.samples[r.first(from):r.first(to)] {
		sum = sum.Count(s.Outcome)
	}
	return sum
}

// Latencies returns how long the measurements took that found the service available, from
// wherever they were made, of those that the board keeps and that were received in [from, to).
func (s *Service) Latencies(from, to time.Time) []time.Duration {
	return s.LatenciesIn("", from, to)
}

// Samples returns a copy of the samples received in [from, to), oldest first, and whether
// the board reaches back to from.
func (s *Service) Samples(from, to time.Time) (samples []status.Sample, complete bool) {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	r := s.row()
	first, last := r.first(from), r.first(to)
	return slices.Clone(r.samples[first:last]), len(r.samples) > 0 && r.samples[0].Received <= from.UnixMicro()
}

// Outages returns a service's outages that the board keeps, as they stand at now, newest first.
func (s *Service) Outages(now time.Time) []status.Outage {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	out := slices.Clone(s.row().outages)
	for i := range out {
		out[i] = out[i].Settled(s.stored(), now)
	}
	slices.Reverse(out)
	return out
}

// Certificate is when the certificate that a service shows expires, zero when it has shown none.
func (s *Service) Certificate() time.Time {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	return s.row().certificate
}
