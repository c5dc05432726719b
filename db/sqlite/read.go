package sqlite

import (
	"context"
	"fmt"
	"iter"
	"statuspage/internal/status"
	"time"
)

const (
	selectSignals = `SELECT received, service, region, url, http_status, available, outcome, duration, reason, error
		FROM signals WHERE received >= ? AND received < ? ORDER BY received, service, region, url`
	// A service whose URL changed within the bucket is one row; other writers' rows have
	// no service, there the URL tells them apart.
	selectHours = `SELECT received, service, max(url) AS url, sum(up), sum(degraded), sum(down), sum(duration)
		FROM signals_hourly WHERE received >= ? AND received < ?
		GROUP BY received, service, CASE service WHEN '' THEN signals_hourly.url END ORDER BY received, service, url`
	selectDays = `SELECT received, service, max(url) AS url, sum(up), sum(degraded), sum(down), sum(duration)
		FROM signals_daily WHERE received >= ? AND received < ?
		GROUP BY received, service, CASE service WHEN '' THEN signals_daily.url END ORDER BY received, service, url`
)

// Signals yields the signals received in [from, to), oldest first. The iteration ends
// after an error.
func (s *Store) Signals(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return func(yield func(status.Signal, error) bool) {
		rows, err := s.read.QueryContext(ctx, selectSignals, from.UnixMicro(), to.UnixMicro())
		if err != nil {
			yield(status.Signal{}, fmt.Errorf("read signals: %w", err))
			return
		}
		defer rows.Close() //nolint:errcheck // rows.Err tells all there is to tell.
		for rows.Next() {
			var sig status.Signal
			var received, duration int64
			var outcome, reason string
			if err := rows.Scan(&received, &sig.Service, &sig.Region, &sig.URL, &sig.HTTPStatus, &sig.Available,
				&outcome, &duration, &reason, &sig.Error); err != nil {
				yield(status.Signal{}, fmt.Errorf("read signals: %w", err))
				return
			}
			sig.Received = time.UnixMicro(received).UTC()
			sig.Duration = time.Duration(duration) * time.Microsecond
			sig.Outcome = status.ParseOutcome(outcome, sig.Available)
			sig.Reason = status.ParseReason(reason)
			if !yield(sig, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(status.Signal{}, fmt.Errorf("read signals: %w", err))
		}
	}
}

// Hours returns the sums of the UTC hours that start in [from, to), by start, then service.
func (s *Store) Hours(ctx context.Context, from, to time.Time) ([]status.Bucket, error) {
	return s.buckets(ctx, selectHours, from, to)
}

// Days returns the sums of the UTC days that start in [from, to), by start, then service.
func (s *Store) Days(ctx context.Context, from, to time.Time) ([]status.Bucket, error) {
	return s.buckets(ctx, selectDays, from, to)
}

func (s *Store) buckets(ctx context.Context, query string, from, to time.Time) ([]status.Bucket, error) {
	rows, err := s.read.QueryContext(ctx, query, from.UnixMicro(), to.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells all there is to tell.
	var all []status.Bucket
	for rows.Next() {
		var b status.Bucket
		var start, duration int64
		if err := rows.Scan(&start, &b.Service, &b.URL, &b.Up, &b.Degraded, &b.Down, &duration); err != nil {
			return nil, fmt.Errorf("read sums: %w", err)
		}
		b.Start, b.Duration = time.UnixMicro(start).UTC(), time.Duration(duration)*time.Microsecond
		all = append(all, b)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	return all, nil
}
