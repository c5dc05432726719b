package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"maps"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"time"
)

const (
	columns       = `SELECT received, service, region, url, http_status, available, outcome, duration, reason, error FROM signals `
	selectSignals = columns + `WHERE received >= ? AND received < ? ORDER BY received, service, region, url`
	selectOf      = columns + `WHERE received >= ? AND received < ? AND ` + ofService + ` ORDER BY received, service, region, url`
	selectDown    = columns + `WHERE received >= ? AND received < ? AND outcome = 'down' ORDER BY received, service`
	// Rows of other writers have no service; there the URL says whose they are.
	ofService = `(service = ? OR (service = '' AND url = ?))`
	// In the order of the key, so that nothing is sorted; join adds up the rows of one bucket.
	selectDays = `SELECT received, service, url, up, degraded, down, duration FROM signals_daily
		WHERE received >= ? AND received < ? ORDER BY received, service, url`
	// The key begins with the hour, so a look-up an hour finds one service among many.
	selectHoursOf = `WITH RECURSIVE hour(at) AS (
		SELECT max(?1, (SELECT coalesce(min(received), ?2) FROM signals_hourly))
		UNION ALL SELECT at + 3600000000 FROM hour WHERE at + 3600000000 < min(?2, (SELECT coalesce(max(received), 0) + 1 FROM signals_hourly)))
		SELECT received, service, url, up, degraded, down, duration, ` + quarterColumns + ` FROM hour CROSS JOIN signals_hourly ON received = at
		WHERE at < ?2 AND service = ?3
		UNION ALL SELECT received, service, url, up, degraded, down, duration, ` + quarterColumns + ` FROM hour CROSS JOIN signals_hourly ON received = at
		WHERE at < ?2 AND service = '' AND url = ?4`
	// An hour is a row, in the order of the key.
	selectLatencies = `SELECT received, group_concat(bin || ' ' || n) FROM latencies_hourly
		WHERE service = ?3 AND received >= ?1 AND received < ?2 GROUP BY url, received
		UNION ALL SELECT received, group_concat(bin || ' ' || n) FROM latencies_hourly
		WHERE service = '' AND url = ?4 AND received >= ?1 AND received < ?2 GROUP BY received`
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

// Days returns the sums of the UTC days that start in [from, to), by start, then service.
func (s *Store) Days(ctx context.Context, from, to time.Time) ([]status.Bucket, error) {
	return s.buckets(ctx, selectDays, false, from, to)
}

// HoursOf returns the sums of one service in the UTC hours that start in [from, to), one an hour.
func (s *Store) HoursOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.Bucket, error) {
	from = from.Add(time.Hour - time.Microsecond).Truncate(time.Hour) // The first hour that starts in the range.
	rows, err := s.buckets(ctx, selectHoursOf, true, from, to, svc.ID, svc.URL)
	slices.SortStableFunc(rows, func(a, b status.Bucket) int { return a.Start.Compare(b.Start) })
	var all []status.Bucket
	for _, b := range rows {
		if n := len(all) - 1; n >= 0 && all[n].Start.Equal(b.Start) {
			all[n] = join(all[n], b)
			continue
		}
		all = append(all, b)
	}
	return all, err
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
	byHour := make(map[int64]status.Histogram)
	var start int64
	var bins sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&start, &bins); err != nil {
			return nil, fmt.Errorf("read latencies: %w", err)
		}
		hour := byHour[start]
		if hour == nil {
			hour = status.Histogram{}
			byHour[start] = hour
		}
		for one := range bytes.SplitSeq(bins, []byte{','}) {
			left, right, _ := bytes.Cut(one, []byte{' '})
			bin, _ := strconv.Atoi(string(left)) // Both are INTEGERs of the table.
			n, _ := strconv.Atoi(string(right))
			if hour[bin] += n; hour[bin] <= 0 {
				delete(hour, bin) // Replaced by signals of other latencies.
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read latencies: %w", err)
	}
	var all []status.LatencyHour
	for _, start := range slices.Sorted(maps.Keys(byHour)) {
		if len(byHour[start]) > 0 {
			all = append(all, status.LatencyHour{Start: time.UnixMicro(start).UTC(), Histogram: byHour[start]})
		}
	}
	return all, nil
}

// buckets reads sums. A service whose URL changed within the bucket is one row; rows of other
// writers have no service, there the URL tells them apart.
func (s *Store) buckets(ctx context.Context, query string, quarters bool, from, to time.Time, args ...any) ([]status.Bucket, error) {
	if err := s.settle(ctx, to); err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	rows, err := s.read.QueryContext(ctx, query, append([]any{from.UnixMicro(), to.UnixMicro()}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells all there is to tell.
	var all []status.Bucket
	var b status.Bucket
	var q quarterSums
	var start, duration int64
	into := []any{&start, &b.Service, &b.URL, &b.Up, &b.Degraded, &b.Down, &duration}
	if quarters {
		into = append(into, q.scan()...)
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("read sums: %w", err)
		}
		if quarters {
			q.into(&b)
		}
		b.Start, b.Duration = time.UnixMicro(start).UTC(), time.Duration(duration)*time.Microsecond
		if n := len(all) - 1; n >= 0 && b.Service != "" && all[n].Service == b.Service && all[n].Start.Equal(b.Start) {
			all[n] = join(all[n], b)
			continue
		}
		all = append(all, b)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	return all, nil
}

// join adds up two rows of one bucket; the greater URL is its name.
func join(a, b status.Bucket) status.Bucket {
	sum := a.Join(b)
	sum.URL, sum.Service = max(a.URL, b.URL), max(a.Service, b.Service)
	return sum
}
