package incident

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// maxAhead is how far a clock of another server is followed. One that is years ahead takes no other along: what it wrote stays
// at the end of its timeline until somebody withdraws it.
const maxAhead = 5 * time.Minute

// MaxPast is how many past incidents, maintenances and notices a book keeps unless it is told otherwise.
const MaxPast = 10_000

// Book is what a running process knows of incidents: events go in, in whatever order and however often they come, and
// the state of all comes out. Reading never waits for writing.
type Book struct {
	maxPast int

	mu       sync.Mutex
	entries  map[string][]entry // By incident, ordered.
	known    map[string]*Incident
	newest   time.Time
	watchers map[int]func(Changed)
	next     int

	telling sync.Mutex // Held while watchers are told: they hear of changes in order.
	now     atomic.Pointer[Snapshot]
}

// Snapshot is all that a book knows at a version. It is shared, and never changed.
type Snapshot struct {
	Version uint64
	All     []*Incident // Newest start first, those that are removed or drafts too.
	Left    int         // How many past ones had no place any more.
	byID    map[string]*Incident
}

// Changed is what an Apply changed.
type Changed struct {
	*Snapshot
	Incidents []string // Sorted.
}

// NewBook returns an empty book that keeps so many past incidents; 0 means MaxPast.
func NewBook(maxPast int) *Book {
	b := &Book{maxPast: cmp.Or(maxPast, MaxPast), entries: map[string][]entry{}, known: map[string]*Incident{}, watchers: map[int]func(Changed){}}
	b.now.Store(&Snapshot{})
	return b
}

// Snapshot returns at once.
func (b *Book) Snapshot() *Snapshot { return b.now.Load() }

// Incident finds one by its id.
func (s *Snapshot) Incident(id string) (*Incident, bool) {
	i, is := s.byID[id]
	return i, is
}

// Clock is when an event is that is written at now: never before one that is known here, so that an answer sorts behind
// what it answers, though the clocks of the servers differ.
func (b *Book) Clock(now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if after := b.newest.Add(time.Microsecond); exact(now).Before(after) {
		return after
	}
	return exact(now)
}

// with is the state of an incident as it would be with more events.
func (b *Book) with(id string, events []Event) (*Incident, bool) {
	b.mu.Lock()
	entries := b.entries[id]
	b.mu.Unlock()
	all, _ := merge(entries, events)
	return fold(id, all)
}

// Watch calls tell after each change, in order, until stop is called. It must not apply events itself.
func (b *Book) Watch(tell func(Changed)) (stop func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := b.next
	b.next++
	b.watchers[n] = tell
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.watchers, n)
	}
}

// Apply takes events, which are on disk, and tells the watchers what they changed. Past incidents beyond the bound
// are let go, the oldest first; what is past, now decides.
func (b *Book) Apply(events []Event, now time.Time) {
	b.telling.Lock()
	defer b.telling.Unlock()
	c, watchers := b.apply(events, now)
	for _, tell := range watchers {
		tell(c)
	}
}

func (b *Book) apply(events []Event, now time.Time) (Changed, []func(Changed)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	changed := map[string]bool{}
	for id, some := range byIncident(events) {
		if all, more := merge(b.entries[id], some); more {
			b.entries[id] = all
			if i, is := fold(id, all); is {
				b.known[id], changed[id] = i, true
			}
		}
	}
	for _, e := range events {
		if at := exact(e.At); at.After(b.newest) && !at.After(now.Add(maxAhead)) {
			b.newest = at
		}
	}
	before := b.Snapshot()
	gone := b.letGo(now)
	for _, id := range gone {
		if _, was := before.byID[id]; was {
			changed[id] = true
		} else {
			delete(changed, id) // It came and went.
		}
	}
	if len(changed) == 0 {
		return Changed{}, nil
	}
	s := &Snapshot{Version: before.Version + 1, Left: before.Left + len(gone), All: make([]*Incident, 0, len(b.known)), byID: make(map[string]*Incident, len(b.known))}
	for id, i := range b.known {
		s.All = append(s.All, i)
		s.byID[id] = i
	}
	slices.SortFunc(s.All, newestFirst)
	b.now.Store(s)
	c := Changed{Snapshot: s}
	for id := range changed {
		c.Incidents = append(c.Incidents, id)
	}
	slices.Sort(c.Incidents)
	watchers := make([]func(Changed), 0, len(b.watchers))
	for n := range b.next {
		if tell, is := b.watchers[n]; is {
			watchers = append(watchers, tell)
		}
	}
	return c, watchers
}

func newestFirst(x, y *Incident) int {
	return cmp.Or(y.StartedAt.Compare(x.StartedAt), cmp.Compare(y.ID, x.ID))
}

func byIncident(events []Event) map[string][]Event {
	by := map[string][]Event{}
	for _, e := range events {
		if IsID(e.Incident) && e.ID != "" { // Others may write to the table.
			by[e.Incident] = append(by[e.Incident], e)
		}
	}
	return by
}

// merge puts events among entries, and tells whether one of them was new.
func merge(all []entry, events []Event) ([]entry, bool) {
	more := slices.Clone(all)
	for _, e := range events {
		more = append(more, read(e))
	}
	more = ordered(more)
	same := slices.EqualFunc(all, more, func(a, b entry) bool { return order(a, b) == 0 })
	return more, !same
}

// letGo makes room: of what has ended, and of events whose incident nobody has opened, the oldest.
func (b *Book) letGo(now time.Time) (gone []string) {
	if len(b.entries) <= b.maxPast {
		return nil
	}
	var past []*Incident
	for id := range b.entries {
		i, is := b.known[id]
		if !is {
			i = &Incident{ID: id} // Began at no time: it is the first to go.
		}
		if !is || i.Over(now) {
			past = append(past, i)
		}
	}
	if len(past) <= b.maxPast {
		return nil
	}
	slices.SortFunc(past, newestFirst)
	for _, i := range past[b.maxPast:] {
		delete(b.entries, i.ID)
		delete(b.known, i.ID)
		gone = append(gone, i.ID)
	}
	return gone
}
