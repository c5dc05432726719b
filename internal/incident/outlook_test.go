package incident

import (
	"slices"
	"statuspage/internal/status"
	"testing"
	"time"
)

// bookOf has incidents that begin with these contents at an instant, and answers with their ids.
func bookOf(t *testing.T, now time.Time, contents ...*Opened) (*Book, []string) {
	t.Helper()
	b := NewBook(0)
	var ids []string
	for n, c := range contents {
		e, err := New(Stamp{At: now.Add(time.Duration(n) * time.Microsecond), Incident: NewID(now), Actor: "human:ana"}, c)
		if err != nil {
			t.Fatal(err)
		}
		b.Apply([]Event{e}, now)
		ids = append(ids, e.Incident)
	}
	return b, ids
}

// TestAnOutlookIsMadeAnewWhenSomethingChanges, and not before: by a word, or by the clock.
func TestAnOutlookIsMadeAnewWhenSomethingChanges(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	b, _ := bookOf(t, now, &Opened{
		Kind: KindMaintenance, Title: "Disks", Schedule: &Schedule{Start: "2026-03-29T12:01", Minutes: 1, Zone: "UTC"},
		Words: Words{Status: Scheduled, Impacts: []Affected{{"web", UnderMaintenance}}},
	}, &Opened{Kind: KindIncident, Title: "Later", Draft: true, PublishAt: now.Add(30 * time.Second), Words: Words{Status: Investigating, Text: "x", Impacts: []Affected{{"api", MajorOutage}}}})
	l := NewLookout(b)
	first := l.At(now.Add(time.Millisecond)) // All of it is written.
	if l.At(now.Add(29*time.Second)) != first || first.State("web") != NoState || first.State("api") != NoState {
		t.Error("nothing has changed, and another outlook was made")
	}
	for _, c := range []struct {
		after      time.Duration
		web, api   State
		maintained bool
	}{
		{30 * time.Second, NoState, MajorOutage, false},
		{59*time.Second + 999*time.Millisecond, NoState, MajorOutage, false},
		{time.Minute, UnderMaintenance, MajorOutage, true},
		{119 * time.Second, UnderMaintenance, MajorOutage, true},
		{2 * time.Minute, NoState, MajorOutage, false},
	} {
		o := l.At(now.Add(c.after))
		if o.State("web") != c.web || o.State("api") != c.api || o.Maintained("web") != c.maintained {
			t.Errorf("after %v: web %q, api %q, maintained %t", c.after, o.State("web"), o.State("api"), o.Maintained("web"))
		}
	}
	last := l.At(now.Add(2 * time.Minute))
	if masks := last.Masks("web"); len(masks) != 1 || !masks[0].From.Equal(now.Add(time.Minute)) || !masks[0].To.Equal(now.Add(2*time.Minute)) {
		t.Errorf("masks %v", masks)
	}
	if got := first.Differ(last); !slices.Equal(got, []string{"api", "web"}) {
		t.Errorf("they differ in %q", got)
	}
	e, err := New(Stamp{At: b.Clock(now), Incident: NewID(now), Actor: "human:ana"}, &Opened{Kind: KindNotice, Title: "x", Words: Words{Status: Active, Text: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	b.Apply([]Event{e}, now)
	if next := l.At(now.Add(2 * time.Minute)); next == last || next.Number <= last.Number {
		t.Error("somebody has written, and the outlook is the same")
	}
	if back := l.At(now); back.State("api") != NoState {
		t.Error("a clock that was set back sees what is to come")
	}
}

func TestWhatWasSaidLast(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	b, ids := bookOf(t, now,
		&Opened{Kind: KindIncident, Title: "Fault", Words: Words{Status: Investigating, Text: "We look."}},
		&Opened{Kind: KindIncident, Title: "Draft", Draft: true, Words: Words{Status: Investigating, Text: "SECRET"}},
		&Opened{Kind: KindMaintenance, Title: "Disks", Schedule: &Schedule{Start: "2026-03-29T12:10", Minutes: 10, Zone: "UTC"}, Words: Words{Status: Scheduled}},
	)
	l := NewLookout(b)
	for after, want := range map[time.Duration]struct {
		title string
		phase Status
	}{time.Minute: {"Disks", Scheduled}, 11 * time.Minute: {"Disks", InProgress}, 21 * time.Minute: {"Disks", Completed}} {
		s, is := l.At(now.Add(after)).Newest(now, nil)
		if !is || s.Title != want.title || s.Status != want.phase {
			t.Errorf("after %v: %v %s %s", after, is, s.Title, s.Status)
		}
	}
	if s, is := l.At(now.Add(time.Minute)).Newest(now, func(i *Incident) bool { return i.ID == ids[0] }); !is || s.Text != "We look." {
		t.Errorf("of one: %v %v", is, s)
	}
	if _, is := l.At(now.Add(48*time.Hour)).Newest(now.Add(24*time.Hour), nil); is {
		t.Error("what is long past is said")
	}
}

func TestWordsExplainOutages(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	out := func(service string, from, to time.Duration) status.Outage {
		o := status.Outage{Service: service, Begin: now.Add(from)}
		if to != 0 {
			o.End = now.Add(to)
		}
		return o
	}
	b, _ := bookOf(t, now,
		&Opened{Kind: KindIncident, Title: "Fault", Words: Words{Status: Investigating, Text: "x", Impacts: []Affected{{"web", MajorOutage}}}},
		&Opened{Kind: KindMaintenance, Title: "Disks", Schedule: &Schedule{Start: "2026-03-29T12:10", Minutes: 10, Zone: "UTC"}, Words: Words{Status: Scheduled, Impacts: []Affected{{"api", UnderMaintenance}}}},
	)
	o := NewLookout(b).At(now.Add(time.Hour))
	told, earlier := o.LogBetween(now.Add(-time.Hour), now.Add(time.Hour))
	if len(told) != 2 || earlier || told[0].Title != "Disks" {
		t.Fatalf("%d in the log", len(told))
	}
	disks, fault := told[0], told[1]
	for n, c := range []struct {
		told Told
		out  status.Outage
		want bool
	}{
		{fault, out("web", -time.Minute, time.Minute), true},
		{fault, out("web", 10*time.Minute, 0), true},
		{fault, out("web", -2*time.Hour, -time.Hour), false},
		{fault, out("web", -25*time.Hour, time.Hour), false}, // It began a day before anybody spoke of it.
		{fault, out("api", 0, 0), false},
		{disks, out("api", 11*time.Minute, 12*time.Minute), true},
		{disks, out("api", 21*time.Minute, 22*time.Minute), false},
		{disks, out("web", 11*time.Minute, 12*time.Minute), false},
	} {
		if c.told.Explains(c.out) != c.want {
			t.Errorf("%d: %s and an outage of %s at %v: want %t", n, c.told.Title, c.out.Service, c.out.Begin, c.want)
		}
	}
	if _, earlier := o.LogBetween(now.Add(5*time.Minute), now.Add(time.Hour)); !earlier {
		t.Error("there is nothing earlier")
	}
	if some := o.Around(now.Add(30*time.Hour), now.Add(40*time.Hour)); len(some) != 1 || some[0].Title != "Fault" {
		t.Errorf("%d around: what goes on reaches into what comes", len(some))
	}
}

func TestDeclaredWorsensAndHidesNothing(t *testing.T) {
	t.Parallel()
	for measured := status.Unknown; measured <= status.Down; measured++ {
		for declared := NoState; declared <= MajorOutage; declared++ {
			if got := Overall(measured, declared); got < measured || declared <= UnderMaintenance && got != measured || declared >= PartialOutage && got != status.Down {
				t.Errorf("measured %v, declared %q: %v", measured, declared, got)
			}
		}
	}
}

// TestAFarMaintenanceHasItsTime: what comes once is known however far away it is.
func TestAFarMaintenanceHasItsTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 29, 12, 0, 0, 0, time.UTC)
	b, ids := bookOf(t, now, &Opened{Kind: KindMaintenance, Title: "Disks", Schedule: &Schedule{Start: "2030-12-01T03:00", Minutes: 30, Zone: "Europe/Berlin"}, Words: Words{Status: Scheduled}})
	i, _ := b.Snapshot().Incident(ids[0])
	if o, is := i.Now(now); !is || o.Phase != Scheduled || !o.Start.Equal(time.Date(2030, 12, 1, 2, 0, 0, 0, time.UTC)) {
		t.Errorf("%t %+v", is, o)
	}
}
