package incident

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

var t0 = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

func at(minutes int) time.Time { return t0.Add(time.Duration(minutes) * time.Minute) }

// story makes events of one incident, a minute after another, each by an author who has seen the one before.
type story struct {
	t      *testing.T
	id     string
	events []Event
}

func newStory(t *testing.T) *story { t.Helper(); return &story{t: t, id: "abcdefabcdef"} }

func (s *story) add(minute int, c Content) Event {
	s.t.Helper()
	return s.by(minute, "human:ana", s.head(), c)
}

func (s *story) head() string {
	if len(s.events) == 0 {
		return ""
	}
	return s.events[len(s.events)-1].ID
}

func (s *story) by(minute int, actor, after string, c Content) Event {
	s.t.Helper()
	e, err := New(Stamp{At: at(minute), Incident: s.id, Actor: actor, After: after}, c)
	if err != nil {
		s.t.Fatal(err)
	}
	s.events = append(s.events, e)
	return e
}

func (s *story) fold() *Incident {
	s.t.Helper()
	i, is := Fold(s.events)
	if !is {
		s.t.Fatal("nobody opened it")
	}
	return i
}

func opened(impacts ...Affected) *Opened {
	return &Opened{Kind: KindIncident, Title: "API is slow", Words: Words{Status: Investigating, Text: "We look.", Impacts: impacts}}
}

func posted(s Status, text string, impacts ...Affected) *Posted {
	return &Posted{Words: Words{Status: s, Text: text, Impacts: impacts}}
}

func TestPhasesAndImpactsFollowTheUpdates(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.add(0, opened(Affected{"api", DegradedPerformance}, Affected{"web", MajorOutage}))
	s.add(1, posted(Identified, "Found.", Affected{"api", MajorOutage}))
	if i := s.fold(); i.Impact(2) != Critical || i.Impact(3) != Major || len(i.Affected) != 2 {
		t.Errorf("two of two down: %v, of three %v, %v", i.Impact(2), i.Impact(3), i.Affected)
	}
	s.add(2, posted(Identified, "Web is back.", Affected{"web", Operational}))
	i := s.fold()
	if got := fmt.Sprint(i.Affected); got != "[{api major_outage}]" {
		t.Errorf("api stays as it was, got %s", got)
	}
	if got := fmt.Sprint(i.Updates[2].Changes); got != "[{web major_outage operational}]" {
		t.Errorf("changes %s", got)
	}
	s.add(3, posted(Monitoring, "Fixed."))
	s.add(4, posted(Resolved, "Over."))
	i = s.fold()
	if i.Status != Resolved || !i.MonitoringAt.Equal(at(3)) || !i.ResolvedAt.Equal(at(4)) || len(i.Affected) != 0 || i.Impact(5) != Major || !i.Over(at(5)) {
		t.Errorf("resolved: %+v", i)
	}
	if got := fmt.Sprint(i.Services, i.Updates[4].Changes); got != "[api web] [{api major_outage operational}]" {
		t.Errorf("resolved clears all: %s", got)
	}
	s.add(5, posted(Identified, "Again.", Affected{"api", PartialOutage}))
	if i = s.fold(); i.Over(at(6)) || !i.ResolvedAt.IsZero() || fmt.Sprint(i.Affected) != "[{api partial_outage}]" {
		t.Errorf("opened again: %+v", i)
	}
	minor := Minor
	s.add(6, &Overridden{&minor})
	if got := s.fold().Impact(2); got != Minor {
		t.Errorf("overridden: %v", got)
	}
	s.add(7, &Overridden{})
	if got := s.fold().Impact(2); got != Critical {
		t.Errorf("no longer overridden: %v", got)
	}
}

func TestEditedWithdrawnAndRemoved(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	first := s.add(0, opened(Affected{"api", MajorOutage}))
	second := s.add(1, posted(Identified, "It is the disk.", Affected{"web", MajorOutage}))
	s.add(2, &Revised{Update: second.ID, Text: "It is the database"})
	u := s.fold().Updates[1]
	if u.Text != "It is the database" || u.Revision != 1 || !u.RevisedAt.Equal(at(2)) || u.Before[0].Text != "It is the disk." || !u.ShownAt.Equal(at(1)) {
		t.Errorf("revised: %+v", u)
	}
	s.add(3, &Revised{Update: first.ID, Text: "We look.", ShownAt: at(-30)})
	if i := s.fold(); !i.StartedAt.Equal(at(-30)) || i.Updates[0].Revision != 1 {
		t.Errorf("backdated: %+v", i)
	}
	s.add(4, &Dated{at(-60)})
	if i := s.fold(); !i.StartedAt.Equal(at(-60)) {
		t.Errorf("dated: %v", i.StartedAt)
	}
	s.add(5, &Withdrawn{second.ID})
	i := s.fold()
	if u = i.Updates[1]; !u.Withdrawn || u.Text != "" || u.Before[1].Text != "It is the database" || i.Status != Investigating || fmt.Sprint(i.Affected, i.Services) != "[{api major_outage}] [api]" {
		t.Errorf("withdrawn: %+v in %+v", u, i)
	}
	if d := Declared([]*Incident{i}, at(6)); len(d["api"]) != 1 {
		t.Errorf("declared: %v", d)
	}
	s.add(6, &Removed{})
	i = s.fold()
	if d := Declared([]*Incident{i}, at(7)); i.Public(at(7)) || len(d) != 0 || !i.Over(at(7)) {
		t.Errorf("removed: public %v, declared %v", i.Public(at(7)), d)
	}
}

