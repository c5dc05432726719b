package incident

import (
	"slices"
	"time"
)

// Incident is the state of an incident, a maintenance or a notice: what follows from its events. It is shared by all
// who read it, and never changed. Which of its words are public, Public says; what depends on the clock is in methods.
type Incident struct {
	ID        string    `json:"id"`
	Kind      Kind      `json:"kind"`
	Title     string    `json:"title"`
	Source    string    `json:"source"` // The actor who opened it.
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"` // Of the newest event.
	StartedAt time.Time `json:"started_at"`

	// Of incidents and notices; of a maintenance Occurrences says it.
	Status       Status    `json:"status,omitempty"`
	MonitoringAt time.Time `json:"monitoring_at,omitzero"`
	ResolvedAt   time.Time `json:"resolved_at,omitzero"`

	Affected []Affected `json:"affected,omitempty"` // What is declared now, by service; those operational are left out.
	Services []string   `json:"services,omitempty"` // Every service that was ever named, sorted.
	Worst    State      `json:"worst,omitempty"`    // The worst that was ever declared.
	Majors   int        `json:"majors,omitempty"`   // The most services that had a major outage at once.
	Override *Impact    `json:"override,omitempty"`

	Updates    []Update        `json:"updates"` // Oldest first, as they are shown.
	Links      []Link          `json:"links,omitempty"`
	Postmortem *PostmortemText `json:"postmortem,omitempty"`
	Metadata   string          `json:"metadata,omitempty"`
	DedupKey   string          `json:"dedup_key,omitempty"`

	Draft     bool      `json:"draft,omitempty"`
	PublishAt time.Time `json:"publish_at,omitzero"`
	Removed   bool      `json:"removed,omitempty"`
	Touched   bool      `json:"touched,omitempty"` // A human, or a tool in the name of one, has written.

	Schedule *Schedule `json:"schedule,omitempty"` // Of a maintenance, the one that holds.
	Sequence int       `json:"sequence,omitempty"` // How often the times of a maintenance changed, as iCalendar counts.

	Head  string `json:"head"`            // The newest event: what an author has seen who saw this state.
	Forks []Fork `json:"forks,omitempty"` // Where authors wrote without having seen each other, and nobody has since.

	plans []plan // The schedules it had, in order.
	steps []step // What else moves its times, in order.
}

// Update is one entry of the timeline.
type Update struct {
	ID         string     `json:"id"`
	Status     Status     `json:"status"`
	Text       string     `json:"text,omitempty"` // Markdown; empty when withdrawn.
	ShownAt    time.Time  `json:"shown_at"`
	RecordedAt time.Time  `json:"recorded_at"`
	Actor      string     `json:"actor"`
	Occurrence string     `json:"occurrence,omitempty"`
	Impacts    []Affected `json:"impacts,omitempty"` // As written.
	Changes    []Change   `json:"changes,omitempty"` // What that changed, by service.
	Notify     bool       `json:"notify,omitempty"`
	Revision   int        `json:"revision,omitempty"`
	RevisedAt  time.Time  `json:"revised_at,omitzero"` // "edited".
	Withdrawn  bool       `json:"withdrawn,omitempty"`
	Before     []Revision `json:"before,omitempty"` // Former texts, for operators.
}

// Revision is a text that an update had.
type Revision struct {
	Until time.Time `json:"until"`
	By    string    `json:"by"` // Who replaced it, or withdrew it.
	Text  string    `json:"text"`
}

// Change is what an update did to a service.
type Change struct {
	Service string `json:"service"`
	From    State  `json:"from"`
	To      State  `json:"to"`
}

// PostmortemText is what was written about an incident when it was over.
type PostmortemText struct {
	Draft       string    `json:"draft,omitempty"`
	DraftedAt   time.Time `json:"drafted_at,omitzero"`
	Text        string    `json:"text,omitempty"` // Public.
	PublishedAt time.Time `json:"published_at,omitzero"`
	Notify      bool      `json:"notify,omitempty"`
}

// Fork is an event whose author had not seen the ones before it.
type Fork struct {
	Event  string   `json:"event"`
	Actor  string   `json:"actor"`
	Missed []string `json:"missed"`
}

// Public tells whether visitors may see it at now.
func (i *Incident) Public(now time.Time) bool {
	return !i.Removed && (!i.Draft || !i.PublishAt.IsZero() && !i.PublishAt.After(now))
}

// Impact is how bad it is or was, where the page has so many services.
func (i *Incident) Impact(services int) Impact {
	if i.Override != nil {
		return *i.Override
	}
	return impactOf(i.Worst, i.Majors, services)
}

// Over tells whether an incident or a notice is over, or a maintenance has nothing left to come.
func (i *Incident) Over(now time.Time) bool {
	if i.Removed {
		return true
	}
	if i.Kind != KindMaintenance {
		return i.Status.Over()
	}
	for _, o := range i.Occurrences(now, now.AddDate(1, 0, 0), now) {
		if !o.Phase.Over() {
			return false
		}
	}
	return true
}

// Newest is the newest update that was not withdrawn.
func (i *Incident) Newest() (Update, bool) {
	return i.newest(func(Update) bool { return true })
}

// NewestOf is the newest that is about one occurrence of a series: written about all of it, or about that one.
func (i *Incident) NewestOf(key string) (Update, bool) {
	return i.newest(func(u Update) bool { return u.Occurrence == "" || u.Occurrence == key })
}

func (i *Incident) newest(want func(Update) bool) (Update, bool) {
	for _, u := range slices.Backward(i.Updates) {
		if !u.Withdrawn && want(u) {
			return u, true
		}
	}
	return Update{}, false
}
