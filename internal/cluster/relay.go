package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"statuspage/internal/status"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	relayKeeps  = 5 * time.Minute // What a page server that lost its connection can make up for; older signals are in the database.
	relayBatch  = 500             // Signals of one message.
	relayBuffer = 50_000          // Signals that wait for Redis; the oldest are left to the database.
)

// wire is a signal on its way to the page servers: all but the text of its error, which is
// for the log and the database.
type wire struct {
	Service    string         `json:"s"`
	Region     string         `json:"r,omitempty"`
	URL        string         `json:"u,omitempty"`
	Received   int64          `json:"t"` // Unix microseconds.
	HTTPStatus int            `json:"h"`
	Outcome    status.Outcome `json:"o"`
	Duration   int64          `json:"d"` // Microseconds.
	Reason     string         `json:"w,omitempty"`
	Expiry     int64          `json:"c,omitempty"` // Of the target's certificate, in Unix seconds; 0 for none that is known.
}

// expiries is when the certificates of services expire.
type expiries map[string]time.Time

func pack(signals []status.Signal, known expiries) ([]byte, error) {
	all := make([]wire, len(signals))
	for i, s := range signals {
		all[i] = wire{s.Service, s.Region, s.URL, s.Received.UnixMicro(), s.HTTPStatus, s.Outcome, s.Duration.Microseconds(), s.Reason.String(), 0}
		if at, ok := known[s.Service]; ok {
			all[i].Expiry = at.Unix()
		}
	}
	return json.Marshal(all)
}

func unpack(data string, known expiries) ([]status.Signal, error) {
	var all []wire
	if err := json.Unmarshal([]byte(data), &all); err != nil {
		return nil, fmt.Errorf("read a message of the relay: %w", err)
	}
	signals := make([]status.Signal, len(all))
	for i, w := range all {
		if w.Expiry > 0 {
			known[w.Service] = time.Unix(w.Expiry, 0).UTC()
		}
		signals[i] = status.Signal{
			Service: w.Service, Region: w.Region, URL: w.URL, Received: time.UnixMicro(w.Received).UTC(), HTTPStatus: w.HTTPStatus,
			Outcome: w.Outcome, Available: w.Outcome.Available(), Duration: time.Duration(w.Duration) * time.Microsecond, Reason: status.ParseReason(w.Reason),
		}
	}
	return signals, nil
}

// Publisher brings signals to the page servers.
type Publisher struct {
	outgoing[status.Signal]

	certificates sync.Mutex
	known        expiries // As probed here; one a service.
}

// NewPublisher returns a publisher; Run does its work.
func NewPublisher(l *Link) *Publisher {
	p := &Publisher{known: expiries{}}
	p.outgoing = outgoing[status.Signal]{
		link: l, what: "signals", limit: relayBuffer, woken: make(chan struct{}, 1), pack: p.pack,
		next: func(waiting []status.Signal) int { return min(relayBatch, len(waiting)) },
		append: func(ctx context.Context, message []byte) error {
			oldest := strconv.FormatInt(time.Now().Add(-relayKeeps).UnixMilli(), 10)
			return l.redis.XAdd(ctx, &redis.XAddArgs{Stream: l.relay(), MinID: oldest, Approx: true, Values: []any{"b", message}}).Err()
		},
	}
	return p
}

func (p *Publisher) pack(batch []status.Signal) ([]byte, error) {
	p.certificates.Lock()
	defer p.certificates.Unlock()
	return pack(batch, p.known)
}

// Certificate says when the certificate expires that a service has shown: its signals tell it
// from then on.
func (p *Publisher) Certificate(service string, expiry time.Time) {
	p.certificates.Lock()
	defer p.certificates.Unlock()
	p.known[service] = expiry
}

// Apply takes signals that are on disk.
func (p *Publisher) Apply(signals []status.Signal) { p.share(signals) }

// relay is the stream that all page servers read.
func (l *Link) relay() string { return l.key("relay", "signals") }

// Follower brings what others measured to the board of this process.
type Follower struct {
	following
	apply  func([]status.Signal)
	expiry func(service string, at time.Time) // Is told when certificates expire.
}

// NewFollower returns a follower; Run does its work. Signals come in batches, and some
// more than once. What Redis doesn't bring, refill brings from the database.
func NewFollower(l *Link, apply func([]status.Signal), refill func(context.Context, time.Time) error, expiry func(string, time.Time)) *Follower {
	f := &Follower{apply: apply, expiry: expiry}
	f.following = following{link: l, stream: l.relay(), hand: f.hand, refill: refill}
	return f
}

func (f *Follower) hand(messages []redis.XMessage) {
	var all []status.Signal
	known := expiries{}
	for _, m := range messages {
		data, _ := m.Values["b"].(string)
		signals, err := unpack(data, known)
		if err != nil {
			f.link.log.Error("the relay holds something else", "id", m.ID, "error", err)
			continue
		}
		all = append(all, signals...)
	}
	for service, at := range known {
		f.expiry(service, at)
	}
	if len(all) > 0 {
		f.apply(all)
	}
}
