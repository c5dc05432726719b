package statuspage

import (
	"encoding/json"
	"slices"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

var now = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

func site(shared bool) *Site {
	services := []Service{
		{Service: status.Service{ID: "web", Name: "Website", URL: "https://web.example"}, State: incident.Operational},
		{Service: status.Service{ID: "api", Name: "API", URL: "https://secret.example", HideURL: true}, State: incident.MajorOutage, Changed: now},
		{Service: status.Service{ID: "new", Name: "New"}},
	}
	return &Site{
		ID: "p", Name: "Acme", URL: "https://status.example", Zone: "UTC", Updated: now, Services: services, Now: now.Add(time.Hour), Shared: shared,
		Groups: []status.Group{{ID: "public", Name: "Public", Services: []string{"web", "api"}}, {ID: status.NoGroup, Services: []string{"new"}}},
	}
}

func fold(t *testing.T, id string, contents ...incident.Content) *incident.Incident {
	t.Helper()
	var events []incident.Event
	for n, c := range contents {
		e, err := incident.New(incident.Stamp{At: now.Add(time.Duration(n) * time.Minute), Incident: id, Actor: "human:ana"}, c)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	slices.Reverse(events)
	i, is := incident.Fold(append(events, events...))
	if !is {
		t.Fatal("nobody opened it")
	}
	return i
}

func text(t *testing.T, v any) string {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestComponentsAreServicesAndGroups(t *testing.T) {
	t.Parallel()
	var got []string
	for _, c := range site(true).Components() {
		group := "-"
		if c.GroupID != nil {
			group = *c.GroupID
		}
		got = append(got, c.ID+" "+c.Status.String()+" "+group)
	}
	// The group is as its worst service, and what nobody knows has no word.
	if want := []string{"public major_outage -", "web operational public", "api major_outage public", "new  -"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if all := text(t, site(true).Components()); strings.Contains(all, "secret.example") {
		t.Errorf("a hidden address is told: %s", all)
	}
}

// TestWhatReadersDemand: strings that are never null, times with a zone, the newest update first.
func TestWhatReadersDemand(t *testing.T) {
	t.Parallel()
	i := fold(t, "a00000000001", &incident.Opened{Kind: incident.KindIncident, Title: "Fault", Metadata: json.RawMessage(`{"jira":{"key":"SECRET"}}`), Words: incident.Words{Status: incident.Investigating, Text: "First.", Impacts: []incident.Affected{{Service: "api", State: incident.MajorOutage}, {Service: "gone", State: incident.PartialOutage}}}},
		&incident.Posted{Words: incident.Words{Status: incident.Resolved, Text: "Last."}}, &incident.PostmortemDrafted{Text: "SECRET"})
	s := site(true)
	got := s.Incident(i)
	if got.Impact != "major" || got.Status != incident.Resolved || len(got.Updates) != 2 || got.Updates[0].Body != "Last." || got.ResolvedAt == nil || got.Shortlink != "https://status.example/incidents/a00000000001" {
		t.Errorf("%+v", got)
	}
	all := text(t, got)
	for _, bad := range []string{"SECRET", `"impact":null`, `"status":null`, `"shortlink":null`, `"started_at":null`, `"head"`, `"incident_updates":null`, `"components":null`, `"affected_components":null`, "scheduled_for"} {
		if strings.Contains(all, bad) {
			t.Errorf("%s is there: %s", bad, all)
		}
	}
	if own := text(t, site(false).Incident(i)); !strings.Contains(own, `"head":"`+i.Head+`"`) || !strings.Contains(own, `{"jira":{"key":"SECRET"}}`) {
		t.Errorf("who may write lacks something: %s", own)
	}
}

func TestWordsThatStatuspageHasNot(t *testing.T) {
	t.Parallel()
	s := site(true)
	notice := s.Incident(fold(t, "a00000000001", &incident.Opened{Kind: incident.KindNotice, Title: "Notice", Words: incident.Words{Status: incident.Active, Text: "x"}}))
	if notice.Status != incident.Identified || notice.Impact != "none" {
		t.Errorf("a notice is %s with impact %s", notice.Status, notice.Impact)
	}
	series := fold(t, "b00000000001", &incident.Opened{Kind: incident.KindMaintenance, Title: "Weekly", Schedule: &incident.Schedule{Start: "2026-03-20T12:30", Minutes: 60, Zone: "UTC", Rule: "FREQ=WEEKLY"}, Words: incident.Words{Status: incident.Scheduled}},
		&incident.Posted{Words: incident.Words{Status: incident.Cancelled}, Occurrence: "20260327T1230"})
	going, next := s.Upcoming(series)
	if len(going) != 1 || len(next) != 1 || going[0].Status != incident.InProgress || string(*next[0].ScheduledFor) != "2026-04-03T12:30:00.000Z" || next[0].ID == going[0].ID || next[0].Impact != "maintenance" {
		t.Errorf("%s\n%s", text(t, going), text(t, next))
	}
	if got := s.Incident(series); got.ID != "b00000000001" {
		t.Errorf("who manages it needs its own id, not %s", got.ID)
	}
}

// TestIndicatorHasFourWords, and an impact that people set counts while it goes on.
func TestIndicatorHasFourWords(t *testing.T) {
	t.Parallel()
	s := site(true)
	if got := s.Indicator(nil); got != incident.Major {
		t.Errorf("%s", got)
	}
	s.Services[1].State = incident.UnderMaintenance
	if got := s.Indicator(nil); got != incident.None {
		t.Errorf("maintenance is %s", got)
	}
	critical := incident.Critical
	set := &incident.Opened{Kind: incident.KindIncident, Title: "Fault", Override: &critical, Words: incident.Words{Status: incident.Investigating, Text: "x"}}
	if got := s.Indicator([]*incident.Incident{fold(t, "a00000000001", set)}); got != incident.Critical {
		t.Errorf("what people set is %s", got)
	}
	if got := s.Indicator([]*incident.Incident{fold(t, "a00000000001", set, &incident.Posted{Words: incident.Words{Status: incident.Resolved, Text: "x"}})}); got != incident.None {
		t.Errorf("what is over is %s", got)
	}
}
