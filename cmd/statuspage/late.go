package main

import (
	"context"
	"maps"
	"slices"
	"statuspage/internal/retry"
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
	pause := retry.NewBackoff(lateFirst, lateMost)
	for {
		if pause.Wait(ctx); ctx.Err() != nil {
			return
		}
		if services, err := a.lookForLate(ctx); err == nil && services > 0 {
			a.log.Info("signals of before the start came late; the history was read again", "services", services)
			pause.Reset()
		}
	}
}

// lookForLate recalls the services of which the store knows more than before, and tells how many.
func (a *app) lookForLate(ctx context.Context) (int, error) {
	if !a.shared() || a.late.hour.IsZero() || !a.store.State().Up { // That it is away is told elsewhere.
		return 0, nil
	}
	p := &patient{app: a, told: "the store can't be asked for signals that came late; asking again"}
	sums, err := a.sums(ctx, p, a.late.hour)
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
func (a *app) sums(ctx context.Context, p *patient, hour time.Time) (map[lateKey]int, error) {
	day := hour.Truncate(24 * time.Hour)
	sums, b := make(map[lateKey]int), a.board.Current()
	add := func(some []status.Bucket) {
		for _, s := range some {
			if i, shown := b.Owner(s.Service, s.URL); shown {
				sums[lateKey{b.Services()[i].ID, s.Start.Unix()}] += s.Measured()
			}
		}
	}
	if err := p.inParts(ctx, time.Now().AddDate(0, 0, -lateDays), day, 24*time.Hour, func(ctx context.Context, from, to time.Time) (nothing time.Time, err error) {
		days, err := a.store.Days(ctx, from, to)
		if err == nil {
			add(days)
		}
		return nothing, err
	}); err != nil {
		return nil, err
	}
	return sums, p.inParts(ctx, day, hour, time.Hour, func(ctx context.Context, from, to time.Time) (nothing time.Time, err error) {
		var hours []status.Bucket
		for s, err := range a.store.Hours(ctx, from, to) {
			if err != nil {
				return nothing, err
			}
			hours = append(hours, s)
		}
		add(hours)
		return nothing, nil
	})
}

// baseline is what lookForLate compares with.
func (a *app) baseline(ctx context.Context, p *patient, hour time.Time) (err error) {
	if !a.shared() {
		return nil
	}
	a.late.hour = hour
	a.late.known, err = a.sums(ctx, p, hour)
	return err
}
