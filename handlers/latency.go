package handlers

import (
	"context"
	"statuspage/internal/past"
	"statuspage/internal/status"
	"time"
)

// percentiles returns latency percentiles of services over the window that ends at now: exactly
// from the samples in memory up to a day, else by the hour from the history. It is false
// without a measurement, and an error when the history can't be read.
func (s *Server) percentiles(ctx context.Context, services []int, window time.Duration, now time.Time, percent ...float64) ([]time.Duration, bool, error) {
	from := now.Add(-window)
	if window <= 24*time.Hour {
		var all []time.Duration
		for _, i := range services {
			all = append(all, s.board.Latencies(i, from, now.Add(time.Second))...)
		}
		return status.Percentiles(all, percent...), len(all) > 0, nil
	}
	sum := status.Histogram{}
	for n, i := range services {
		if n == past.MaxKept {
			break
		}
		hours, err := s.past.Latencies(ctx, s.board.Services()[i], from.Truncate(time.Hour).Add(time.Hour), now)
		if err != nil {
			return make([]time.Duration, len(percent)), false, err
		}
		for _, h := range hours {
			sum.Add(h.Histogram)
		}
	}
	return sum.Percentiles(percent...), sum.Count() > 0, nil
}

// meanLatency is the mean of the measurements of a service that found it available: exact up
// to a day, else within the width of a bin.
func (s *Server) meanLatency(ctx context.Context, service int, window time.Duration, now time.Time) (time.Duration, bool, error) {
	if window > 24*time.Hour {
		hours, err := s.past.Latencies(ctx, s.board.Services()[service], now.Add(-window).Truncate(time.Hour).Add(time.Hour), now)
		sum := status.Histogram{}
		for _, h := range hours {
			sum.Add(h.Histogram)
		}
		return sum.Mean(), err == nil && sum.Count() > 0, err
	}
	m, measured := mean(s.board.Latencies(service, now.Add(-window), now.Add(time.Second)))
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
