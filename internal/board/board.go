// Package board holds the present in memory: the newest samples of every service, the
// counts of its last days, and a version that grows with every change. Readers never wait
// for a store, and the prober never waits for readers.
package board

import (
	"fmt"
	"slices"
	"sort"
	"statuspage/internal/hub"
	"statuspage/internal/status"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// MaxSamples is how many samples of a service the board keeps: a day of one a minute,
	// the most that /signals hands out.
	MaxSamples = 1440
	// maxHours bounds the counts kept: 90 days, the day that is going on, and one more for
	// zones that are ahead.
	maxHours = 92 * 24
	// MaxOutages is how many outages of a service the board keeps.
	MaxOutages = 1000
	// feedBacklog is how many changes a subscriber may lag behind.
	feedBacklog = 256
	// maxAhead is how far another clock may be ahead of ours. What is later came from one that was
	// wrong, and would stand before all that is measured until its time comes.
	maxAhead = 5 * time.Minute
)

// Change tells subscribers that the board has moved on to Version.
type Change struct {
	Version     uint64
	Signals     []Signal     // New ones in the order they came.
	Transitions []Transition // What they, or time alone, have changed of the states of services.
}

// Signal is one fresh sample with the service it belongs to.
type Signal struct {
	Service *Service
	Region  string // Where it was measured; empty for a service without regions, and for a region that it does not list.
	Sample  status.Sample
}

// Board is safe for concurrent use. Which services it has never changes; With makes another board
// of other services over the same rows. No sample of it is more than maxAhead ahead of the clock.
type Board struct {
	services atomic.Pointer[[]*Service] // With their terms, which the past brings later.
	index    map[string]int
	byURL    map[string]int // The first service of each URL.
	location *time.Location
	feed     hub.Hub[Change]
	rows     []*row // By service; shared with the boards before and after this one.
	latest   int64  // When the newest sample of all rows was received; kept by the newest board.

	*shared
}

// shared is what the boards of one process have in common.
type shared struct {
	mu      sync.RWMutex // Guards all rows, too.
	version uint64
	newest  *Board
	now     func() time.Time
}

type row struct {
	samples     []status.Sample // Oldest first, one a received instant.
	hours       hours
	outages     []status.Outage // Oldest first.
	regional    *regional       // Nil for a service without regions.
	certificate time.Time       // When the target's certificate expires; zero when it has shown none.
	begun       time.Time       // Of the oldest measurement that was ever here; zero without one.
	told        status.Outcome  // The state that subscribers know.
	curve       []halfHour      // Latencies of the last day behind the samples, oldest first.
	curveRead   bool            // And what was before the process.
}

// New returns an empty board of these services, whose days begin at midnight in location.
func New(services []status.Service, location *time.Location) (*Board, error) {
	b, err := build(services, location)
	if err != nil {
		return nil, err
	}
	b.shared = &shared{newest: b, now: time.Now}
	return b, nil
}

// build makes a board with empty rows.
func build(services []status.Service, location *time.Location) (*Board, error) {
	if location == nil {
		return nil, fmt.Errorf("board: no time zone: %w", status.ErrInvalid)
	}
	b := &Board{
		index:    make(map[string]int, len(services)),
		byURL:    make(map[string]int, len(services)),
		location: location,
		rows:     make([]*row, len(services)),
	}
	b.list(services)
	for i, s := range services {
		b.rows[i] = &row{}
		if _, twice := b.index[s.ID]; twice || s.ID == "" {
			return nil, fmt.Errorf("board: service id %q is empty or there twice: %w", s.ID, status.ErrInvalid)
		}
		b.index[s.ID] = i
		b.rows[i].regional = newRegional(s)
		if _, taken := b.byURL[s.URL]; !taken {
			b.byURL[s.URL] = i
		}
	}
	return b, nil
}

// Services lists what the board shows, in the operator's order. The slice is shared: read only.
func (b *Board) Services() []*Service { return *b.services.Load() }

// limit is the latest instant that a sample may have.
func (b *Board) limit() time.Time { return b.now().Add(maxAhead) }

// Location is the time zone that days begin in.
func (b *Board) Location() *time.Location { return b.location }

// Find returns the service of an id.
func (b *Board) Find(id string) (*Service, bool) {
	i, ok := b.index[id]
	if !ok {
		return nil, false
	}
	return b.Services()[i], true
}

// Apply takes fresh signals in and tells the subscribers. It never blocks. Signals of
// services that the board does not show, and those it has already, change nothing. On a board
// that has a successor it acts on that.
func (b *Board) Apply(signals []status.Signal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b = b.newest
	var fresh []Signal
	services, limit := b.Services(), b.limit()
	for _, s := range signals {
		i, shown := b.owner(s.Service, s.URL)
		if !shown || s.Received.After(limit) {
			continue
		}
		sample := s.Sample()
		sample.Seq = b.version + 1
		r := b.rows[i]
		b.cut(r, limit)
		if r.regional != nil {
			if r.report(sample, s.Region, services[i].Service, true) {
				r.begin(s.Received)
				b.latest = max(b.latest, r.newest())
				b.version++
				fresh = append(fresh, Signal{services[i], services[i].Region(s.Region), sample})
			}
			continue
		}
		if len(r.samples) >= sampleLimit(services[i].Service) {
			r.freeze()
		}
		if !insert(&r.samples, sample, sampleLimit(services[i].Service)) {
			continue
		}
		r.begin(s.Received)
		b.latest = max(b.latest, r.newest())
		b.version++
		r.hours.count(s.Received, s.Outcome)
		if n := len(r.samples); r.samples[n-1].Received == sample.Received {
			r.track(sample, s.Region, services[i].Service)
		}
		fresh = append(fresh, Signal{Service: services[i], Sample: sample})
	}
	if len(fresh) > 0 {
		b.feed.Publish(Change{Version: b.version, Signals: fresh, Transitions: b.transitions(touched(fresh), b.now())})
	}
}

