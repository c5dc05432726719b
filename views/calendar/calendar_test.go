package calendar

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"statuspage/internal/incident"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
)

var update = flag.Bool("update", false, "accept the golden file as it comes out")

var now = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

func folded(t *testing.T, id string, backwards bool, contents ...incident.Content) *incident.Incident {
	t.Helper()
	var events []incident.Event
	for n, c := range contents {
		e, err := incident.New(incident.Stamp{At: now.Add(time.Duration(n) * time.Minute), Incident: id, Actor: "human:ana"}, c)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	if backwards {
		slices.Reverse(events)
		events = append(events, events...)
	}
	i, is := incident.Fold(events)
	if !is {
		t.Fatal("nobody opened it")
	}
	return i
}

func planned(title string, s incident.Schedule) *incident.Opened {
	return &incident.Opened{Kind: incident.KindMaintenance, Title: title, Schedule: &s, Words: incident.Words{
		Status: incident.Scheduled, Text: "**New** disks; and, \\ more.\n\nÄ line that is much longer than the seventy-five bytes that a line of a calendar may have at most.",
		Impacts: []incident.Affected{{Service: "web", State: incident.UnderMaintenance}},
	}}
}

func some(t *testing.T, backwards bool) []*incident.Incident {
	return []*incident.Incident{
		folded(t, "a00000000001", backwards, planned("Once", incident.Schedule{Start: "2026-04-01T03:00", Minutes: 30, Zone: "Europe/Berlin"}), &incident.Rescheduled{Schedule: incident.Schedule{Start: "2026-04-02T03:00", Minutes: 30, Zone: "Europe/Berlin"}}),
		folded(t, "b00000000001", backwards, planned("Over the change of the clock", incident.Schedule{Start: "2026-03-22T02:30", Minutes: 30, Zone: "Europe/Berlin", Rule: "FREQ=WEEKLY;COUNT=3"}),
			&incident.Posted{Words: incident.Words{Status: incident.Cancelled, Text: "Not this time."}, Occurrence: "20260329T0230"}),
		folded(t, "c00000000001", backwards, planned("By hand", incident.Schedule{Start: "2026-04-05T03:00", Minutes: 30, Zone: "UTC", ManualStart: true})),
		folded(t, "d00000000001", backwards, &incident.Opened{Kind: incident.KindMaintenance, Draft: true, Title: "SECRET", Schedule: &incident.Schedule{Start: "2026-04-05T03:00", Minutes: 30, Zone: "UTC"}, Words: incident.Words{Status: incident.Scheduled}}),
		folded(t, "e00000000001", backwards, &incident.Opened{Kind: incident.KindIncident, Title: "SECRET", Words: incident.Words{Status: incident.Investigating, Text: "No maintenance."}}),
	}
}

func write(all []*incident.Incident) []byte {
	return Calendar{Title: "Maintenance · Acme", Base: "https://status.example", Host: "status.example", Now: now.Add(time.Hour), Phase: func(s incident.Status) string { return string(s) }}.Write(all)
}

// TestCalendar keeps the bytes, which are the same in whatever order and however often events came.
func TestCalendar(t *testing.T) {
	t.Parallel()
	got := write(some(t, false))
	if again := write(some(t, true)); !bytes.Equal(got, again) {
		t.Errorf("another order of events gives another calendar:\n%s\n%s", got, again)
	}
	const name = "testdata/maintenance.ics"
	if *update {
		if err := os.WriteFile(name, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s differs (accept it with -update): %v\n%s", name, err, got)
	}
	if bytes.Contains(got, []byte("SECRET")) {
		t.Error("what is not planned, or not public, is there")
	}
	read, err := ics.ParseCalendar(bytes.NewReader(got))
	if err != nil || len(read.Events()) != 5 {
		t.Fatalf("%v, %d events", err, len(read.Events()))
	}
	for uid, want := range map[string]struct {
		start, status string
	}{
		"a00000000001@status.example":               {"20260402T010000Z", "CONFIRMED"},
		"b00000000001-20260322t0230@status.example": {"20260322T013000Z", "CONFIRMED"},
		"b00000000001-20260329t0230@status.example": {"20260329T013000Z", "CANCELLED"}, // The hour that is left out: an hour later on the wall.
		"b00000000001-20260405t0230@status.example": {"20260405T003000Z", "CONFIRMED"},
		"c00000000001@status.example":               {"20260405T030000Z", "TENTATIVE"},
	} {
		at := slices.IndexFunc(read.Events(), func(e *ics.VEvent) bool { return e.Id() == uid })
		if at < 0 {
			t.Errorf("there is no %s", uid)
			continue
		}
		e := read.Events()[at]
		if start, status := e.GetProperty(ics.ComponentPropertyDtStart).Value, e.GetProperty(ics.ComponentPropertyStatus).Value; start != want.start || status != want.status {
			t.Errorf("%s: %s %s, want %v", uid, start, status, want)
		}
	}
}

// TestWordsAboutOneTimeStandWithIt, and with no other of its series.
func TestWordsAboutOneTimeStandWithIt(t *testing.T) {
	t.Parallel()
	read, err := ics.ParseCalendar(bytes.NewReader(write(some(t, false))))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range read.Events() {
		about := strings.Contains(e.GetProperty(ics.ComponentPropertyDescription).Value, "Not this time.")
		if about != (e.Id() == "b00000000001-20260329t0230@status.example") {
			t.Errorf("%s says %q", e.Id(), e.GetProperty(ics.ComponentPropertyDescription).Value)
		}
	}
}
