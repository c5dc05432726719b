package views

import (
	"regexp"
	"statuspage/internal/incident"
	"statuspage/views/lang"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
)

// told makes an incident of contents, ten minutes after one another; the last one at now. Ids are in their order.
func told(t *testing.T, id string, contents ...incident.Content) *incident.Incident {
	t.Helper()
	var events []incident.Event
	for n, c := range contents {
		for _, e := range events { // Later contents may name earlier ones by number.
			switch c := c.(type) {
			case *incident.Revised:
				c.Update = strings.Replace(c.Update, "#0", e.ID, 1)
			case *incident.Withdrawn:
				c.Update = strings.Replace(c.Update, "#1", events[len(events)-1].ID, 1)
			}
		}
		e, err := incident.New(incident.Stamp{At: now.Add(time.Duration(n-len(contents)+1) * 10 * time.Minute), Incident: id, Actor: "human:ana"}, c)
		if err != nil {
			t.Fatal(err)
		}
		e.ID = "00000000-0000-7000-8000-" + id[:10] + string(rune('0'+n/10)) + string(rune('0'+n%10))
		events = append(events, e)
	}
	i, is := incident.Fold(events)
	if !is {
		t.Fatal("nobody opened it")
	}
	return i
}

func someIncidents(t *testing.T) []*incident.Incident {
	t.Helper()
	update := func(s incident.Status, text string, impacts ...incident.Affected) *incident.Posted {
		return &incident.Posted{Words: incident.Words{Status: s, Text: text, Impacts: impacts}}
	}
	outage := told(t, "a00000000001",
		&incident.Opened{Kind: incident.KindIncident, Title: `API <script>alert("1")</script> fails`, Words: incident.Words{
			Status: incident.Investigating, Text: "We **look** at it. <img src=x onerror=alert(1)>", Impacts: []incident.Affected{{Service: "api", State: incident.MajorOutage}, {Service: "gone", State: incident.PartialOutage}},
		}},
		update(incident.Investigating, "Wrong here."),
		&incident.Withdrawn{Update: "#1"},
		&incident.Revised{Update: "#0", Text: "We **look** at it.\n\n- one\n- [two](javascript:alert(1))"},
		update(incident.Identified, "Found: see https://blog.example/x.", incident.Affected{Service: "api", State: incident.DegradedPerformance}),
	)
	notice := told(t, "b00000000001", &incident.Opened{Kind: incident.KindNotice, Title: "New address", Words: incident.Words{Status: incident.Active, Text: "From May on."}})
	draft := told(t, "c00000000001", &incident.Opened{Kind: incident.KindIncident, Draft: true, Title: "SECRET", Words: incident.Words{Status: incident.Investigating, Text: "SECRET"}})
	running := told(t, "d00000000001", &incident.Opened{
		Kind: incident.KindMaintenance, Title: "Disks", Schedule: &incident.Schedule{Start: "2026-03-29T11:30", Minutes: 60, Zone: "UTC"},
		Words: incident.Words{Status: incident.Scheduled, Text: "New disks.", Impacts: []incident.Affected{{Service: "web", State: incident.UnderMaintenance}}},
	})
	series := told(t, "e00000000001", &incident.Opened{
		Kind: incident.KindMaintenance, Title: "Weekly", Schedule: &incident.Schedule{Start: "2026-03-31T03:00", Minutes: 30, Zone: "Europe/Berlin", Rule: "FREQ=WEEKLY;COUNT=3"},
		Words: incident.Words{Status: incident.Scheduled, Impacts: []incident.Affected{{Service: "web", State: incident.UnderMaintenance}}},
	}, &incident.Moved{Occurrence: "20260407T0300", Start: "2026-04-07T23:50", Minutes: 30})
	over := told(t, "f00000000001", &incident.Opened{Kind: incident.KindIncident, Title: "Long ago", Words: incident.Words{Status: incident.Investigating, Text: "…"}}, update(incident.Resolved, "Over."),
		&incident.PostmortemPublished{Text: "# Why\n\nA cable."})
	return []*incident.Incident{outage, notice, draft, running, series, over}
}

var watched = IncidentInput{Now: now, Services: func(id string) (string, bool) {
	name, is := map[string]string{"api": "The API", "web": "Web & shop"}[id]
	return name, is
}}

func TestWordsOnThePage(t *testing.T) {
	t.Parallel()
	all := someIncidents(t)
	v := BuildIncidents(all, watched, english)
	head := Head{Lang: english.Lang}
	golden(t, "incidents-going.html", render(t, GoingList(head, v)))
	golden(t, "incidents-planned.html", render(t, PlannedView(head, v)))
	golden(t, "incidents-none.html", render(t, GoingList(head, Incidents{})))
	for n, name := range map[int]string{0: "outage", 4: "series", 5: "over"} {
		golden(t, "incident-"+name+".html", render(t, IncidentDetail(head, BuildIncidentView(all[n], watched, english))))
	}
	if got := v.Going[0].Title; !strings.HasPrefix(got, "API") || len(v.Going) != 3 || len(v.Planned) != 1 {
		t.Errorf("the worst comes first: %q of %d, %d planned", got, len(v.Going), len(v.Planned))
	}
}

var missing = regexp.MustCompile(`%!|<b></b>|>: <|: </li>|aria-label=""`)

// Every text is there in every language, and nothing that people wrote gets out of its place.
func TestWordsInEveryLanguage(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Asia/Kathmandu")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lang.All() {
		to := Local{Lang: l, Zone: zone, Base: "/status"}
		head := Head{Lang: l, Site: Site{Base: to.Base}}
		v := BuildIncidents(someIncidents(t), watched, to)
		v.More = 2
		parts := []templ.Component{GoingList(head, v), PlannedView(head, v)}
		for _, i := range someIncidents(t) {
			parts = append(parts, IncidentDetail(head, BuildIncidentView(i, watched, to)))
		}
		for n, c := range parts {
			got := string(render(t, c))
			if found := missing.FindString(got); found != "" {
				t.Errorf("%s, part %d: %q in %s", l.Code, n, found, got)
			}
			if strings.Contains(got, "<script") || strings.Contains(got, "<img") || strings.Contains(got, "javascript:") {
				t.Errorf("%s, part %d: %s", l.Code, n, got)
			}
			if n < 2 && strings.Contains(got, "SECRET") {
				t.Errorf("%s: a draft is shown: %s", l.Code, got)
			}
			for _, href := range regexp.MustCompile(`href="(/[^"]*)"`).FindAllStringSubmatch(got, -1) {
				if !strings.HasPrefix(href[1], "/status/") {
					t.Errorf("%s, part %d: %s is not below the page's path", l.Code, n, href[1])
				}
			}
		}
		for _, kind := range []incident.Kind{incident.KindIncident, incident.KindMaintenance, incident.KindNotice} {
			for _, s := range kind.Statuses() {
				if PhaseText(l, s) == "" {
					t.Errorf("%s has no word for %s", l.Code, s)
				}
			}
		}
		for s := range incident.MajorOutage + 1 {
			if DeclaredText(l, s) == "" {
				t.Errorf("%s has no word for %q", l.Code, s)
			}
		}
	}
}
