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
}

// Stats are figures of the present.
type Stats struct {
	InFlight int64 // Probes running.
	Queue    int64 // Runs that wait for a worker.
	Unsaved  int64 // Signals in memory because the store refuses them.
}

// Monitor measures until it is stopped.
type Monitor struct {
	o         Options
	checks    []*watched
	scheduler gocron.Scheduler
	queue     chan run
	recorder  *recorder
	inFlight  atomic.Int64
	load      atomic.Int64  // Runs that wait or are being measured.
	halt      chan struct{} // Closed when Stop begins: no more runs.

	probeCtx context.Context //nolint:containedctx // The life of all probes, from Start to Stop.
	cancel   context.CancelFunc
	workers  sync.WaitGroup
	size     int        // Workers there are; guarded by hiring.
	hiring   sync.Mutex // Also keeps Stop from waiting before a worker has begun.
	mu       sync.Mutex // Guards started and stopped.
	started  bool
	stopped  bool
}

// watched is a check with what its runs share.
type watched struct {
	status.Check
	measure probe.Func
	busy    atomic.Bool
	last    atomic.Int64 // Slot of the newest run, Unix microseconds.
	told    verdict      // What the log was told last; guarded by busy.
}

// verdict is what a change of is worth a line in the log.
type verdict struct {
	outcome status.Outcome
	reason  status.Reason
	code    int
}

// run is one planned measurement.
type run struct {
	check *watched
	slot  time.Time
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
	m := &Monitor{o: o, queue: make(chan run, queueSize), halt: make(chan struct{}), recorder: newRecorder(o.Store, o.Board, o.Log)}
	seen := map[string]bool{}
	for _, c := range o.Checks {
		measure := o.Probe[c.Kind]
		switch {
		case measure == nil:
			return nil, fmt.Errorf("monitor: service %s: unknown kind of check %q: %w", c.ID, c.Kind, status.ErrInvalid)
		case seen[c.ID]:
			return nil, fmt.Errorf("monitor: service %s is there twice: %w", c.ID, status.ErrInvalid)
		case c.Interval < status.MinInterval || c.Timeout <= 0 || c.Timeout >= c.Interval:
			return nil, fmt.Errorf("monitor: service %s: interval %v and timeout %v do not fit: %w", c.ID, c.Interval, c.Timeout, status.ErrInvalid)
		}
		seen[c.ID] = true
		m.checks = append(m.checks, &watched{Check: c, measure: measure})
	}
	m.probeCtx, m.cancel = context.WithCancel(context.Background())
	return m, nil
}

// Start begins to measure; it may be called once.
func (m *Monitor) Start() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started || m.stopped {
		return fmt.Errorf("monitor: started before: %w", status.ErrInvalid)
	}
	m.warm()
	scheduler, err := gocron.NewScheduler(
		gocron.WithStopTimeout(schedulerStop),
		gocron.WithGlobalJobOptions(gocron.WithEventListeners(gocron.AfterJobRunsWithPanic(func(_ uuid.UUID, name string, cause any) {
			m.o.Log.Error("scheduled run panicked", "service", name, "cause", cause)
		}))),
	)
	if err != nil {
		return fmt.Errorf("scheduler: %w", err)
	}
	if err := m.schedule(scheduler, time.Now()); err != nil {
		_ = scheduler.Shutdown()
		return err
	}
	m.scheduler, m.started = scheduler, true
	m.recorder.start()
	scheduler.Start()
	return nil
}

// enqueue hands a run to the workers, or counts why not.
func (m *Monitor) enqueue(r run) {
	if r.check.last.Swap(r.slot.UnixMicro()) == r.slot.UnixMicro() {
		return // The same slot again, after a small step of the clock.
	}
	select {
	case m.queue <- r:
		m.load.Add(1)
		m.hire()
	default:
		m.o.Skipped(SkippedFull)
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
				m.o.Skipped(SkippedStopped)
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
	c := r.check
	if late := time.Since(r.slot); late > min(maxLate, c.Interval/2) {
		m.o.Skipped(SkippedLate)
		return
	}
	if !c.busy.CompareAndSwap(false, true) {
		m.o.Skipped(SkippedRunning)
		return
	}
	defer c.busy.Store(false)
	m.inFlight.Add(1)
	defer m.inFlight.Add(-1)
	result := m.guarded(c)
	if result.Outcome == status.Unknown {
		if m.probeCtx.Err() != nil {
			m.o.Skipped(SkippedStopped)
			return
		}
		m.o.Skipped(SkippedInternal)
		m.o.Log.Error("could not measure", "service", c.ID, "error", result.Err)
		return
	}
	m.tell(c, result)
	m.o.Observe(c.Check, result)
	m.recorder.add(signal(c, r.slot, m.o.Region, result))
}

// tell logs a verdict that differs from the one before, with the full text of the error:
// a line a change, not a line a probe.
func (m *Monitor) tell(c *watched, r probe.Result) {
	now := verdict{r.Outcome, r.Reason, r.HTTPStatus}
	before := c.told
	if c.told = now; now == before || before.outcome == status.Unknown && now.outcome == status.Up {
		return
	}
	args := []any{"service", c.ID, "outcome", r.Outcome.String(), "was", before.outcome.String()}
	if r.Err != nil {
		args = append(args, "reason", r.Reason.String(), "error", r.Err)
	}
	m.o.Log.Info("service changed", args...)
}

// guarded survives a probe that panics.
func (m *Monitor) guarded(c *watched) (result probe.Result) {
	defer func() {
		if cause := recover(); cause != nil {
			result = probe.Result{Err: fmt.Errorf("probe panicked: %v", cause)}
		}
	}()
	return c.measure(m.probeCtx, c.Check)
}

func signal(c *watched, slot time.Time, region string, r probe.Result) status.Signal {
	s := status.Signal{
		Received:   slot.UTC().Truncate(time.Microsecond),
		Service:    c.ID,
		Region:     c.Service.Region(region),
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
	err := m.scheduler.Shutdown()
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
	return errors.Join(err, m.recorder.stop(ctx))
}

// discard counts what waited and is not begun any more.
func (m *Monitor) discard() {
	for {
		select {
		case <-m.queue:
			m.o.Skipped(SkippedStopped)
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
func (m *Monitor) warm() {
	for _, c := range m.checks {
		if strings.HasPrefix(c.Target, "https://") {
			_, _ = x509.SystemCertPool() // Without one each check says what is wrong.
			return
		}
	}
}

// Stats returns figures of the present.
func (m *Monitor) Stats() Stats {
	return Stats{InFlight: m.inFlight.Load(), Queue: int64(len(m.queue)), Unsaved: m.recorder.unsaved.Load()}
}
