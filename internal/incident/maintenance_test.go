package incident

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// berlin is a time on the wall of Berlin in March 2026, before its clocks change.
func berlin(text string) time.Time {
	wall, err := time.Parse("02 15:04", text)
	if err != nil {
		panic(err)
	}
	return time.Date(2026, 3, wall.Day(), wall.Hour()-1, wall.Minute(), 0, 0, time.UTC)
}

func planned(s Schedule) *Opened {
	return &Opened{
		Kind: KindMaintenance, Title: "Upgrade", Schedule: &s,
		Words: Words{Status: Scheduled, Text: "We upgrade.", Impacts: []Affected{{"api", UnderMaintenance}}},
	}
}

func once() Schedule {
	return Schedule{Start: "2026-03-11T03:00", Minutes: 30, Zone: "Europe/Berlin"}
}

// minute is when something is in a story, which begins at noon (13:00 in Berlin) of the 10th.
func minute(text string) int { return int(berlin(text).Sub(t0) / time.Minute) }

func (i *Incident) one(t *testing.T, now time.Time) Occurrence {
	t.Helper()
	all := i.Occurrences(now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0), now)
	if len(all) != 1 {
		t.Fatalf("%d occurrences: %+v", len(all), all)
	}
	return all[0]
}

func times(o Occurrence) string {
	show := func(at time.Time) string {
		if at.IsZero() {
			return "?"
		}
		return at.Add(time.Hour).Format("02 15:04")
	}
	text := []string{string(o.Phase), show(o.Start) + "–" + show(o.End)}
	for _, late := range o.Late {
		text = append(text, "late", show(late.From)+"–"+show(late.To))
	}
	for word, is := range map[string]bool{"moved": o.Moved, "extended": o.Extended, "early": o.Early} {
		if is {
			text = append(text, word)
		}
	}
	return strings.Join(text, " ")
}

