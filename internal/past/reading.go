package past

import (
	"context"
	"fmt"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	maxResolved  = 200 // Of a service's outages, the newest, that the store is asked the end of.
	resolvedOnce = 500 // Outages that the store is asked the ends of in one question, at most.
	daysBack     = 91
)

// reading is one reading of the past for the board of one configuration.
type reading struct {
	*patient
	board     *board.Board
	retention time.Duration
	regions   *regionPast // Nil when no service has regions.
}

func (f *Filler) reading(p *patient) *reading {
	b := f.board.Current()
	return &reading{patient: p, board: b, retention: f.retention, regions: newRegionPast(b)}
}

// days brings the counts of the last days and the outages. Both are read at once: each
// keeps a core of ours or of the store's busy for a while.
func (r *reading) days(ctx context.Context, start, hour time.Time) error {
	all, ctx := errgroup.WithContext(ctx)
	var history *board.History
	hours := func() (err error) {
		history, err = r.hours(ctx, hour, start.AddDate(0, 0, -daysBack))
		if err == nil && r.regions == nil {
			r.board.Loader().SetHistory(history)
		}
		return err
	}
	if r.regions == nil {
		all.Go(hours)
	}
	all.Go(func() error {
		if r.regions != nil { // Their sums are needed to read the failures.
			if err := hours(); err != nil {
				return err
			}
		}
		past, err := r.failures(ctx, start, hour, nil)
		if err != nil {
			return err
		}
		if r.regions != nil {
			for _, sum := range r.regions.merged(past) {
				history.Add(sum)
			}
			r.board.Loader().SetHistory(history)
		}
		return r.outages(ctx, start, hour, past)
	})
	return all.Wait()
}

// hours reads the counts of the hours in [from, hour); those of services with regions go to regions.
func (r *reading) hours(ctx context.Context, hour, from time.Time) (*board.History, error) {
	history, some := r.board.Loader().NewHistory(hour), false
	err := r.inParts(ctx, from, hour, time.Hour, func(ctx context.Context, from, to time.Time) (nothing time.Time, err error) {
		var part []status.Bucket
		for sum, err := range r.store.Hours(ctx, from, to) {
			switch {
			case err != nil && !some: // Nothing is there but what came of this question.
				history = r.board.Loader().NewHistory(hour)
				r.regions.clear()
				return nothing, fmt.Errorf("read the last days: %w", err)
			case err != nil:
				return nothing, fmt.Errorf("read the last days: %w", err)
			case some: // They come in no order, so that a part that fails must be read anew, and may not be added twice.
				part = append(part, sum)
			case !r.regions.take(sum):
				history.Add(sum)
			}
		}
		for _, sum := range part {
			if !r.regions.take(sum) {
				history.Add(sum)
			}
		}
		some = true
		return nothing, nil
	})
	return history, err
}

// failures derives the outages of each service from the failed signals in the store before an
// hour. Of services that begins names, it takes only those from before that.
func (r *reading) failures(ctx context.Context, start, hour time.Time, begins map[string]time.Time) (map[string][]status.Outage, error) {
	past := make(map[string][]status.Outage)
	take := func(failed []status.Signal) {
		for _, s := range failed {
			svc, shown := r.board.Owner(s.Service, s.URL)
			if !shown {
				continue
			}
			if begin, named := begins[svc.ID]; named && !s.Received.Before(begin) {
				continue
			}
			if !r.regions.failed(svc.ID, s) {
				past[svc.ID] = status.Failed(past[svc.ID], s.Sample(), s.Region, svc.Service, board.MaxOutages)
			}
		}
	}
	return past, r.each(ctx, start.Add(-r.retention), hour, r.store.Failures, take)
}

// outages brings the outages of the past, and asks the store when the services came back:
// failed signals alone don't tell a recovery from a time in which nobody measured.
func (r *reading) outages(ctx context.Context, start, hour time.Time, past map[string][]status.Outage) error {
	r.board.Loader().SetOutages(hour, past)
	return r.resolve(ctx, r.board.Services(), start)
}

// resolve finds out when services came back after their lapsed outages.
func (r *reading) resolve(ctx context.Context, services []*board.Service, now time.Time) error {
	var lapsed []status.Outage
	var spans []status.Span
	for _, service := range services {
		svc := service.Service
		for n, o := range service.Outages(now) {
			if n >= maxResolved || !o.Lapsed {
				continue
			}
			if len(svc.Regions) > 0 {
				if err := r.resolveMerged(ctx, svc, o); err != nil {
					return err
				}
				continue
			}
			lapsed = append(lapsed, o)
			spans = append(spans, status.Span{Service: svc, From: o.Last.Add(time.Microsecond), To: o.Last.Add(svc.HoldsAt(o.Last))})
		}
	}
	most := resolvedOnce
	return r.keep(ctx, func(ctx context.Context) (bool, error) {
		n := min(most, len(spans))
		ends, err := r.store.FirstAvailable(ctx, spans[:n])
		if err != nil {
			most = max(1, n/2)
			return true, fmt.Errorf("read the ends of outages: %w", err)
		}
		for i, end := range ends {
			if !end.IsZero() {
				r.board.Loader().Resolve(lapsed[i], end)
			}
		}
		lapsed, spans = lapsed[n:], spans[n:]
		return len(spans) > 0, nil
	})
}
