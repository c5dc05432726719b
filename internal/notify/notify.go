// Package notify decides what operators are told, and sees that they are. It reads confirmed states of services off the
// board, never their absence, and keeps what was told and what is on its way in the control store: a decision and the message that
// follows from it are one transaction, so that each is made once, whoever dies; a message is sent until its channel has it, each
// time under the same id.
package notify

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"statuspage/db/control"
	"statuspage/internal/board"
	"statuspage/internal/hub"
	"statuspage/internal/notify/channel"
	"statuspage/internal/status"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// Rule says who is told of what.
type Rule struct {
	Services []string // Ids.
	On       []string // channel.Down, channel.Slow, channel.Certificate.
	After    int      // Bad slots in a row.
	Recover  int      // Good slots in a row.
	Gather   time.Duration
	Remind   time.Duration // 0 for never.
	To       []string      // Names of channels.
	Then     []Step
}

// Step is who is told when trouble goes on.
type Step struct {
	After time.Duration
	To    []string
}

// Settings are what the configuration says.
type Settings struct {
	Page, URL string // Title and address of the page.
	Rules     []Rule
	Channels  []channel.Channel
	Mail      *channel.Mail
	Heartbeat string // Asked while alerts can be decided and sent; empty for nothing.
}

// Store is a control.Store.
type Store interface {
	Alerts(ctx context.Context) ([]control.Alert, error)
	Decide(ctx context.Context, decisions []control.Decision, messages []control.Delivery) error
	WaitingDeliveries(ctx context.Context, channel string, limit int) ([]control.Delivery, error)
	WaitingChannels(ctx context.Context) ([]string, error)
	SetDelivery(ctx context.Context, d control.Delivery) error
	MergeDeliveries(ctx context.Context, into control.Delivery, earlier []control.Delivery, now time.Time) error
	SweepDeliveries(ctx context.Context, before time.Time) error
	Lead(ctx context.Context, holder string, now, until time.Time) (bool, error)
}

// Options are what a Notifier needs.
type Options struct {
	Settings Settings
	Open     func(ctx context.Context) (Store, error) // Asked again until it has one.
	Shared   bool                                     // Several processes have the store: one of them decides.
	Board    *board.Board                             // Its Current counts.
	Ready    func() bool                              // The board knows its past.
	Silent   func(service string) bool                // Nothing is told of the service now, since nobody can know, or everybody does.
	Log      *slog.Logger
}

// Notifier decides and sends, until its context ends.
type Notifier struct {
	o      Options
	holder string
	send   func(ctx context.Context, c channel.Channel, via *channel.Via, m channel.Message) error
	again  chan struct{} // Settings have changed.

	mu       sync.Mutex
	settings Settings
	via      *channel.Via
	counts   map[string]*Counts // By channel.

	deciding atomic.Bool // The store answers, and it is this process that decides.
}

// Counts are what became of messages to one channel.
type Counts struct {
	Told, Failed, Waiting atomic.Int64
	Away                  atomic.Bool // The last attempt has failed in a way that may pass.
}

// New returns one that does nothing before Run.
func New(o Options) *Notifier {
	n := &Notifier{o: o, holder: uuid.NewString(), again: make(chan struct{}, 1), counts: map[string]*Counts{}}
	n.send = func(ctx context.Context, c channel.Channel, via *channel.Via, m channel.Message) error {
		return c.Send(ctx, via, m)
	}
	n.set(o.Settings)
	return n
}

// Follow goes over to other settings.
func (n *Notifier) Follow(s Settings) {
	n.set(s)
	select {
	case n.again <- struct{}{}:
	default:
	}
}

func (n *Notifier) set(s Settings) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.settings, n.via = s, channel.NewVia(s.Mail)
	for _, c := range s.Channels {
		if n.counts[c.Name] == nil {
			n.counts[c.Name] = &Counts{}
		}
	}
}

func (n *Notifier) now() (Settings, *channel.Via) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.settings, n.via
}

func (n *Notifier) count(channel string) *Counts {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.counts[channel] == nil {
		n.counts[channel] = &Counts{}
	}
	return n.counts[channel]
}

// Each tells what became of the messages to each channel of the configuration.
func (n *Notifier) Each(yield func(channel string, c *Counts)) {
	s, _ := n.now()
	for _, c := range s.Channels {
		yield(c.Name, n.count(c.Name))
	}
}

// Mail is "up" or "away", empty where no mail is sent.
func (n *Notifier) Mail() string {
	s, _ := n.now()
	state := ""
	for _, c := range s.Channels {
		switch {
		case !c.Kind.Mail:
		case n.count(c.Name).Away.Load():
			return "away"
		default:
			state = "up"
		}
	}
	return state
}

// Healthy tells whether alerts can be decided and sent.
func (n *Notifier) Healthy() bool {
	well := n.deciding.Load()
	n.Each(func(_ string, c *Counts) { well = well && !c.Away.Load() })
	return well
}

