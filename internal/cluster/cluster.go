// Package cluster is what several processes share through Redis: a queue of planned runs for
// each region, and a relay that brings every fresh signal to every page server. Redis may go
// away at any time, come back empty, or stand still: then nothing here blocks, callers are
// told, and what comes twice does no harm, since a signal's key is its slot, service and region.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"statuspage/internal/status"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	dialTimeout  = time.Second
	callTimeout  = time.Second            // For one call; a Redis that stands still is as good as away.
	askAway      = 250 * time.Millisecond // How often a Redis that is away is asked.
	askUp        = 2 * time.Second
	blockFor     = time.Second // How long a read waits for something new.
	blockTimeout = blockFor + 2*time.Second
	connections  = 16
)

// ErrAway says that Redis does not answer.
var ErrAway = fmt.Errorf("redis is away: %w", status.ErrUnavailable)

// State says how Redis is, as far as is known without asking it.
type State struct {
	Up    bool
	Since time.Time // When Up became what it is.
	Err   error     // Why it is not up; for the log, not for the public.
}

// Link is the connection to Redis that the parts of a process share.
type Link struct {
	redis  *redis.Client
	prefix string // Before all keys.
	log    *slog.Logger
	state  atomic.Pointer[State]
	away   func() // Called when Redis goes away.
	noting sync.Mutex
	stop   context.CancelFunc
	done   chan struct{}
	ending sync.Once
}

// Open returns a link to the Redis of a URL such as redis://:password@host:6379/0 or
// rediss:// for TLS. It succeeds when Redis is away. No error shows the password. All
// processes of one page need the same prefix, which is the address of their database.
//
// Each time that Redis goes away, away is called in a goroutine of its own; it may be nil.
func Open(url, prefix string, log *slog.Logger, away func()) (*Link, error) {
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("queue: want redis://:password@host:6379/0: %w", status.ErrInvalid) // The parser's text may hold the password.
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = dialTimeout, callTimeout, callTimeout
	options.DialerRetries = 1
	options.MaxRetries = -1 // Who asks decides what to do instead.
	options.PoolSize = connections
	options.ContextTimeoutEnabled = true
	options.DisableIdentity = true
	redis.SetLogger(silent{}) // Each state is told once, by us.
	ctx, stop := context.WithCancel(context.Background())
	l := &Link{redis: redis.NewClient(options), prefix: prefix, log: log, away: away, stop: stop, done: make(chan struct{})}
	l.state.Store(&State{Since: time.Now(), Err: ErrAway})
	go l.watch(ctx)
	return l, nil
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

// State returns at once.
func (l *Link) State() State { return *l.state.Load() }

// Close ends all connections. A second time it does nothing.
func (l *Link) Close() (err error) {
	l.ending.Do(func() {
		l.stop()
		<-l.done
		err = l.redis.Close()
	})
	return err
}

// watch asks Redis how it is, so that its return is noticed when nobody else asks.
func (l *Link) watch(ctx context.Context) {
	defer close(l.done)
	for first := true; ; first = false {
		l.note(ctx, l.redis.Ping(ctx).Err(), first)
		wait := askUp
		if !l.State().Up {
			wait = askAway
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// do makes a call within callTimeout, unless Redis is known to be away.
func (l *Link) do(ctx context.Context, call func(context.Context) error) error {
	if !l.State().Up {
		return ErrAway
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := call(ctx)
	l.note(ctx, err, false)
	return err
}

// note keeps the state, and logs when it changes.
func (l *Link) note(ctx context.Context, err error, first bool) {
	l.noting.Lock()
	defer l.noting.Unlock()
	if err != nil && (answered(err) || errors.Is(ctx.Err(), context.Canceled)) {
		return // Redis is there, or it was we who hung up.
	}
	before := l.State()
	now := State{Up: err == nil, Since: before.Since, Err: err}
	if now.Up != before.Up {
		now.Since = time.Now()
	}
	if l.state.Store(&now); now.Up == before.Up && !first {
		return
	}
	if now.Up {
		l.log.Info("redis is up", "after", now.Since.Sub(before.Since).Round(time.Millisecond))
		return
	}
	l.log.Warn("redis is away; this process goes on with what it has itself", "error", err)
	if l.away != nil && before.Up {
		go l.away()
	}
}

// answered tells whether an error came from a Redis that works.
func answered(err error) bool {
	var network net.Error
	var reply redis.Error
	switch {
	case errors.Is(err, redis.Nil):
		return true
	case errors.As(err, &network), errors.Is(err, context.DeadlineExceeded):
		return false
	case errors.As(err, &reply):
		return !redis.HasErrorPrefix(err, "LOADING") && !redis.HasErrorPrefix(err, "NOAUTH") && !redis.HasErrorPrefix(err, "WRONGPASS") &&
			!redis.HasErrorPrefix(err, "READONLY") && !redis.HasErrorPrefix(err, "MISCONF") && !redis.HasErrorPrefix(err, "OOM")
	default:
		return false
	}
}

// key names something of a region. The braces keep what belongs together on one node of a
// Redis Cluster.
func (l *Link) key(region, thing string) string { return l.prefix + "{" + region + "}:" + thing }
