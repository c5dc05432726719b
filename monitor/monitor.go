// Package monitor decides when to measure and where a measurement goes. gocron keeps the
// slots; probes run in workers of their own, so that a target which hangs delays nobody; a
// recorder makes each batch durable and shows it then. Trouble of ours (no worker, no file
// descriptor, no disk) is counted and never becomes a signal.
package monitor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"
)

const (
	defaultWorkers = 2048            // Probes in flight at most: a sixth of 10,000 checks a minute hangs for 10 s.
	maxLate        = 5 * time.Second // A run that starts later than this, or than half its interval, is skipped.
	firstRunSpread = 2 * time.Second // First runs of all checks, after the start.
	schedulerStop  = 2 * time.Second // Jobs only put a run into the queue; they end at once.
)

// Causes for which a run gave no signal, as Options.Skipped is told.
const (
	SkippedLate     = "late"     // No worker was free in time.
	SkippedRunning  = "running"  // The run before has not ended.
	SkippedFull     = "full"     // Too many runs wait.
	SkippedInternal = "internal" // We could not measure.
	SkippedStopped  = "stopped"  // The process stopped meanwhile.
	SkippedPaused   = "paused"   // The process stood still meanwhile.
	SkippedUnknown  = "unknown"  // Planned elsewhere, and not in our configuration.
	SkippedGuarded  = "guarded"  // The guard refuses the target's address.
	SkippedNetwork  = "network"  // It failed while our own network was down.
	SkippedClock    = "clock"    // The machine's clock is not set.
	SkippedRemoved  = "removed"  // The check was removed meanwhile, or has another interval.
)

// Store makes signals durable.
type Store interface {
	Write(ctx context.Context, signals []status.Signal) error
}

// Board shows signals. Apply never blocks.
type Board interface {
	Apply(signals []status.Signal)
}

// Options are what a Monitor needs; the hooks, Workers and MeasuredAt may be missing.
type Options struct {
	Checks     []check.Check
	Store      Store
	Board      Board
	Log        *slog.Logger
	Region     string
	Observe    func(check check.Check, began time.Time, result probe.Result) // Every probe that measured.
	Skipped    func(cause string)                                            // Every run that gave no signal.
	Probe      map[string]probe.Func                                         // By kind of check. There is no default: whoever builds a Monitor says by which guard it connects.
	Workers    int                                                           // Probes in flight at most; defaults to 2,048.
	MeasuredAt func(service string) time.Time                                // Newest known signal of a service; zero for none.
	Canary     []string                                                      // URLs and host:port that answer while our own network is there; none means it is never in doubt.

	// Of several processes only.
	Dispatch func(ctx context.Context, runs []Planned) error // Hands planned runs on; after an error they are measured here.
	Ended    func(service, region string, slot time.Time)    // Every run of Take that gave no signal, and needs none any more.
	Stored   func(signals []status.Signal)                   // Signals that are on disk; what is only in memory is not.
	Worker   bool                                            // Plan nothing: runs come by Take.

	now func() time.Time // The wall clock; time.Now but in tests.
}

// Stats are figures of the present.
type Stats struct {
	InFlight int64 // Probes running.
	Queue    int64 // Runs that wait for a worker.
	Unsaved  int64 // Signals in memory because the store refuses them.

	NetworkDown bool // No canary answers.
}

// Monitor measures until it is stopped.
type Monitor struct {
	o         Options
	scheduler gocron.Scheduler
	crew      *crew
	recorder  *recorder
	canary    *canary          // Nil without any.
	now       func() time.Time // The wall clock, for slots; durations are measured without it.
	clock     *clock           // gocron's.
	watchdog  *watchdog
	inFlight  atomic.Int64
	strangers rarely      // Lines about runs for services that we don't know.
	internal  rarely      // Lines about runs in which we could not measure.
	pingless  atomic.Bool // The log was told that the kernel lets us send no pings.
	unset     atomic.Bool // The log was told that the clock is not set.

	probeCtx context.Context //nolint:containedctx // The life of all probes, from Start to Stop.
	cancel   context.CancelFunc
	checks   atomic.Pointer[map[string]*watched] // By id; replaced, never changed, with mu held.

	clockWatched chan struct{} // Closed when nobody looks at the clock any more.

	mu      sync.Mutex // Guards what follows.
	rounds  map[span]*round
	started bool
	stopped bool
}

// watched is a service with what its runs share, whatever its settings.
type watched struct {
	id     string
	plan   atomic.Pointer[plan] // Nil once the service is removed.
	busy   atomic.Bool
	last   atomic.Int64 // Slot of the newest run, Unix microseconds.
	newest time.Time    // The latest slot measured, and that of the run before; guarded by busy, as turns.
	before time.Time
	turns  int // How often slots went back.

	telling sync.Mutex
	told    verdict     // What the log was told last; guarded by telling.
	guarded atomic.Bool // The log was told that the guard refuses it.
}

// plan is how a service is measured, by the configuration that counts.
type plan struct {
	check.Check
	measure probe.Func
}

