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
}

// BehindError says that somebody else has written since the author looked: nothing was kept, and Present is what they see now.
type BehindError struct{ Present *Incident }

// Error says it in one line.
func (b *BehindError) Error() string {
	return fmt.Sprintf("incident %s has changed since you looked at it, its newest event is %s", b.Present.ID, b.Present.Head)
}

// Write checks, keeps and shows what somebody wrote, and returns the state that follows. Its errors are a *RefusedError, a
// *BehindError, one that wraps status.ErrNotFound, or that of the disk.
func (d *Desk) Write(ctx context.Context, r Request) (*Incident, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.Now()
	var on *Incident
	if _, opens := r.Content.(*Opened); !opens || r.Incident != "" {
		var is bool
		if on, is = d.Book.Snapshot().Incident(r.Incident); !is {
			return nil, fmt.Errorf("incident %q: %w", r.Incident, status.ErrNotFound)
		}
		if on.Behind(r.After) {
			return nil, &BehindError{on}
		}
	}
	rules := refusal{Rules: Rules{Now: now, Services: d.Services}}
	rules.past("shown_at", r.ShownAt, false)
	if len(rules.problems) > 0 {
		return nil, &RefusedError{rules.problems}
	}
	if err := rules.Refuse(r.Content, on); err != nil {
		return nil, err
	}
	if on == nil {
		r.Incident = NewID(now)
	}
	e, err := New(Stamp{At: d.Book.Clock(now), Incident: r.Incident, Actor: r.Actor, After: r.After, ShownAt: r.ShownAt}, r.Content)
	if err != nil {
		return nil, err
	}
	if err := d.Keep(ctx, []Event{e}); err != nil {
		return nil, fmt.Errorf("keep what was written: %w", err)
	}
	d.Book.Apply([]Event{e}, now)
	if d.Share != nil {
		d.Share([]Event{e})
	}
	i, is := d.Book.Snapshot().Incident(r.Incident)
	if !is { // Older than all that have a place.
		i, _ = Fold([]Event{e})
	}
	return i, nil
}
