package main

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"slices"
	"statuspage/internal/board"
	"statuspage/internal/cluster"
	"statuspage/internal/config"
	"statuspage/internal/status"
	"statuspage/monitor"
	"sync"
	"sync/atomic"
	"time"
)

const (
	heldTasks  = 5000 // Tasks that a worker has at a time: those of the next second, and those being measured.
	depthEvery = 5 * time.Second
	// unsure is how long after its slot a queued run is measured here as well when Redis goes
	// away: no worker may have it, or Redis come back without it.
	unsure = 3 * time.Second
)

// team is what this process shares with others through Redis, by its roles.
type team struct {
	roles     roles
	link      *cluster.Link
	publisher *cluster.Publisher
	worker    *cluster.Worker   // Nil without the role.
	follower  *cluster.Follower // Nil without the role of web.
	regions   []string          // Of all checks.

	planned, refused, early, here atomic.Uint64
	depth                         atomic.Pointer[cluster.Depth] // Nil while nobody knows.

	mu     sync.Mutex
	recent []monitor.Planned       // Queued a moment ago.
	take   func([]monitor.Planned) // Measures here what is ours.

	drained chan struct{} // Closed when what was measured is on disk.
	working sync.WaitGroup
	talking sync.WaitGroup
	hush    context.CancelFunc // Nil before start.
	ending  sync.Once
}

// join opens the link to the others; nil without a queue.
func join(cfg *config.Config, r roles, log *slog.Logger) (*team, error) {
	if cfg.Queue == "" {
		return nil, nil //nolint:nilnil // One process is a team of none.
	}
	prefix, err := prefixOf(string(cfg.Database))
	if err != nil {
		return nil, err
	}
	t := &team{roles: r, drained: make(chan struct{})}
	if t.link, err = cluster.Open(string(cfg.Queue), prefix, log, t.fallBack); err != nil {
		return nil, err
	}
	t.publisher = cluster.NewPublisher(t.link)
	known := map[string]bool{}
	for _, c := range cfg.Checks {
		if len(c.Regions) == 0 {
			known[""] = true
		}
		for _, region := range c.Regions {
			known[region] = true
		}
	}
	for region := range known {
		t.regions = append(t.regions, region)
	}
	return t, nil
}

// prefixOf keeps pages that share a Redis, but not a database, apart.
func prefixOf(database string) (string, error) {
	u, err := url.Parse(database)
	if err != nil { // Its text would show the password.
		return "", fmt.Errorf("database URL can't be read: %w", status.ErrInvalid)
	}
	return "statuspage:" + u.Host + u.Path + ":", nil
}

// taking makes a worker of this process.
func (t *team) taking(region string, take func([]monitor.Planned)) {
	regions := []string{""}
	if region != "" {
		regions = append(regions, region)
	}
	t.worker = cluster.NewWorker(t.link, regions, heldTasks, func(tasks []cluster.Task) {
		all := make([]monitor.Planned, len(tasks))
		for i, task := range tasks {
			all[i] = monitor.Planned(task)
		}
		take(all)
	})
}