func TestDraftsAndNotices(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	o := opened(Affected{"api", MajorOutage})
	o.Draft = true
	s.add(0, o)
	if i := s.fold(); i.Public(at(9)) || len(Declared([]*Incident{i}, at(9))) != 0 {
		t.Error("a draft is seen")
	}
	s.add(1, &Published{})
	if !s.fold().Public(at(9)) {
		t.Error("it was published")
	}
	s = newStory(t)
	o.PublishAt = at(60)
	s.add(0, o)
	if i := s.fold(); i.Public(at(59)) || !i.Public(at(60)) {
		t.Error("it publishes itself at the minute")
	}
	s = newStory(t)
	s.add(0, &Opened{Kind: KindNotice, Title: "New address", Words: Words{Status: Active, Text: "…", Impacts: []Affected{{"api", MajorOutage}}}})
	if i := s.fold(); i.Impact(1) != None || len(i.Affected) != 0 || i.Over(at(1)) {
		t.Errorf("a notice has no impact: %+v", i)
	}
}

func TestPostmortemAndLinks(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.add(0, opened())
	s.add(1, &PostmortemDrafted{"Why"})
	if p := s.fold().Postmortem; p.Text != "" || p.Draft != "Why" {
		t.Errorf("drafted: %+v", p)
	}
	s.add(2, &PostmortemPublished{Text: "Why it was"})
	if p := s.fold().Postmortem; p.Text != "Why it was" || p.Draft != "" || !p.PublishedAt.Equal(at(2)) {
		t.Errorf("published: %+v", p)
	}
	s.add(3, &PostmortemWithdrawn{})
	if p := s.fold().Postmortem; p.Text != "" || p.Draft != "Why it was" {
		t.Errorf("withdrawn: %+v", p)
	}
	s.add(4, &Linked{Link{"web", at(-9), at(-3)}})
	s.add(5, &Linked{Link{"api", at(-9).In(time.FixedZone("x", 3600)), time.Time{}}})
	s.add(6, &Linked{Link{"api", at(-9), time.Time{}}})
	s.add(7, &Unlinked{Link{"web", at(-9), at(-3)}})
	if l := s.fold().Links; len(l) != 1 || l[0].Service != "api" {
		t.Errorf("links %v", l)
	}
}

func TestAForkIsToldUntilSomebodyHasSeenIt(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	first := s.add(0, opened())
	ana := s.by(1, "human:ana", first.ID, posted(Resolved, "Over."))
	if s.fold().Behind(first.ID) != true || s.fold().Behind(ana.ID) || s.fold().Behind("") {
		t.Error("who is behind is not known")
	}
	ben := s.by(2, "human:ben", first.ID, posted(Identified, "Found."))
	if f := s.fold().Forks; len(f) != 1 || f[0].Event != ben.ID || !slices.Equal(f[0].Missed, []string{ana.ID}) {
		t.Errorf("forks %v", f)
	}
	s.by(3, "probe", "", posted(Identified, "…")) // Did not look: has seen nothing, and is no fork.
	if f := s.fold().Forks; len(f) != 1 {
		t.Errorf("forks %v", f)
	}
	s.add(4, posted(Resolved, "Both of us."))
	if f := s.fold().Forks; len(f) != 0 {
		t.Errorf("seen by now: %v", f)
	}
}

