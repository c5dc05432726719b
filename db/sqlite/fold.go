package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"statuspage/internal/status"
	"time"
)

// Sums are brought up to date some minutes after their signals, many at once: a signal touches
// one page of signals and one of changes, both of which its neighbours share, instead of
// pages of three rollups all over the file. The triggers of the signals table note what
// the sums lack, in the signals' own transaction, so that a kill or a power cut loses
// nothing. Who reads sums of an hour that lacks something has it folded in before.

const (
	foldEvery  = 5 * time.Minute
	foldAtOnce = 50_000  // So many changes are not left to wait for the next time.
	maxChanges = 200_000 // With more, writers wait until they are folded.
	foldRows   = 20_000  // A step holds the write lock for some 100 ms.
	foldLast   = 3 * time.Second
)

const (
	selectFold = `SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM changes ORDER BY seq LIMIT ?)`
	sums       = `sum(sign * (outcome = 'up')), sum(sign * (outcome = 'degraded')), sum(sign * (outcome = 'down')), sum(sign * duration)`
	foldHours  = `INSERT INTO signals_hourly (received, service, url, up, degraded, down, duration,
			up0, degraded0, down0, up1, degraded1, down1, up2, degraded2, down2)
		SELECT hour, service, url, ` + sums + `,
			` + inQuarter0 + `, ` + inQuarter1 + `, ` + inQuarter2 + `
		FROM changes WHERE seq <= ? GROUP BY 1, 2, 3
		ON CONFLICT (received, service, url) DO UPDATE SET up = up + excluded.up, degraded = degraded + excluded.degraded,
		down = down + excluded.down, duration = duration + excluded.duration,
		up0 = up0 + excluded.up0, degraded0 = degraded0 + excluded.degraded0, down0 = down0 + excluded.down0,
		up1 = up1 + excluded.up1, degraded1 = degraded1 + excluded.degraded1, down1 = down1 + excluded.down1,
		up2 = up2 + excluded.up2, degraded2 = degraded2 + excluded.degraded2, down2 = down2 + excluded.down2`
	// Changes that an earlier version noted know no quarter: then neither does their hour.
	inQuarter0 = inQuarter + `0)) END` + degradedIn + `0)) END` + downIn + `0)) END`
	inQuarter1 = inQuarter + `1)) END` + degradedIn + `1)) END` + downIn + `1)) END`
	inQuarter2 = inQuarter + `2)) END` + degradedIn + `2)) END` + downIn + `2)) END`
	inQuarter  = `CASE WHEN count(*) = count(quarter) THEN sum(sign * (outcome = 'up' AND quarter = `
	degradedIn = `, CASE WHEN count(*) = count(quarter) THEN sum(sign * (outcome = 'degraded' AND quarter = `
	downIn     = `, CASE WHEN count(*) = count(quarter) THEN sum(sign * (outcome = 'down' AND quarter = `
	foldDays   = `INSERT INTO signals_daily (received, service, url, up, degraded, down, duration) SELECT hour - hour % 86400000000, service, url, ` + sums + `
		FROM changes WHERE seq <= ? GROUP BY 1, 2, 3
		ON CONFLICT (received, service, url) DO UPDATE SET up = up + excluded.up, degraded = degraded + excluded.degraded,
		down = down + excluded.down, duration = duration + excluded.duration`
	// status.Bin in SQL, as in the second migration.
	foldLatencies = `INSERT INTO latencies_hourly (service, url, received, bin, n)
		SELECT service, url, hour, CAST(floor(ln(max(duration, 1)) * 8 / ln(2)) AS INTEGER), sum(sign)
		FROM changes WHERE seq <= ? AND outcome <> 'down' GROUP BY 1, 2, 3, 4
		ON CONFLICT (service, url, received, bin) DO UPDATE SET n = n + excluded.n`
	clearFold = `DELETE FROM changes WHERE seq <= ?`
)

// debt is what the sums lack.
type debt struct {
	signals int
	from    int64 // Hour of the oldest signal, Unix microseconds.
}

// owe notes signals whose shares the sums lack, and tells how many there are.
func (s *Store) owe(signals []status.Signal) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sig := range signals {
		hour := sig.Received.Truncate(time.Hour).UnixMicro()
		if s.debt.signals == 0 || hour < s.debt.from {
			s.debt.from = hour
		}
		s.debt.signals++
	}
	if s.debt.signals >= foldAtOnce {
		select {
		case s.full <- struct{}{}:
		default: // Already due.
		}
	}
	return s.debt.signals
}

// readDebt finds what the run before has left.
func (s *Store) readDebt(ctx context.Context) error {
	var from sql.NullInt64
	if err := s.write.QueryRowContext(ctx, `SELECT count(*), min(hour) FROM changes`).Scan(&s.debt.signals, &from); err != nil {
		return err
	}
	s.debt.from = from.Int64
	return nil
}

// keepFolding folds every few minutes until ctx ends, and then once more.
func (s *Store) keepFolding(ctx context.Context) {
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), foldLast)
			defer cancel()
			_ = s.fold(last) // What is left is folded in at the next start.
			return
		case <-s.full:
		case <-tick.C:
		}
		if err := s.fold(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("sums could not be brought up to date", "err", err)
		}
	}
}

// settle folds when the sums of the time before to lack something.
func (s *Store) settle(ctx context.Context, to time.Time) error {
	s.mu.Lock()
	due := s.debt.signals > 0 && s.debt.from < to.UnixMicro()
	s.mu.Unlock()
	if !due {
		return nil
	}
	return s.fold(ctx)
}

// fold brings the sums up to date, in steps that leave room for the writers between them.
func (s *Store) fold(ctx context.Context) error {
	s.folding.Lock()
	defer s.folding.Unlock()
	for {
		s.mu.Lock()
		before := s.debt
		s.mu.Unlock()
		if before.signals == 0 {
			return nil
		}
		var upTo int64
		if err := s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
			if err := tx.QueryRowContext(ctx, selectFold, foldRows).Scan(&upTo); err != nil || upTo == 0 {
				return err
			}
			for _, step := range []string{foldHours, foldDays, foldLatencies, clearFold} {
				if _, err := tx.ExecContext(ctx, step, upTo); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return fmt.Errorf("fold: %w", err)
		}
		if upTo > 0 {
			continue
		}
		// Nothing was left when the step looked; what has been written since stays owed.
		s.mu.Lock()
		if s.debt.signals -= before.signals; s.debt.signals < 0 {
			s.debt.signals = 0
		}
		s.mu.Unlock()
	}
}
