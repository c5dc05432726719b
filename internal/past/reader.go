package past

import (
	"context"
	"fmt"
	"iter"
	"statuspage/internal/status"
	"sync"
	"time"
)

// History is what a Reader reads: what lies behind the board: single signals, and the sums of long ago.
type History interface {
	SignalsOf(ctx context.Context, svc status.Service, from, to time.Time) iter.Seq2[status.Signal, error]
	HoursOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.Bucket, error)
	LatenciesOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.LatencyHour, error)
}

// MaxKept bounds the services whose hours of latencies are kept, some 300 KB each: who asks for those of many
// asks for no more than that.
const MaxKept = 200

const (
	readers     = 4               // Queries at a time, so that visitors can't keep the store from its work.
	readTimeout = 4 * time.Second // For a query and the wait for its turn.
	maxSignals  = 100_000         // Of one answer; an hour of the quickest check has 3,600.
	// latencyKept is for how long the hours of a service are kept: the past does not change,
	// but for the hour that is going on.
	latencyKept = time.Minute
)

// Reader reads the history for visitors within bounds: few queries at a time, each with a deadline, and the
// answers that many ask for kept.
type Reader struct {
	history History // Nil without a store: then there is none.
	now     func() time.Time
	gate    chan struct{}

	mu     sync.Mutex
	series map[string]latencySeries
}

type latencySeries struct {
	from, read time.Time
	hours      []status.LatencyHour
	cut        map[int64][]status.LatencyHour // Parts of hours, by the instant between them; guarded by Reader.mu.
}

// NewReader returns a reader of a history, nil for none.
func NewReader(history History, now func() time.Time) *Reader {
	return &Reader{history: history, now: now, gate: make(chan struct{}, readers), series: make(map[string]latencySeries)}
}

// read runs a query in its turn.
func (r *Reader) read(ctx context.Context, query func(ctx context.Context) error) error {
	if r.history == nil {
		return fmt.Errorf("no store: %w", status.ErrUnavailable)
	}
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	select {
	case r.gate <- struct{}{}:
		defer func() { <-r.gate }()
	case <-ctx.Done():
		return fmt.Errorf("too many read the history: %w", status.ErrUnavailable)
	}
	if err := query(ctx); err != nil {
		return fmt.Errorf("%w: %w", err, status.ErrUnavailable)
	}
	return nil
}

