package figures

import (
	"context"
	"slices"
	"statuspage/internal/board"
	"statuspage/internal/past"
	"statuspage/internal/status"
	"time"
)

// Percentiles returns latency percentiles of services over the window that ends at now: exactly
// from the samples in memory as far as they reach, a day at most, else by the hour from the history. It is false
// without a measurement, and an error when the history can't be read.
func (f *Figures) Percentiles(ctx context.Context, services []*board.Service, window time.Duration, now time.Time, percent ...float64) ([]time.Duration, bool, error) {
	from := now.Add(-window)
	if window <= 24*time.Hour && !slices.ContainsFunc(services, func(s *board.Service) bool { return !s.Reaches(from) }) {
		var all []time.Duration
		for _, svc := range services {
			all = append(all, svc.Latencies(from, now.Add(time.Second))...)
		}
		return status.Percentiles(all, percent...), len(all) > 0, nil
	}
	sum := status.Histogram{}
	for _, svc := range services[:min(len(services), past.MaxKept)] {
		hours, err := f.past.Latencies(ctx, svc.Known(), from.Truncate(time.Hour).Add(time.Hour), now)
		if err != nil {
			return make([]time.Duration, len(percent)), false, err
		}
		for _, h := range hours {
			sum.Add(h.Histogram)
		}
	}
	return sum.Percentiles(percent...), sum.Count() > 0, nil
}

// MeanLatency is the mean of the measurements of a service that found it available: exact as far as the samples
// in memory reach, a day at most, else within the width of a bin.
func (f *Figures) MeanLatency(ctx context.Context, svc *board.Service, window time.Duration, now time.Time) (time.Duration, bool, error) {
	if window > 24*time.Hour || !svc.Reaches(now.Add(-window)) {
		hours, err := f.past.Latencies(ctx, svc.Known(), now.Add(-window).Truncate(time.Hour).Add(time.Hour), now)
		sum := status.Histogram{}
		for _, h := range hours {
			sum.Add(h.Histogram)
		}
		return sum.Mean(), err == nil && sum.Count() > 0, err
	}
	m, measured := mean(svc.Latencies(now.Add(-window), now.Add(time.Second)))
	return m, measured, nil
}

// mean is false without a latency.
func mean(all []time.Duration) (time.Duration, bool) {
	if len(all) == 0 {
		return 0, false
	}
	var sum time.Duration
	for _, d := range all {
		sum += d
	}
	return sum / time.Duration(len(all)), true
}
