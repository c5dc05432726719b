package cluster

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// queueLimit is how many tasks of a region may wait: five minutes of the most that one
	// process can plan. More are refused and counted.
	queueLimit = 50_000
	// aheadLimit is how far in the future a slot may lie by the clock of Redis: schedulers plan
	// a second ahead, and their clocks may differ.
	aheadLimit = 10 * time.Second
	// behindLimit is how old a slot may be: its last instant to begin has passed before.
	behindLimit = 20 * time.Second
	enqueueMax  = 500 // Tasks in one call.
)

// Task is one planned run: the slot of a check in one region.
type Task struct {
	Service  string
	Region   string // Empty for a check without regions, which a worker anywhere may take.
	Slot     time.Time
	Deadline time.Time // It is not begun later than this.
}

// enqueueScript queues each slot once, whoever comes first. The slots of the last moments are
// kept, not only the newest of each check: a scheduler whose clock is ahead offers a slot before
// another has offered the one that comes before it. Lock and queue are one step, so that a
// scheduler which dies between them does not exist.
var enqueueScript = redis.NewScript(`
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local ahead, oldest = now + tonumber(ARGV[2]), now - tonumber(ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', oldest)
local room = tonumber(ARGV[1]) - redis.call('XLEN', KEYS[1])
local queued, full, early = 0, 0, 0
for i = 4, #ARGV, 3 do
  local slot = tonumber(ARGV[i + 1])
  local name = ARGV[i] .. ' ' .. ARGV[i + 1]
  if slot > ahead then
    early = early + 1
  elseif slot > oldest then
    if room <= 0 then
      if not redis.call('ZSCORE', KEYS[2], name) then full = full + 1 end
    elseif redis.call('ZADD', KEYS[2], 'NX', ARGV[i + 1], name) == 1 then
      redis.call('XADD', KEYS[1], '*', 's', ARGV[i], 't', ARGV[i + 1], 'd', ARGV[i + 2])
      queued, room = queued + 1, room - 1
    end
  end
end
return {queued, full, early}`)

// Queued says what became of tasks that were offered; those missing in the sum had been
// queued by another scheduler, or are of the past.
type Queued struct {
	Queued int
	Full   int // Refused because too many wait.
	Early  int // Refused because the slot lies too far ahead: our clock or that of Redis is wrong.
}

// Enqueue offers tasks. Each slot of each check and region is queued once, however many
// schedulers offer it. After an error some may have been queued; measuring them here as
// well does no harm.
func (l *Link) Enqueue(ctx context.Context, tasks []Task) (Queued, error) {
	byRegion := map[string][]Task{}
	for _, t := range tasks {
		byRegion[t.Region] = append(byRegion[t.Region], t)
	}
	var mu sync.Mutex
	var all Queued
	var failed error
	var calls sync.WaitGroup
	for region, tasks := range byRegion {
		for len(tasks) > 0 {
			some := tasks[:min(enqueueMax, len(tasks))]
			tasks = tasks[len(some):]
			calls.Go(func() {
				q, err := l.enqueue(ctx, region, some)
				mu.Lock()
				defer mu.Unlock()
				all = Queued{all.Queued + q.Queued, all.Full + q.Full, all.Early + q.Early}
				if err != nil {
					failed = err
				}
			})
		}
	}
	calls.Wait()
	return all, failed
}

func (l *Link) enqueue(ctx context.Context, region string, tasks []Task) (Queued, error) {
	args := make([]any, 0, 3+3*len(tasks))
	args = append(args, queueLimit, aheadLimit.Microseconds(), behindLimit.Microseconds())
	for _, t := range tasks {
		args = append(args, t.Service, t.Slot.UnixMicro(), t.Deadline.UnixMicro())
	}
	var counts []int64
	err := l.do(ctx, func(ctx context.Context) (err error) {
		counts, err = enqueueScript.Run(ctx, l.redis, []string{l.key(region, "queue"), l.key(region, "queued")}, args...).Int64Slice()
		return err
	})
	if err != nil || len(counts) != 3 {
		return Queued{}, fmt.Errorf("queue runs: %w", err)
	}
	return Queued{int(counts[0]), int(counts[1]), int(counts[2])}, nil
}

// Depth is how a region's queue is.
type Depth struct {
	Waiting int           // Tasks not settled: waiting, or with a worker.
	Oldest  time.Duration // Since the slot of the oldest; 0 for none, or one that is still to come.
}

// Depth asks how many tasks a region's queue has.
func (l *Link) Depth(ctx context.Context, region string) (Depth, error) {
	var d Depth
	err := l.do(ctx, func(ctx context.Context) error {
		pipe := l.redis.Pipeline()
		length := pipe.XLen(ctx, l.key(region, "queue"))
		oldest := pipe.XRangeN(ctx, l.key(region, "queue"), "-", "+", 1)
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		d.Waiting = int(length.Val())
		for _, m := range oldest.Val() {
			if t, ok := task(region, m); ok {
				d.Oldest = max(0, time.Since(t.Slot))
			}
		}
		return nil
	})
	return d, err
}

// task reads a message of the queue.
func task(region string, m redis.XMessage) (Task, bool) {
	service, _ := m.Values["s"].(string)
	slot, errSlot := micros(m.Values["t"])
	deadline, errDeadline := micros(m.Values["d"])
	return Task{service, region, slot, deadline}, service != "" && errSlot == nil && errDeadline == nil
}

func micros(v any) (time.Time, error) {
	text, _ := v.(string)
	n, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMicro(n).UTC(), err
}
