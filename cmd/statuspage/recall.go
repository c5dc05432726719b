package main

import (
	"context"
	"fmt"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"time"
)

// recall brings the past of services that were added to a running process, if the store has any: they
// may have been there before; or of those of which the store has learned more. The board has counted by
// itself from an hour on. It goes on until the store has answered.
func (a *app) recall(ctx context.Context, ids []string, counted time.Time) {
	pause, told := retry(fillRetry), false
	for {
		err := a.recallOnce(ctx, ids, counted)
		if err == nil || ctx.Err() != nil {
			return
		}
		if !told {
			told = true
			a.log.Warn("the history of some services can't be read; trying again", "error", err)
		}
		if !pause.wait(ctx) {
			return
		}
	}
}

func (a *app) recallOnce(ctx context.Context, ids []string, counted time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	if !a.filled.Load() { // The first fill replaces what is brought before it.
		return fmt.Errorf("the board is still being filled: %w", status.ErrUnavailable)
	}
	if err := a.store.WaitDrained(ctx); err != nil {
		return fmt.Errorf("empty the outbox: %w", err)
	}
	now := time.Now()
	hour := now.UTC().Truncate(time.Hour)
	b := a.board.Current()
	regions, hours := newRegionPast(b), make(map[string][]status.Bucket, len(ids))
	begins := make(map[int]time.Time, len(ids)) // From there on outages follow from the samples.
	for _, id := range ids {
		i, shown := b.Find(id)
		if !shown {
			continue // Removed again.
		}
		sums, err := a.store.HoursOf(ctx, b.Services()[i], now.AddDate(0, 0, -91), hour)
		if err != nil {
			return fmt.Errorf("read the last days: %w", err)
		}
		begins[i] = hour
		if whole := b.Whole(i); counted.Before(hour) && !whole.IsZero() && whole.Before(hour) {
			begins[i] = whole
		}
		if hours[id] = sums; len(b.Services()[i].Regions) > 0 {
			for _, sum := range sums {
				regions.take(sum)
			}
			hours[id] = nil
		}
	}
	failed, err := a.failures(ctx, b, now, hour, begins, regions)
	if err != nil {
		return err
	}
	if regions != nil {
		for _, sum := range regions.merged(failed) {
			hours[sum.Service] = append(hours[sum.Service], sum)
		}
	}
	var recalled []int
	for _, id := range ids {
		i, shown := b.Find(id)
		if !shown {
			continue // Removed again.
		}
		svc := b.Services()[i]
		past := board.Past{Begin: begins[i], Counted: counted, Outages: failed[i], Hours: hours[id]}
		from := now.Add(-reach(svc))
		keep := func(signals []status.Signal) { past.Signals = append(past.Signals, signals...) }
		if _, err = feed(a.store.SignalsOf(ctx, svc, from, now.Add(time.Hour)), keep); err != nil {
			return fmt.Errorf("read the last day: %w", err)
		}
		if len(past.Hours)+len(past.Signals)+len(past.Outages) == 0 || !b.Recall(id, past) {
			continue
		}
		recalled = append(recalled, i)
	}
	return a.resolve(ctx, b, recalled, now)
}
