package main

import (
	"context"
	"fmt"
	"runtime/debug"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	fillBatch    = 500
	maxResolved  = 200 // Of a service's outages, the newest, that the store is asked the end of.
	resolvedOnce = 500 // Outages that the store is asked the ends of in one question, at most.
)

// fill brings the past to the board: what waits in the outbox, the last hour, the counts of
// the last days, and then the samples of the last day. It goes on until the store has
// answered everything; first is closed when the newest signals are there, or when the store takes too long or fails.
func (a *app) fill(ctx context.Context, first chan<- struct{}) {
	if !a.roles.web { // There is no page, and no past to read but that of the intervals.
		a.filled.Store(true)
		a.tried.Store(true)
		close(first)
		a.loadTerms(ctx)
		return
	}
	start := time.Now()
	read, waiting := false, 0
	pending := func() {
		if read || !a.store.State().Open {
			return
		}
		read = true
		var err error
		if waiting, err = feed(a.store.Pending(ctx), a.board.Apply); err != nil && ctx.Err() == nil {
			a.log.Error("read the outbox", "error", err)
		}
	}
	known := sync.OnceFunc(func() { close(first) })
	defer known()
	goOn := func() { // Without the past, until it is there.
		a.tried.Store(true)
		known()
	}
	late := time.AfterFunc(fillTimeout, goOn)
	defer late.Stop()
	pending()
	a.awaitStore(ctx, fillWait/2)
	p := &patient{
		app: a, before: pending, failed: goOn, // Our disk may have refused to open the outbox before.
		told: "history can't be read; the page goes on without it, and tries again",
	}
	if a.fillAll(ctx, p, start, &waiting, known) != nil {
		return // The process ends.
	}
	debug.FreeOSMemory() // What reading the past took is not needed again.
	if p.complained() {
		a.log.Info("history read")
	}
}

