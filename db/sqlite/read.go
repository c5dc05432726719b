package sqlite

import (
	"context"
	"fmt"
	"iter"
	"statuspage/internal/status"
	"time"
)

const (
	columns       = `SELECT received, service, region, url, http_status, available, outcome, duration, reason, error FROM signals `
	selectSignals = columns + `WHERE received >= ? AND received < ? ORDER BY received, service, region, url`
	selectOf      = columns + `WHERE received >= ? AND received < ? AND ` + ofService + ` ORDER BY received, service, region, url`
	selectDown    = columns + `WHERE received >= ? AND received < ? AND outcome = 'down' ORDER BY received, service`
	// Rows of other writers have no service; there the URL says whose they are.
	ofService = `(service = ? OR (service = '' AND url = ?))`
	// A service whose URL changed within the bucket is one row; other writers' rows have
	// no service, there the URL tells them apart.
	selectHours = `SELECT received, service, max(url) AS url, sum(up), sum(degraded), sum(down), sum(duration)
		FROM signals_hourly WHERE received >= ? AND received < ?
		GROUP BY received, service, CASE service WHEN '' THEN signals_hourly.url END ORDER BY received, service, url`
	selectHoursOf = `SELECT received, max(service), max(url), sum(up), sum(degraded), sum(down), sum(duration)
		FROM signals_hourly WHERE received >= ? AND received < ? AND ` + ofService + ` GROUP BY received ORDER BY received`
	selectDays = `SELECT received, service, max(url) AS url, sum(up), sum(degraded), sum(down), sum(duration)
		FROM signals_daily WHERE received >= ? AND received < ?
		GROUP BY received, service, CASE service WHEN '' THEN signals_daily.url END ORDER BY received, service, url`
	selectLatencies = `SELECT received, bin, sum(n) FROM latencies_hourly
		WHERE received >= ? AND received < ? AND ` + ofService + ` GROUP BY received, bin HAVING sum(n) > 0 ORDER BY received, bin`
)

// Signals yields the signals received in [from, to), oldest first. The iteration ends
// after an error.
func (s *Store) Signals(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return s.signals(ctx, selectSignals, from.UnixMicro(), to.UnixMicro())
}

// SignalsOf yields the signals of one service received in [from, to), oldest first: those
// under its id, and those of other writers under its URL.
func (s *Store) SignalsOf(ctx context.Context, svc status.Service, from, to time.Time) iter.Seq2[status.Signal, error] {
	return s.signals(ctx, selectOf, from.UnixMicro(), to.UnixMicro(), svc.ID, svc.URL)
}

// Failures yields the signals with the outcome Down received in [from, to), oldest first.
func (s *Store) Failures(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return s.signals(ctx, selectDown, from.UnixMicro(), to.UnixMicro())
}

func (s *Store) signals(ctx context.Context, query string, args ...any) iter.Seq2[status.Signal, error] {
	return func(yield func(status.Signal, error) bool) {
		rows, err := s.read.QueryContext(ctx, query, args...)
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

// HoursOf returns the sums of one service in the UTC hours that start in [from, to), one an hour.
func (s *Store) HoursOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.Bucket, error) {
	return s.buckets(ctx, selectHoursOf, from, to, svc.ID, svc.URL)
}

// LatenciesOf returns the latencies of one service in the UTC hours that start in [from, to).
func (s *Store) LatenciesOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.LatencyHour, error) {
	if err := s.settle(ctx, to); err != nil {
		return nil, fmt.Errorf("read latencies: %w", err)
	}
	rows, err := s.read.QueryContext(ctx, selectLatencies, from.UnixMicro(), to.UnixMicro(), svc.ID, svc.URL)
	if err != nil {
		return nil, fmt.Errorf("read latencies: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells all there is to tell.
	var all []status.LatencyHour
	for rows.Next() {
		var start int64
		var bin, n int
		if err := rows.Scan(&start, &bin, &n); err != nil {
			return nil, fmt.Errorf("read latencies: %w", err)
		}
		all = status.AppendLatency(all, time.UnixMicro(start).UTC(), bin, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read latencies: %w", err)
	}
	return all, nil
}

func (s *Store) buckets(ctx context.Context, query string, from, to time.Time, args ...any) ([]status.Bucket, error) {
	if err := s.settle(ctx, to); err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	rows, err := s.read.QueryContext(ctx, query, append([]any{from.UnixMicro(), to.UnixMicro()}, args...)...)
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
