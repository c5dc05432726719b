package incident

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"statuspage/internal/status"
	"sync"
	"testing"
	"time"
)

func TestABookTellsWhatChangedInOrder(t *testing.T) {
	t.Parallel()
	b := NewBook(0)
	var mu sync.Mutex
	var heard []string
	stop := b.Watch(func(c Changed) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, fmt.Sprint(c.Version, c.Incidents, len(c.All)))
	})
	s := newStory(t)
	s.add(0, opened())
	s.add(1, posted(Resolved, "x"))
	b.Apply(s.events[1:], at(2)) // Its beginning comes later.
	b.Apply(s.events, at(2))
	b.Apply(s.events, at(2))
	s.add(2, &Retitled{"Other"})
	b.Apply(s.events[2:], at(2))
	stop()
	s.add(3, &Retitled{"Third"})
	b.Apply(s.events[3:], at(2))
	if want := []string{"1 [abcdefabcdef] 1", "2 [abcdefabcdef] 1"}; !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
	if i, is := b.Snapshot().Incident("abcdefabcdef"); !is || i.Title != "Third" || b.Snapshot().Version != 3 {
		t.Errorf("%+v", b.Snapshot())
	}
	if got := b.Clock(at(-5)); !got.Equal(at(3).Add(time.Microsecond)) {
		t.Errorf("a clock that is behind: %v", got)
	}
	if got := b.Clock(at(9).Add(7)); !got.Equal(at(9)) {
		t.Errorf("a clock that is right: %v", got)
	}
}

func TestAClockThatIsYearsAheadTakesNoOtherAlong(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.add(0, opened(Affected{"api", MajorOutage}))
	wrong := s.by(60*24*365*30, "human:ana", "", posted(Resolved, "Over."))
	b := NewBook(0)
	b.Apply(s.events, at(1))
	if got := b.Clock(at(1)); !got.Equal(at(1)) {
		t.Errorf("an event of 30 years ahead sets the clock to %v", got)
	}
	e, err := New(Stamp{At: b.Clock(at(1)), Incident: s.id, Actor: "human:ben"}, &Withdrawn{wrong.ID})
	if err != nil {
		t.Fatal(err)
	}
	b.Apply([]Event{e}, at(1))
	if i, _ := b.Snapshot().Incident(s.id); i.Status != Investigating || len(i.Affected) != 1 {
		t.Errorf("what it wrote can't be withdrawn: %+v", i)
	}
	s.add(4, opened())
	b.Apply(s.events, at(1))
	if got := b.Clock(at(1)); !got.After(at(4)) {
		t.Errorf("three minutes ahead are followed: %v", got)
	}
}

// many makes so many incidents, an hour after another, all but the open ones resolved.
func many(t testing.TB, n int, open func(int) bool) (events []Event) {
	t.Helper()
	for k := range n {
		id, last := digits(uint64(k), 12), ""
		contents := []Content{opened(Affected{"api", MajorOutage}), posted(Identified, "We know what it is, and work on it. More within the hour."), posted(Monitoring, "Mended; we watch it."), posted(Resolved, "It is over.")}
		if open(k) {
			contents = contents[:2]
		}
		for step, c := range contents {
			e, err := New(Stamp{At: t0.Add(time.Duration(k)*time.Hour + time.Duration(step)*time.Minute), Incident: id, Actor: "human:ana", After: last}, c)
			if err != nil {
				t.Fatal(err)
			}
			last, events = e.ID, append(events, e)
		}
	}
	return events
}

func TestABookLetsTheOldestPastGo(t *testing.T) {
	t.Parallel()
	events := many(t, 50, func(n int) bool { return n < 3 })
	now := t0.AddDate(1, 0, 0)
	b := NewBook(10)
	b.Apply(events, now)
	s := b.Snapshot()
	if len(s.All) != 13 || s.Left != 37 || s.All[0].ID != digits(49, 12) || s.All[9].ID != digits(40, 12) || s.All[12].ID != digits(0, 12) {
		t.Errorf("%d kept, %d left out", len(s.All), s.Left)
	}
	version := s.Version
	b.Apply(events, now) // What was let go comes again, from the store.
	if s = b.Snapshot(); len(s.All) != 13 || s.Version != version {
		t.Errorf("%d kept, version %d after %d", len(s.All), s.Version, version)
	}
	orphans := many(t, 40, func(int) bool { return false })
	b = NewBook(10)
	b.Apply(slices.DeleteFunc(orphans, func(e Event) bool { return e.Kind == "opened" }), now)
	if b.mu.Lock(); len(b.entries) > 10 {
		t.Errorf("%d incidents are kept that nobody opened", len(b.entries))
	}
	b.mu.Unlock()
}

