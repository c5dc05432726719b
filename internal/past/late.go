package past

import (
	"context"
	"maps"
	"slices"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"time"
)

const (
	lateFirst = 30 * time.Second // Doubled up to lateMost: what comes late mostly does soon after a start.
	lateMost  = 15 * time.Minute
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

// WatchLate looks at the store's sums of before the start from time to time, until ctx ends.
func (f *Filler) WatchLate(ctx context.Context) {
	for pause := lateFirst; ; pause = min(2*pause, lateMost) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		f.readTermsAgain(ctx)
		if services, err := f.lookForLate(ctx); err == nil && services > 0 {
			f.log.Info("signals of before the start came late; the history was read again", "services", services)
			pause = lateFirst
		}
	}
}

// readTermsAgain takes terms that others have stored since: a page server that was started before who plans the runs knows
// none, and would tell another past than one that was started later.
func (f *Filler) readTermsAgain(ctx context.Context) {
	if !f.shared() || !f.filled.Load() || !f.state().Up {
		return
	}
	b := f.board.Current()
	terms, err := f.terms.load(ctx, board.Plain(b.Services()), time.Now())
	if err != nil || ctx.Err() != nil {
		return // That the store is away is told elsewhere.
	}
	if slices.ContainsFunc(b.Services(), func(s *board.Service) bool { return !slices.Equal(s.Terms, terms[s.ID]) }) {
		b.Loader().SetTerms(terms)
	}
}

// lookForLate recalls the services of which the store knows more than before, and tells how many.
func (f *Filler) lookForLate(ctx context.Context) (int, error) {
	if !f.shared() || f.late.hour.IsZero() || !f.state().Up { // That it is away is told elsewhere.
		return 0, nil
	}
	p := f.patient("the store can't be asked for signals that came late; asking again")
	sums, err := f.sums(ctx, p, f.late.hour)
	if err != nil {
		return 0, err
	}
	grown := map[string]bool{}
	for key, n := range sums {
		if n > f.late.known[key] {
			grown[key.service] = true
		}
	}
	f.late.known = sums
	ids := slices.Sorted(maps.Keys(grown))
	for some := range slices.Chunk(ids, lateBatch) {
		f.Recall(ctx, some, f.late.hour)
	}
	return len(ids), nil
}

// sums is how many signals the store has of each service before an hour: by day, and by hour on its day.
func (f *Filler) sums(ctx context.Context, p *patient, hour time.Time) (map[lateKey]int, error) {
	day := hour.Truncate(24 * time.Hour)
	sums, b := make(map[lateKey]int), f.board.Current()
	add := func(some []status.Bucket) {
		for _, s := range some {
			if svc, shown := b.Owner(s.Service, s.URL); shown {
				sums[lateKey{svc.ID, s.Start.Unix()}] += s.Measured()
			}
		}
	}
	if err := p.inParts(ctx, time.Now().AddDate(0, 0, -daysBack), day, 24*time.Hour, func(ctx context.Context, from, to time.Time) (nothing time.Time, err error) {
		days, err := f.store.Days(ctx, from, to)
		if err == nil {
			add(days)
		}
		return nothing, err
	}); err != nil {
		return nil, err
	}
	return sums, p.inParts(ctx, day, hour, time.Hour, func(ctx context.Context, from, to time.Time) (nothing time.Time, err error) {
		var hours []status.Bucket
		for s, err := range f.store.Hours(ctx, from, to) {
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
func (f *Filler) baseline(ctx context.Context, p *patient, hour time.Time) (err error) {
	if !f.shared() {
		return nil
	}
	f.late.hour = hour
	f.late.known, err = f.sums(ctx, p, hour)
	return err
}
