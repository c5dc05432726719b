package incident

import (
	"encoding/json"
	"errors"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"testing"
	"time"
)

func rules(minutes int) Rules {
	return Rules{Now: at(minutes), Services: func(id string) bool { return slices.Contains([]string{"api", "web"}, id) }}
}

func fields(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var refused *RefusedError
	if !errors.As(err, &refused) || !errors.Is(err, status.ErrInvalid) {
		t.Fatalf("%v is no RefusedError", err)
	}
	var all []string
	for _, p := range refused.Problems {
		if p.String() == "" || strings.HasSuffix(p.String(), " ") {
			t.Errorf("%+v has no words", p)
		}
		all = append(all, p.Field+" "+string(p.Why))
	}
	return strings.Join(all, ", ")
}

func TestEveryRefusedFieldIsNamed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", MaxText+1)
	for _, c := range []struct {
		spoil func(*Opened)
		want  string
	}{
		{func(*Opened) {}, ""},
		{func(o *Opened) { o.Kind = "party" }, "kind not_allowed"},
		{func(o *Opened) { o.Title, o.Words.Text = " ", "" }, "title missing, words.text missing"},
		{func(o *Opened) { o.Title, o.Words.Text = strings.Repeat("ä", 256), long }, "title too_long, words.text too_long"},
		{func(o *Opened) { o.Title, o.Words.Text = "a\u202eb", "a\x00b" }, "title unreadable, words.text unreadable"},
		{func(o *Opened) { o.Title, o.Words.Text = "a\xff", "a\xff" }, "title unreadable, words.text unreadable"},
		{func(o *Opened) { o.Words.Text = "one\r\ntwo\tthree" }, ""},
		{func(o *Opened) { o.Words.Status = Scheduled }, "words.status not_allowed"},
		{func(o *Opened) {
			o.Words.Impacts = []Affected{{"ftp", MajorOutage}, {"api", NoState}, {"api", Operational}}
		}, "words.impacts[0].service not_there, words.impacts[1].state not_allowed, words.impacts[2].service twice"},
		{func(o *Opened) { o.Words.Impacts = make([]Affected, 1001) }, "words.impacts too_many"},
		{func(o *Opened) { o.StartedAt = at(5) }, "started_at in_the_future"},
		{func(o *Opened) { o.StartedAt = time.Unix(0, 0) }, "started_at in_the_past"},
		{func(o *Opened) { o.StartedAt = at(-9999) }, ""},
		{func(o *Opened) { o.PublishAt = at(5) }, "publish_at not_allowed"},
		{func(o *Opened) { o.Metadata = json.RawMessage(`[]`) }, "metadata unreadable"},
		{func(o *Opened) { o.Metadata = json.RawMessage(`{"a":"` + strings.Repeat("x", 9000) + `"}`) }, "metadata too_long"},
		{func(o *Opened) { o.Schedule = &Schedule{} }, "schedule not_allowed"},
		{func(o *Opened) { o.Kind, o.Words.Status = KindMaintenance, Scheduled }, "schedule missing"},
		{func(o *Opened) {
			o.Kind, o.Words.Status, o.Words.Impacts = KindNotice, Active, []Affected{{"api", MajorOutage}}
		}, "words.impacts[0] not_allowed"},
	} {
		o := opened()
		c.spoil(o)
		if got := fields(t, rules(0).Refuse(o, nil)); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	for want, spoil := range map[string]func(*Schedule){
		"":                                  func(s *Schedule) { s.Remind, s.Except = []int{60, 1440}, []string{"2026-03-12T03:00"} },
		"schedule.start missing":            func(s *Schedule) { s.Start = "" },
		"schedule.start unreadable":         func(s *Schedule) { s.Start = "2026-02-30T03:00" },
		"schedule.zone unreadable":          func(s *Schedule) { s.Zone = "Local" },
		"schedule.minutes not_allowed":      func(s *Schedule) { s.Minutes = 0 },
		"schedule.rrule unreadable":         func(s *Schedule) { s.Rule = "FREQ=SECONDLY" },
		"schedule.rrule not_allowed":        func(s *Schedule) { s.Rule = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" },
		"schedule.manual_start not_allowed": func(s *Schedule) { s.Rule, s.ManualStart = "FREQ=DAILY", true },
		"schedule.manual_end not_allowed":   func(s *Schedule) { s.Rule, s.ManualEnd = "FREQ=DAILY", true },
		"schedule.except[1] unreadable":     func(s *Schedule) { s.Except = []string{"2026-03-12T03:00", "x"} },
		"schedule.remind[0] not_allowed":    func(s *Schedule) { s.Remind = []int{0} },
		"schedule.remind too_many":          func(s *Schedule) { s.Remind = []int{1, 2, 3, 4, 5, 6} },
	} {
		s := once()
		spoil(&s)
		if got := fields(t, rules(0).Refuse(planned(s), nil)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWhatDoesNotFitTheStateIsRefused(t *testing.T) {
	t.Parallel()
	incident, maintenance, series, removed := newStory(t), newStory(t), newStory(t), newStory(t)
	first := incident.add(0, opened())
	gone := incident.add(1, posted(Identified, "x"))
	incident.add(2, &Withdrawn{gone.ID})
	maintenance.add(0, planned(once()))
	daily := once()
	daily.Rule = "FREQ=DAILY;COUNT=3"
	series.add(0, planned(daily))
	removed.add(0, opened())
	removed.add(1, &Removed{})
	minor := Impact(9)
	for n, c := range []struct {
		on   *story
		c    Content
		want string
	}{
		{incident, opened(), "id twice"},
		{removed, posted(Resolved, "x"), "id closed"},
		{incident, posted(Resolved, "x"), ""},
		{incident, posted(Completed, ""), "status not_allowed, text missing"},
		{incident, &Posted{Words: Words{Status: Resolved, Text: "x"}, Occurrence: "x"}, "occurrence not_allowed"},
		{incident, &Revised{Update: first.ID, Text: "y"}, ""},
		{incident, &Revised{Update: "y", Text: "", ShownAt: at(99)}, "update not_there, text missing, shown_at in_the_future"},
		{incident, &Withdrawn{gone.ID}, "update closed"},
		{incident, &Retitled{"a\nb"}, "title unreadable"},
		{incident, &Dated{}, "started_at missing"},
		{incident, &Overridden{&minor}, "impact not_allowed"},
		{incident, &Published{}, "draft unchanged"},
		{incident, &Rescheduled{Schedule: once()}, "kind not_allowed"},
		{incident, &Moved{}, "kind not_allowed"},
		{incident, &Extended{}, "kind not_allowed"},
		{incident, &Linked{Link{"ftp", time.Time{}, time.Time{}}}, "service not_there, from missing"},
		{incident, &Linked{Link{"api", at(2), at(1)}}, "to backwards"},
		{incident, &Unlinked{Link{"api", at(2), at(1)}}, "service not_there"},
		{incident, &PostmortemPublished{}, "text missing"},
		{incident, &PostmortemWithdrawn{}, "text not_there"},
		{incident, &Described{json.RawMessage(`1`)}, "metadata unreadable"},
		{maintenance, &PostmortemDrafted{"x"}, "kind not_allowed"},
		{maintenance, posted(InProgress, ""), ""},
		{maintenance, &Extended{Until: berlin("11 04:00")}, ""},
		{maintenance, &Extended{}, "until missing"},
		{maintenance, &Extended{Until: berlin("11 02:00")}, "until backwards"},
		{maintenance, &Extended{Until: berlin("11 02:00").AddDate(1, 0, 0)}, "until too_long"},
		{maintenance, &Rescheduled{Schedule: Schedule{Zone: "UTC", Minutes: 1}}, "schedule.start missing"},
		{series, posted(InProgress, ""), "occurrence missing"},
		{series, posted(Cancelled, ""), ""},
		{series, &Posted{Words: Words{Status: InProgress}, Occurrence: "20260312T0300"}, ""},
		{series, &Posted{Words: Words{Status: InProgress}, Occurrence: "20260319T0300"}, "occurrence not_there"},
		{series, &Moved{Occurrence: "20260312T0300", Start: "2026-03-12T05:00", Minutes: 9}, ""},
		{series, &Moved{Occurrence: "20260312T0300", Start: "later", Minutes: 9}, "start unreadable"},
		{series, &Moved{Occurrence: "20260312T0300", Start: "2026-09-12T05:00", Minutes: 9}, "start not_allowed"},
	} {
		if got := fields(t, rules(3).Refuse(c.c, c.on.fold())); got != c.want {
			t.Errorf("%d: got %q, want %q", n, got, c.want)
		}
	}
	if got := fields(t, rules(3).Refuse(posted(Resolved, "x"), nil)); got != "id not_there" {
		t.Error(got)
	}
	late := series.fold()
	if got := fields(t, rules(minute("13 00:00")).Refuse(&Moved{Occurrence: "20260311T0300", Start: "2026-03-12T05:00", Minutes: 9}, late)); got != "occurrence closed" {
		t.Errorf("it is over: %s", got)
	}
}

func TestTextsAtTheirLimitsFitAnEvent(t *testing.T) {
	t.Parallel()
	for _, letter := range []string{"a", "\"", "<", "a\n", "𝄞"} {
		o := opened()
		o.Title, o.Words.Text = strings.Repeat("𝄞", MaxTitle), strings.Repeat(letter, MaxText/len([]rune(letter)))
		o.Metadata = json.RawMessage(`{"a":"` + strings.Repeat("<", maxMetadata-9) + `"}`)
		for n := range maxImpacts {
			o.Words.Impacts = append(o.Words.Impacts, Affected{strings.Repeat("s", 59) + strconv.Itoa(1000+n), UnderMaintenance})
		}
		every := Rules{Now: t0, Services: func(string) bool { return true }}
		if err := every.Refuse(o, nil); err != nil {
			t.Errorf("%q: %v", letter, err)
		}
		if _, err := New(Stamp{At: t0, Incident: "abcdefabcdef", Actor: "human:ana"}, o); err != nil {
			t.Errorf("%q: it is taken, and then %v", letter, err)
		}
	}
}

func TestTemplatesKnowTheirVariablesAndNothingElse(t *testing.T) {
	t.Parallel()
	good := Template{Name: "down", Kind: KindIncident, Title: "{{service}} is down", Text: "Since {{ since }} ({{zone}}): {{reason}}.", Status: Investigating}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	title, text := good.Fill(map[string]string{"service": "API\n{{zone}}", "since": "12:00", "zone": "Europe/Berlin", "reason": "[x](http://e) <b> *"})
	if title != "API {{zone}} is down" || text != `Since 12\:00 (Europe/Berlin)\: \[x\]\(http\:\/\/e\) \<b\> \*.` && text != `Since 12\:00 (Europe/Berlin): \[x\]\(http\://e\) \<b\> \*.` {
		t.Errorf("title %q, text %q", title, text)
	}
	for _, bad := range []Template{
		{Name: "a", Kind: KindIncident, Title: "{{password}}", Status: Investigating},
		{Name: "b", Kind: KindIncident, Text: "{{range .}}", Status: Investigating},
		{Name: "c", Kind: KindIncident, Text: "{{", Status: Investigating},
		{Name: "d", Kind: KindIncident, Status: Completed},
		{Name: "e", Kind: "x", Status: Investigating},
	} {
		if err := bad.Check(); !errors.Is(err, status.ErrInvalid) || !strings.Contains(err.Error(), `"`+bad.Name+`"`) {
			t.Errorf("%s: %v", bad.Name, err)
		}
	}
}
