package incident

import (
	"fmt"
	"statuspage/internal/status"
)

// State is what somebody declares, or the page says, of a service: the five of Statuspage. The zero value is that
// nobody knows. Larger is worse.
type State uint8

// The states, in the order of their weight.
const (
	NoState          State = iota // Nobody says; what Statuspage writes as the empty string.
	Operational                   // All is well.
	UnderMaintenance              // Announced; may or may not answer.
	DegradedPerformance
	PartialOutage
	MajorOutage
)

var stateNames = [...]string{
	NoState: "", Operational: "operational", UnderMaintenance: "under_maintenance",
	DegradedPerformance: "degraded_performance", PartialOutage: "partial_outage", MajorOutage: "major_outage",
}

// String returns the word of Statuspage, empty for NoState.
func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return stateNames[NoState]
}

// MarshalText implements encoding.TextMarshaler with the word of Statuspage.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; an unknown word is an error.
func (s *State) UnmarshalText(text []byte) error {
	for i, name := range stateNames {
		if name == string(text) {
			*s = State(i)
			return nil
		}
	}
	return fmt.Errorf("state %q: %w", text, status.ErrInvalid)
}

// Impact is how bad an incident, or the page as a whole, is. Larger is worse.
type Impact uint8

// The impacts, in the order of their weight.
const (
	None Impact = iota
	Minor
	Major
	Critical
)

var impactNames = [...]string{None: "none", Minor: "minor", Major: "major", Critical: "critical"}

// String returns none, minor, major or critical.
func (i Impact) String() string {
	if int(i) < len(impactNames) {
		return impactNames[i]
	}
	return impactNames[None]
}

// MarshalText implements encoding.TextMarshaler.
func (i Impact) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; an unknown word is an error.
func (i *Impact) UnmarshalText(text []byte) error {
	for n, name := range impactNames {
		if name == string(text) {
			*i = Impact(n)
			return nil
		}
	}
	return fmt.Errorf("impact %q: %w", text, status.ErrInvalid)
}

// impactOf is the impact of a worst state, of which majors services have a major outage at once, among all.
func impactOf(worst State, majors, all int) Impact {
	switch worst {
	case MajorOutage:
		if all > 0 && majors >= all {
			return Critical
		}
		return Major
	case PartialOutage:
		return Major
	case DegradedPerformance:
		return Minor
	case NoState, Operational, UnderMaintenance:
	}
	return None
}

// Kind says what somebody writes about.
type Kind string

// The kinds.
const (
	KindIncident    Kind = "incident"
	KindMaintenance Kind = "maintenance"
	KindNotice      Kind = "notice" // Words without an impact.
)

// Status is the phase that an update puts its incident in.
type Status string

// The phases.
const (
	Investigating Status = "investigating"
	Identified    Status = "identified"
	Monitoring    Status = "monitoring"
	Resolved      Status = "resolved"
	Postmortem    Status = "postmortem"

	Scheduled  Status = "scheduled"
	InProgress Status = "in_progress"
	Verifying  Status = "verifying"
	Completed  Status = "completed"
	Cancelled  Status = "cancelled"

	Active Status = "active" // Of a notice, until it is resolved.
)

// Statuses are the phases that a kind has, in their usual order.
func (k Kind) Statuses() []Status {
	switch k {
	case KindIncident:
		return []Status{Investigating, Identified, Monitoring, Resolved, Postmortem}
	case KindMaintenance:
		return []Status{Scheduled, InProgress, Verifying, Completed, Cancelled}
	case KindNotice:
		return []Status{Active, Resolved}
	}
	return nil
}

// Over tells whether a phase is the end of what was written about.
func (s Status) Over() bool {
	return s == Resolved || s == Postmortem || s == Completed || s == Cancelled
}