// Backfill takes older signals from the store into the rows, without counting them: they
// are in the buckets that SetHistory brings.
func (l Loader) Backfill(signals []status.Signal) {
	b := l.board
	b.mu.Lock()
	defer b.mu.Unlock()
	b = b.newest
	services, limit := b.Services(), b.limit()
	for _, s := range signals {
		i, shown := b.owner(s.Service, s.URL)
		if !shown || s.Received.After(limit) {
			continue
		}
		r := b.rows[i]
		b.cut(r, limit)
		if r.regional != nil {
			r.report(s.Sample(), s.Region, services[i].Service, false)
		} else {
			insert(&r.samples, s.Sample(), sampleLimit(services[i].Service))
		}
		r.begin(s.Received)
		b.latest = max(b.latest, r.newest())
	}
}

// SetOutages replaces the outages that began before the given instant by those of the past
// (by id of the service, oldest first), and lets the samples after it go on from there.
func (l Loader) SetOutages(before time.Time, past map[string][]status.Outage) {
	b := l.board
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.rows {
		r := b.rows[i]
		svc := b.Services()[i].Service
		r.outages = slices.Clone(past[svc.ID])
		if r.regional != nil {
			r.setOutages(before, r.outages, svc)
			continue
		}
		for _, s := range r.samples[r.first(before):] {
			r.track(s, "", svc)
		}
	}
	b.version++
}

// Resolve says when the service of a lapsed outage was found available again after all.
func (l Loader) Resolve(o status.Outage, at time.Time) {
	b := l.board
	b.mu.Lock()
	defer b.mu.Unlock()
	b = b.newest
	i, ok := b.index[o.Service]
	if !ok {
		return
	}
	for n := range b.rows[i].outages {
		if known := &b.rows[i].outages[n]; known.Begin.Equal(o.Begin) {
			known.End, known.Lapsed = at, false
			b.version++
		}
	}
	if g := b.rows[i].regional; g != nil {
		g.resolve(o, at)
	}
}

// SetCertificate notes when the certificate that a service shows expires.
func (b *Board) SetCertificate(id string, expiry time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b = b.newest
	if i, ok := b.index[id]; ok {
		b.rows[i].certificate = expiry
	}
}

func (r *row) track(s status.Sample, region string, svc status.Service) {
	switch s.Outcome {
	case status.Down:
		r.outages = status.Failed(r.outages, s, region, svc, MaxOutages)
	case status.Up, status.Degraded:
		status.Recovered(r.outages, s, svc)
	case status.Unknown:
	}
}

// Owner finds the service of a stored row; rows of other writers name only the URL.
func (b *Board) Owner(id, url string) (*Service, bool) {
	i, ok := b.owner(id, url)
	if !ok {
		return nil, false
	}
	return b.Services()[i], true
}

func (b *Board) owner(id, url string) (int, bool) {
	if id != "" {
		i, ok := b.index[id]
		return i, ok
	}
	i, ok := b.byURL[url]
	return i, ok
}

// Subscribe returns a feed of the changes after the returned version. The feed of a
// subscriber that lags too far behind is closed.
func (b *Board) Subscribe() (uint64, *hub.Subscription[Change]) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.version, b.feed.Subscribe(feedBacklog)
}

// Version is the number of the newest change.
func (b *Board) Version() uint64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.version
}

// sampleSpare is kept on top, so that runs which come on top of the slots, as after a start,
// don't push the last of a whole day out.
const sampleSpare = 60

// sampleLimit is MaxSamples, or as many as a full grid needs of a quicker check.
func sampleLimit(s status.Service) int {
	if s.Interval <= 0 {
		return MaxSamples + sampleSpare
	}
	return max(MaxSamples+sampleSpare, int((status.GridMinutes+1)*time.Minute/s.Interval)+1)
}

// insert keeps the samples sorted by time and tells whether s was new. The usual case, a
// sample newer than all others, is an append.
func insert(kept *[]status.Sample, s status.Sample, limit int) bool {
	samples := *kept
	n := len(samples)
	at := n
	if n > 0 && samples[n-1].Received >= s.Received {
		at = sort.Search(n, func(i int) bool { return samples[i].Received >= s.Received })
		if samples[at].Received == s.Received {
			return false
		}
	}
	if n >= limit && at == 0 {
		return false // Older than all that is kept.
	}
	*kept = slices.Insert(samples, at, s)
	if n >= limit {
		*kept = (*kept)[1:] // The backing array moves on at the next growth.
	}
	return true
}