// New checks the options. Nothing runs before Start.
func New(o Options) (*Monitor, error) {
	if o.Store == nil || o.Board == nil || o.Log == nil || len(o.Probe) == 0 {
		return nil, fmt.Errorf("monitor: store, board, log and prober are needed: %w", status.ErrInvalid)
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.Observe == nil {
		o.Observe = func(check.Check, time.Time, probe.Result) {}
	}
	if o.Skipped == nil {
		o.Skipped = func(string) {}
	}
	if o.MeasuredAt == nil {
		o.MeasuredAt = func(string) time.Time { return time.Time{} }
	}
	if o.now == nil {
		o.now = time.Now
	}
	if o.Ended == nil {
		o.Ended = func(string, string, time.Time) {}
	}
	if o.Stored == nil {
		o.Stored = func([]status.Signal) {}
	}
	m := &Monitor{
		o: o, now: o.now, watchdog: newWatchdog(),
		clockWatched: make(chan struct{}), rounds: make(map[span]*round),
	}
	m.crew = newCrew(o.Workers, m.measure, m.skip)
	m.recorder = newRecorder(o.Store, o.Board, o.Log, o.Stored, m.lost)
	if len(o.Canary) > 0 {
		m.canary = newCanary(o.Canary, m.deliver, m.skip, o.Log)
	}
	plans, err := m.plans(o.Checks)
	if err != nil {
		return nil, err
	}
	checks := make(map[string]*watched, len(plans))
	for _, p := range plans {
		w := &watched{id: p.ID}
		w.plan.Store(p)
		checks[p.ID] = w
	}
	m.checks.Store(&checks)
	m.probeCtx, m.cancel = context.WithCancel(context.Background())
	return m, nil
}

// plans checks the checks, and finds out how each is measured.
func (m *Monitor) plans(checks []check.Check) ([]*plan, error) {
	seen, all := map[string]bool{}, make([]*plan, len(checks))
	for i, c := range checks {
		kind := c.Kind()
		measure := m.o.Probe[kind.Name]
		switch {
		case measure == nil:
			return nil, fmt.Errorf("monitor: service %s: unknown kind of check %q: %w", c.ID, kind.Name, status.ErrInvalid)
		case seen[c.ID]:
			return nil, fmt.Errorf("monitor: service %s is there twice: %w", c.ID, status.ErrInvalid)
		case c.Interval < status.MinInterval || c.Timeout <= 0 || c.Timeout >= c.Interval:
			return nil, fmt.Errorf("monitor: service %s: interval %v and timeout %v do not fit: %w", c.ID, c.Interval, c.Timeout, status.ErrInvalid)
		}
		seen[c.ID] = true
		all[i] = &plan{c, measure}
	}
	return all, nil
}

// Start begins to measure; it may be called once.
func (m *Monitor) Start() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started || m.stopped {
		return fmt.Errorf("monitor: started before: %w", status.ErrInvalid)
	}
	checks := *m.checks.Load()
	places := make([]place, 0, len(checks))
	for _, w := range checks {
		places = append(places, place{w, w.plan.Load()})
		w.newest = m.o.MeasuredAt(w.id) // It may lie ahead, if the clock was set back while nobody measured.
	}
	warm(places)
	m.clock = newClock(m.now)
	scheduler, err := gocron.NewScheduler(
		gocron.WithClock(m.clock),
		gocron.WithStopTimeout(schedulerStop),
		gocron.WithGlobalJobOptions(gocron.WithEventListeners(gocron.AfterJobRunsWithPanic(func(_ uuid.UUID, name string, cause any) {
			m.o.Log.Error("scheduled run panicked", "service", name, "cause", cause)
		}))),
	)
	if err != nil {
		return fmt.Errorf("scheduler: %w", err)
	}
	m.scheduler = scheduler
	if !m.o.Worker {
		err = m.arrange(places)
		if err == nil {
			err = m.begin(places)
		}
	}
	if err != nil {
		_ = scheduler.Shutdown()
		return err
	}
	m.started = true
	m.crew.begin()
	m.recorder.start()
	go m.watchdog.run(m.probeCtx.Done())
	if m.canary != nil {
		m.canary.poke() // Before anything is measured: until somebody has answered, no failure counts.
		go m.canary.run()
	}
	scheduler.Start()
	go m.watchClock()
	return nil
}

// Stop takes no more runs, lets running probes end until ctx does and cancels them then,
// and writes what they brought. It may be called more than once, and before Start.
func (m *Monitor) Stop(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopped {
		return nil
	}
	m.stopped = true
	defer m.cancel()
	if !m.started {
		return nil
	}
	m.crew.close()
	<-m.clockWatched
	err := m.scheduler.Shutdown()
	m.crew.taking.Wait()
	m.crew.discard()
	ended := make(chan struct{})
	go func() {
		m.crew.workers.Wait()
		close(ended)
	}()
	grace, release := context.WithTimeout(ctx, stopGrace(ctx))
	defer release()
	select {
	case <-ended:
	case <-grace.Done():
		m.cancel()
		<-ended
	}
	if m.canary != nil {
		m.canary.stop(ctx)
	}
	return errors.Join(err, m.recorder.stop(ctx))
}

// stopGrace leaves a third of the time for the last write.
func stopGrace(ctx context.Context) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return time.Minute
	}
	return time.Until(deadline) * 2 / 3
}

// warm reads the machine's certificates before the first check of TLS needs them: that takes as
// long as a handshake, and is no time of the target's.
func warm(places []place) {
	for _, s := range places {
		if s.plan.Kind().OverTLS(s.plan.Target) {
			_, _ = x509.SystemCertPool() // Without one each check says what is wrong.
			return
		}
	}
}

// Stats returns figures of the present.
func (m *Monitor) Stats() Stats {
	return Stats{InFlight: m.inFlight.Load(), Queue: int64(len(m.crew.queue)), Unsaved: m.recorder.unsaved.Load(), NetworkDown: m.canary.away()}
}
