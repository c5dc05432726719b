package views

import (
	"statuspage/internal/status"
	"time"
)

// NewsItem is a service that is not up, as the banner names it.
type NewsItem struct {
	State       string
	Name, Href  string // The link leads to the outage that goes on, else to the service.
	Text        string // What is the matter.
	At          string // Since when, RFC 3339; empty when that is not known.
	Since, Long string // The same for people, and how long that is by now.
}

// NewsInput is what the banner needs to know of a service that is not up.
type NewsInput struct {
	Service status.Service
	State   status.Outcome
	Last    status.Sample // The newest.
	Regions status.Tally  // Of Last.
	Outage  status.Outage // That goes on; the zero value when none does.
}

// BuildNews puts what is the matter with a service into words.
func BuildNews(in NewsInput, now time.Time, to Local) NewsItem {
	l := to.Lang
	n := NewsItem{
		State: in.State.String(), Name: in.Service.Name, Href: to.Base.At(ServicePath(in.Service.ID)),
		Text: stateText(l, in.State, in.Last, in.Regions),
	}
	if in.State == status.Down { // Which the sign and the headline say.
		n.Text = ReasonText(l, in.Last.Reason, int(in.Last.HTTPStatus)) + regionsText(l, in.Regions)
	}
	if in.Outage.Begin.IsZero() {
		return n
	}
	begin := in.Outage.Begin
	n.Href = to.Base.At(OutagePath(in.Outage))
	n.At = begin.UTC().Format(time.RFC3339)
	n.Since = l.T("news.since", sinceText(begin.In(to.Zone), now.In(to.Zone), to))
	if long := now.Sub(begin).Truncate(time.Minute); long > 0 {
		n.Long = l.Duration(long)
	}
	return n
}

// sinceText is an instant of today by its clock, another with its day.
func sinceText(at, now time.Time, to Local) string {
	if at.Format(DayPath) == now.Format(DayPath) {
		return to.Lang.Clock(at)
	}
	return to.Lang.ShortDate(at) + " " + to.Lang.Clock(at)
}

// shortSince is the clock of an instant of today, or the day of another.
func shortSince(at, now time.Time, to Local) string {
	if at.Format(DayPath) == now.Format(DayPath) {
		return to.Lang.Clock(at)
	}
	return to.Lang.ShortDate(at)
}