const (
	storeRetry  = 5 * time.Second
	readyPoll   = 100 * time.Millisecond
	leaseFor    = 15 * time.Second
	leaseRenew  = 5 * time.Second
	storeWait   = 10 * time.Second // For one question.
	sweepEvery  = 24 * time.Hour
	keptFor     = 90 * 24 * time.Hour
	longestWait = time.Hour // Certificates are looked at as often.
)

// Run decides and sends until ctx ends.
func (n *Notifier) Run(ctx context.Context) {
	var beating sync.WaitGroup
	beating.Go(func() { n.beat(ctx) })
	defer beating.Wait()
	for told := false; ctx.Err() == nil; {
		if s, _ := n.now(); len(s.Rules) == 0 {
			select {
			case <-ctx.Done():
			case <-n.again:
			}
			continue
		}
		store, err := n.o.Open(ctx)
		if err == nil {
			err = n.lead(ctx, store)
		}
		if n.deciding.Swap(false) {
			told = false
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil && !told {
			n.o.Log.Error("alerts can't be decided: the control store is away; what happens meanwhile is told when it is back", "error", err)
		}
		told = err != nil
		pause(ctx, storeRetry)
	}
}

// lead waits for its turn, and decides while it is this process's.
func (n *Notifier) lead(ctx context.Context, store Store) error {
	for !n.o.Ready() {
		if pause(ctx, readyPoll); ctx.Err() != nil {
			return nil
		}
	}
	if !n.o.Shared {
		return n.decide(ctx, store)
	}
	for {
		now := time.Now()
		is, err := store.Lead(ctx, n.holder, now, now.Add(leaseFor))
		if err != nil {
			return err
		}
		if is {
			break
		}
		if pause(ctx, leaseRenew); ctx.Err() != nil {
			return nil
		}
	}
	term, resign := context.WithCancel(ctx)
	defer resign()
	var renewing sync.WaitGroup
	renewing.Go(func() {
		defer resign()
		for until := time.Now().Add(leaseFor); ; {
			if pause(term, leaseRenew); term.Err() != nil {
				return
			}
			now := time.Now()
			is, err := store.Lead(term, n.holder, now, now.Add(leaseFor))
			switch {
			case err == nil && is:
				until = now.Add(leaseFor)
			case err == nil || time.Now().Add(leaseRenew).After(until):
				return // Another decides, or may soon.
			}
		}
	})
	err := n.decide(term, store)
	resign()
	renewing.Wait()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWait)
	defer cancel()
	_, _ = store.Lead(end, n.holder, time.Now(), time.Now()) // Another need not wait; a second time it does no harm.
	return err
}

// decide reads what is known and goes on from there, until ctx ends or the store is away.
func (n *Notifier) decide(ctx context.Context, store Store) error {
	d := &decider{n: n, store: store}
	post := newPost(n, store)
	defer post.stop()
	if err := d.load(ctx); err != nil {
		return err
	}
	if err := post.follow(ctx); err != nil {
		return err
	}
	n.deciding.Store(true)
	_, feed := n.o.Board.Current().Subscribe()
	defer func() { feed.Close() }()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var swept, looked time.Time
	for {
		var touched []*board.Service
		everything := false
		select {
		case <-ctx.Done():
			return nil
		case <-n.again:
			feed.Close()
			_, feed = n.o.Board.Current().Subscribe()
			if err := errors.Join(d.load(ctx), post.follow(ctx)); err != nil {
				return err
			}
			everything = true
		case change, open := <-feed.C:
			if !open {
				feed.Close()
				_, feed = n.o.Board.Current().Subscribe()
				everything = true
				break
			}
			touched = gather(change, feed)
		case <-timer.C:
			everything = time.Since(looked) >= longestWait // Else it is messages that are due.
		}
		now := time.Now()
		if everything {
			looked = now
			touched = n.o.Board.Current().Services()
		}
		told, next, err := d.step(ctx, touched, now)
		if errors.Is(err, control.ErrDecided) {
			if err = d.load(ctx); err == nil {
				told, next, err = d.step(ctx, n.o.Board.Current().Services(), now)
			}
		}
		if err != nil {
			return err
		}
		for _, name := range told {
			post.wake(name)
		}
		if now.Sub(swept) > sweepEvery {
			if err := store.SweepDeliveries(ctx, now.Add(-keptFor)); err != nil {
				return err
			}
			swept = now
		}
		timer.Reset(max(0, min(next.Sub(now), longestWait)))
	}
}

// gather is the services of a change and of those that wait behind it: their messages are one.
func gather(change board.Change, feed *hub.Subscription[board.Change]) (services []*board.Service) {
	for {
		for _, s := range change.Signals {
			if !slices.Contains(services[max(0, len(services)-1):], s.Service) {
				services = append(services, s.Service)
			}
		}
		for _, t := range change.Transitions {
			if t.To != status.Unknown {
				services = append(services, t.Service)
			}
		}
		select {
		case more, open := <-feed.C:
			if !open {
				return services // The next reading tells.
			}
			change = more
		default:
			return services
		}
	}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
