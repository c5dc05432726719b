package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	fillTimeout  = 30 * time.Second // For one attempt to read the history.
	fillBatch    = 500
	fillRetry    = time.Second // Doubled up to fillRetryMax.
	fillRetryMax = 10 * time.Second
	maxResolved  = 200 // Of a service's outages, the newest, that the store is asked the end of.
)

// fill brings the past to the board: what waits in the outbox, the last hour, the counts of
// the last days, and then the samples of the last day. It goes on until the store has
// answered; first is closed when the newest signals are there, or after the first attempt.
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
	pending()
	a.awaitStore(ctx, fillWait/2)
	pause, told := retry(fillRetry), false
	known := sync.OnceFunc(func() { close(first) })
	for {
		pending() // Once: our disk may have refused before.
		err := a.fillOnce(ctx, start, waiting > 0, known)
		a.tried.Store(true)
		known()
		if err == nil {
			debug.FreeOSMemory() // What reading the past took is not needed again.
			if told {
				a.log.Info("history read")
			}
			return
		}
		if ctx.Err() != nil {
			return
		}
		if !told {
			told = true
			a.log.Warn("history can't be read; the page goes on without it, and tries again", "error", err)
		}
		if errors.Is(err, errNotInOrder) {
			a.awaitStore(ctx, fillRetryMax) // From when it is, nothing is waited for.
			continue
		}
		if !pause.wait(ctx) {
			return
		}
	}
}

// retry is how long to wait before the store is asked again: twice as long each time.
type retry time.Duration

// wait tells whether ctx lasted.
func (r *retry) wait(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(*r)):
		*r = min(2**r, retry(fillRetryMax))
		return true
	}
}

var errNotInOrder = errors.New("its tables are not in order yet")

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

func (a *app) fillOnce(ctx context.Context, start time.Time, waiting bool, known func()) error {
	a.filling.Lock()
	defer a.filling.Unlock()
	ctx, cancel := context.WithTimeout(ctx, fillTimeout)
	defer cancel()
	if state := a.store.State(); !state.Readable {
		return fmt.Errorf("%w: %w", errNotInOrder, state.Err)
	}
	terms, err := a.terms.load(ctx, a.board.Current().Services(), start)
	if err != nil {
		return fmt.Errorf("read the intervals of the past: %w", err)
	}
	a.board.SetTerms(terms)
	hour := start.UTC().Truncate(time.Hour)
	// The hour that the process began in is counted from its signals, all before from rollups.
	if _, err := feed(a.store.Signals(ctx, hour, start.Add(time.Hour)), a.board.Apply); err != nil {
		return fmt.Errorf("read the present hour: %w", err)
	}
	if _, err := feed(a.store.Signals(ctx, start.Add(-2*time.Hour), hour), a.board.Backfill); err != nil {
		return fmt.Errorf("read the last hours: %w", err)
	}
	known()      // What was measured last: the prober may start, and the page shows its hour.
	if waiting { // Else the rollups would lack what still lies in the outbox.
		if err := a.store.WaitDrained(ctx); err != nil {
			return fmt.Errorf("empty the outbox: %w", err)
		}
	}
	if err := a.baseline(ctx, hour); err != nil { // Before the days: what comes in between is noticed later.
		return err
	}
	if err := a.fillDays(ctx, start, hour); err != nil {
		return err
	}
	a.filled.Store(true) // The pages of all windows are complete.
	a.tried.Store(true)  // They can be served, however long the rest takes.
	if _, err := feed(a.store.Signals(ctx, start.Add(-a.lookBack()), start.Add(-2*time.Hour)), a.board.Backfill); err != nil {
		return fmt.Errorf("read the last day: %w", err)
	}
	a.board.Recount(hour)
	return nil
}

// fillDays brings the counts of the last days and the outages. Both are read at once: each
// keeps a core of ours or of the store's busy for a while.
func (a *app) fillDays(ctx context.Context, start, hour time.Time) error {
	b := a.board.Current()
	regions := newRegionPast(b) // With regions the sums are needed to read the failures.
	all, ctx := errgroup.WithContext(ctx)
	history := b.NewHistory(hour)
	hours := func() error {
		for sum, err := range a.store.Hours(ctx, start.AddDate(0, 0, -91), hour) {
			if err != nil {
				return fmt.Errorf("read the last days: %w", err)
			}
			if !regions.take(sum) {
				history.Add(sum)
			}
		}
		if regions == nil {
			b.SetHistory(history)
		}
		return nil
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
		past, err := a.failures(ctx, b, start, hour, nil, regions)
		if err != nil {
			return err
		}
		if regions != nil {
			for _, sum := range regions.merged(past) {
				history.Add(sum)
			}
			b.SetHistory(history)
		}
		return a.fillOutages(ctx, b, start, hour, past)
	})
	return all.Wait()
}

// failures derives the outages of each service from the failed signals in the store before an
// hour. Of services that begins names, it takes only those from before that.
func (a *app) failures(ctx context.Context, b *board.Board, start, hour time.Time, begins map[int]time.Time, regions *regionPast) ([][]status.Outage, error) {
	services := b.Services()
	past := make([][]status.Outage, len(services))
	for s, err := range a.store.Failures(ctx, start.Add(-a.cfg.Load().Retention), hour) {
		if err != nil {
			return nil, fmt.Errorf("read the failures: %w", err)
		}
		i, shown := b.Owner(s.Service, s.URL)
		if begin, named := begins[i]; !shown || named && !s.Received.Before(begin) {
			continue
		}
		if !regions.failed(i, s) {
			past[i] = status.Failed(past[i], s.Sample(), s.Region, services[i], board.MaxOutages)
		}
	}
	return past, nil
}

// fillOutages brings the outages of the past, and asks the store when the services came back:
// failed signals alone don't tell a recovery from a time in which nobody measured.
func (a *app) fillOutages(ctx context.Context, b *board.Board, start, hour time.Time, past [][]status.Outage) error {
	b.SetOutages(hour, past)
	services := make([]int, len(b.Services()))
	for i := range services {
		services[i] = i
	}
	return a.resolve(ctx, b, services, start)
}

// resolve finds out when services came back after their lapsed outages.
func (a *app) resolve(ctx context.Context, b *board.Board, services []int, now time.Time) error {
	var lapsed []status.Outage
	var spans []status.Span
	for _, i := range services {
		svc := b.Services()[i]
		for n, o := range b.Outages(i, now) {
			if n >= maxResolved || !o.Lapsed {
				continue
			}
			if len(svc.Regions) > 0 {
				if err := a.resolveMerged(ctx, b, svc, o); err != nil {
					return err
				}
				continue
			}
			lapsed = append(lapsed, o)
			spans = append(spans, status.Span{Service: svc, From: o.Last.Add(time.Microsecond), To: o.Last.Add(svc.HoldsAt(o.Last))})
		}
	}
	ends, err := a.store.FirstAvailable(ctx, spans)
	if err != nil {
		return fmt.Errorf("read the ends of outages: %w", err)
	}
	for n, end := range ends {
		if !end.IsZero() {
			b.Resolve(lapsed[n], end)
		}
	}
	return nil
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

// feed hands signals on in batches and returns how many there were.
func feed(signals iter.Seq2[status.Signal, error], take func([]status.Signal)) (n int, err error) {
	batch := make([]status.Signal, 0, fillBatch)
	for s, err := range signals {
		if err != nil {
			return n, err
		}
		n++
		if batch = append(batch, s); len(batch) == fillBatch {
			take(batch)
			batch = batch[:0]
		}
	}
	take(batch)
	return n, nil
}