func TestWhatIsNotUnderstoodIsPassedOver(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	first := s.add(0, opened())
	want, _ := json.Marshal(s.fold().Updates)
	odd := first
	for n, e := range []Event{
		{Kind: "teleported", Version: 1, Body: `{"to":"mars"}`},
		{Kind: "posted", Version: 2, Body: `{"status":"resolved"}`},
		{Kind: "posted", Version: 1, Body: `{"impacts":[{"service":"api","state":"on_fire"}]}`},
		{Kind: "posted", Version: 1, Body: `[]`},
		{Kind: "posted", Version: 1, Body: ``},
		{Kind: "opened", Version: 1, Body: `{"kind":"notice","title":"second"}`},
	} {
		odd.Kind, odd.Version, odd.Body, odd.At = e.Kind, e.Version, e.Body, at(n+1)
		odd.ID = fmt.Sprintf("00000000-0000-7000-8000-%012d", n)
		s.events = append(s.events, odd)
	}
	i := s.fold()
	if got, _ := json.Marshal(i.Updates); string(got) != string(want) || i.Title != "API is slow" || i.Head != odd.ID {
		t.Errorf("got %s, title %q", got, i.Title)
	}
	if _, is := Fold(s.events[1:4]); is {
		t.Error("an incident that nobody opened")
	}
}

// chance makes a set of events of up to three incidents: anything that writers may write, and some that they may not.
func chance(t *testing.T, r *rand.Rand) (all []Event) {
	t.Helper()
	zones := []string{"Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Pacific/Apia", "Asia/Kathmandu"}
	rules := []string{"", "FREQ=DAILY;COUNT=10", "FREQ=WEEKLY;BYDAY=MO,SU", "FREQ=MONTHLY;BYDAY=-1SU"}
	for n := range 1 + r.IntN(3) {
		kind := []Kind{KindIncident, KindMaintenance, KindNotice}[r.IntN(3)]
		clock, id := at(r.IntN(1000)), digits(uint64(n), 12)
		var mine []Event
		pick := func() string {
			if len(mine) == 0 || r.IntN(9) == 0 {
				return ""
			}
			return mine[r.IntN(len(mine))].ID
		}
		when := func() time.Time { return clock.Add(time.Duration(r.IntN(200_000)-100_000) * time.Second) }
		words := func() Words {
			w := Words{Text: digits(r.Uint64(), 8), Notify: r.IntN(2) == 0, Status: kind.Statuses()[r.IntN(len(kind.Statuses()))]}
			for range r.IntN(3) {
				w.Impacts = append(w.Impacts, Affected{[]string{"api", "web", "dns"}[r.IntN(3)], State(r.IntN(6))})
			}
			return w
		}
		schedule := func() Schedule {
			return Schedule{
				Start: when().Format(WallFormat), Minutes: 1 + r.IntN(500), Zone: zones[r.IntN(5)], Rule: rules[r.IntN(4)],
				ManualStart: r.IntN(4) == 0, ManualEnd: r.IntN(4) == 0,
			}
		}
		key := func() string {
			return []string{"", when().Format(keyFormat)}[r.IntN(2)]
		}
		for range 2 + r.IntN(14) {
			var c Content
			s := schedule()
			switch impact := Impact(r.IntN(4)); r.IntN(16) {
			case 0:
				c = &Revised{Update: pick(), Text: digits(r.Uint64(), 5), ShownAt: when()}
			case 1:
				c = &Withdrawn{pick()}
			case 2:
				c = &Retitled{digits(r.Uint64(), 5)}
			case 3:
				c = &Dated{when()}
			case 4:
				c = &Overridden{&impact}
			case 5:
				c = &Published{}
			case 6:
				c = &Rescheduled{Schedule: s}
			case 7:
				c = &Moved{Occurrence: key(), Start: s.Start, Minutes: s.Minutes}
			case 8:
				c = &Extended{Occurrence: key(), Until: when()}
			case 9:
				c = &Linked{Link{"api", at(r.IntN(3)), at(5)}}
			case 10:
				c = &Unlinked{Link{"api", at(r.IntN(3)), at(5)}}
			case 11:
				c = []Content{&PostmortemDrafted{"d"}, &PostmortemPublished{Text: digits(r.Uint64(), 4)}, &PostmortemWithdrawn{}, &Removed{}}[r.IntN(4)]
			default:
				c = &Posted{Words: words(), Occurrence: key()}
			}
			if len(mine) == 0 {
				c = &Opened{Kind: kind, Title: digits(r.Uint64(), 6), Words: words(), Schedule: &s, Draft: r.IntN(5) == 0, Metadata: json.RawMessage(`{"a":{"b":1}}`)}
			}
			e, err := New(Stamp{At: clock, Incident: id, Actor: []string{"human:ana", "probe"}[r.IntN(2)], After: pick(), ShownAt: when()}, c)
			if err != nil {
				t.Fatal(err)
			}
			mine = append(mine, e)
			clock = clock.Add(time.Duration(r.IntN(3)) * 20 * time.Minute) // Sometimes several at one instant.
		}
		all = append(all, mine...)
	}
	return all
}