func TestMaintenanceFollowsTheClock(t *testing.T) {
	t.Parallel()
	manual, open := once(), once()
	manual.ManualStart, open.ManualEnd = true, true
	for _, c := range []struct {
		name     string
		schedule Schedule
		said     func(s *story)
		now      string
		want     string
	}{
		{"planned", once(), nil, "11 02:59", "scheduled 11 03:00–11 03:30"},
		{"goes on", once(), nil, "11 03:00", "in_progress 11 03:00–11 03:30"},
		{"done", once(), nil, "11 03:30", "completed 11 03:00–11 03:30"},
		{"waits", manual, nil, "11 05:00", "scheduled ?–?"},
		{"begun by hand", manual, func(s *story) { s.add(minute("11 03:10"), posted(InProgress, "")) }, "11 03:20", "in_progress 11 03:10–11 03:30"},
		{"begun by hand too late", manual, func(s *story) { s.add(minute("11 04:00"), posted(InProgress, "")) }, "11 04:20", "in_progress 11 04:00–11 04:30"},
		{"begun before its time", once(), func(s *story) { s.add(minute("11 02:50"), posted(InProgress, "")) }, "11 02:55", "in_progress 11 02:50–11 03:30"},
		{"no end yet", open, nil, "13 09:00", "in_progress 11 03:00–?"},
		{"ended by hand", open, func(s *story) { s.add(minute("11 04:00"), posted(Completed, "")) }, "13 09:00", "completed 11 03:00–11 04:00"},
		{"ended early", once(), func(s *story) { s.add(minute("11 03:10"), posted(Completed, "")) }, "11 03:10", "completed 11 03:00–11 03:10 early"},
		{"words after the end", once(), func(s *story) { s.add(minute("11 03:50"), posted(Completed, "All well.")) }, "11 05:00", "completed 11 03:00–11 03:30"},
		{"verifying", once(), func(s *story) { s.add(minute("11 03:10"), posted(Verifying, "")) }, "11 03:20", "verifying 11 03:00–11 03:30"},
		{"extended", once(), func(s *story) { s.add(minute("11 03:20"), &Extended{Until: berlin("11 04:30")}) }, "11 04:00", "in_progress 11 03:00–11 04:30 extended"},
		{"extended too late", once(), func(s *story) { s.add(minute("11 03:45"), &Extended{Until: berlin("11 04:30")}) }, "11 04:00", "in_progress 11 03:00–11 04:30 late 11 03:30–11 03:45 extended"},
		{"moved", once(), func(s *story) {
			to := once()
			to.Start = "2026-03-12T04:00"
			s.add(minute("10 20:00"), &Rescheduled{Schedule: to})
		}, "11 03:10", "scheduled 12 04:00–12 04:30 moved"},
		{"cancelled", once(), func(s *story) { s.add(minute("10 20:00"), posted(Cancelled, "")) }, "11 03:10", "cancelled 11 03:00–11 03:30"},
		{"cancelled while it goes on", once(), func(s *story) { s.add(minute("11 03:10"), posted(Cancelled, "")) }, "11 03:20", "completed 11 03:00–11 03:10 early"},
		{"cancelling taken back", once(), func(s *story) {
			e := s.add(minute("10 20:00"), posted(Cancelled, ""))
			s.add(minute("10 20:05"), &Withdrawn{e.ID})
		}, "11 03:10", "in_progress 11 03:00–11 03:30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newStory(t)
			s.add(0, planned(c.schedule))
			if c.said != nil {
				c.said(s)
			}
			if got := times(s.fold().one(t, berlin(c.now))); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestWhatIsDeclaredAfterwardsIsLate(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	s.add(minute("11 03:20"), planned(once()))
	i := s.fold()
	if got := times(i.one(t, berlin("12 00:00"))); got != "completed 11 03:00–11 03:30 late 11 03:00–11 03:20" {
		t.Error(got)
	}
	masks := Masks([]*Incident{i}, berlin("10 00:00"), berlin("20 00:00"), berlin("12 00:00"))
	if len(masks) != 2 || !masks[0].Late || masks[1].Late || !masks[1].From.Equal(berlin("11 03:20")) || masks[0].Service != "api" {
		t.Errorf("masks %+v", masks)
	}
	for at, want := range map[string]bool{"11 02:59": false, "11 03:10": false, "11 03:20": true, "11 03:29": true, "11 03:30": false} {
		if got := Excused(masks, "api", berlin(at)); got != want {
			t.Errorf("excused at %s: %v", at, got)
		}
	}
	if Excused(masks, "web", berlin("11 03:25")) {
		t.Error("web has no maintenance")
	}
	// While it goes on, the mask ends now.
	if masks = Masks([]*Incident{i}, berlin("10 00:00"), berlin("20 00:00"), berlin("11 03:25")); !masks[1].To.Equal(berlin("11 03:25")) {
		t.Errorf("masks %+v", masks)
	}
	if got := Declared([]*Incident{i}, berlin("11 03:25"))["api"]; len(got) != 1 || got[0].State != UnderMaintenance {
		t.Errorf("declared %v", got)
	}
	if got := Declared([]*Incident{i}, berlin("11 03:30")); len(got) != 0 {
		t.Errorf("declared afterwards: %v", got)
	}
}

func TestASeriesIsChangedOneByOne(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	weekly := Schedule{Start: "2026-03-16T03:00", Minutes: 30, Zone: "Europe/Berlin", Rule: "FREQ=DAILY;COUNT=6", Except: []string{"2026-03-17T03:00"}}
	s.add(0, planned(weekly))
	s.add(1, &Moved{Occurrence: "20260318T0300", Start: "2026-03-18T22:00", Minutes: 60})
	s.add(2, &Posted{Words: Words{Status: Cancelled}, Occurrence: "20260319T0300"})
	s.add(minute("16 03:15"), &Extended{Occurrence: "20260316T0300", Until: berlin("16 04:00")})
	s.add(minute("16 03:50"), &Posted{Words: Words{Status: Completed, Impacts: []Affected{{"web", MajorOutage}}}, Occurrence: "20260316T0300"})
	list := func(now string) (all []string) {
		for _, o := range s.fold().Occurrences(berlin("01 00:00"), berlin("30 00:00"), berlin(now)) {
			all = append(all, o.Key[6:8]+" "+times(o))
		}
		return all
	}
	want := []string{
		"16 completed 16 03:00–16 03:50 extended", "18 scheduled 18 22:00–18 23:00 moved", "19 cancelled 19 03:00–19 03:30", "20 scheduled 20 03:00–20 03:30", "21 scheduled 21 03:00–21 03:30",
	}
	if got := list("17 12:00"); !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	// Another schedule: what had begun stays, and nothing is made in the past.
	later := weekly
	later.Start, later.Rule, later.Except = "2026-03-10T05:00", "FREQ=DAILY;UNTIL=20260321", nil
	s.add(minute("19 12:00"), &Rescheduled{Schedule: later})
	want = append(want[:1:1], "18 completed 18 22:00–18 23:00 moved", "19 cancelled 19 03:00–19 03:30", "20 scheduled 20 05:00–20 05:30", "21 scheduled 21 05:00–21 05:30")
	if got := list("19 13:00"); !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	s.add(minute("20 05:10"), posted(Cancelled, "No more."))
	want = append(want[:3:3], "20 completed 20 05:00–20 05:10 early", "21 cancelled 21 05:00–21 05:30")
	if got := list("20 06:00"); !slices.Equal(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	i := s.fold()
	if o, is := i.Now(berlin("20 05:05")); !is || o.Key != "20260320T0500" || len(o.Affected) != 1 {
		t.Errorf("now: %+v", o)
	}
	if i.Over(berlin("20 05:05")) || !i.Over(berlin("22 00:00")) || i.Sequence != 6 {
		t.Errorf("over %v, sequence %d", i.Over(berlin("22 00:00")), i.Sequence)
	}
}
