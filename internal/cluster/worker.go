package cluster

import (
	"context"
	"os"
	"statuspage/internal/status"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

const (
	group     = "workers"
	readMax   = 64                     // Tasks of one read: the rest is for others.
	beatEvery = 250 * time.Millisecond // How often a worker says that it lives.
	lease     = time.Second            // One that has not for so long is dead: its tasks go on to others.
	settleGap = 20 * time.Millisecond  // Settled tasks gather for so long.
	takeover  = 500                    // Tasks taken over in one call.
	readRetry = 200 * time.Millisecond
)

// beatScript notes that a worker lives, and hands it what dead ones have left.
var beatScript = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
local left = {}
if tonumber(ARGV[4]) == 0 then return left end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])) do
  local pending = redis.pcall('XPENDING', KEYS[2], ARGV[2], '-', '+', ARGV[4], name)
  if pending.err then return left end
  if #pending == 0 then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[2], ARGV[2], name)
    redis.call('ZREM', KEYS[1], name)
  else
    local ids = {}
    for i, p in ipairs(pending) do ids[i] = p[1] end
    for _, m in ipairs(redis.call('XCLAIM', KEYS[2], ARGV[2], ARGV[1], 0, unpack(ids))) do left[#left + 1] = m end
    return left
  end
end
return left`)

// Worker takes tasks of some regions. A task that it took stays in the queue until it is
// settled: when the worker dies, another takes it over while there is time.
type Worker struct {
	link    *Link
	regions []string
	name    string
	limit   int // Tasks at a time.
	take    func([]Task)

	late atomic.Uint64
	won  atomic.Uint64

	mu      sync.Mutex
	held    map[held]string     // Message ids of tasks that are not settled.
	settled map[string][]string // Message ids by region, to be told to Redis.
}

type held struct {
	service, region string
	slot            int64
}

// NewWorker returns a worker of the regions, the empty one for checks without. It holds so many
// tasks at a time at most. take is handed tasks that are in time; it must not block.
func NewWorker(l *Link, regions []string, limit int, take func([]Task)) *Worker {
	host, _ := os.Hostname() // Only for who looks into Redis.
	return &Worker{
		link: l, regions: regions, limit: limit, take: take,
		name: host + "-" + strconv.Itoa(os.Getpid()) + "-" + uuid.NewString()[:8],
		held: make(map[held]string), settled: make(map[string][]string),
	}
}

// Late counts tasks that were dropped because they came too late, TakenOver those that dead
// workers had left.
func (w *Worker) Late() uint64 { return w.late.Load() }

// TakenOver counts tasks that dead workers had left to this one.
func (w *Worker) TakenOver() uint64 { return w.won.Load() }

// Held is how many tasks are not settled yet.
func (w *Worker) Held() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.held)
}

// Settle says that a task needs nobody any more: its signal is on disk, or it was too late.
func (w *Worker) Settle(service, region string, slot time.Time) {
	k := held{service, region, slot.UnixMicro()}
	w.mu.Lock()
	defer w.mu.Unlock()
	if id, ok := w.held[k]; ok {
		delete(w.held, k)
		w.settled[region] = append(w.settled[region], id)
	}
}

// Stored settles the tasks of signals that are on disk.
func (w *Worker) Stored(signals []status.Signal) {
	for _, s := range signals {
		w.Settle(s.Service, s.Region, s.Received)
	}
}

// Run takes tasks until ctx ends. It keeps those it holds until drained is closed, and leaves the
// rest to others then.
func (w *Worker) Run(ctx context.Context, drained <-chan struct{}) {
	alive, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var readers, lives sync.WaitGroup
	for _, region := range w.regions {
		readers.Go(func() { w.read(ctx, region) })
		lives.Go(func() { w.live(alive, ctx.Done(), region) })
	}
	readers.Wait()
	<-drained
	stop()
	lives.Wait()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	w.tell(end)
	w.leave(end)
}

// read takes new tasks.
func (w *Worker) read(ctx context.Context, region string) {
	stream := w.link.key(region, "queue")
	for ctx.Err() == nil {
		free := w.limit - w.Held()
		if free <= 0 || !w.link.State().Up {
			pause(ctx, readRetry/10)
			continue
		}
		call, cancel := context.WithTimeout(ctx, blockTimeout)
		got, err := w.link.redis.XReadGroup(call, &redis.XReadGroupArgs{
			Group: group, Consumer: w.name, Streams: []string{stream, ">"}, Count: int64(min(free, readMax)), Block: blockFor,
		}).Result()
		cancel()
		switch {
		case err == nil:
			for _, s := range got {
				w.accept(region, s.Messages)
			}
		case redis.HasErrorPrefix(err, "NOGROUP"): // New, or Redis came back without its data.
			call, cancel := context.WithTimeout(ctx, callTimeout)
			_ = w.link.redis.XGroupCreateMkStream(call, stream, group, "0").Err() // Another may have been faster; the next read tells.
			cancel()
		case !answered(err):
			w.link.note(ctx, err, false)
			pause(ctx, readRetry)
		}
	}
}

// live says that this worker lives, takes over what dead ones left, and tells what is settled.
func (w *Worker) live(ctx context.Context, leaving <-chan struct{}, region string) {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	settle := time.NewTicker(settleGap)
	defer settle.Stop()
	w.beat(ctx, region, takeover)
	for {
		select {
		case <-ctx.Done():
			return
		case <-settle.C:
			w.tell(ctx)
		case <-beat.C:
			most := takeover
			select {
			case <-leaving:
				most = 0
			default:
			}
			w.beat(ctx, region, most)
		}
	}
}

func (w *Worker) beat(ctx context.Context, region string, most int) {
	var left []redis.XMessage
	err := w.link.do(ctx, func(ctx context.Context) error {
		reply, err := beatScript.Run(ctx, w.link.redis, []string{w.link.key(region, "alive"), w.link.key(region, "queue")},
			w.name, group, lease.Milliseconds(), most).Slice()
		left = messages(reply)
		return err
	})
	if err == nil && len(left) > 0 {
		w.won.Add(uint64(len(left)))
		w.accept(region, left)
	}
}

// accept holds tasks and hands on those in time. What no longer is, or says nothing, is settled.
func (w *Worker) accept(region string, all []redis.XMessage) {
	now := time.Now()
	var tasks []Task
	w.mu.Lock()
	for _, m := range all {
		t, ok := task(region, m)
		if !ok || now.After(t.Deadline) {
			w.late.Add(1)
			w.settled[region] = append(w.settled[region], m.ID)
			continue
		}
		w.held[held{t.Service, region, t.Slot.UnixMicro()}] = m.ID
		tasks = append(tasks, t)
	}
	w.mu.Unlock()
	if len(tasks) > 0 {
		w.take(tasks)
	}
}

// tell lets Redis forget settled tasks. Those it can't be told are told with the next.
func (w *Worker) tell(ctx context.Context) {
	w.mu.Lock()
	settled := w.settled
	if len(settled) == 0 {
		w.mu.Unlock()
		return
	}
	w.settled = make(map[string][]string)
	w.mu.Unlock()
	err := w.link.do(ctx, func(ctx context.Context) error {
		pipe := w.link.redis.Pipeline()
		for region, ids := range settled {
			pipe.XAck(ctx, w.link.key(region, "queue"), group, ids...)
			pipe.XDel(ctx, w.link.key(region, "queue"), ids...)
		}
		_, err := pipe.Exec(ctx)
		return err
	})
	if err == nil || answered(err) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for region, ids := range settled {
		if ids = append(ids, w.settled[region]...); len(ids) <= queueLimit {
			w.settled[region] = ids
		}
	}
}

// leave tells the others at once that this worker is gone: what it holds is theirs.
func (w *Worker) leave(ctx context.Context) {
	for _, region := range w.regions {
		_ = w.link.do(ctx, func(ctx context.Context) error { // Else they notice in a moment.
			return w.link.redis.ZAdd(ctx, w.link.key(region, "alive"), redis.Z{Score: 0, Member: w.name}).Err()
		})
	}
}

// messages reads what a script returns of a stream.
func messages(reply []any) []redis.XMessage {
	all := make([]redis.XMessage, 0, len(reply))
	for _, r := range reply {
		pair, _ := r.([]any)
		if len(pair) != 2 {
			continue
		}
		id, _ := pair[0].(string)
		fields, _ := pair[1].([]any)
		m := redis.XMessage{ID: id, Values: map[string]any{}}
		for i := 0; i+1 < len(fields); i += 2 {
			name, _ := fields[i].(string)
			m.Values[name] = fields[i+1]
		}
		all = append(all, m)
	}
	return all
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
