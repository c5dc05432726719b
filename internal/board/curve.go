package board

import (
	"math"
	"slices"
	"statuspage/internal/status"
	"time"
)

const (
	// HalfHour is what a point of the chart of a day stands for.
	HalfHour = 30 * time.Minute
	// curveHalves is how many half-hours are kept beside the samples: a day, and the one that it begins in.
	curveHalves = 49
)

// halfHour is the latency of half an hour whose samples are not all kept any more.
type halfHour struct {
	number   int64 // Of half-hours since 1970.
	p50, p95 uint32
}

func halfOf(us int64) int64 { return floor(us, HalfHour.Microseconds()) }

// micros is a latency in the width that it is kept in; the longest timeout is far below its limit.
func micros(d time.Duration) uint32 { return uint32(min(max(d.Microseconds(), 0), math.MaxUint32)) }

// freeze notes the latency of the half-hour that the oldest sample is in, which is about to go: quick checks
// fill what is kept of samples within hours. As an hour of them is kept at least, that half-hour is still whole.
func (r *row) freeze() {
	half := halfOf(r.samples[0].Received)
	if n := len(r.curve); n > 0 && r.curve[n-1].number >= half || half <= halfOf(r.newest())-curveHalves {
		return
	}
	if p, measured := r.latencyOf(half); measured {
		r.curve = append(r.curve, p)
	}
	r.trim()
}

func (r *row) trim() {
	oldest := halfOf(r.newest()) - curveHalves
	r.curve = slices.DeleteFunc(r.curve, func(p halfHour) bool { return p.number <= oldest })
}

// latencyOf is that of the samples that are kept of half an hour.
func (r *row) latencyOf(half int64) (halfHour, bool) {
	from := time.UnixMicro(half * HalfHour.Microseconds())
	all := r.latencies(nil, from, from.Add(HalfHour))
	p := status.Percentiles(all, 50, 95)
	return halfHour{half, micros(p[0]), micros(p[1])}, len(all) > 0
}

// latencies appends how long the measurements of [from, to) took that found the service available, of all regions.
func (r *row) latencies(all []time.Duration, from, to time.Time) []time.Duration {
	add := func(samples []status.Sample) {
		for _, s := range samples[first(samples, from):first(samples, to)] {
			if s.Outcome.Available() {
				all = append(all, s.Duration())
			}
		}
	}
	if r.regional == nil {
		add(r.samples)
		return all
	}
	for _, samples := range r.regional.reports {
		add(samples)
	}
	return all
}

// Latency is how long the measurements took that began in the half-hour from start on; false where none is known.
func (s *Service) Latency(start time.Time) (p50, p95 time.Duration, measured bool) {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	r, half := s.row(), halfOf(start.UnixMicro())
	p, measured := r.latencyOf(half)
	if len(r.samples) == 0 || half <= halfOf(r.samples[0].Received) { // Some samples of it are gone.
		if at, found := r.frozen(half); found {
			p, measured = r.curve[at], true
		}
	}
	return time.Duration(p.p50) * time.Microsecond, time.Duration(p.p95) * time.Microsecond, measured
}

func (r *row) frozen(half int64) (at int, found bool) {
	return slices.BinarySearchFunc(r.curve, half, func(p halfHour, half int64) int { return int(p.number - half) })
}

// Reaches tells whether the samples reach back to an instant, or to the first measurement that there was.
func (s *Service) Reaches(from time.Time) bool {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	r := s.row()
	if len(r.samples) == 0 {
		return r.begun.IsZero()
	}
	oldest := r.samples[0].Time()
	return !oldest.After(from) || r.begun.Add(status.QuarterHour).After(oldest)
}

// Unread is from when to when the latency of the last day must be read from the store, as it was before the process
// began; false when there is nothing to read.
func (s *Service) Unread(from time.Time) (until time.Time, any bool) {
	if s.Reaches(from) {
		return until, false
	}
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	r := s.row()
	if r.curveRead || len(r.samples) == 0 {
		return until, false
	}
	return r.samples[0].Time(), true
}

// SetLatencies brings what the store counted by the hour; half-hours that the board knows itself stay as they are.
func (s *Service) SetLatencies(hours []status.LatencyHour) {
	s.board.mu.Lock()
	defer s.board.mu.Unlock()
	r := s.row()
	r.curveRead = true
	for _, h := range hours {
		p := h.Percentiles(50, 95)
		for part := range int64(time.Hour / HalfHour) {
			half := halfOf(h.Start.UnixMicro()) + part
			at, known := r.frozen(half)
			if known || p[0] == 0 || len(r.samples) > 0 && half > halfOf(r.samples[0].Received) {
				continue
			}
			r.curve = slices.Insert(r.curve, at, halfHour{half, micros(p[0]), micros(p[1])})
		}
	}
	r.trim()
}
