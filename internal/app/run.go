package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"statuspage/internal/app/probing"
	"sync"
	"time"
)

// fillWait is how long the prober waits for the board to know what was measured last.
const fillWait = time.Second

// listeners are where a server answers; those but the first may be nil.
type listeners struct{ page, ops, admin net.Listener }

// run starts everything, waits for the end of ctx or a failure, and stops in order.
func (a *app) run(ctx context.Context, at listeners, from *Source) error {
	served := make(chan error, 3)
	go func() { served <- a.pages.Serve(at.page) }()
	a.log.Info("listening", "url", "http://"+at.page.Addr().String(), "services", len(a.cfg.Load().Checks), "store", a.store.State().Engine)
	if at.ops != nil {
		go func() { served <- a.pages.ServeOps(at.ops) }()
		a.log.Info("listening for the operator", "url", "http://"+at.ops.Addr().String())
	}
	if at.admin != nil {
		go func() { served <- a.pages.ServeAdmin(at.admin) }()
		a.log.Info("listening for operators who write", "url", "http://"+at.admin.Addr().String())
	}

	fillCtx, stopFill := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { a.readWords(fillCtx) })
	first, filler := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(filler)
		a.past.Fill(fillCtx, first)
		a.past.WatchLate(fillCtx)
	}()
	select {
	case <-first:
	case <-time.After(fillWait):
	case <-ctx.Done():
	}
	err := a.begin(fillCtx)
	if err == nil {
		if from != nil {
			watching.Go(func() { a.watch(fillCtx, from) })
		}
		watching.Go(func() { a.past.WatchClock(fillCtx) })
		watching.Go(func() { a.terms.Keep(fillCtx) })
		if a.alerts != nil {
			watching.Go(func() { a.alerts.Run(fillCtx) })
		}
		select {
		case <-ctx.Done():
			a.log.Info("stopping")
		case err = <-served:
			if err == nil {
				err = errors.New("the HTTP server ended by itself")
			}
		}
	}
	stopFill()
	watching.Wait()
	return errors.Join(err, a.stop(filler))
}

// begin starts to measure, and to work with others.
func (a *app) begin(ctx context.Context) error {
	if a.monitor != nil {
		if err := a.monitor.Start(); err != nil {
			return err
		}
	}
	if a.node != nil {
		a.node.start(ctx)
		a.node.follow(ctx)
	}
	return nil
}

// stop ends the parts that there are, started or not: no more runs, running probes, last write; then streams and HTTP.
// The store is closed by who opened it. Filler is closed when nobody fills the board any more; nil when nobody has begun to.
func (a *app) stop(filler <-chan struct{}) error {
	a.health.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), probing.StopTimeout)
	defer cancel()
	var all []error
	if a.monitor != nil {
		if err := a.monitor.Stop(ctx); err != nil {
			all = append(all, fmt.Errorf("stop the prober: %w", err))
		}
	}
	if a.node != nil {
		all = append(all, a.node.stop())
	}
	if filler != nil {
		<-filler
	}
	if a.pages != nil {
		all = append(all, a.pages.Shutdown())
	}
	if a.auth != nil {
		all = append(all, a.auth.Close())
	}
	if a.alerts != nil {
		all = append(all, a.alerts.close())
	}
	return errors.Join(all...)
}
