package handlers

import (
	"context"
	"fmt"
	"iter"
	"statuspage/internal/status"
	"sync"
	"time"
)

// History reads what lies behind the board: single signals, and the sums of long ago.
type History interface {
	SignalsOf(ctx context.Context, svc status.Service, from, to time.Time) iter.Seq2[status.Signal, error]
	HoursOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.Bucket, error)
	LatenciesOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.LatencyHour, error)
}

const (
	pastReaders = 4               // Queries at a time, so that visitors can't keep the store from its work.
	pastTimeout = 4 * time.Second // For a query and the wait for its turn.
	maxSignals  = 100_000         // Of one answer; an hour of the quickest check has 3,600.
	// latencyKept is for how long the hours of a service are kept: the past does not change,
	// but for the hour that is going on.
	latencyKept = time.Minute
	// maxLatencySeries bounds the services whose hours are kept, some 300 KB each.
	maxLatencySeries = 200
)

// past reads the history within bounds: few queries at a time, each with a deadline, and the
// answers that many ask for kept.
type past struct {
	history History // Nil without a store: then there is none.
	now     func() time.Time
	gate    chan struct{}

	mu     sync.Mutex
	series map[string]latencySeries
}

type latencySeries struct {
	from, read time.Time
	hours      []status.LatencyHour
}

func newPast(history History, now func() time.Time) *past {
	return &past{history: history, now: now, gate: make(chan struct{}, pastReaders), series: make(map[string]latencySeries)}
}

// read runs a query in its turn.
func (p *past) read(ctx context.Context, query func(ctx context.Context) error) error {
	if p.history == nil {
		return fmt.Errorf("no store: %w", status.ErrUnavailable)
	}
	ctx, cancel := context.WithTimeout(ctx, pastTimeout)
	defer cancel()
	select {
	case p.gate <- struct{}{}:
		defer func() { <-p.gate }()
	case <-ctx.Done():
		return fmt.Errorf("too many read the history: %w", status.ErrUnavailable)
	}
	if err := query(ctx); err != nil {
		return fmt.Errorf("%w: %w", err, status.ErrUnavailable)
	}
	return nil
}

func (p *past) signals(ctx context.Context, svc status.Service, from, to time.Time) (all []status.Signal, err error) {
	err = p.read(ctx, func(ctx context.Context) error {
		for s, err := range p.history.SignalsOf(ctx, svc, from, to) {
			if err != nil {
				return err
			}
			if all = append(all, s); len(all) == maxSignals {
				break
			}
		}
		return nil
	})
	return all, err
}

// counts returns the counts of a service's hours that start in [from, to), by hour.
func (p *past) counts(ctx context.Context, svc status.Service, from, to time.Time) (func(time.Time) status.Counts, error) {
	hours := map[int64]status.Counts{}
	err := p.read(ctx, func(ctx context.Context) error {
		buckets, err := p.history.HoursOf(ctx, svc, from, to)
		read := 0
		for _, b := range buckets {
			hours[b.Start.Unix()] = b.Counts
			if len(svc.Regions) == 0 {
				continue
			}
			var failed status.FailedHour
			if b.Down > 0 && read < maxFailedHours {
				read++
				if failed, err = p.failedHour(ctx, svc, b); err != nil {
					return err
				}
			}
			hours[b.Start.Unix()] = status.SumOfRegions(svc, b, failed)
		}
		return err
	})
	return func(hour time.Time) status.Counts { return hours[hour.Unix()] }, err
}

// maxFailedHours is of how many hours of one answer the single signals are read: those in
// which regions found the service down. Of more than that the sums must do.
const maxFailedHours = 48

// failedHour counts the slots in which regions found a service down, as far as there are signals.
func (p *past) failedHour(ctx context.Context, svc status.Service, b status.Bucket) (status.FailedHour, error) {
	failures := status.NewFailures(svc, func(time.Time) int { return status.MeasuringRegions(svc, b) }, 1)
	for s, err := range p.history.SignalsOf(ctx, svc, b.Start, b.Start.Add(time.Hour)) {
		if err != nil {
			return status.FailedHour{}, err
		}
		if s.Outcome == status.Down {
			failures.Add(s)
		}
	}
	failures.Close()
	return failures.Hours[b.Start.Unix()], nil
}

// latencies returns the latencies of a service's hours that start in [from, to).
func (p *past) latencies(ctx context.Context, svc status.Service, from, to time.Time) ([]status.LatencyHour, error) {
	now := p.now()
	p.mu.Lock()
	kept, ok := p.series[svc.ID]
	p.mu.Unlock()
	if !ok || kept.from.After(from) || now.Sub(kept.read) > latencyKept {
		kept = latencySeries{from: from, read: now}
		err := p.read(ctx, func(ctx context.Context) (err error) {
			kept.hours, err = p.history.LatenciesOf(ctx, svc, from, now.Add(time.Hour))
			return err
		})
		if err != nil {
			return nil, err
		}
		p.mu.Lock()
		if len(p.series) >= maxLatencySeries {
			clear(p.series)
		}
		p.series[svc.ID] = kept
		p.mu.Unlock()
	}
	first, last := 0, len(kept.hours)
	for first < last && kept.hours[first].Start.Before(from) {
		first++
	}
	for last > first && !kept.hours[last-1].Start.Before(to) {
		last--
	}
	return kept.hours[first:last], nil
}
