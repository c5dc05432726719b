package incident

import (
	"context"
	"fmt"
	"statuspage/internal/status"
	"sync"
	"time"
)

// Desk is where people and tools write: what it takes is on disk before anybody sees it.
type Desk struct {
	Book     *Book
	Keep     func(context.Context, []Event) error // Makes events durable, all or none.
	Share    func([]Event)                        // Tells other processes; nil for none.
	Services func(id string) bool
	Now      func() time.Time

	mu sync.Mutex // Between the look at a state and what is written about it, nobody else writes here.
}

// Request is something to write.
type Request struct {
	Incident string // Empty for what is opened, which gets an id.
	Actor    string
	After    string    // The Head that the author saw; empty for who didn't look.
	ShownAt  time.Time // Zero for now.
	Content  Content
	Also     []Content // What is written together with it.
}

// BehindError says that somebody else has written since the author looked: nothing was kept, and Present is what they see now.
type BehindError struct{ Present *Incident }

// Error says it in one line.
func (b *BehindError) Error() string {
	return fmt.Sprintf("incident %s has changed since you looked at it, its newest event is %s", b.Present.ID, b.Present.Head)
}

// Write checks, keeps and shows what somebody wrote, all of it or nothing, and returns the state that follows. Its errors are a
// *RefusedError, a *BehindError, one that wraps status.ErrNotFound, or that of the disk.
func (d *Desk) Write(ctx context.Context, r Request) (*Incident, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Now()
	on, err := d.find(r)
	if err != nil {
		return nil, err
	}
	rules := refusal{Rules: Rules{Now: now, Services: d.Services}}
	rules.past("shown_at", r.ShownAt, false)
	if len(rules.problems) > 0 {
		return nil, &RefusedError{rules.problems}
	}
	if on == nil {
		r.Incident = NewID(now)
	}
	var events []Event
	at := d.Book.Clock(now)
	for _, c := range append([]Content{r.Content}, r.Also...) {
		if err := rules.Refuse(c, on); err != nil {
			return nil, err
		}
		e, err := New(Stamp{At: at, Incident: r.Incident, Actor: r.Actor, After: r.After, ShownAt: r.ShownAt}, c)
		if err != nil {
			return nil, err
		}
		events, at = append(events, e), at.Add(time.Microsecond)
		if r.After != "" {
			r.After = e.ID // Its author has seen what they wrote.
		}
		on, _ = d.Book.with(r.Incident, events)
	}
	if err := d.Keep(ctx, events); err != nil {
		return nil, fmt.Errorf("keep what was written: %w", err)
	}
	d.Book.Apply(events, now)
	if d.Share != nil {
		d.Share(events)
	}
	if i, is := d.Book.Snapshot().Incident(r.Incident); is {
		return i, nil
	}
	return on, nil // Older than all that have a place.
}

// find returns what a request is about; nil for what it opens.
func (d *Desk) find(r Request) (*Incident, error) {
	if _, opens := r.Content.(*Opened); opens && r.Incident == "" {
		return nil, nil //nolint:nilnil // There is nothing yet.
	}
	on, is := d.Book.Snapshot().Incident(r.Incident)
	switch {
	case !is:
		return nil, fmt.Errorf("incident %q: %w", r.Incident, status.ErrNotFound)
	case on.Behind(r.After):
		return nil, &BehindError{on}
	}
	return on, nil
}
