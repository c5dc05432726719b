// Package calendar writes planned maintenance as iCalendar, for programs that keep calendars. A series is written as single events in
// UTC, a year ahead: programs differ in what they make of rules and of zones. An event keeps its UID when it moves, and one that was
// cancelled stays and says so, since a program that only misses it keeps showing it.
package calendar

import (
	"slices"
	"statuspage/internal/incident"
	"statuspage/internal/incident/markdown"
	"strings"
	"time"

	ics "github.com/arran4/golang-ical"
)

const (
	// Type is the media type of what is written.
	Type = "text/calendar; charset=utf-8"

	back       = 90 * 24 * time.Hour // How long what is over stays.
	ahead      = 1                   // Years.
	refresh    = "PT1H"
	product    = "-//statuspage//maintenance//EN"
	maxLetters = 4000 // Of a description; all of the words stand on the page.
	maxEvents  = 5000
)

// Calendar is the maintenance of the page, of a group or of a service.
type Calendar struct {
	Title string
	Base  string // Absolute address of the site, without a slash at the end.
	Host  string // In the UIDs.
	Now   time.Time
	Phase func(incident.Status) string // In words.
	Takes func(service string) bool    // Which services it is of; nil for all, and for what names none.
}

// Write writes it; the same incidents at the same instant give the same bytes.
func (c Calendar) Write(all []*incident.Incident) []byte {
	out := ics.NewCalendarFor(product)
	out.SetProductId(product)
	out.SetMethod(ics.MethodPublish)
	out.SetName(line(c.Title))
	out.SetXWRCalName(line(c.Title))
	out.SetXPublishedTTL(refresh)
	out.SetRefreshInterval(refresh)
	left := maxEvents
	for _, i := range all {
		if i.Kind != incident.KindMaintenance || !i.Public(c.Now) {
			continue
		}
		for _, o := range i.Occurrences(c.Now.Add(-back), c.Now.AddDate(ahead, 0, 0), c.Now) {
			if c.about(i, o) && left > 0 {
				left--
				c.event(out, i, o)
			}
		}
	}
	return []byte(out.Serialize(ics.WithNewLineWindows))
}

// about tells whether an occurrence is of the calendar.
func (c Calendar) about(i *incident.Incident, o incident.Occurrence) bool {
	if c.Takes == nil {
		return true
	}
	for _, a := range o.Affected {
		if c.Takes(a.Service) {
			return true
		}
	}
	if len(o.Affected) > 0 {
		return false
	}
	return slices.ContainsFunc(i.Services, c.Takes)
}

func (c Calendar) event(out *ics.Calendar, i *incident.Incident, o incident.Occurrence) {
	e := out.AddEvent(incident.OccurrenceID(i.ID, o.Key) + "@" + c.Host)
	from, until := o.Start, o.End
	if from.IsZero() {
		from = o.Planned.From
	}
	if until.IsZero() {
		until = from.Add(o.Planned.To.Sub(o.Planned.From))
	}
	if second := from.Truncate(time.Second).Add(time.Second); until.Before(second) {
		until = second // No event ends where it begins.
	}
	e.SetDtStampTime(i.UpdatedAt.UTC())
	e.SetCreatedTime(i.CreatedAt.UTC())
	e.SetLastModifiedAt(i.UpdatedAt.UTC())
	e.SetSequence(i.Sequence)
	e.SetStartAt(from.UTC())
	e.SetEndAt(until.UTC())
	e.SetSummary(line(i.Title))
	e.SetURL(c.Base + incident.Path(i.ID))
	e.SetTimeTransparency(ics.TransparencyTransparent)
	switch {
	case o.Phase == incident.Cancelled:
		e.SetStatus(ics.ObjectStatusCancelled)
	case o.Start.IsZero(): // It waits for somebody to begin it.
		e.SetStatus(ics.ObjectStatusTentative)
	default:
		e.SetStatus(ics.ObjectStatusConfirmed)
	}
	text := c.Phase(o.Phase)
	if u, is := i.NewestOf(o.Key); is && u.Text != "" {
		text += "\n\n" + markdown.Text(u.Text)
	}
	if runes := []rune(text); len(runes) > maxLetters {
		text = string(runes[:maxLetters]) + "…"
	}
	e.SetDescription(lines(text))
}

// line is a text as one line, without what no calendar can carry.
func line(text string) string { return strings.Join(strings.Fields(lines(text)), " ") }

func lines(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r == 0x7f || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, text)
}
