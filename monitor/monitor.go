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
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-co-op/gocron/v2"
	"github.com/google/uuid"
)

const (
	defaultWorkers = 2048            // Probes in flight at most: a sixth of 10,000 checks a minute hangs for 10 s.
	spareWorkers   = 64              // Kept when they have nothing to do.
	queueSize      = 10_000          // Runs that wait for a worker: one of each check.
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

// Options are what a Monitor needs; the hooks, Probe, Workers and MeasuredAt may be missing.
type Options struct {
	Checks     []status.Check
	Store      Store
	Board      Board
	Log        *slog.Logger
	Region     string
	Observe    func(check status.Check, result probe.Result) // Every probe that measured.
	Skipped    func(cause string)                            // Every run that gave no signal.
	Probe      map[string]probe.Func                         // Defaults to probe.Kinds.
	Workers    int                                           // Probes in flight at most; defaults to 2,048.
	MeasuredAt func(service string) time.Time                // Newest known signal of a service; zero for none.
	Canary     []string                                      // URLs and host:port that answer while our own network is there; none means it is never in doubt.

	// Of several processes only.
	Dispatch func(ctx context.Context, runs []Planned) error // Hands planned runs on; after an error they are measured here.
	Ended    func(service, region string, slot time.Time)    // Every run of Take that gave no signal, and needs none any more.
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
	queue     chan run
	recorder  *recorder
	canary    *canary          // Nil without any.
	now       func() time.Time // The wall clock, for slots; durations are measured without it.
	clock     *clock           // gocron's.
	pulse     *pulse
	inFlight  atomic.Int64
	load      atomic.Int64  // Runs that wait or are being measured.
	halt      chan struct{} // Closed when Stop begins: no more runs.

	probeCtx context.Context //nolint:containedctx // The life of all probes, from Start to Stop.
	cancel   context.CancelFunc
	workers  sync.WaitGroup
	taking   sync.WaitGroup                      // Runs of Take on their way to the workers.
	byID     atomic.Pointer[map[string]*watched] // What checks holds, for who must not wait.

	clockWatched chan struct{} // Closed when nobody looks at the clock any more.

	size    int        // Workers there are; guarded by hiring.
	hiring  sync.Mutex // Also keeps Stop from waiting before a worker has begun.
	mu      sync.Mutex // Guards what follows.
	checks  map[string]*watched
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
	status.Check
	measure probe.Func
}

// verdict is what a change of is worth a line in the log.
type verdict struct {
	outcome status.Outcome
	reason  status.Reason
	code    int
}

// run is one planned measurement.
type run struct {
	check    *watched
	slot     time.Time
	every    time.Duration // The interval that the slot is one of.
	region   string
	deadline time.Time // Of a run that was planned elsewhere; zero for one of our own.
}

// taken tells whether the run was planned elsewhere.
func (r run) taken() bool { return !r.deadline.IsZero() }

// late tells whether it is too late to begin.
func (r run) late(now time.Time) bool {
	if r.taken() {
		return now.After(r.deadline)
	}
	return now.Sub(r.slot) > min(maxLate, r.every/2)
}

// plan is that of the run's service, or nil when the slot is none any more.
func (r run) plan() *plan {
	if p := r.check.plan.Load(); p != nil && p.Interval == r.every {
		return p
	}
	return nil
}

// New checks the options. Nothing runs before Start.
func New(o Options) (*Monitor, error) {
	if o.Store == nil || o.Board == nil || o.Log == nil {
		return nil, fmt.Errorf("monitor: store, board and log are needed: %w", status.ErrInvalid)
	}
	if o.Probe == nil {
		o.Probe = probe.Kinds
	}
	if o.Workers <= 0 {
		o.Workers = defaultWorkers
	}
	if o.Observe == nil {
		o.Observe = func(status.Check, probe.Result) {}
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
	m := &Monitor{
		o: o, now: o.now, pulse: newPulse(), queue: make(chan run, queueSize), halt: make(chan struct{}),
		clockWatched: make(chan struct{}), recorder: newRecorder(o.Store, o.Board, o.Log),
		checks: make(map[string]*watched), rounds: make(map[span]*round),
	}
	if len(o.Canary) > 0 {
		m.canary = newCanary(o.Canary, m.deliver, m.skip, o.Log)
	}
	plans, err := m.plans(o.Checks)
	if err != nil {
		return nil, err
	}
	for _, p := range plans {
		w := &watched{id: p.ID}
		w.plan.Store(p)
		m.checks[p.ID] = w
	}
	m.byID.Store(&m.checks)
	m.probeCtx, m.cancel = context.WithCancel(context.Background())
	return m, nil
}

// plans checks the checks, and finds out how each is measured.
func (m *Monitor) plans(checks []status.Check) ([]*plan, error) {
	seen, all := map[string]bool{}, make([]*plan, len(checks))
	for i, c := range checks {
		measure := m.o.Probe[c.Kind]
		switch {
		case measure == nil:
			return nil, fmt.Errorf("monitor: service %s: unknown kind of check %q: %w", c.ID, c.Kind, status.ErrInvalid)
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
	seats := make([]seat, 0, len(m.checks))
	for _, w := range m.checks {
		seats = append(seats, seat{w, w.plan.Load()})
		w.newest = m.o.MeasuredAt(w.id) // It may lie ahead, if the clock was set back while nobody measured.
	}
	warm(seats)
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
		err = m.arrange(seats)
		if err == nil {
			err = m.begin(seats)
		}
	}
	if err != nil {
		_ = scheduler.Shutdown()
		return err
	}
	m.started = true
	m.recorder.start()
	go m.pulse.run(m.probeCtx.Done())
	if m.canary != nil {
		go m.canary.run()
	}
	scheduler.Start()
	go m.watchClock()
	return nil
}

// enqueue hands a run to the workers, or counts why not.
func (m *Monitor) enqueue(r run) {
	if r.plan() == nil {
		m.skip(r, SkippedRemoved)
		return
	}
	if !r.taken() && r.check.last.Swap(r.slot.UnixMicro()) == r.slot.UnixMicro() {
		return // The same slot again, after a small step of the clock.
	}
	select {
	case m.queue <- r:
		m.load.Add(1)
		m.hire()
	default:
		m.skip(r, SkippedFull)
	}
}

// skip counts a run that gives no signal.
func (m *Monitor) skip(r run, cause string) {
	m.o.Skipped(cause)
	if r.taken() && cause != SkippedStopped && cause != SkippedPaused { // Else another may still be in time.
		m.o.Ended(r.check.id, r.region, r.slot)
	}
}

// hire adds a worker when there are fewer than runs, up to the limit: what hangs holds a
// worker each, and the others must not wait for it.
func (m *Monitor) hire() {
	m.hiring.Lock()
	defer m.hiring.Unlock()
	if m.size >= m.o.Workers || int64(m.size) >= m.load.Load() || m.halted() {
		return
	}
	m.size++
	m.workers.Go(m.work)
}

// spare tells a worker to end because too many have nothing to do.
func (m *Monitor) spare() bool {
	if m.load.Load() > 0 && len(m.queue) > 0 {
		return false
	}
	m.hiring.Lock()
	defer m.hiring.Unlock()
	if int64(m.size) <= m.load.Load()+spareWorkers {
		return false
	}
	m.size--
	return true
}

func (m *Monitor) halted() bool {
	select {
	case <-m.halt:
		return true
	default:
		return false
	}
}

func (m *Monitor) work() {
	for {
		select {
		case <-m.halt:
			return
		case r := <-m.queue:
			if m.halted() {
				m.skip(r, SkippedStopped)
			} else {
				m.measure(r)
			}
			m.load.Add(-1)
		}
		if m.spare() {
			return
		}
	}
}

// measure runs one probe and hands its signal to the recorder.
func (m *Monitor) measure(r run) {
	w, c := r.check, r.plan()
	switch {
	case c == nil:
		m.skip(r, SkippedRemoved)
		return
	case r.late(m.now()):
		m.skip(r, SkippedLate)
		return
	}
	// A run that another worker left may overlap with the next; it has its own slot.
	if !r.taken() {
		if !w.busy.CompareAndSwap(false, true) {
			m.skip(r, SkippedRunning)
			return
		}
		defer w.busy.Store(false)
	}
	m.inFlight.Add(1)
	defer m.inFlight.Add(-1)
	began := time.Now()
	result := m.attempt(c)
	switch {
	case m.pulse.lostSince(began) && (r.taken() || result.HTTPStatus == status.NoHTTPStatus || result.Duration > c.Timeout):
		m.skip(r, SkippedPaused) // An answer in time is one all the same.
		return
	case result.Outcome == status.Unknown:
		m.unmeasured(r, result)
		return
	case !r.taken(): // Slots that others plan are theirs to keep apart.
		r.slot = w.stamp(r.slot)
	}
	o := measured{r, c, result, began}
	if m.canary == nil {
		m.deliver(o)
		return
	}
	m.canary.settle(o)
}

// unmeasured counts a run that gave no verdict, by its cause.
func (m *Monitor) unmeasured(r run, result probe.Result) {
	switch {
	case m.probeCtx.Err() != nil:
		m.skip(r, SkippedStopped)
	case errors.Is(result.Err, probe.ErrGuarded):
		m.skip(r, SkippedGuarded)
		if !r.check.guarded.Swap(true) {
			m.o.Log.Warn("not measured: the guard refuses its address; allow it under guard: if that is meant to be", "service", r.check.id, "error", result.Err)
		}
	default:
		m.skip(r, SkippedInternal)
		m.o.Log.Error("could not measure", "service", r.check.id, "error", result.Err)
	}
}

// deliver hands a verdict to the log, the hook and the recorder.
func (m *Monitor) deliver(o measured) {
	m.tell(o.check, o.result)
	m.o.Observe(o.by.Check, o.result)
	m.recorder.add(signal(o.by, o.slot, o.region, o.result))
}

// tell logs a verdict that differs from the one before, with the full text of the error:
// a line a change, not a line a probe.
func (m *Monitor) tell(w *watched, r probe.Result) {
	now := verdict{r.Outcome, r.Reason, r.HTTPStatus}
	w.telling.Lock()
	before := w.told
	w.told = now
	w.telling.Unlock()
	if now == before || before.outcome == status.Unknown && now.outcome == status.Up {
		return
	}
	args := []any{"service", w.id, "outcome", r.Outcome.String(), "was", before.outcome.String()}
	if r.Err != nil {
		args = append(args, "reason", r.Reason.String(), "error", r.Err)
	}
	m.o.Log.Info("service changed", args...)
}

// find returns the plan of a service, nil for none. It does not wait for an Update.
func (m *Monitor) find(id string) (*watched, *plan) {
	w := (*m.byID.Load())[id]
	if w == nil {
		return nil, nil
	}
	return w, w.plan.Load()
}

// attempt survives a probe that panics, and has the canaries asked about one that takes long.
func (m *Monitor) attempt(c *plan) (result probe.Result) {
	defer func() {
		if cause := recover(); cause != nil {
			result = probe.Result{Err: fmt.Errorf("probe panicked: %v", cause)}
		}
	}()
	if m.canary != nil {
		defer m.canary.watch()()
	}
	return c.measure(m.probeCtx, c.Check)
}

func signal(c *plan, slot time.Time, region string, r probe.Result) status.Signal {
	s := status.Signal{
		Received:   slot.UTC().Truncate(time.Microsecond),
		Service:    c.ID,
		Region:     c.Region(region),
		URL:        c.URL,
		HTTPStatus: r.HTTPStatus,
		Available:  r.Outcome.Available(),
		Outcome:    r.Outcome,
		Duration:   max(0, r.Duration).Truncate(time.Microsecond),
		Reason:     r.Reason,
	}
	if r.Err != nil {
		s.Error = r.Err.Error()
	}
	return s
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
	m.hiring.Lock() // No worker is hired after this.
	close(m.halt)
	m.hiring.Unlock()
	<-m.clockWatched
	err := m.scheduler.Shutdown()
	m.taking.Wait()
	m.discard()
	ended := make(chan struct{})
	go func() {
		m.workers.Wait()
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

// discard counts what waited and is not begun any more.
func (m *Monitor) discard() {
	for {
		select {
		case r := <-m.queue:
			m.skip(r, SkippedStopped)
		default:
			return
		}
	}
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
func warm(seats []seat) {
	for _, s := range seats {
		if strings.HasPrefix(s.plan.Target, "https://") {
			_, _ = x509.SystemCertPool() // Without one each check says what is wrong.
			return
		}
	}
}

// Stats returns figures of the present.
func (m *Monitor) Stats() Stats {
	return Stats{InFlight: m.inFlight.Load(), Queue: int64(len(m.queue)), Unsaved: m.recorder.unsaved.Load(), NetworkDown: m.canary.away()}
}
