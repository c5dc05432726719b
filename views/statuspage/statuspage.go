// Package statuspage writes incidents, maintenance and services in the forms of Atlassian Statuspage: those that anybody reads at
// /api/v2, and those that tools manage at /v1. Both have the same fields; what only those who write may see is added by Managed.
package statuspage

import (
	"cmp"
	"slices"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"time"
)

// Time is an instant as Statuspage writes it; nil is null.
type Time string

const timeFormat = "2006-01-02T15:04:05.000Z"

func at(t time.Time) Time { return Time(t.UTC().Format(timeFormat)) }

func maybe(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	text := at(t)
	return &text
}

// Site is what the forms are made of, at an instant.
type Site struct {
	ID, Name, URL, Zone string
	Updated             time.Time // When anything changed last.
	Groups              []status.Group
	Services            []Service // In the order of the page.
	Now                 time.Time
	Shared              bool // With everybody: drafts' fields and metadata are left out.

	listed map[string]Component // By id, when they have been asked for.
}

// Service is a service as the page shows it.
type Service struct {
	status.Service
	State   incident.State
	Changed time.Time // When its state changed last, as far as that is known.
}

// Page is the page itself.
type Page struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	URL       string `json:"url"`
	Zone      string `json:"time_zone"`
	UpdatedAt Time   `json:"updated_at"`
}

// Page is the site as Statuspage has it.
func (s *Site) Page() Page { return Page{s.ID, s.Name, s.URL, s.Zone, at(s.Updated)} }

// Component is a service or a group.
type Component struct {
	ID                 string         `json:"id"`
	Name               string         `json:"name"`
	Status             incident.State `json:"status"`
	CreatedAt          Time           `json:"created_at"`
	UpdatedAt          Time           `json:"updated_at"`
	Position           int            `json:"position"`
	Description        *string        `json:"description"`
	Showcase           bool           `json:"showcase"`
	StartDate          *string        `json:"start_date"`
	GroupID            *string        `json:"group_id"`
	PageID             string         `json:"page_id"`
	Group              bool           `json:"group"`
	OnlyShowIfDegraded bool           `json:"only_show_if_degraded"`
	Components         []string       `json:"components,omitempty"` // Of a group.
}

// epoch stands for when a service was made: nobody has written that down.
var epoch = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// Components are all: each group before its services.
func (s *Site) Components() []Component {
	all := []Component{}
	by := s.byID()
	for _, g := range s.Groups {
		var group *string
		if g.Name != "" {
			all = append(all, s.Group(g, len(all)+1))
			group = &g.ID
		}
		for _, id := range g.Services {
			if svc, is := by[id]; is {
				all = append(all, s.component(svc, group, len(all)+1))
			}
		}
	}
	return all
}

func (s *Site) byID() map[string]Service {
	by := make(map[string]Service, len(s.Services))
	for _, svc := range s.Services {
		by[svc.ID] = svc
	}
	return by
}

func (s *Site) component(svc Service, group *string, position int) Component {
	c := Component{
		ID: svc.ID, Name: svc.Name, Status: svc.State, CreatedAt: at(epoch), UpdatedAt: at(later(epoch, svc.Changed)), Position: position,
		Showcase: true, GroupID: group, PageID: s.ID,
	}
	if u := svc.PublicURL(); u != "" {
		c.Description = &u
	}
	return c
}

