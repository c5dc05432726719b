package app

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
	"statuspage/internal/metrics"
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

// node is this process among others that share its work through Redis, by its roles.
type node struct {
	roles     Roles
	link      *cluster.Link
	publisher *cluster.Publisher
	sharing   *cluster.EventPublisher
	worker    *cluster.Worker        // Nil without the role.
	follower  *cluster.Follower      // Nil without the role of web.
	hearing   *cluster.EventFollower // Likewise.
	regions   []string               // Of all checks.

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
func join(cfg *config.Config, r Roles, log *slog.Logger) (*node, error) {
	if cfg.Queue == "" {
		return nil, nil //nolint:nilnil // One process stands alone.
	}
	prefix, err := prefixOf(string(cfg.Database))
	if err != nil {
		return nil, err
	}
	n := &node{roles: r, drained: make(chan struct{})}
	if n.link, err = cluster.Open(string(cfg.Queue), prefix, log, n.fallBack); err != nil {
		return nil, err
	}
	n.publisher, n.sharing = cluster.NewPublisher(n.link), cluster.NewEventPublisher(n.link)
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
		n.regions = append(n.regions, region)
	}
	return n, nil
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
func (n *node) taking(region string, take func([]monitor.Planned)) {
	regions := []string{""}
	if region != "" {
		regions = append(regions, region)
	}
	n.worker = cluster.NewWorker(n.link, regions, heldTasks, func(tasks []cluster.Task) {
		all := make([]monitor.Planned, len(tasks))
		for i, task := range tasks {
			all[i] = monitor.Planned(task)
		}
		take(all)
	})
}

// dispatch queues planned runs.
func (n *node) dispatch(ctx context.Context, runs []monitor.Planned) error {
	tasks := make([]cluster.Task, len(runs))
	for i, r := range runs {
		tasks[i] = cluster.Task(r)
	}
	q, err := n.link.Enqueue(ctx, tasks)
	n.planned.Add(uint64(q.Queued))
	n.refused.Add(uint64(q.Full))
	n.early.Add(uint64(q.Early))
	if err != nil {
		n.here.Add(uint64(len(runs)))
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	limit := time.Now().Add(-unsure)
	n.recent = append(slices.DeleteFunc(n.recent, func(p monitor.Planned) bool { return p.Slot.Before(limit) }), runs...)
	return nil
}

// fallBack measures here what was queued a moment ago. Whoever else measures it writes the same key.
func (n *node) fallBack() {
	n.mu.Lock()
	recent, take := n.recent, n.take
	n.recent = nil
	n.mu.Unlock()
	if take != nil && len(recent) > 0 {
		n.here.Add(uint64(len(recent)))
		take(recent)
	}
}

// bypass says who measures what can't be queued.
func (n *node) bypass(take func([]monitor.Planned)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.take = take
}

// start begins what the roles ask for, except following, which waits for the board.
func (n *node) start(ctx context.Context) {
	talk, hush := context.WithCancel(context.WithoutCancel(ctx))
	n.hush = hush
	n.talking.Go(func() { n.publisher.Run(talk) })
	n.talking.Go(func() { n.sharing.Run(talk) })
	n.talking.Go(func() { n.measureDepth(talk) })
	if n.worker != nil {
		n.working.Go(func() { n.worker.Run(ctx, n.drained) })
	}
}

// follow brings what others measure to the board, until ctx ends.
func (n *node) follow(ctx context.Context) {
	if n.follower != nil {
		n.talking.Go(func() { n.follower.Run(ctx) })
	}
	if n.hearing != nil {
		n.talking.Go(func() { n.hearing.Run(ctx) })
	}
}

// stop ends everything, whether it was started or not; a second time it does nothing. The monitor has stopped before, so that all
// it measured is on disk.
func (n *node) stop() (err error) {
	n.ending.Do(func() {
		close(n.drained)
		n.working.Wait()
		if n.hush != nil {
			n.hush()
		}
		n.talking.Wait()
		err = n.link.Close()
	})
	return err
}

func (n *node) measureDepth(ctx context.Context) {
	for {
		all := &cluster.Depth{}
		for _, region := range n.regions {
			d, err := n.link.Depth(ctx, region)
			if err != nil {
				all = nil // State says why.
				break
			}
			all.Waiting += d.Waiting
			all.Oldest = max(all.Oldest, d.Oldest)
		}
		n.depth.Store(all)
		select {
		case <-ctx.Done():
			return
		case <-time.After(depthEvery):
		}
	}
}

// settle says that a task gives no signal and needs none any more.
func (n *node) settle(service, region string, slot time.Time) {
	if n.worker != nil {
		n.worker.Settle(service, region, slot)
	}
}

// saved settles the tasks of signals that are on disk.
func (n *node) saved(signals []status.Signal) {
	if n.worker != nil {
		n.worker.Stored(signals)
	}
}

// shown is where signals go when they are on disk, or while our disk refuses them: to the others, and to the page of this process.
type shown struct {
	node  *node
	board *board.Board
}

// Apply implements monitor.Board.
func (s shown) Apply(signals []status.Signal) {
	if s.node != nil {
		s.node.publisher.Apply(signals)
	}
	s.board.Apply(signals)
}

// gauges are what the metrics tell of the queue and the relay.
func (n *node) gauges(m *metrics.Metrics) {
	count := func(c *atomic.Uint64) func() float64 { return func() float64 { return float64(c.Load()) } }
	m.Flag("statuspage_redis_up", "1 when Redis answers.", func() bool { return n.link.State().Up })
	deep := func(of func(*cluster.Depth) float64) func() float64 {
		return func() float64 {
			if d := n.depth.Load(); d != nil && n.link.State().Up {
				return of(d)
			}
			return math.NaN()
		}
	}
	m.Gauge("statuspage_queue_tasks", "Planned runs in the queue, those being measured included; NaN while Redis is away.",
		deep(func(d *cluster.Depth) float64 { return float64(d.Waiting) }))
	m.Gauge("statuspage_queue_oldest_seconds", "Since the slot of the oldest planned run in the queue; NaN while Redis is away.",
		deep(func(d *cluster.Depth) float64 { return d.Oldest.Seconds() }))
	m.Counter("statuspage_relay_events_lost_total", "Events of incidents that page servers must find in the database.", func() float64 { return float64(n.sharing.Lost()) })
	m.Counter("statuspage_relay_lost_total", "Signals that page servers must find in the database.", func() float64 { return float64(n.publisher.Lost()) })
	if n.roles.scheduler {
		m.Counter("statuspage_queue_planned_total", "Runs that this process has queued.", count(&n.planned))
		m.Counter("statuspage_queue_refused_total", "Runs refused because too many wait.", count(&n.refused))
		m.Counter("statuspage_queue_early_total", "Runs refused because their slot lies in the future: a clock is wrong.", count(&n.early))
		m.Counter("statuspage_queue_bypassed_total", "Planned runs left to this process because Redis was away.", count(&n.here))
	}
	if n.worker != nil {
		m.Gauge("statuspage_queue_held", "Tasks that this worker has.", func() float64 { return float64(n.worker.Held()) })
		m.Counter("statuspage_queue_dropped_total", "Tasks dropped because they came too late.", func() float64 { return float64(n.worker.Late()) })
		m.Counter("statuspage_queue_taken_over_total", "Tasks that dead workers had left to this one.", func() float64 { return float64(n.worker.TakenOver()) })
	}
}
