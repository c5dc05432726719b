package incident

import (
	"context"
	"errors"
	"iter"
	"statuspage/internal/status"
	"testing"
	"time"
)

// shelf is a store in memory.
type shelf struct {
	events []Event
	breaks int // After so many events it breaks off; 0 for never.
	reads  int
}

func (s *shelf) Events(context.Context, time.Time) iter.Seq2[Event, error] {
	s.reads++
	return func(yield func(Event, error) bool) {
		for n, e := range s.events {
			if s.breaks > 0 && n == s.breaks {
				yield(Event{}, status.ErrUnavailable)
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

func (s *shelf) CountEvents(context.Context) (int, error) { return len(s.events), nil }

func TestWhatReachesTheStoreLateIsFound(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.add(0, opened())
	s.add(1, posted(Identified, "Found."))
	s.add(2, posted(Resolved, "Over."))
	store := &shelf{events: []Event{s.events[0], s.events[2]}}
	b := NewBook(0)
	r := NewReader(b, store, func() time.Time { return at(3) })
	updates := func() int {
		i, is := b.Snapshot().Incident(s.id)
		if !is {
			return 0
		}
		return len(i.Updates)
	}
	store.breaks = 1
	if err := r.CatchUp(t.Context()); !errors.Is(err, status.ErrUnavailable) || updates() != 1 {
		t.Errorf("a store that breaks off: %v, %d updates", err, updates())
	}
	store.breaks = 0
	for range 3 {
		if err := r.CatchUp(t.Context()); err != nil || updates() != 2 {
			t.Errorf("%v, %d updates", err, updates())
		}
	}
	if store.reads != 2 {
		t.Errorf("read %d times, want 2: there was nothing new", store.reads)
	}
	store.events = s.events // One that is older than the newest has come.
	if err := r.CatchUp(t.Context()); err != nil || updates() != 3 {
		t.Errorf("%v, %d updates", err, updates())
	}
}
