package past

import (
	"context"
	"fmt"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"time"
)

// Recall brings the past of services that were added to a running process, if the store has any: they
// may have been there before; or of those of which the store has learned more. The board has counted by
// itself from an hour on. It goes on until the store has answered.
func (f *Filler) Recall(ctx context.Context, ids []string, counted time.Time) {
	p := f.patient("the history of some services can't be read; trying again")
	if p.ask(ctx, func(context.Context) error {
		if !f.filled.Load() { // The first fill replaces what is brought before it.
			return fmt.Errorf("the board is still being filled: %w", status.ErrUnavailable)
		}
		return nil
	}) == nil {
		_ = f.recallAll(ctx, p, ids, counted) // It fails when the process ends.
	}
}

func (f *Filler) recallAll(ctx context.Context, p *patient, ids []string, counted time.Time) error {
	if err := p.ask(ctx, f.store.WaitDrained); err != nil {
		return err
	}
	now := time.Now()
	hour := now.UTC().Truncate(time.Hour)
	r := f.reading(p)
	b, regions, hours := r.board, r.regions, make(map[string][]status.Bucket, len(ids))
	begins := make(map[string]time.Time, len(ids)) // From there on outages follow from the samples.
	for _, id := range ids {
		svc, shown := b.Find(id)
		if !shown {
			continue // Removed again.
		}
		var sums []status.Bucket
		if err := p.inParts(ctx, now.AddDate(0, 0, -daysBack), hour, time.Hour, func(ctx context.Context, from, to time.Time) (nothing time.Time, err error) {
			part, err := f.store.HoursOf(ctx, svc.Service, from, to)
			if err == nil {
				sums = append(sums, part...)
			}
			return nothing, err
		}); err != nil {
			return err
		}
		begins[id] = hour
		if whole := svc.Whole(); counted.Before(hour) && !whole.IsZero() && whole.Before(hour) {
			begins[id] = whole
		}
		if hours[id] = sums; len(svc.Regions) > 0 {
			for _, sum := range sums {
				regions.take(sum)
			}
			hours[id] = nil
		}
	}
	failed, err := r.failures(ctx, now, hour, begins)
	if err != nil {
		return err
	}
	if regions != nil {
		for _, sum := range regions.merged(failed) {
			hours[sum.Service] = append(hours[sum.Service], sum)
		}
	}
	var recalled []*board.Service
	for _, id := range ids {
		svc, shown := b.Find(id)
		if !shown {
			continue // Removed again.
		}
		behind := board.Past{Begin: begins[id], Counted: counted, Outages: failed[id], Hours: hours[id]}
		from := now.Add(-reach(svc.Service))
		keep := func(signals []status.Signal) { behind.Signals = append(behind.Signals, signals...) }
		if err := p.each(ctx, from, now.Add(time.Hour), f.signalsOf(svc.Service), keep); err != nil {
			return err
		}
		if len(behind.Hours)+len(behind.Signals)+len(behind.Outages) == 0 || !b.Loader().Recall(id, behind) {
			continue
		}
		recalled = append(recalled, svc)
	}
	return r.resolve(ctx, recalled, now)
}
