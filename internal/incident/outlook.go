package incident

import (
	"cmp"
	"maps"
	"slices"
	"statuspage/internal/status"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// lookAgain is how long an outlook holds at most: what is planned comes nearer though nobody writes.
	lookAgain = time.Minute
	// maskReach is how far back masks are kept: as far as the page shows days.
	maskReach = 92 * 24 * time.Hour
)

// Outlook is what the incidents of a snapshot come to at an instant, and on until Until. It is shared, and never changed.
type Outlook struct {
	*Snapshot
	Number    uint64 // Of this one, for keys of caches: another outlook has another.
	At, Until time.Time
	Declared  map[string][]Declaration // By service, the worst first.

	masks  map[string][]Mask
	logged sync.Once
	log    []Told // Made when somebody asks.
}

// State is the worst that is declared of a service; NoState when nobody says anything.
func (o *Outlook) State(service string) State {
	if some := o.Declared[service]; len(some) > 0 {
		return some[0].State
	}
	return NoState
}

// Maintained tells whether a service is under a maintenance that goes on.
func (o *Outlook) Maintained(service string) bool {
	return slices.ContainsFunc(o.Declared[service], func(d Declaration) bool { return d.Kind == KindMaintenance })
}

// Masks are those of a service, oldest first. One that goes on has no end yet.
func (o *Outlook) Masks(service string) []Mask { return o.masks[service] }

