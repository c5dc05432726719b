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
	"time"
)

const (
	// MaxSamples is how many samples of a service the board keeps: a day of one a minute,
	// the most that /signals hands out.
	MaxSamples = 1440
	// maxHours and maxDays bound the counts kept: a week by the hour, the history by the day.
	maxHours = 7*24 + 1
	maxDays  = 91
	// feedBacklog is how many changes a subscriber may lag behind.
	feedBacklog = 256
)

// Change tells subscribers that the board has moved on to Version.
type Change struct {
	Version uint64
	Signals []Signal // New ones in the order they came.
}

// Signal is one fresh sample with the service it belongs to.
type Signal struct {
	Service int // Index into Services.
	Sample  status.Sample
}

// Board is safe for concurrent use.
type Board struct {
	services []status.Service
	index    map[string]int
	location *time.Location
	feed     hub.Hub[Change]

	mu      sync.RWMutex
	version uint64
	rows    []row
}

type row struct {
	samples []status.Sample  // Oldest first, one a received instant.
	hours   map[int64]counts // By Unix hour.
	days    map[int64]counts // By Unix time of the day's first hour, in the board's time zone.
}

// counts is a bucket without its head; a service has up to 260 of them.
type counts struct{ up, degraded, down uint32 }

// New returns an empty board of these services, whose days begin at midnight in location.
func New(services []status.Service, location *time.Location) (*Board, error) {
	if location == nil {
		return nil, fmt.Errorf("board: no time zone: %w", status.ErrInvalid)
	}
	b := &Board{
		services: slices.Clone(services),
		index:    make(map[string]int, len(services)),
		location: location,
		rows:     make([]row, len(services)),
	}
	for i, s := range services {
		if _, twice := b.index[s.ID]; twice || s.ID == "" {
			return nil, fmt.Errorf("board: service id %q is empty or there twice: %w", s.ID, status.ErrInvalid)
		}
		b.index[s.ID] = i
		b.rows[i] = row{hours: map[int64]counts{}, days: map[int64]counts{}}
	}
	return b, nil
}

// Services lists what the board shows, in the operator's order. The slice is shared: read only.
func (b *Board) Services() []status.Service { return b.services }

// Location is the time zone that days begin in.
func (b *Board) Location() *time.Location { return b.location }

// Find returns the index of a service.
func (b *Board) Find(id string) (int, bool) {
	i, ok := b.index[id]
	return i, ok
}

// Apply takes fresh signals in and tells the subscribers. It never blocks. Signals of
// services that the board does not show, and those it has already, change nothing.
func (b *Board) Apply(signals []status.Signal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var fresh []Signal
	for _, s := range signals {
		i, shown := b.owner(s.Service, s.URL)
		if !shown {
			continue
		}
		sample := s.Sample()
		sample.Seq = b.version + 1
		r := &b.rows[i]
		if !r.insert(sample, sampleLimit(b.services[i])) {
			continue
		}
		b.version++
		r.count(sample, b.location)
		fresh = append(fresh, Signal{Service: i, Sample: sample})
	}
	if len(fresh) > 0 {
		b.feed.Publish(Change{Version: b.version, Signals: fresh})
	}
}

// Backfill takes older signals from the store into the rows, without counting them: they
// are in the buckets that SetHistory brings.
func (b *Board) Backfill(signals []status.Signal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range signals {
		i, shown := b.owner(s.Service, s.URL)
		if shown {
			b.rows[i].insert(s.Sample(), sampleLimit(b.services[i]))
		}
	}
}

// SetHistory replaces the counts of all hours before the given one by those of the store.
func (b *Board) SetHistory(before time.Time, hours []status.Bucket) {
	b.mu.Lock()
	defer b.mu.Unlock()
	limit := before.Truncate(time.Hour).Unix()
	live := make([]map[int64]counts, len(b.rows))
	for i := range b.rows {
		r := &b.rows[i]
		live[i] = map[int64]counts{}
		for hour, c := range r.hours {
			if hour >= limit {
				live[i][hour] = c
			}
		}
		r.hours, r.days = map[int64]counts{}, map[int64]counts{}
		for hour, c := range live[i] {
			r.add(time.Unix(hour, 0), c, b.location)
		}
	}
	for _, h := range hours {
		if i, shown := b.owner(h.Service, h.URL); shown && h.Start.Unix() < limit {
			b.rows[i].add(h.Start, counts{uint32(h.Up), uint32(h.Degraded), uint32(h.Down)}, b.location)
		}
	}
	for i := range b.rows {
		b.rows[i].prune()
	}
}

// owner finds the service of a stored row; rows of other writers name only the URL.
func (b *Board) owner(id, url string) (int, bool) {
	if id != "" {
		i, ok := b.index[id]
		return i, ok
	}
	for i, s := range b.services {
		if s.URL == url {
			return i, true
		}
	}
	return 0, false
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

// sampleLimit is MaxSamples, or as many as a full grid needs of a quicker check.
func sampleLimit(s status.Service) int {
	if s.Interval <= 0 {
		return MaxSamples
	}
	return max(MaxSamples, int((status.GridMinutes+1)*time.Minute/s.Interval)+1)
}

// insert keeps the samples sorted by time and tells whether s was new. The usual case, a
// sample newer than all others, is an append.
func (r *row) insert(s status.Sample, limit int) bool {
	n := len(r.samples)
	at := n
	if n > 0 && r.samples[n-1].Received >= s.Received {
		at = sort.Search(n, func(i int) bool { return r.samples[i].Received >= s.Received })
		if r.samples[at].Received == s.Received {
			return false
		}
	}
	if n >= limit && at == 0 {
		return false // Older than all that is kept.
	}
	r.samples = slices.Insert(r.samples, at, s)
	if n >= limit {
		r.samples = r.samples[1:] // The backing array moves on at the next growth.
	}
	return true
}

func (r *row) count(s status.Sample, location *time.Location) {
	var c counts
	switch s.Outcome {
	case status.Up:
		c.up = 1
	case status.Degraded:
		c.degraded = 1
	case status.Down:
		c.down = 1
	case status.Unknown:
	}
	r.add(s.Time().Truncate(time.Hour), c, location)
	r.prune()
}

func (r *row) add(hour time.Time, c counts, location *time.Location) {
	local := hour.In(location)
	day := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, location).Unix()
	r.hours[hour.Unix()] = r.hours[hour.Unix()].plus(c)
	r.days[day] = r.days[day].plus(c)
}

// prune forgets the oldest buckets beyond the bounds.
func (r *row) prune() {
	forget(r.hours, maxHours)
	forget(r.days, maxDays)
}

func forget(buckets map[int64]counts, limit int) {
	if len(buckets) <= limit {
		return
	}
	starts := make([]int64, 0, len(buckets))
	for start := range buckets {
		starts = append(starts, start)
	}
	slices.Sort(starts)
	for _, start := range starts[:len(starts)-limit] {
		delete(buckets, start)
	}
}

func (c counts) plus(d counts) counts {
	return counts{c.up + d.up, c.degraded + d.degraded, c.down + d.down}
}
