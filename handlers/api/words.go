package api

import (
	"html"
	"slices"
	"statuspage/internal/incident"
	"statuspage/internal/incident/markdown"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/feed"
	"statuspage/views/lang"
	"strings"
	"time"
)

// feedClock is how feeds tell a time; they have no reader whose zone were known.
const feedClock = "2006-01-02 15:04 UTC"

func begins(e feed.Entry) time.Time {
	if e.Told != nil {
		return e.Told.Begin
	}
	return e.Outage.Begin
}

// explained tells whether an outage is part of what people wrote about.
func explained(words *incident.Outlook, o status.Outage, now time.Time) bool {
	until := o.End
	if o.Ongoing() {
		until = now
	}
	return slices.ContainsFunc(words.Around(o.Begin, until.Add(time.Microsecond)), func(t incident.Told) bool { return t.Explains(o) })
}

// told are the newest of what people wrote, of a service or of all: an entry each, or one for each of their updates. Those that are
// planned are there from when they were announced.
func told(words *incident.Outlook, service string, updates bool, now time.Time) (entries []feed.Entry) {
	taken := 0
	for _, i := range words.All { // Newest start first.
		if !i.Public(now) || service != "" && !about(i, service) {
			continue
		}
		if taken++; taken > 2*feedEntries {
			break
		}
		if !updates {
			entries = append(entries, feed.Entry{Told: whole(i, now)})
			continue
		}
		for _, u := range i.Updates {
			if !u.Withdrawn {
				entries = append(entries, feed.Entry{Told: single(i, u)})
			}
		}
	}
	return entries
}

func about(i *incident.Incident, service string) bool {
	return slices.Contains(i.Services, service) || slices.ContainsFunc(i.Links, func(l incident.Link) bool { return l.Service == service })
}

// whole is an incident with its timeline, newest first.
func whole(i *incident.Incident, now time.Time) *feed.Told {
	t := &feed.Told{Path: incident.Path(i.ID), Title: i.Title, Begin: i.StartedAt, Changed: i.UpdatedAt}
	var page, text strings.Builder
	if o, is := i.Now(now); is && i.Kind == incident.KindMaintenance {
		t.Begin = i.CreatedAt
		line := views.PhaseText(lang.Default(), o.Phase) + ": " + o.Planned.From.UTC().Format(feedClock) + " – " + o.Planned.To.UTC().Format(feedClock)
		page.WriteString("<p>" + html.EscapeString(line) + "</p>\n")
		text.WriteString(line + "\n\n")
	}
	for _, u := range slices.Backward(i.Updates) {
		if u.Withdrawn {
			continue
		}
		words := single(i, u)
		page.WriteString(words.HTML)
		text.WriteString(words.Text + "\n\n")
	}
	t.HTML, t.Text = page.String(), strings.TrimSpace(text.String())
	return t
}

// single is one update.
func single(i *incident.Incident, u incident.Update) *feed.Told {
	phase := views.PhaseText(lang.Default(), u.Status)
	head := phase + " · " + u.ShownAt.UTC().Format(feedClock)
	changed := u.RecordedAt
	if u.Revision > 0 {
		head, changed = head+" · "+lang.Default().T("incident.edited", u.RevisedAt.UTC().Format(feedClock)), u.RevisedAt
	}
	return &feed.Told{
		Path: incident.Path(i.ID) + "#" + u.ID, Title: phase + ": " + i.Title, Begin: u.ShownAt, Changed: changed,
		HTML: "<p><strong>" + html.EscapeString(head) + "</strong></p>\n" + markdown.HTML(u.Text), Text: head + "\n" + markdown.Text(u.Text),
	}
}