// Differ lists the services of which two outlooks say something else.
func (o *Outlook) Differ(other *Outlook) []string {
	all := map[string]bool{}
	for _, names := range []map[string][]Declaration{o.Declared, other.Declared} {
		for service := range names {
			if !slices.Equal(o.Declared[service], other.Declared[service]) {
				all[service] = true
			}
		}
	}
	for _, names := range []map[string][]Mask{o.masks, other.masks} {
		for service := range names {
			if !slices.Equal(o.masks[service], other.masks[service]) {
				all[service] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Overall is the outcome that the page gives a service by what was measured and what is declared. Maintenance alone changes
// no outcome: it is said beside it.
func Overall(measured status.Outcome, declared State) status.Outcome {
	switch declared {
	case DegradedPerformance:
		return max(measured, status.Degraded)
	case PartialOutage, MajorOutage:
		return status.Down
	case NoState, Operational, UnderMaintenance:
	}
	return measured
}

// Lookout keeps the outlook of a book: it is made anew when somebody has written, or time has changed something.
type Lookout struct {
	book *Book
	kept atomic.Pointer[Outlook]
	mu   sync.Mutex // One is made at a time.
}

// NewLookout returns the lookout of a book.
func NewLookout(b *Book) *Lookout { return &Lookout{book: b} }

// Watch calls tell when somebody has written, until stop is called.
func (l *Lookout) Watch(tell func()) (stop func()) {
	return l.book.Watch(func(Changed) { tell() })
}

// At is the outlook at now.
func (l *Lookout) At(now time.Time) *Outlook {
	if o := l.kept.Load(); l.holds(o, now) {
		return o
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.kept.Load()
	if l.holds(before, now) {
		return before
	}
	o := look(l.book.Snapshot(), now)
	if o.Number = 1; before != nil {
		o.Number = before.Number + 1
	}
	l.kept.Store(o)
	return o
}

func (l *Lookout) holds(o *Outlook, now time.Time) bool {
	return o != nil && o.Snapshot == l.book.Snapshot() && !now.Before(o.At) && now.Before(o.Until)
}

func look(s *Snapshot, now time.Time) *Outlook {
	o := &Outlook{Snapshot: s, At: now, Until: now.Add(lookAgain), Declared: Declared(s.All, now), masks: map[string][]Mask{}}
	until := func(t time.Time) {
		if t.After(now) && t.Before(o.Until) {
			o.Until = t
		}
	}
	for _, i := range s.All {
		until(i.PublishAt)
		until(i.StartedAt)
		if i.Kind != KindMaintenance || i.Removed {
			continue
		}
		for _, x := range i.Occurrences(now, now.Add(lookAgain), now) {
			until(x.Start)
			until(x.End)
		}
	}
	for _, m := range Masks(s.All, now.Add(-maskReach), now, now) {
		if m.To.Equal(now) && slices.ContainsFunc(o.Declared[m.Service], func(d Declaration) bool { return d.Incident == m.Incident }) {
			m.To = forever // It goes on.
		}
		o.masks[m.Service] = append(o.masks[m.Service], m)
	}
	return o
}

// Said is the newest that anybody has said to the public: words, or a maintenance that began or ended by the clock.
type Said struct {
	At     time.Time
	Status Status
	Text   string // Markdown.
	*Incident
}

// Newest is what was said last, of all or of those that of takes, back to since.
func (o *Outlook) Newest(since time.Time, of func(*Incident) bool) (newest Said, is bool) {
	take := func(s Said) {
		if !s.At.Before(since) && (!is || cmp.Or(s.At.Compare(newest.At), cmp.Compare(s.ID, newest.ID)) > 0) {
			newest, is = s, true
		}
	}
	for _, i := range o.All {
		if i.UpdatedAt.Before(since) && i.Kind != KindMaintenance || !i.Public(o.At) || of != nil && !of(i) {
			continue
		}
		if u, any := i.Newest(); any {
			take(Said{u.RecordedAt, u.Status, u.Text, i})
		}
		if i.Kind != KindMaintenance {
			continue
		}
		for _, x := range i.Occurrences(since, o.At.Add(time.Microsecond), o.At) {
			if !x.Start.IsZero() && !x.Start.After(o.At) && x.Phase != Cancelled {
				take(Said{x.Start, InProgress, "", i})
			}
			if x.Phase == Completed {
				take(Said{x.End, Completed, "", i})
			}
		}
	}
	return newest, is
}

// Told is one thing of the history: an incident, a notice, or one time of a maintenance.
type Told struct {
	*Incident
	Occurrence Occurrence // Of a maintenance.
	From, To   time.Time  // To is zero while it goes on.
}

const (
	// logReach is how far back the single times of a maintenance that comes again are listed.
	logReach = 2 // Years.
	// earlier is by how much an outage may have begun before people said when it began.
	earlier = 24 * time.Hour
)

// Log lists all that the public may know of the past, newest first: what has begun, each thing once.
func (o *Outlook) Log() []Told {
	o.logged.Do(func() { o.log = o.listed() })
	return o.log
}

func (o *Outlook) listed() (all []Told) {
	for _, i := range o.All {
		switch {
		case !i.Public(o.At):
		case i.Kind != KindMaintenance:
			all = append(all, Told{Incident: i, From: i.StartedAt, To: i.ResolvedAt})
		default:
			for _, x := range i.Occurrences(o.At.AddDate(-logReach, 0, 0), o.At.Add(time.Microsecond), o.At) {
				if x.Phase == Cancelled || x.Phase == Scheduled {
					continue
				}
				t := Told{Incident: i, Occurrence: x, From: x.Start}
				if x.Phase == Completed {
					t.To = x.End
				}
				all = append(all, t)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Told) int { return b.From.Compare(a.From) })
	return all
}

// LogBetween is the part of the log that began in [from, until), and whether there is an earlier one.
func (o *Outlook) LogBetween(from, until time.Time) (some []Told, earlier bool) {
	all := o.Log()
	begin, _ := slices.BinarySearchFunc(all, until, func(t Told, at time.Time) int {
		if !t.From.Before(at) {
			return -1
		}
		return 1
	})
	end := begin
	for end < len(all) && !all[end].From.Before(from) {
		end++
	}
	return all[begin:end], end < len(all)
}

// Around are those of the log that outages which began in [from, until) may belong to.
func (o *Outlook) Around(from, until time.Time) (some []Told) {
	for _, t := range o.Log() {
		if t.From.Before(until.Add(earlier)) && (t.To.IsZero() || t.To.After(from)) {
			some = append(some, t)
		}
	}
	return some
}

// Reach is from when to when outages may have begun that belong to it.
func (t Told) Reach(now time.Time) (from, until time.Time) {
	if until = t.To; until.IsZero() {
		until = now
	}
	return t.From.Add(-earlier), until.Add(time.Microsecond)
}

// Explains tells whether an outage is part of what people say here: of a service that they named, in its time, or linked.
func (t Told) Explains(o status.Outage) bool {
	end := o.End
	if o.Ongoing() {
		end = forever
	}
	for _, l := range t.Links {
		if l.Service == o.Service && l.From.Before(end) && (l.To.IsZero() || l.To.After(o.Begin)) {
			return true
		}
	}
	if t.Kind == KindMaintenance {
		if !slices.ContainsFunc(t.Occurrence.Affected, func(a Affected) bool { return a.Service == o.Service }) {
			return false
		}
	} else if !slices.Contains(t.Services, o.Service) {
		return false
	}
	return o.Begin.After(t.From.Add(-earlier)) && t.From.Before(end) && (t.To.IsZero() || t.To.After(o.Begin))
}
