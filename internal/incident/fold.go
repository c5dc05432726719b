package incident

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// Fold returns the state that follows from the events of one incident, in whatever order and however often they are
// given. Without the event that opened it there is none.
func Fold(events []Event) (*Incident, bool) {
	entries := make([]entry, len(events))
	for n, e := range events {
		entries[n] = read(e)
	}
	id := ""
	if len(events) > 0 {
		id = events[0].Incident
	}
	return fold(id, ordered(entries))
}

// fold takes entries as ordered returns them.
func fold(id string, entries []entry) (*Incident, bool) {
	f := folding{
		Incident: Incident{ID: strings.Clone(id)},
		updates:  map[string]*Update{}, revised: map[string][]revision{}, withdrawn: map[string]entry{}, links: map[Link]bool{},
	}
	first := slices.IndexFunc(entries, func(e entry) bool { _, is := e.content.(*Opened); return is })
	if first < 0 {
		return nil, false
	}
	f.open(entries[first])
	for _, e := range entries {
		f.take(e)
	}
	f.finish(entries)
	return &f.Incident, true
}

// folding is a fold on its way.
type folding struct {
	Incident
	opened    *Opened
	updates   map[string]*Update
	revised   map[string][]revision
	withdrawn map[string]entry
	links     map[Link]bool
	dated     time.Time
}

type revision struct {
	entry
	says *Revised
}

func (f *folding) open(e entry) {
	o := e.content.(*Opened)
	f.opened = o
	f.Kind, f.Title, f.Source, f.CreatedAt = o.Kind, o.Title, e.actor, e.at
	f.Draft, f.PublishAt, f.Override, f.Metadata, f.DedupKey = o.Draft, exact2(o.PublishAt), o.Override, string(o.Metadata), o.DedupKey
	f.dated = o.StartedAt
	f.add(e, Posted{Words: o.Words})
	if o.Schedule != nil {
		f.plans = append(f.plans, planAt(e.at, *o.Schedule))
	}
}

// exact2 is exact for an instant that may be missing.
func exact2(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return exact(t)
}

func (f *folding) add(e entry, p Posted) {
	f.updates[e.id] = &Update{
		ID: e.id, Status: p.Status, Text: p.Text, ShownAt: e.shownAt, RecordedAt: e.at, Actor: e.actor,
		Occurrence: p.Occurrence, Impacts: p.Impacts, Notify: p.Notify,
	}
}

// take takes what one event says.
func (f *folding) take(e entry) {
	switch c := e.content.(type) {
	case *Posted:
		f.add(e, *c)
	case *Revised:
		f.revised[c.Update] = append(f.revised[c.Update], revision{e, c})
	case *Withdrawn:
		if _, already := f.withdrawn[c.Update]; !already {
			f.withdrawn[c.Update] = e
		}
	case *Retitled:
		f.Title = c.Title
	case *Dated:
		f.dated = c.StartedAt
	case *Overridden:
		f.Override = c.Impact
	case *Described:
		f.Metadata = string(c.Metadata)
	case *Published:
		f.Draft, f.PublishAt = false, time.Time{}
	case *Removed:
		f.Removed = true
	case *Rescheduled:
		if len(f.plans) > 0 {
			f.plans = append(f.plans, planAt(e.at, c.Schedule))
			f.Sequence++
		}
	case *Moved:
		f.steps = append(f.steps, step{at: e.at, key: c.Occurrence, moved: c})
		f.Sequence++
	case *Extended:
		f.steps = append(f.steps, step{at: e.at, key: c.Occurrence, until: exact2(c.Until)})
		f.Sequence++
	case *Linked:
		f.links[c.exact()] = true
	case *Unlinked:
		delete(f.links, c.exact())
	case *PostmortemDrafted, *PostmortemPublished, *PostmortemWithdrawn:
		f.postmortem(e)
	}
	if writtenByHuman(e) {
		f.Touched = true
	}
}

// writtenByHuman tells whether somebody has taken a hand in it: what a probe or a sender opened, resolves itself only
// as long as nobody has.
func writtenByHuman(e entry) bool {
	by, _, _ := strings.Cut(e.actor, ":")
	return by == "human" || by == "api"
}

func (l Link) exact() Link { return Link{l.Service, exact2(l.From), exact2(l.To)} }

func (f *folding) postmortem(e entry) {
	if f.Postmortem == nil {
		f.Postmortem = &PostmortemText{}
	}
	p := f.Postmortem
	switch c := e.content.(type) {
	case *PostmortemDrafted:
		p.Draft, p.DraftedAt = c.Text, e.at
	case *PostmortemPublished:
		p.Draft, p.DraftedAt = "", time.Time{}
		p.Text, p.PublishedAt, p.Notify = c.Text, e.shownAt, c.Notify
	case *PostmortemWithdrawn:
		if p.Text != "" {
			p.Draft, p.DraftedAt = p.Text, e.at
		}
		p.Text, p.PublishedAt, p.Notify = "", time.Time{}, false
	}
}

