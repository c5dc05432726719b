package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"statuspage/internal/incident"
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

// EventPublisher brings what people write of incidents to the other processes.
type EventPublisher struct{ outgoing[incident.Event] }

// NewEventPublisher returns a publisher; Run does its work.
func NewEventPublisher(l *Link) *EventPublisher {
	return &EventPublisher{outgoing[incident.Event]{
		link: l, what: "events", limit: eventsBuffer, woken: make(chan struct{}, 1), next: nextEvents, pack: packEvents,
		append: func(ctx context.Context, message []byte) error {
			return l.redis.XAdd(ctx, &redis.XAddArgs{Stream: l.events(), MaxLen: eventsKept, Approx: true, Values: []any{"e", message}}).Err()
		},
	}}
}

// Share takes events that are on disk.
func (p *EventPublisher) Share(events []incident.Event) { p.share(events) }

// nextEvents is how many go into the next message.
func nextEvents(waiting []incident.Event) (n int) {
	size := 0
	for _, e := range waiting[:min(eventsBatch, len(waiting))] {
		if size += len(e.Body); size > eventsBytes && n > 0 {
			break
		}
		n++
	}
	return n
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