// Signals returns the single signals of a service in [from, to), a hundred thousand at most.
func (r *Reader) Signals(ctx context.Context, svc status.Service, from, to time.Time) (all []status.Signal, err error) {
	err = r.read(ctx, func(ctx context.Context) error {
		for s, err := range r.history.SignalsOf(ctx, svc, from, to) {
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

// Counts returns what was measured of a service in [from, to), whose borders lie on quarters of an
// hour, and when the first of it was; the zero time for nothing.
func (r *Reader) Counts(ctx context.Context, svc status.Service, from, to time.Time) (count status.Count, begun time.Time, err error) {
	var hours []status.Bucket
	err = r.read(ctx, func(ctx context.Context) error {
		hours, err = r.history.HoursOf(ctx, svc, from.Truncate(time.Hour), to)
		if len(svc.Regions) == 0 {
			return err
		}
		read := 0
		for i, b := range hours {
			var failed status.FailedHour
			if b.Down > 0 && read < maxFailedHours {
				read++
				if failed, err = r.failedHour(ctx, svc, b); err != nil {
					return err
				}
			}
			hours[i] = status.SumOfRegions(svc, b, failed)
		}
		return err
	})
	quarters := make(map[int64]status.Counts)
	for _, b := range hours {
		for i, c := range b.InQuarters() {
			if at := b.Start.Add(time.Duration(i) * status.QuarterHour); c.Measured() > 0 {
				quarters[at.Unix()] = c
				if begun.IsZero() || at.Before(begun) {
					begun = at
				}
			}
		}
	}
	return func(from, to time.Time) (sum status.Counts) {
		at := from.Truncate(status.QuarterHour)
		if at.Before(from) {
			at = at.Add(status.QuarterHour)
		}
		for ; at.Before(to); at = at.Add(status.QuarterHour) {
			sum = sum.Add(quarters[at.Unix()])
		}
		return sum
	}, begun, err
}

// Sum adds up what was measured and due of a service in [from, to) behind the board.
func (r *Reader) Sum(ctx context.Context, svc status.Service, from, to, now time.Time) (status.Counts, error) {
	count, begun, err := r.Counts(ctx, svc, from, to)
	if err != nil {
		return status.Counts{}, err
	}
	return Since(svc, begun).Sum(count, from, to, now), nil
}

// Since is a service that was measured as early as an instant, however it came to be.
func Since(svc status.Service, begun time.Time) status.Service {
	if !begun.IsZero() && (svc.Begun.IsZero() || begun.Before(svc.Begun)) && len(svc.Terms) > 0 && begun.Before(svc.Terms[0].Since) {
		svc.Begun = begun
	}
	return svc
}

// maxFailedHours is of how many hours of one answer the single signals are read: those in
// which regions found the service down. Of more than that the sums must do.
const maxFailedHours = 48

// failedHour counts the slots in which regions found a service down, as far as there are signals.
func (r *Reader) failedHour(ctx context.Context, svc status.Service, b status.Bucket) (status.FailedHour, error) {
	failures := status.NewFailures(svc, func(time.Time) int { return status.MeasuringRegions(svc, b) }, 1)
	for s, err := range r.history.SignalsOf(ctx, svc, b.Start, b.Start.Add(time.Hour)) {
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

// Latencies returns the latencies of a service's hours that start in [from, to). An hour with a
// cut in it comes in two parts: days of some zones begin within an hour of UTC.
func (r *Reader) Latencies(ctx context.Context, svc status.Service, from, to time.Time, cuts ...time.Time) ([]status.LatencyHour, error) {
	now := r.now()
	r.mu.Lock()
	kept, ok := r.series[svc.ID]
	r.mu.Unlock()
	begin := from.Truncate(time.Hour)
	if !ok || kept.from.After(begin) || now.Sub(kept.read) > latencyKept {
		kept = latencySeries{from: begin, read: now, cut: make(map[int64][]status.LatencyHour)}
		err := r.read(ctx, func(ctx context.Context) (err error) {
			kept.hours, err = r.history.LatenciesOf(ctx, svc, begin, now.Add(time.Hour))
			return err
		})
		if err != nil {
			return nil, err
		}
		r.keep(svc.ID, kept)
	}
	hours, err := r.cut(ctx, svc, kept, cuts)
	if err != nil {
		return nil, err
	}
	first, last := 0, len(hours)
	for first < last && hours[first].Start.Before(from) {
		first++
	}
	for last > first && !hours[last-1].Start.Before(to) {
		last--
	}
	return hours[first:last], nil
}

func (r *Reader) keep(service string, series latencySeries) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.series) >= MaxKept {
		clear(r.series)
	}
	r.series[service] = series
}

// cut cuts hours of a series at instants within them, by their single signals. An hour whose signals are gone
// stays whole, and counts where it begins.
func (r *Reader) cut(ctx context.Context, svc status.Service, series latencySeries, cuts []time.Time) ([]status.LatencyHour, error) {
	missing := make(map[int64]time.Time) // Hour to cut.
	within := make(map[int64]bool)
	for _, c := range cuts {
		if hour := c.Truncate(time.Hour); !hour.Equal(c) {
			within[hour.Unix()] = true
			r.mu.Lock()
			if _, known := series.cut[c.Unix()]; !known {
				missing[c.Unix()] = c
			}
			r.mu.Unlock()
		}
	}
	if len(within) == 0 {
		return series.hours, nil
	}
	parts := make(map[int64][]status.LatencyHour, len(within))
	err := r.read(ctx, func(ctx context.Context) error {
		for _, h := range series.hours {
			for at, c := range missing {
				if !h.Start.Equal(c.Truncate(time.Hour)) {
					continue
				}
				two, err := r.halves(ctx, svc, h, c)
				if err != nil {
					return err
				}
				r.mu.Lock()
				series.cut[at] = two
				r.mu.Unlock()
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	for _, c := range cuts {
		if two, known := series.cut[c.Unix()]; known {
			parts[c.Truncate(time.Hour).Unix()] = two
		}
	}
	r.mu.Unlock()
	all := make([]status.LatencyHour, 0, len(series.hours)+len(parts))
	for _, h := range series.hours {
		if two, cut := parts[h.Start.Unix()]; cut {
			all = append(all, two...)
			continue
		}
		all = append(all, h)
	}
	return all, nil
}

// halves are the latencies of an hour before and after an instant in it.
func (r *Reader) halves(ctx context.Context, svc status.Service, whole status.LatencyHour, at time.Time) ([]status.LatencyHour, error) {
	two := []status.LatencyHour{{Start: whole.Start, Histogram: status.Histogram{}}, {Start: at, Histogram: status.Histogram{}}}
	read := false
	for s, err := range r.history.SignalsOf(ctx, svc, whole.Start, whole.Start.Add(time.Hour)) {
		if err != nil {
			return nil, err
		}
		if read = true; s.Outcome.Available() && s.Duration > 0 {
			half := 0
			if !s.Received.Before(at) {
				half = 1
			}
			two[half].Histogram[status.Bin(s.Duration)]++
		}
	}
	if !read {
		return []status.LatencyHour{whole}, nil
	}
	return two, nil
}