func TestTheDeskKeepsBeforeItShows(t *testing.T) {
	t.Parallel()
	var kept []Event
	var away error
	var shared int
	b := NewBook(0)
	d := &Desk{
		Book: b, Services: func(id string) bool { return id == "api" }, Now: func() time.Time { return t0 },
		Keep: func(_ context.Context, events []Event) error {
			if away == nil {
				kept = append(kept, events...)
			}
			return away
		},
		Share: func(events []Event) { shared += len(events) },
	}
	first, err := d.Write(t.Context(), Request{Actor: "human:ana", Content: opened(Affected{"api", MajorOutage})})
	if err != nil || !IsID(first.ID) {
		t.Fatal(first, err)
	}
	second, err := d.Write(t.Context(), Request{Incident: first.ID, Actor: "human:ana", After: first.Head, Content: posted(Identified, "Found.")})
	if err != nil || len(second.Updates) != 2 || second.Updates[1].Text != "Found." {
		t.Fatal(second, err) // Both at one reading of the clock.
	}
	var behind *BehindError
	if _, err = d.Write(t.Context(), Request{Incident: first.ID, Actor: "human:ben", After: first.Head, Content: posted(Resolved, "Over.")}); !errors.As(err, &behind) || behind.Present != second {
		t.Errorf("behind: %v", err)
	}
	if _, err = d.Write(t.Context(), Request{Incident: "nothere12345", Actor: "human:ben", Content: posted(Resolved, "x")}); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("not there: %v", err)
	}
	if _, err = d.Write(t.Context(), Request{Incident: first.ID, Actor: "human:ben", ShownAt: at(10), Content: posted(Resolved, "x")}); fields(t, err) != "shown_at in_the_future" {
		t.Errorf("future: %v", err)
	}
	away = status.ErrUnavailable
	if _, err = d.Write(t.Context(), Request{Incident: first.ID, Actor: "human:ben", Content: posted(Resolved, "Over.")}); !errors.Is(err, status.ErrUnavailable) {
		t.Errorf("disk away: %v", err)
	}
	if i, _ := b.Snapshot().Incident(first.ID); i != second || len(kept) != 2 || shared != 2 {
		t.Errorf("%d kept, %d shared, shown %+v", len(kept), shared, i)
	}
}

func TestOfTwoAuthorsAtOnceOneIsTold(t *testing.T) {
	t.Parallel()
	b := NewBook(0)
	d := &Desk{Book: b, Services: func(string) bool { return true }, Now: func() time.Time { return t0 }, Keep: func(context.Context, []Event) error { return nil }}
	first, err := d.Write(t.Context(), Request{Actor: "human:ana", Content: opened()})
	if err != nil {
		t.Fatal(err)
	}
	var told sync.Map
	var authors sync.WaitGroup
	for n := range 8 {
		authors.Go(func() {
			_, err := d.Write(t.Context(), Request{Incident: first.ID, Actor: "human:x", After: first.Head, Content: posted(Resolved, "x")})
			told.Store(n, err)
		})
	}
	authors.Wait()
	taken := 0
	told.Range(func(_, err any) bool {
		if err == nil {
			taken++
		} else if _, is := errors.AsType[*BehindError](err.(error)); !is {
			t.Error(err)
		}
		return true
	})
	if i, _ := b.Snapshot().Incident(first.ID); taken != 1 || len(i.Updates) != 2 || len(i.Forks) != 0 {
		t.Errorf("%d of 8 were taken: %+v", taken, i)
	}
}

func BenchmarkTenThousandIncidents(b *testing.B) {
	events := many(b, MaxPast, func(int) bool { return false })
	for b.Loop() {
		NewBook(0).Apply(events, t0.AddDate(5, 0, 0))
	}
}

func BenchmarkOnePostAmongTenThousand(b *testing.B) {
	book := NewBook(0)
	book.Apply(many(b, MaxPast, func(int) bool { return false }), t0.AddDate(5, 0, 0))
	id, now := NewID(t0), t0.AddDate(5, 0, 0)
	first, err := New(Stamp{At: now, Incident: id, Actor: "human:ana"}, opened())
	if err != nil {
		b.Fatal(err)
	}
	book.Apply([]Event{first}, now)
	for b.Loop() {
		b.StopTimer()
		e, err := New(Stamp{At: book.Clock(now), Incident: id, Actor: "human:ana"}, &Retitled{"Other"})
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		book.Apply([]Event{e}, now)
	}
}