// Group is a group as a component. It is as its worst service; one without a state doesn't hide those that have one.
func (s *Site) Group(g status.Group, position int) Component {
	c := Component{ID: g.ID, Name: g.Name, CreatedAt: at(epoch), Position: position, Showcase: true, PageID: s.ID, Group: true, Components: []string{}}
	if g.Description != "" {
		c.Description = &g.Description
	}
	by, changed := s.byID(), epoch
	for _, id := range g.Services {
		if svc, is := by[id]; is {
			c.Components = append(c.Components, id)
			c.Status, changed = max(c.Status, svc.State), later(changed, svc.Changed)
		}
	}
	c.UpdatedAt = at(changed)
	return c
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Incident is an incident, a maintenance, or one time of a maintenance that comes again.
type Incident struct {
	ID             string          `json:"id"`
	Name           string          `json:"name"`
	Status         incident.Status `json:"status"`
	CreatedAt      Time            `json:"created_at"`
	UpdatedAt      Time            `json:"updated_at"`
	MonitoringAt   *Time           `json:"monitoring_at"`
	ResolvedAt     *Time           `json:"resolved_at"`
	Impact         string          `json:"impact"`
	Shortlink      string          `json:"shortlink"`
	StartedAt      Time            `json:"started_at"`
	PageID         string          `json:"page_id"`
	Updates        []Update        `json:"incident_updates"`
	Components     []Component     `json:"components"`
	ScheduledFor   *Time           `json:"scheduled_for,omitempty"`
	ScheduledUntil *Time           `json:"scheduled_until,omitempty"`
	*Managed
}

// Managed is what only who may write is shown.
type Managed struct {
	ImpactOverride *string            `json:"impact_override"`
	Metadata       map[string]any     `json:"metadata"`
	Kind           incident.Kind      `json:"kind"`
	Draft          bool               `json:"draft"`
	Head           string             `json:"head"` // The newest event, for "after".
	Forks          []incident.Fork    `json:"forks,omitempty"`
	Schedule       *incident.Schedule `json:"schedule,omitempty"`

	AutoInProgress bool `json:"scheduled_auto_in_progress"`
	AutoCompleted  bool `json:"scheduled_auto_completed"`
	RemindPrior    bool `json:"scheduled_remind_prior"`

	PostmortemBody        *string `json:"postmortem_body"`
	PostmortemPublishedAt *Time   `json:"postmortem_published_at"`
}

// Update is an entry of a timeline.
type Update struct {
	ID         string          `json:"id"`
	Status     incident.Status `json:"status"`
	Body       string          `json:"body"`
	IncidentID string          `json:"incident_id"`
	CreatedAt  Time            `json:"created_at"`
	UpdatedAt  Time            `json:"updated_at"`
	DisplayAt  Time            `json:"display_at"`
	Affected   []Affected      `json:"affected_components"`
	Deliver    bool            `json:"deliver_notifications"`
	Custom     *string         `json:"custom_tweet"`
	Tweet      *string         `json:"tweet_id"`
}

// Affected is what an update did to a component.
type Affected struct {
	Code string         `json:"code"`
	Name string         `json:"name"`
	Old  incident.State `json:"old_status"`
	New  incident.State `json:"new_status"`
}

// phase is a phase by the words that Statuspage has. A notice is something that is known; what was cancelled is over.
func phase(s incident.Status) incident.Status {
	switch s {
	case incident.Active:
		return incident.Identified
	case incident.Cancelled:
		return incident.Completed
	default:
		return s
	}
}

// Incident writes an incident or a notice, or a maintenance by the occurrence that counts at Now.
func (s *Site) Incident(i *incident.Incident) Incident {
	if i.Kind != incident.KindMaintenance {
		return s.incident(i)
	}
	o, is := i.Now(s.Now)
	if !is {
		o.Phase = incident.Scheduled
	}
	all := s.Occurrence(i, o)
	all.ID = i.ID
	return all
}

// Occurrence writes one time of a maintenance.
func (s *Site) Occurrence(i *incident.Incident, o incident.Occurrence) Incident {
	all := s.incident(i)
	from, until := o.Start, o.End
	if from.IsZero() {
		from = o.Planned.From
	}
	if until.IsZero() {
		until = o.Planned.To
	}
	all.ID, all.Status, all.Impact = incident.OccurrenceID(i.ID, o.Key), phase(o.Phase), "maintenance"
	all.ScheduledFor, all.ScheduledUntil, all.StartedAt = maybe(from), maybe(until), at(from)
	if o.Phase.Over() {
		all.ResolvedAt = maybe(o.End)
	}
	all.Components = s.named(o.Affected)
	if o.Key != "" {
		all.Updates = slices.DeleteFunc(all.Updates, func(u Update) bool {
			return slices.ContainsFunc(i.Updates, func(x incident.Update) bool { return x.ID == u.ID && x.Occurrence != "" && x.Occurrence != o.Key })
		})
	}
	return all
}

func (s *Site) incident(i *incident.Incident) Incident {
	all := Incident{
		ID: i.ID, Name: i.Title, Status: phase(i.Status), CreatedAt: at(i.CreatedAt), UpdatedAt: at(i.UpdatedAt), MonitoringAt: maybe(i.MonitoringAt),
		ResolvedAt: maybe(i.ResolvedAt), Impact: i.Impact(len(s.Services)).String(), Shortlink: s.URL + incident.Path(i.ID), StartedAt: at(i.StartedAt), PageID: s.ID,
		Updates: []Update{}, Components: []Component{},
	}
	by := s.byID()
	for _, u := range slices.Backward(i.Updates) {
		if u.Withdrawn {
			continue
		}
		written := Update{
			ID: u.ID, Status: phase(u.Status), Body: u.Text, IncidentID: i.ID, CreatedAt: at(u.RecordedAt), UpdatedAt: at(later(u.RecordedAt, u.RevisedAt)),
			DisplayAt: at(u.ShownAt), Affected: []Affected{}, Deliver: u.Notify,
		}
		for _, c := range u.Changes {
			written.Affected = append(written.Affected, Affected{c.Service, cmp.Or(by[c.Service].Name, c.Service), c.From, c.To})
		}
		all.Updates = append(all.Updates, written)
	}
	for _, id := range i.Services {
		if c, is := s.one(id); is {
			all.Components = append(all.Components, c)
		}
	}
	if !s.Shared {
		all.Managed = managed(i)
	}
	return all
}

func (s *Site) named(affected []incident.Affected) []Component {
	all := []Component{}
	for _, a := range affected {
		if c, is := s.one(a.Service); is {
			all = append(all, c)
		}
	}
	return all
}

// one is the component of a service.
func (s *Site) one(id string) (Component, bool) {
	if s.listed == nil {
		s.listed = map[string]Component{}
		for _, c := range s.Components() {
			if !c.Group {
				s.listed[c.ID] = c
			}
		}
	}
	c, is := s.listed[id]
	return c, is
}

// Upcoming are the times of a maintenance that go on or are to come: of one that comes again the next.
func (s *Site) Upcoming(i *incident.Incident) (going, next []Incident) {
	for _, o := range i.Occurrences(s.Now, s.Now.AddDate(1, 0, 0), s.Now) {
		switch {
		case o.Phase == incident.InProgress || o.Phase == incident.Verifying:
			going = append(going, s.Occurrence(i, o))
		case o.Phase == incident.Scheduled && len(next) == 0:
			next = append(next, s.Occurrence(i, o))
		}
	}
	return going, next
}

// Indicator is how the page is: none, minor, major or critical. An impact that people set for what goes on counts too.
func (s *Site) Indicator(all []*incident.Incident) incident.Impact {
	states := make([]incident.State, len(s.Services))
	for n, svc := range s.Services {
		states[n] = svc.State
	}
	worst := incident.Indicator(states)
	for _, i := range all {
		if i.Kind == incident.KindIncident && !i.Status.Over() && i.Override != nil && i.Public(s.Now) {
			worst = max(worst, *i.Override)
		}
	}
	return worst
}