// awaitStore waits for a store that is being reached, or whose tables are being made.
func (a *app) awaitStore(ctx context.Context, patience time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !a.store.State().Readable {
		select {
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

func (a *app) fillAll(ctx context.Context, p *patient, start time.Time, waiting *int, known func()) error {
	a.filling.Lock()
	defer a.filling.Unlock()
	if err := p.ask(ctx, func(ctx context.Context) error {
		terms, err := a.terms.load(ctx, a.board.Current().Services(), start)
		if err != nil {
			return fmt.Errorf("read the intervals of the past: %w", err)
		}
		a.board.SetTerms(terms)
		return nil
	}); err != nil {
		return err
	}
	hour := start.UTC().Truncate(time.Hour)
	// The hour that the process began in is counted from its signals, all before from rollups.
	if err := p.each(ctx, hour, start.Add(time.Hour), a.store.Signals, a.board.Apply); err != nil {
		return err
	}
	if err := p.each(ctx, start.Add(-2*time.Hour), hour, a.store.Signals, a.board.Backfill); err != nil {
		return err
	}
	known()           // What was measured last: the prober may start, and the page shows its hour.
	if *waiting > 0 { // Else the rollups would lack what still lies in the outbox.
		if err := p.ask(ctx, a.store.WaitDrained); err != nil {
			return err
		}
	}
	if err := a.baseline(ctx, p, hour); err != nil { // Before the days: what comes in between is noticed later.
		return err
	}
	if err := a.fillDays(ctx, p, start, hour); err != nil {
		return err
	}
	a.filled.Store(true) // The pages of all windows are complete.
	a.tried.Store(true)  // They can be served, however long the rest takes.
	if err := p.each(ctx, start.Add(-a.lookBack()), start.Add(-2*time.Hour), a.store.Signals, a.board.Backfill); err != nil {
		return err
	}
	a.board.Recount(hour)
	return nil
}

// fillDays brings the counts of the last days and the outages. Both are read at once: each
// keeps a core of ours or of the store's busy for a while.
func (a *app) fillDays(ctx context.Context, p *patient, start, hour time.Time) error {
	b := a.board.Current()
	regions := newRegionPast(b) // With regions the sums are needed to read the failures.
	all, ctx := errgroup.WithContext(ctx)
	var history *board.History
	hours := func() (err error) {
		history, err = a.hours(ctx, p, b, hour, start.AddDate(0, 0, -91), regions)
		if err == nil && regions == nil {
			b.SetHistory(history)
		}
		return err
	}
	if regions == nil {
		all.Go(hours)
	}
	all.Go(func() error {
		if regions != nil {
			if err := hours(); err != nil {
				return err
			}
		}
		past, err := a.failures(ctx, p, b, start, hour, nil, regions)
		if err != nil {
			return err
		}
		if regions != nil {
			for _, sum := range regions.merged(past) {
				history.Add(sum)
			}
			b.SetHistory(history)
		}
		return a.fillOutages(ctx, p, b, start, hour, past)
	})
	return all.Wait()
}

// hours reads the counts of the hours in [from, hour); those of services with regions go to regions.
func (a *app) hours(ctx context.Context, p *patient, b *board.Board, hour, from time.Time, regions *regionPast) (*board.History, error) {
	history, some := b.NewHistory(hour), false
	err := p.inParts(ctx, from, hour, time.Hour, func(ctx context.Context, from, to time.Time) (nothing time.Time, err error) {
		var part []status.Bucket
		for sum, err := range a.store.Hours(ctx, from, to) {
			switch {
			case err != nil && !some: // Nothing is there but what came of this question.
				history = b.NewHistory(hour)
				regions.clear()
				return nothing, fmt.Errorf("read the last days: %w", err)
			case err != nil:
				return nothing, fmt.Errorf("read the last days: %w", err)
			case some: // They come in no order, so that a part that fails must be read anew, and may not be added twice.
				part = append(part, sum)
			case !regions.take(sum):
				history.Add(sum)
			}
		}
		for _, sum := range part {
			if !regions.take(sum) {
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
func (a *app) failures(ctx context.Context, p *patient, b *board.Board, start, hour time.Time, begins map[int]time.Time, regions *regionPast) ([][]status.Outage, error) {
	services := b.Services()
	past := make([][]status.Outage, len(services))
	take := func(failed []status.Signal) {
		for _, s := range failed {
			i, shown := b.Owner(s.Service, s.URL)
			if begin, named := begins[i]; !shown || named && !s.Received.Before(begin) {
				continue
			}
			if !regions.failed(i, s) {
				past[i] = status.Failed(past[i], s.Sample(), s.Region, services[i], board.MaxOutages)
			}
		}
	}
	return past, p.each(ctx, start.Add(-a.cfg.Load().Retention), hour, a.store.Failures, take)
}

// fillOutages brings the outages of the past, and asks the store when the services came back:
// failed signals alone don't tell a recovery from a time in which nobody measured.
func (a *app) fillOutages(ctx context.Context, p *patient, b *board.Board, start, hour time.Time, past [][]status.Outage) error {
	b.SetOutages(hour, past)
	services := make([]int, len(b.Services()))
	for i := range services {
		services[i] = i
	}
	return a.resolve(ctx, p, b, services, start)
}

// resolve finds out when services came back after their lapsed outages.
func (a *app) resolve(ctx context.Context, p *patient, b *board.Board, services []int, now time.Time) error {
	var lapsed []status.Outage
	var spans []status.Span
	for _, i := range services {
		svc := b.Services()[i]
		for n, o := range b.Outages(i, now) {
			if n >= maxResolved || !o.Lapsed {
				continue
			}
			if len(svc.Regions) > 0 {
				if err := a.resolveMerged(ctx, p, b, svc, o); err != nil {
					return err
				}
				continue
			}
			lapsed = append(lapsed, o)
			spans = append(spans, status.Span{Service: svc, From: o.Last.Add(time.Microsecond), To: o.Last.Add(svc.HoldsAt(o.Last))})
		}
	}
	most := resolvedOnce
	return p.keep(ctx, func(ctx context.Context) (bool, error) {
		n := min(most, len(spans))
		ends, err := a.store.FirstAvailable(ctx, spans[:n])
		if err != nil {
			most = max(1, n/2)
			return true, fmt.Errorf("read the ends of outages: %w", err)
		}
		for i, end := range ends {
			if !end.IsZero() {
				b.Resolve(lapsed[i], end)
			}
		}
		lapsed, spans = lapsed[n:], spans[n:]
		return len(spans) > 0, nil
	})
}

// lookBack is how far the samples of all services reach back, a day at most.
func (a *app) lookBack() time.Duration {
	var back time.Duration
	for _, c := range a.cfg.Load().Checks {
		back = max(back, reach(c.Service))
	}
	return back
}

// reach is how far back the samples of one service reach.
func reach(s status.Service) time.Duration {
	return min(s.Interval*(board.MaxSamples+1), 24*time.Hour+time.Minute) // One more: the day begins between two.
}