// told is everything that can be said about the incidents of a book, as bytes.
func told(t *testing.T, b *Book) string {
	t.Helper()
	var out strings.Builder
	all := b.Snapshot().All
	for _, i := range all {
		data, err := json.Marshal(i)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s\n%+v\n%v %v\n", data, i.Occurrences(at(-3000), at(20_000), at(700)), i.Impact(3), i.Over(at(700)))
	}
	fmt.Fprintf(&out, "%+v\n%+v\n", Declared(all, at(700)), Masks(all, at(-3000), at(3000), at(700)))
	return out.String()
}

func TestAnyOrderAnyDoublingAnySplitGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 17))
		events := chance(t, r)
		plain := NewBook(0)
		plain.Apply(events, at(700))
		want := told(t, plain)

		mixed := slices.Clone(events)
		for range r.IntN(2 * len(events)) {
			mixed = append(mixed, events[r.IntN(len(events))])
		}
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		one, other := NewBook(0), NewBook(0)
		var back []Event // What each server hears of the other, late.
		for rest := mixed; len(rest) > 0; {
			n := 1 + r.IntN(min(5, len(rest)))
			if r.IntN(2) == 0 {
				one.Apply(rest[:n], at(700))
			} else {
				other.Apply(rest[:n], at(700))
			}
			back = append(rest[:n:n], back...)
			rest = rest[n:]
		}
		one.Apply(back, at(700))
		other.Apply(back, at(700))
		for _, b := range []*Book{one, other} {
			if got := told(t, b); got != want {
				t.Fatalf("seed %d:\ngot  %s\nwant %s", seed, got, want)
			}
		}
		version := one.Snapshot().Version
		if one.Apply(mixed, at(700)); one.Snapshot().Version != version {
			t.Fatalf("seed %d: what was known made another version", seed)
		}
	}
}

func TestDeclaredWordsNeverCover(t *testing.T) {
	t.Parallel()
	for measured := range MajorOutage + 1 {
		for declared := range MajorOutage + 1 {
			got := Shown(measured, declared)
			if got < measured || measured == NoState && got == Operational {
				t.Errorf("measured %q, declared %q: shown %q", measured, declared, got)
			}
			if measured != NoState && got < declared {
				t.Errorf("measured %q, declared %q: shown %q", measured, declared, got)
			}
		}
	}
	for o, want := range map[status.Outcome]State{status.Unknown: NoState, status.Up: Operational, status.Degraded: DegradedPerformance, status.Down: MajorOutage} {
		if got := Measured(o); got != want {
			t.Errorf("%v: %v", o, got)
		}
	}
	for want, states := range map[Impact][]State{
		None: {Operational, NoState, UnderMaintenance}, Minor: {DegradedPerformance, NoState}, Major: {MajorOutage, Operational}, Critical: {MajorOutage, MajorOutage},
	} {
		if got := Indicator(states); got != want {
			t.Errorf("%v: %v, want %v", states, got, want)
		}
	}
}

func TestIDsSortAndAreInTheirForm(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	last := ""
	for n := range 2000 {
		id := NewID(t0.Add(time.Duration(n) * time.Hour))
		if !IsID(id) || seen[id] || id <= last {
			t.Fatalf("id %q after %q", id, last)
		}
		seen[id], last = true, id
	}
	if Path("abc") != "/incidents/abc" || OccurrenceID("abc", "20261201T0300") != "abc-20261201t0300" || OccurrenceID("abc", "") != "abc" {
		t.Error("addresses")
	}
}

func TestEventsThatNoStoreKeepsAreRefused(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	good := s.add(0, opened())
	for name, spoil := range map[string]func(*Event){
		"id": func(e *Event) { e.ID = "x" }, "incident": func(e *Event) { e.Incident = "../../x" }, "at": func(e *Event) { e.At = time.Time{} },
		"shown_at": func(e *Event) { e.ShownAt = e.At.Add(time.Nanosecond) }, "kind": func(e *Event) { e.Kind = "" }, "actor": func(e *Event) { e.Actor = "a\nb" },
		"after": func(e *Event) { e.After = "\x00" }, "v": func(e *Event) { e.Version = 0 }, "body": func(e *Event) { e.Body = "{" },
		"body, which": func(e *Event) { e.Body = `"` + strings.Repeat("x", MaxBody) + `"` },
	} {
		bad := good
		spoil(&bad)
		if err := CheckEvents([]Event{good, bad}); !errors.Is(err, status.ErrInvalid) || !strings.Contains(err.Error(), "bad "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