// dispatch queues planned runs.
func (t *team) dispatch(ctx context.Context, runs []monitor.Planned) error {
	tasks := make([]cluster.Task, len(runs))
	for i, r := range runs {
		tasks[i] = cluster.Task(r)
	}
	q, err := t.link.Enqueue(ctx, tasks)
	t.planned.Add(uint64(q.Queued))
	t.refused.Add(uint64(q.Full))
	t.early.Add(uint64(q.Early))
	if err != nil {
		t.here.Add(uint64(len(runs)))
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	limit := time.Now().Add(-unsure)
	t.recent = append(slices.DeleteFunc(t.recent, func(p monitor.Planned) bool { return p.Slot.Before(limit) }), runs...)
	return nil
}

// fallBack measures here what was queued a moment ago. Whoever else measures it writes the same key.
func (t *team) fallBack() {
	t.mu.Lock()
	recent, take := t.recent, t.take
	t.recent = nil
	t.mu.Unlock()
	if take != nil && len(recent) > 0 {
		t.here.Add(uint64(len(recent)))
		take(recent)
	}
}

// bypass says who measures what can't be queued.
func (t *team) bypass(take func([]monitor.Planned)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.take = take
}

// start begins what the roles ask for, except following, which waits for the board.
func (t *team) start(ctx context.Context) {
	talk, hush := context.WithCancel(context.WithoutCancel(ctx))
	t.hush = hush
	t.talking.Go(func() { t.publisher.Run(talk) })
	t.talking.Go(func() { t.measureDepth(talk) })
	if t.worker != nil {
		t.working.Go(func() { t.worker.Run(ctx, t.drained) })
	}
}

// follow brings what others measure to the board, until ctx ends.
func (t *team) follow(ctx context.Context) {
	if t.follower != nil {
		t.talking.Go(func() { t.follower.Run(ctx) })
	}
}

// stop ends everything, whether it was started or not; a second time it does nothing. The monitor has stopped before, so that all
// it measured is on disk.
func (t *team) stop() (err error) {
	t.ending.Do(func() {
		close(t.drained)
		t.working.Wait()
		if t.hush != nil {
			t.hush()
		}
		t.talking.Wait()
		err = t.link.Close()
	})
	return err
}

func (t *team) measureDepth(ctx context.Context) {
	for {
		all := &cluster.Depth{}
		for _, region := range t.regions {
			d, err := t.link.Depth(ctx, region)
			if err != nil {
				all = nil // State says why.
				break
			}
			all.Waiting += d.Waiting
			all.Oldest = max(all.Oldest, d.Oldest)
		}
		t.depth.Store(all)
		select {
		case <-ctx.Done():
			return
		case <-time.After(depthEvery):
		}
	}
}

// settle says that a task gives no signal and needs none any more.
func (t *team) settle(service, region string, slot time.Time) {
	if t.worker != nil {
		t.worker.Settle(service, region, slot)
	}
}

// saved settles the tasks of signals that are on disk.
func (t *team) saved(signals []status.Signal) {
	if t.worker != nil {
		t.worker.Stored(signals)
	}
}

// shown is where signals go when they are on disk, or while our disk refuses them: to the others, and to the page of this process.
type shown struct {
	team  *team
	board *board.Board
}

// Apply implements monitor.Board.
func (s shown) Apply(signals []status.Signal) {
	if s.team != nil {
		s.team.publisher.Apply(signals)
	}
	s.board.Apply(signals)
}

func (a *app) teamGauges() {
	t, m := a.team, a.metrics
	count := func(n *atomic.Uint64) func() float64 { return func() float64 { return float64(n.Load()) } }
	m.Flag("statuspage_redis_up", "1 when Redis answers.", func() bool { return t.link.State().Up })
	deep := func(of func(*cluster.Depth) float64) func() float64 {
		return func() float64 {
			if d := t.depth.Load(); d != nil && t.link.State().Up {
				return of(d)
			}
			return math.NaN()
		}
	}
	m.Gauge("statuspage_queue_tasks", "Planned runs in the queue, those being measured included; NaN while Redis is away.",
		deep(func(d *cluster.Depth) float64 { return float64(d.Waiting) }))
	m.Gauge("statuspage_queue_oldest_seconds", "Since the slot of the oldest planned run in the queue; NaN while Redis is away.",
		deep(func(d *cluster.Depth) float64 { return d.Oldest.Seconds() }))
	m.Counter("statuspage_relay_lost_total", "Signals that page servers must find in the database.", func() float64 { return float64(t.publisher.Lost()) })
	if t.roles.scheduler {
		m.Counter("statuspage_queue_planned_total", "Runs that this process has queued.", count(&t.planned))
		m.Counter("statuspage_queue_refused_total", "Runs refused because too many wait.", count(&t.refused))
		m.Counter("statuspage_queue_early_total", "Runs refused because their slot lies in the future: a clock is wrong.", count(&t.early))
		m.Counter("statuspage_queue_bypassed_total", "Planned runs left to this process because Redis was away.", count(&t.here))
	}
	if t.worker != nil {
		m.Gauge("statuspage_queue_held", "Tasks that this worker has.", func() float64 { return float64(t.worker.Held()) })
		m.Counter("statuspage_queue_dropped_total", "Tasks dropped because they came too late.", func() float64 { return float64(t.worker.Late()) })
		m.Counter("statuspage_queue_taken_over_total", "Tasks that dead workers had left to this one.", func() float64 { return float64(t.worker.TakenOver()) })
	}
}
