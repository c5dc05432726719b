package past

import (
	"context"
	"fmt"
	"runtime/debug"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"sync"
	"time"
)

const (
	fillBatch = 500
	// storeWait is how long a store that is being reached is waited for before the first question.
	storeWait = time.Second / 2
)

// Fill brings the past to the board: what waits in the outbox, the last hour, the counts of
// the last days, and then the samples of the last day. It goes on until the store has
// answered everything; first is closed when the newest signals are there, or when the store takes too long or fails.
func (f *Filler) Fill(ctx context.Context, first chan<- struct{}) {
	if !f.page {
		f.filled.Store(true)
		f.tried.Store(true)
		close(first)
		f.loadTerms(ctx)
		return
	}
	start := time.Now()
	read, waiting := false, 0
	pending := func() {
		if read || !f.state().Open {
			return
		}
		read = true
		var err error
		if waiting, err = feed(f.store.Pending(ctx), f.board.Apply); err != nil && ctx.Err() == nil {
			f.log.Error("read the outbox", "error", err)
		}
	}
	known := sync.OnceFunc(func() { close(first) })
	defer known()
	goOn := func() { // Without the past, until it is there.
		f.tried.Store(true)
		known()
	}
	late := time.AfterFunc(fillTimeout, goOn)
	defer late.Stop()
	pending()
	f.await(ctx, storeWait)
	p := f.patient("history can't be read; the page goes on without it, and tries again")
	p.before, p.failed = pending, goOn // Our disk may have refused to open the outbox before.
	if f.fillAll(ctx, p, start, &waiting, known) != nil {
		return // The process ends.
	}
	debug.FreeOSMemory() // What reading the past took is not needed again.
	if p.complained() {
		f.log.Info("history read")
	}
}

// loadTerms is what a process without a page does of Fill.
func (f *Filler) loadTerms(ctx context.Context) {
	p := f.patient("the intervals of the past can't be read; trying again")
	_ = p.ask(ctx, func(ctx context.Context) error { // It fails when the process ends.
		_, err := f.terms.load(ctx, board.Plain(f.board.Current().Services()), time.Now())
		return err
	})
}

func (f *Filler) fillAll(ctx context.Context, p *patient, start time.Time, waiting *int, known func()) error {
	f.filling.Lock()
	defer f.filling.Unlock()
	if err := p.ask(ctx, func(ctx context.Context) error {
		terms, err := f.terms.load(ctx, board.Plain(f.board.Current().Services()), start)
		if err != nil {
			return fmt.Errorf("read the intervals of the past: %w", err)
		}
		f.board.Loader().SetTerms(terms)
		return nil
	}); err != nil {
		return err
	}
	hour := start.UTC().Truncate(time.Hour)
	// The hour that the process began in is counted from its signals, all before from rollups.
	if err := p.each(ctx, hour, start.Add(time.Hour), f.store.Signals, f.board.Apply); err != nil {
		return err
	}
	if err := p.each(ctx, start.Add(-2*time.Hour), hour, f.store.Signals, f.board.Loader().Backfill); err != nil {
		return err
	}
	known()           // What was measured last: the prober may start, and the page shows its hour.
	if *waiting > 0 { // Else the rollups would lack what still lies in the outbox.
		if err := p.ask(ctx, f.store.WaitDrained); err != nil {
			return err
		}
	}
	if err := f.baseline(ctx, p, hour); err != nil { // Before the days: what comes in between is noticed later.
		return err
	}
	if err := f.reading(p).days(ctx, start, hour); err != nil {
		return err
	}
	f.filled.Store(true) // The pages of all windows are complete.
	f.tried.Store(true)  // They can be served, however long the rest takes.
	if err := p.each(ctx, start.Add(-lookBack(f.board.Current().Services())), start.Add(-2*time.Hour), f.store.Signals, f.board.Loader().Backfill); err != nil {
		return err
	}
	f.board.Loader().Recount(hour)
	return nil
}

// lookBack is how far the samples of all services reach back, a day at most.
func lookBack(services []*board.Service) time.Duration {
	var back time.Duration
	for _, s := range services {
		back = max(back, reach(s.Service))
	}
	return back
}

// reach is how far back the samples of one service reach.
func reach(s status.Service) time.Duration {
	return min(s.Interval*(board.MaxSamples+1), 24*time.Hour+time.Minute) // One more: the day begins between two.
}
