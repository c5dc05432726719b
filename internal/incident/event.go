package incident

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// MaxBody bounds what one event may hold: the longest text in letters of four bytes, with a thousand services.
	MaxBody = 256 << 10
	// version is that of the bodies written here. Events of later versions are kept, and passed over.
	version = 1

	maxActor = 120
	maxKind  = 40
)

// Event is one thing that somebody did: a row of the table incident_events. Events are only ever added.
type Event struct {
	At       time.Time // When it was taken, UTC, whole microseconds: never before an event that its writer knew.
	ID       string    // A UUID; with At the key.
	Incident string    // What it is about.
	Kind     string    // What was done; kinds that are not known are kept, and passed over.
	ShownAt  time.Time // What the public reads as its time.
	Actor    string    // Who did it, as an opaque name: human:…, api:…, probe, schedule, import, alertmanager. No personal data.
	After    string    // The newest event of the incident that its author saw; empty for who didn't look.
	Version  int       // Of Body.
	Body     string    // JSON.
}

// Compare orders events by their key: at, then id.
func (e Event) Compare(other Event) int {
	return cmp.Or(e.At.Compare(other.At), cmp.Compare(e.ID, other.ID))
}

// Stamp is what an event has beside its content.
type Stamp struct {
	At       time.Time // From Book.Clock.
	Incident string
	Actor    string
	After    string
	ShownAt  time.Time // Zero: At.
}

// New makes an event that can be stored. Whether the content makes sense, Rules.Refuse says before.
func New(s Stamp, c Content) (Event, error) {
	var body strings.Builder
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // It is a column, and no part of a page: six bytes for each < are for nothing.
	if err := encoder.Encode(c); err != nil {
		return Event{}, fmt.Errorf("encode an event: %w", err)
	}
	id, err := newEventID()
	if err != nil {
		return Event{}, fmt.Errorf("name an event: %w", err)
	}
	if s.ShownAt.IsZero() {
		s.ShownAt = s.At
	}
	e := Event{
		At: exact(s.At), ID: id, Incident: s.Incident, Kind: c.kind(), ShownAt: exact(s.ShownAt), Actor: s.Actor, After: s.After,
		Version: version, Body: strings.TrimSuffix(body.String(), "\n"),
	}
	return e, CheckEvents([]Event{e})
}

// exact is an instant as stores keep it.
func exact(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// CheckEvents refuses what no store could give back as it was, or what no reader could tell apart.
func CheckEvents(events []Event) error {
	for _, e := range events {
		var wrong string
		switch {
		case !eventIDForm.MatchString(e.ID):
			wrong = "id"
		case !IsID(e.Incident):
			wrong = "incident"
		case !storable(e.At):
			wrong = "at"
		case !storable(e.ShownAt):
			wrong = "shown_at"
		case e.Kind == "" || len(e.Kind) > maxKind || !plain(e.Kind):
			wrong = "kind"
		case e.Actor == "" || len(e.Actor) > maxActor || !plain(e.Actor):
			wrong = "actor"
		case e.After != "" && !eventIDForm.MatchString(e.After):
			wrong = "after"
		case e.Version < 1 || e.Version > 1000:
			wrong = "v"
		case len(e.Body) > MaxBody:
			wrong = "body, which has more than " + strconv.Itoa(MaxBody>>10) + " KB"
		case !utf8.ValidString(e.Body) || !json.Valid([]byte(e.Body)):
			wrong = "body"
		default:
			continue
		}
		return fmt.Errorf("event %q: bad %s: %w", e.ID, wrong, status.ErrInvalid)
	}
	return nil
}

func storable(t time.Time) bool {
	return t.UnixMicro() >= 0 && t.Year() <= 9999 && t.Equal(t.Truncate(time.Microsecond))
}

func plain(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, status.IsControl)
}

// entry is an event that has been read: its content instead of its body, so that texts are in memory once.
type entry struct {
	at, shownAt time.Time
	id          string
	actor       string
	after       string
	content     Content // Nil for what is not understood.
	digest      uint64  // Of all of the event.
}

func read(e Event) entry {
	h := fnv.New64a()
	for _, part := range []string{e.Incident, e.Kind, strconv.FormatInt(e.ShownAt.UnixMicro(), 10), e.Actor, e.After, strconv.Itoa(e.Version), e.Body} {
		_, _ = h.Write([]byte(part)) // Never fails.
		_, _ = h.Write([]byte{0})
	}
	return entry{
		at: exact(e.At), shownAt: exact(e.ShownAt), id: strings.Clone(e.ID), actor: strings.Clone(e.Actor), after: strings.Clone(e.After),
		content: decode(e), digest: h.Sum64(),
	}
}

// order is that of the fold. Two events with one key are none that we wrote; then too the order is the same everywhere.
func order(a, b entry) int {
	return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id), cmp.Compare(a.digest, b.digest))
}

// ordered sorts entries, and keeps the first of each id.
func ordered(entries []entry) []entry {
	slices.SortFunc(entries, order)
	seen := make(map[string]struct{}, len(entries))
	return slices.DeleteFunc(entries, func(e entry) bool {
		_, twice := seen[e.id]
		seen[e.id] = struct{}{}
		return twice
	})
}