// finish puts together what needs all events.
func (f *folding) finish(entries []entry) {
	f.edit()
	f.Updates = make([]Update, 0, len(f.updates))
	for _, u := range f.updates {
		f.Updates = append(f.Updates, *u)
	}
	slices.SortFunc(f.Updates, func(a, b Update) int {
		return cmp.Or(a.ShownAt.Compare(b.ShownAt), a.RecordedAt.Compare(b.RecordedAt), cmp.Compare(a.ID, b.ID))
	})
	f.times()
	f.impacts()
	f.Links = slices.SortedFunc(maps.Keys(f.links), func(a, b Link) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), a.From.Compare(b.From), a.To.Compare(b.To))
	})
	f.maintenance()
	last := entries[len(entries)-1]
	f.Head, f.UpdatedAt = last.id, last.at
	f.forks(entries)
}

// edit puts revisions and withdrawals into the updates.
func (f *folding) edit() {
	for id, u := range f.updates {
		for _, r := range f.revised[id] {
			u.Before = append(u.Before, Revision{Until: r.at, By: r.actor, Text: u.Text})
			u.Text, u.RevisedAt = r.says.Text, r.at
			u.Revision++
			if !r.says.ShownAt.IsZero() {
				u.ShownAt = exact(r.says.ShownAt)
			}
		}
		if w, is := f.withdrawn[id]; is {
			u.Before = append(u.Before, Revision{Until: w.at, By: w.actor, Text: u.Text})
			u.Text, u.RevisedAt, u.Withdrawn = "", w.at, true
		}
	}
}

// times derives the phase, and since when.
func (f *folding) times() {
	f.StartedAt = exact2(f.dated)
	for _, u := range f.Updates {
		if f.StartedAt.IsZero() {
			f.StartedAt = u.ShownAt // The first, withdrawn or not: that is when people were told.
		}
		if u.Withdrawn || f.Kind == KindMaintenance {
			continue
		}
		f.Status = u.Status
		switch {
		case !u.Status.Over():
			f.ResolvedAt = time.Time{}
			if u.Status == Monitoring {
				f.MonitoringAt = u.ShownAt
			}
		case f.ResolvedAt.IsZero():
			f.ResolvedAt = u.ShownAt
		}
	}
	if f.Status == "" && f.Kind != KindMaintenance {
		// All words were taken back: as long as it is not removed, it is what it was at first.
		f.Status = f.opened.Words.Status
	}
}

// impacts derives what is declared of services, update by update.
func (f *folding) impacts() {
	if f.Kind == KindNotice {
		return
	}
	states, named := map[string]State{}, map[string]bool{}
	for n := range f.Updates {
		u := &f.Updates[n]
		if u.Withdrawn {
			continue
		}
		next := map[string]State{}
		for _, a := range u.Impacts {
			next[a.Service], named[a.Service] = a.State, true
		}
		if u.Status.Over() && f.Kind == KindIncident {
			for service := range states {
				next[service] = Operational
			}
			for service := range next {
				next[service] = Operational
			}
		}
		if u.Occurrence == "" { // Those of single occurrences are theirs alone (maintenance.go).
			u.Changes = change(states, next)
		}
		majors := 0
		for _, s := range states {
			f.Worst = max(f.Worst, s)
			if s == MajorOutage {
				majors++
			}
		}
		f.Majors = max(f.Majors, majors)
	}
	f.Affected = affected(states)
	f.Services = slices.Sorted(maps.Keys(named))
}

// change puts next into states, and tells what that changed.
func change(states, next map[string]State) (changes []Change) {
	for _, service := range slices.Sorted(maps.Keys(next)) {
		from, to := cmp.Or(states[service], Operational), cmp.Or(next[service], Operational)
		if states[service] = to; from != to {
			changes = append(changes, Change{service, from, to})
		}
	}
	return changes
}

// affected lists the services that are not operational.
func affected(states map[string]State) (all []Affected) {
	for _, service := range slices.Sorted(maps.Keys(states)) {
		if s := states[service]; s > Operational {
			all = append(all, Affected{service, s})
		}
	}
	return all
}

// forks finds the events whose authors had not seen all before them, and that no later author has seen.
func (f *folding) forks(entries []entry) {
	place := make(map[string]int, len(entries))
	for n, e := range entries {
		place[e.id] = n
	}
	seen := -1 // The furthest that a later author has seen.
	for n := len(entries) - 1; n > 0; n-- {
		e := entries[n]
		if e.after == "" {
			continue
		}
		at, known := place[e.after]
		if known && at < n-1 && n > seen {
			fork := Fork{Event: e.id, Actor: e.actor}
			for _, missed := range entries[at+1 : n] {
				fork.Missed = append(fork.Missed, missed.id)
			}
			f.Forks = append(f.Forks, fork)
		}
		if known {
			seen = max(seen, at)
		}
	}
	slices.Reverse(f.Forks)
}
