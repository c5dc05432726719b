package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"statuspage/internal/incident"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	eventsKept   = 1000        // Of the relay; older events are in the database.
	eventsBuffer = 10_000      // That wait for Redis; the oldest are left to the database.
	eventsBatch  = 50          // Of one message,
	eventsBytes  = 512 << 10   // which is closed when it has as much.
	eventsAudit  = time.Minute // How often page servers compare with the database: a writer may have died before it told.
)

// eventWire is an event on its way to the other processes.
type eventWire struct {
	At       int64  `json:"t"` // Unix microseconds, as ShownAt.
	ID       string `json:"id"`
	Incident string `json:"i"`
	Kind     string `json:"k"`
	ShownAt  int64  `json:"s"`
	Actor    string `json:"a"`
	After    string `json:"f,omitempty"`
	Version  int    `json:"v"`
	Body     string `json:"b"`
}

func packEvents(events []incident.Event) ([]byte, error) {
	all := make([]eventWire, len(events))
	for i, e := range events {
		all[i] = eventWire{e.At.UnixMicro(), e.ID, e.Incident, e.Kind, e.ShownAt.UnixMicro(), e.Actor, e.After, e.Version, e.Body}
	}
	return json.Marshal(all)
}

func unpackEvents(data string) ([]incident.Event, error) {
	var all []eventWire
	if err := json.Unmarshal([]byte(data), &all); err != nil {
		return nil, fmt.Errorf("read a message of the relay: %w", err)
	}
	events := make([]incident.Event, len(all))
	for i, w := range all {
		events[i] = incident.Event{
			At: time.UnixMicro(w.At).UTC(), ID: w.ID, Incident: w.Incident, Kind: w.Kind, ShownAt: time.UnixMicro(w.ShownAt).UTC(),
			Actor: w.Actor, After: w.After, Version: w.Version, Body: w.Body,
		}
	}
	return events, incident.CheckEvents(events)
}

// EventPublisher brings what people write of incidents to the other processes. It never blocks who hands it over.
type EventPublisher struct {
	link *Link

	mu     sync.Mutex
	buffer []incident.Event
	lost   uint64
	woken  chan struct{}
}

// NewEventPublisher returns a publisher; Run does its work.
func NewEventPublisher(l *Link) *EventPublisher {
	return &EventPublisher{link: l, woken: make(chan struct{}, 1)}
}

// Lost counts events that others must find in the database, because Redis was away for too long.
func (p *EventPublisher) Lost() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// Share takes events that are on disk.
func (p *EventPublisher) Share(events []incident.Event) {
	p.mu.Lock()
	p.buffer = append(p.buffer, events...)
	if over := len(p.buffer) - eventsBuffer; over > 0 {
		p.lost += uint64(over)
		p.buffer = append([]incident.Event(nil), p.buffer[over:]...)
	}
	p.mu.Unlock()
	select {
	case p.woken <- struct{}{}:
	default: // Already due.
	}
}

// Run publishes until ctx ends, and then what is left.
func (p *EventPublisher) Run(ctx context.Context) {
	for {
		wait := time.Hour
		if !p.flush(ctx) {
			wait = askAway
		}
		select {
		case <-ctx.Done():
			p.flush(context.WithoutCancel(ctx))
			return
		case <-p.woken:
		case <-time.After(wait):
		}
	}
}

// flush publishes what is there, and tells whether it could.
func (p *EventPublisher) flush(ctx context.Context) bool {
	for {
		batch, before := p.take()
		if len(batch) == 0 {
			return true
		}
		data, err := packEvents(batch)
		if err != nil {
			p.link.log.Error("encode events for the relay", "error", err) // Plain values always encode.
			return true
		}
		if err := p.link.do(ctx, func(ctx context.Context) error {
			return p.link.redis.XAdd(ctx, &redis.XAddArgs{Stream: p.link.events(), MaxLen: eventsKept, Approx: true, Values: []any{"e", data}}).Err()
		}); err != nil {
			return false
		}
		p.drop(len(batch), before)
	}
}

// take returns what goes into the next message, and how many were lost by then.
func (p *EventPublisher) take() (batch []incident.Event, lost uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := 0
	for _, e := range p.buffer[:min(eventsBatch, len(p.buffer))] {
		if size += len(e.Body); size > eventsBytes && len(batch) > 0 {
			break
		}
		batch = append(batch, e)
	}
	return batch, p.lost
}

// drop takes out what was published, but for what was lost meanwhile: that is not there any more.
func (p *EventPublisher) drop(n int, before uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n = max(0, n-int(p.lost-before))
	p.buffer = append([]incident.Event(nil), p.buffer[min(n, len(p.buffer)):]...)
}

// events is the stream of what people write.
func (l *Link) events() string { return l.key("relay", "events") }

// EventFollower brings what people write elsewhere to the book of this process.
type EventFollower struct {
	following
	apply func([]incident.Event)
}

// NewEventFollower returns a follower; Run does its work. Events come in any order, and some more than once. refill
// brings what the database has: it is asked while Redis is away, and now and then besides.
func NewEventFollower(l *Link, apply func([]incident.Event), refill func(context.Context, time.Time) error) *EventFollower {
	f := &EventFollower{apply: apply}
	f.following = following{link: l, stream: l.events(), hand: f.hand, refill: refill, audit: eventsAudit}
	return f
}

func (f *EventFollower) hand(messages []redis.XMessage) {
	var all []incident.Event
	for _, m := range messages {
		data, _ := m.Values["e"].(string)
		events, err := unpackEvents(data)
		if err != nil {
			f.link.log.Error("the relay holds something else", "id", m.ID, "error", err)
			continue
		}
		all = append(all, events...)
	}
	if len(all) > 0 {
		f.apply(all)
	}
}
