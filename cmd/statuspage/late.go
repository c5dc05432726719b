package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"statuspage/internal/status"
	"time"
)

const (
	lateFirst = 30 * time.Second // Doubled up to lateMost: what comes late mostly does soon after a start.
	lateMost  = 15 * time.Minute
	lateDays  = 91
	lateBatch = 200 // Services recalled at once.
)

// late is how a page server notices signals of before its start that come to the store after
// it has read the past: other processes may have kept them in their outboxes.
type late struct {
	hour  time.Time // From there on the board counts by itself.
	known map[lateKey]int
}

// lateKey is a day of one service, or, on the day of the start, an hour.
type lateKey struct {
	service string
	start   int64
}

// shared tells whether others measure for this page as well.
func (a *app) shared() bool { return a.roles.web && (a.team != nil || len(a.cfg.Load().Agents) > 0) }

// watchLate looks at the store's sums of before the start from time to time, until ctx ends.
func (a *app) watchLate(ctx context.Context) {
	for pause := lateFirst; ; pause = min(2*pause, lateMost) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		services, err := a.lookForLate(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			a.log.Warn("the store can't be asked for signals that came late; asking again", "error", err)
		case services > 0:
			a.log.Info("signals of before the start came late; the history was read again", "services", services)
			pause = lateFirst
		}
	}
}

// lookForLate recalls the services of which the store knows more than before, and tells how many.
func (a *app) lookForLate(ctx context.Context) (int, error) {
	if !a.shared() || a.late.hour.IsZero() || !a.store.State().Up { // That it is away is told elsewhere.
		return 0, nil
	}
	sums, err := a.sums(ctx, a.late.hour)
	if err != nil {
		return 0, err
	}
	grown := map[string]bool{}
	for key, n := range sums {
		if n > a.late.known[key] {
			grown[key.service] = true
		}
	}
	a.late.known = sums
	ids := slices.Sorted(maps.Keys(grown))
	for some := range slices.Chunk(ids, lateBatch) {
		a.recall(ctx, some, a.late.hour)
	}
	return len(ids), nil
}

// sums is how many signals the store has of each service before an hour: by day, and by hour on its day.
func (a *app) sums(ctx context.Context, hour time.Time) (map[lateKey]int, error) {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	day := hour.Truncate(24 * time.Hour)
	days, err := a.store.Days(ctx, time.Now().AddDate(0, 0, -lateDays), day)
	if err != nil {
		return nil, fmt.Errorf("read the sums of days: %w", err)
	}
	sums, b := make(map[lateKey]int, len(days)), a.board.Current()
	add := func(s status.Bucket) {
		if i, shown := b.Owner(s.Service, s.URL); shown {
			sums[lateKey{b.Services()[i].ID, s.Start.Unix()}] += s.Measured()
		}
	}
	for _, s := range days {
		add(s)
	}
	for s, err := range a.store.Hours(ctx, day, hour) {
		if err != nil {
			return nil, fmt.Errorf("read the sums of hours: %w", err)
		}
		add(s)
	}
	return sums, nil
}

// baseline is what lookForLate compares with.
func (a *app) baseline(ctx context.Context, hour time.Time) (err error) {
	if !a.shared() {
		return nil
	}
	a.late.hour = hour
	a.late.known, err = a.sums(ctx, hour)
	return err
}
