package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"statuspage/internal/status"
	"time"
)

const (
	selectOld = `SELECT outcome, available, duration FROM signals WHERE received = ? AND service = ? AND region = ? AND url = ?`
	upsert    = `INSERT INTO signals (received, service, region, url, http_status, available, outcome, duration, reason, error)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (received, service, region, url) DO UPDATE SET http_status = excluded.http_status, available = excluded.available,
		outcome = excluded.outcome, duration = excluded.duration, reason = excluded.reason, error = excluded.error`
	addHour = `INSERT INTO signals_hourly (received, service, url, up, degraded, down, duration) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (received, service, url) DO UPDATE SET up = up + excluded.up, degraded = degraded + excluded.degraded,
		down = down + excluded.down, duration = duration + excluded.duration`
	addDay = `INSERT INTO signals_daily (received, service, url, up, degraded, down, duration) VALUES (?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (received, service, url) DO UPDATE SET up = up + excluded.up, degraded = degraded + excluded.degraded,
		down = down + excluded.down, duration = duration + excluded.duration`
	addLatency = `INSERT INTO latencies_hourly (service, url, received, bin, n) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (service, url, received, bin) DO UPDATE SET n = n + excluded.n`
)

// bucket is the key of one row of sums.
type bucket struct {
	start        int64
	service, url string
}

// latencyBin is the key of one bin of an hour's latencies.
type latencyBin struct {
	bucket
	bin int
}

// sums is what a batch changes in a bucket; an overwritten row takes its old share out.
type sums struct{ up, degraded, down, duration int64 }

func (s sums) plus(sign int64, o status.Outcome, duration int64) sums {
	switch o {
	case status.Up:
		s.up += sign
	case status.Degraded:
		s.degraded += sign
	case status.Down:
		s.down += sign
	case status.Unknown:
	}
	s.duration += sign * duration
	return s
}

// Write stores all signals or none. A signal with the key (received, service, region, url)
// of a stored one replaces it.
func (s *Store) Write(ctx context.Context, signals []status.Signal) error {
	if len(signals) == 0 {
		return ctx.Err()
	}
	if err := status.CheckSignals(signals); err != nil {
		return err
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write signals: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // After a commit there is nothing left to roll back.
	if err := write(ctx, tx, signals); err != nil {
		return fmt.Errorf("write signals: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write signals: %w", err)
	}
	return nil
}

func write(ctx context.Context, tx *sql.Tx, signals []status.Signal) error {
	old, err := tx.PrepareContext(ctx, selectOld)
	if err != nil {
		return err
	}
	put, err := tx.PrepareContext(ctx, upsert)
	if err != nil {
		return err
	}
	hours, days, latencies := map[bucket]sums{}, map[bucket]sums{}, map[latencyBin]int{}
	for _, sig := range signals {
		at := sig.Received.UnixMicro()
		hour := bucket{floor(at, time.Hour), sig.Service, sig.URL}
		day := bucket{floor(at, 24*time.Hour), sig.Service, sig.URL}

		var outcome string
		var available bool
		var duration int64
		switch err := old.QueryRowContext(ctx, at, sig.Service, sig.Region, sig.URL).Scan(&outcome, &available, &duration); {
		case err == nil:
			was := status.ParseOutcome(outcome, available)
			hours[hour] = hours[hour].plus(-1, was, duration)
			days[day] = days[day].plus(-1, was, duration)
			if was.Available() {
				latencies[latencyBin{hour, status.Bin(time.Duration(duration) * time.Microsecond)}]--
			}
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		duration = sig.Duration.Microseconds()
		if _, err := put.ExecContext(ctx, at, sig.Service, sig.Region, sig.URL, sig.HTTPStatus, sig.Available,
			sig.Outcome.String(), duration, sig.Reason.String(), sig.Error); err != nil {
			return err
		}
		hours[hour] = hours[hour].plus(1, sig.Outcome, duration)
		days[day] = days[day].plus(1, sig.Outcome, duration)
		if sig.Outcome.Available() {
			latencies[latencyBin{hour, status.Bin(sig.Duration)}]++
		}
	}
	if err := addLatencies(ctx, tx, latencies); err != nil {
		return err
	}
	if err := add(ctx, tx, addHour, hours); err != nil {
		return err
	}
	return add(ctx, tx, addDay, days)
}

func add(ctx context.Context, tx *sql.Tx, query string, changes map[bucket]sums) error {
	stmt, err := tx.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	for b, c := range changes {
		if c == (sums{}) {
			continue // A repeated batch changes nothing.
		}
		if _, err := stmt.ExecContext(ctx, b.start, b.service, b.url, c.up, c.degraded, c.down, c.duration); err != nil {
			return err
		}
	}
	return nil
}

func addLatencies(ctx context.Context, tx *sql.Tx, changes map[latencyBin]int) error {
	stmt, err := tx.PrepareContext(ctx, addLatency)
	if err != nil {
		return err
	}
	for b, n := range changes {
		if n == 0 {
			continue
		}
		if _, err := stmt.ExecContext(ctx, b.service, b.url, b.start, b.bin, n); err != nil {
			return err
		}
	}
	return nil
}

func floor(us int64, step time.Duration) int64 { return us - us%step.Microseconds() }
