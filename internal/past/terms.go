package past

import (
	"context"
	"log/slog"
	"slices"
	"statuspage/internal/retry"
	"statuspage/internal/status"
	"sync"
	"time"
)

// TermStore is where terms are kept.
type TermStore interface {
	Terms(ctx context.Context) ([]status.ServiceTerm, error)
	WriteTerms(ctx context.Context, terms []status.ServiceTerm) error
}

// Terms knows in which terms services were and are watched, and has new ones stored: what was due in
// the past must not follow from today's configuration.
type Terms struct {
	store TermStore
	log   *slog.Logger
	write bool // Whoever plans the runs says when they were due; a page server reads it.

	mu      sync.Mutex
	read    bool
	known   map[string][]status.Term // By service, oldest first.
	waiting []status.ServiceTerm     // Not stored yet.
	wake    chan struct{}
}

// NewTerms returns terms of nothing. A process that may not write them, because it plans no runs, only reads.
func NewTerms(store TermStore, write bool, log *slog.Logger) *Terms {
	return &Terms{store: store, write: write, log: log, known: make(map[string][]status.Term), wake: make(chan struct{}, 1)}
}

// load reads what is stored, and begins the terms of services that are watched otherwise than
// before. It returns those of all services.
func (t *Terms) load(ctx context.Context, services []status.Service, now time.Time) (map[string][]status.Term, error) {
	stored, err := t.store.Terms(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.known)
	for _, s := range append(stored, t.waiting...) {
		t.known[s.Service] = append(t.known[s.Service], s.Term)
	}
	for service, all := range t.known {
		t.known[service] = status.SortTerms(all)
	}
	t.read = true
	return t.begin(services, now), nil
}

// Follow begins the terms of services that another configuration has otherwise. It returns nil as long as
// nobody knows what is stored.
func (t *Terms) Follow(services []status.Service, now time.Time) map[string][]status.Term {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.read {
		return nil
	}
	return t.begin(services, now)
}

func (t *Terms) begin(services []status.Service, now time.Time) map[string][]status.Term {
	now = now.UTC().Truncate(time.Microsecond)
	watched := make(map[string]bool, len(services))
	for _, s := range services {
		watched[s.ID] = true
		t.add(s.ID, s.Now(now))
	}
	for id, all := range t.known {
		if last := all[len(all)-1]; !watched[id] && last.Interval > 0 && t.write {
			t.add(id, status.Term{Since: now, Timeout: last.Timeout})
		}
	}
	all := make(map[string][]status.Term, len(services))
	for _, s := range services {
		all[s.ID] = t.known[s.ID]
	}
	return all
}

func (t *Terms) add(id string, next status.Term) {
	before := t.known[id]
	if n := len(before); n > 0 && !next.Since.After(before[n-1].Since) {
		next.Since = before[n-1].Since.Add(time.Microsecond) // The clock was set back.
	}
	after := status.WithTerm(before, next)
	if t.known[id] = after; len(after) == len(before) || !t.write {
		return
	}
	t.waiting = append(t.waiting, status.ServiceTerm{Service: id, Term: next})
	select {
	case t.wake <- struct{}{}:
	default: // Already due.
	}
}

// Keep stores what waits, until ctx ends.
func (t *Terms) Keep(ctx context.Context) {
	pause, told := retry.NewBackoff(fillRetry, fillRetryMax), false
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.wake:
		}
		for {
			err := t.flush(ctx)
			if err == nil {
				pause.Reset()
				told = false
				break
			}
			if !told && ctx.Err() == nil {
				told = true
				t.log.Warn("changed intervals can't be stored; trying again", "error", err)
			}
			if pause.Wait(ctx); ctx.Err() != nil {
				return
			}
		}
	}
}

func (t *Terms) flush(ctx context.Context) error {
	t.mu.Lock()
	some := slices.Clone(t.waiting)
	t.mu.Unlock()
	if err := t.store.WriteTerms(ctx, some); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = t.waiting[len(some):]
	return nil
}
