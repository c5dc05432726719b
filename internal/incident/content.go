package incident

import (
	"encoding/json"
	"time"
)

// Content is what an event says; its kind says how it is read.
type Content interface{ kind() string }

// Affected is a service and the state that is declared of it.
type Affected struct {
	Service string `json:"service"`
	State   State  `json:"state"`
}

// Words are what an update says: a phase, a text, and what changes for services; those that are not named stay as they are.
type Words struct {
	Status  Status     `json:"status"`
	Text    string     `json:"text,omitempty"` // Markdown.
	Impacts []Affected `json:"impacts,omitempty"`
	Notify  bool       `json:"notify,omitempty"`
}

// Opened begins an incident, a maintenance or a notice, with its first words.
type Opened struct {
	Kind      Kind            `json:"kind"`
	Title     string          `json:"title"`
	StartedAt time.Time       `json:"started_at,omitzero"`
	Draft     bool            `json:"draft,omitempty"`     // Only operators see it until it is published.
	PublishAt time.Time       `json:"publish_at,omitzero"` // A draft publishes itself then.
	Schedule  *Schedule       `json:"schedule,omitempty"`  // Of a maintenance.
	Override  *Impact         `json:"impact,omitempty"`    // Instead of what follows from the services.
	Metadata  json.RawMessage `json:"metadata,omitempty"`  // An object, for operators' tools; not public.
	DedupKey  string          `json:"dedup_key,omitempty"` // Of the sender that opened it: what comes again with the key is about this one.
	Words     Words           `json:"words"`
}

// Posted adds an update. For a maintenance in_progress, completed and cancelled are its start, end and end before the start.
type Posted struct {
	Words
	Occurrence string `json:"occurrence,omitempty"` // Of a series, which one.
}

// Revised replaces the text of an update, and when it is shown to have been written.
type Revised struct {
	Update  string    `json:"update"`
	Text    string    `json:"text"`
	ShownAt time.Time `json:"shown_at,omitzero"` // Zero: as it was.
	Notify  bool      `json:"notify,omitempty"`
}

// Withdrawn takes an update back: its words and what it changed.
type Withdrawn struct {
	Update string `json:"update"`
}

// Retitled gives another title.
type Retitled struct {
	Title string `json:"title"`
}

// Dated says when it really began.
type Dated struct {
	StartedAt time.Time `json:"started_at"`
}

// Overridden sets the impact, or, without one, lets it follow from the services again.
type Overridden struct {
	Impact *Impact `json:"impact,omitempty"`
}

// Described sets the metadata.
type Described struct {
	Metadata json.RawMessage `json:"metadata"`
}

// Published makes a draft public.
type Published struct{}

// Removed undoes all: to the public it never was.
type Removed struct{}

// Rescheduled gives a maintenance another schedule. Of a series, occurrences that have begun stay as they were.
type Rescheduled struct {
	Schedule Schedule `json:"schedule"`
	Notify   bool     `json:"notify,omitempty"`
}

// Moved puts one occurrence of a series elsewhere.
type Moved struct {
	Occurrence string `json:"occurrence"`
	Start      string `json:"start"` // Wall clock in the schedule's zone.
	Minutes    int    `json:"minutes"`
	Notify     bool   `json:"notify,omitempty"`
}

// Extended gives another end to a maintenance, or to an occurrence.
type Extended struct {
	Occurrence string    `json:"occurrence,omitempty"`
	Until      time.Time `json:"until"`
	Notify     bool      `json:"notify,omitempty"`
}

// Linked says that an incident is about what was measured of a service in a time.
type Linked struct{ Link }

// Unlinked takes a link back.
type Unlinked struct{ Link }

// Link is a time of a service. It is no outage's id: outages change when signals come late.
type Link struct {
	Service string    `json:"service"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to,omitzero"` // Zero: until it is over.
}

// PostmortemDrafted keeps a text for operators.
type PostmortemDrafted struct {
	Text string `json:"text"`
}

// PostmortemPublished shows a text to all.
type PostmortemPublished struct {
	Text   string `json:"text"`
	Notify bool   `json:"notify,omitempty"`
}

// PostmortemWithdrawn takes it back; its text is a draft again.
type PostmortemWithdrawn struct{}

func (*Opened) kind() string              { return "opened" }
func (*Posted) kind() string              { return "posted" }
func (*Revised) kind() string             { return "revised" }
func (*Withdrawn) kind() string           { return "withdrawn" }
func (*Retitled) kind() string            { return "retitled" }
func (*Dated) kind() string               { return "dated" }
func (*Overridden) kind() string          { return "impact_overridden" }
func (*Described) kind() string           { return "described" }
func (*Published) kind() string           { return "published" }
func (*Removed) kind() string             { return "removed" }
func (*Rescheduled) kind() string         { return "rescheduled" }
func (*Moved) kind() string               { return "occurrence_moved" }
func (*Extended) kind() string            { return "extended" }
func (*Linked) kind() string              { return "linked" }
func (*Unlinked) kind() string            { return "unlinked" }
func (*PostmortemDrafted) kind() string   { return "postmortem_drafted" }
func (*PostmortemPublished) kind() string { return "postmortem_published" }
func (*PostmortemWithdrawn) kind() string { return "postmortem_withdrawn" }

// decode reads the body; nil for what is of a later version, of an unknown kind, or not what its kind should be.
func decode(e Event) Content {
	if e.Version > version {
		return nil
	}
	c := empty(e.Kind)
	if c == nil || json.Unmarshal([]byte(e.Body), c) != nil {
		return nil
	}
	return c
}

func empty(kind string) Content {
	switch kind {
	case "opened":
		return new(Opened)
	case "posted":
		return new(Posted)
	case "revised":
		return new(Revised)
	case "withdrawn":
		return new(Withdrawn)
	case "retitled":
		return new(Retitled)
	case "dated":
		return new(Dated)
	case "impact_overridden":
		return new(Overridden)
	case "described":
		return new(Described)
	case "published":
		return new(Published)
	case "removed":
		return new(Removed)
	case "rescheduled":
		return new(Rescheduled)
	case "occurrence_moved":
		return new(Moved)
	case "extended":
		return new(Extended)
	case "linked":
		return new(Linked)
	case "unlinked":
		return new(Unlinked)
	case "postmortem_drafted":
		return new(PostmortemDrafted)
	case "postmortem_published":
		return new(PostmortemPublished)
	case "postmortem_withdrawn":
		return new(PostmortemWithdrawn)
	}
	return nil
}
