package incident

import (
	"encoding/json"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// What may be written at most. Title and text are Statuspage's bounds.
const (
	MaxTitle    = 255
	MaxText     = 25_000
	maxMetadata = 8 << 10
	maxImpacts  = 1000
	maxUpdates  = 500
	maxLinks    = 500
	maxRemind   = 5
	// ahead is how far a time may lie ahead that should have been: clocks differ.
	ahead = time.Minute
)

// Problem is why a field is refused. Its words are a fixed vocabulary, so that pages can say it in the reader's language.
type Problem struct {
	Field string // As in JSON, such as words.text.
	Why   Why
	Limit int    // Of TooLong and TooMany.
	Value string // What was given, where it is short.
}

// Why is a reason to refuse.
type Why string

// The reasons.
const (
	Missing     Why = "missing"
	TooLong     Why = "too_long"
	TooMany     Why = "too_many"
	NotAllowed  Why = "not_allowed" // A value that is none of those that may be.
	NotThere    Why = "not_there"   // It names something that doesn't exist.
	Twice       Why = "twice"       // It names something twice.
	Unreadable  Why = "unreadable"  // Not of the form that it should have.
	InTheFuture Why = "in_the_future"
	InThePast   Why = "in_the_past"
	Backwards   Why = "backwards" // An end before its start.
	Closed      Why = "closed"    // It has been removed, or is over in a way that can't be taken back.
	Unchanged   Why = "unchanged"
)

// String says it in English, for logs and the API.
func (p Problem) String() string {
	text := map[Why]string{
		Missing: "must not be empty", TooLong: "is longer than " + strconv.Itoa(p.Limit) + " letters", TooMany: "has more than " + strconv.Itoa(p.Limit),
		NotAllowed: "is none of the allowed values", NotThere: "does not exist", Twice: "is named twice", Unreadable: "can't be read", InTheFuture: "is in the future",
		InThePast: "is in the past", Backwards: "ends before it starts", Closed: "can't be changed any more", Unchanged: "is that already",
	}[p.Why]
	if p.Value != "" {
		return p.Field + " " + strconv.Quote(p.Value) + " " + text
	}
	return p.Field + " " + text
}

// RefusedError names every field that is wrong. It wraps status.ErrInvalid.
type RefusedError struct{ Problems []Problem }

// Error says all of it in one line.
func (r *RefusedError) Error() string {
	texts := make([]string, len(r.Problems))
	for n, p := range r.Problems {
		texts[n] = p.String()
	}
	return strings.Join(texts, "; ")
}

// Unwrap makes it an error of the kind status.ErrInvalid.
func (r *RefusedError) Unwrap() error { return status.ErrInvalid }

// Rules are what contents are held to.
type Rules struct {
	Now      time.Time
	Services func(id string) bool // Whether there is such a service.
}

// Refuse says what is wrong with a content that is to be added to an incident; on is nil for one that is opened. It
// returns nil or a *RefusedError.
func (r Rules) Refuse(c Content, on *Incident) error {
	f := refusal{Rules: r, on: on}
	opened, opens := c.(*Opened)
	switch {
	case opens && on != nil:
		f.add("id", Twice, 0, "")
	case opens:
		f.open(opened)
	case on == nil:
		f.add("id", NotThere, 0, "")
	case on.Removed:
		f.add("id", Closed, 0, "")
	default:
		f.content(c)
	}
	if len(f.problems) == 0 {
		return nil
	}
	return &RefusedError{f.problems}
}

type refusal struct {
	Rules
	on       *Incident
	problems []Problem
}

func (f *refusal) add(field string, why Why, limit int, value string) {
	if len(value) > 60 {
		value = ""
	}
	f.problems = append(f.problems, Problem{field, why, limit, value})
}

func (f *refusal) line(field, text string, limit int) {
	switch {
	case strings.TrimSpace(text) == "":
		f.add(field, Missing, 0, "")
	case utf8.RuneCountInString(text) > limit:
		f.add(field, TooLong, limit, "")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, status.IsControl):
		f.add(field, Unreadable, 0, "")
	}
}

// text is Markdown: lines are fine, other control characters are not.
func (f *refusal) text(field, text string, needed bool) {
	switch {
	case needed && strings.TrimSpace(text) == "":
		f.add(field, Missing, 0, "")
	case utf8.RuneCountInString(text) > MaxText:
		f.add(field, TooLong, MaxText, "")
	case !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return status.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }):
		f.add(field, Unreadable, 0, "")
	}
}

func (f *refusal) past(field string, t time.Time, needed bool) {
	switch {
	case t.IsZero() && needed:
		f.add(field, Missing, 0, "")
	case t.IsZero():
	case t.After(f.Now.Add(ahead)):
		f.add(field, InTheFuture, 0, t.Format(time.RFC3339))
	case t.Year() < earliest:
		f.add(field, InThePast, 0, t.Format(time.RFC3339))
	}
}

func (f *refusal) metadata(field string, data json.RawMessage) {
	var object map[string]any
	switch {
	case len(data) == 0:
	case len(data) > maxMetadata:
		f.add(field, TooLong, maxMetadata, "")
	case json.Unmarshal(data, &object) != nil || object == nil:
		f.add(field, Unreadable, 0, "")
	}
}

func (f *refusal) open(o *Opened) {
	if len(o.Kind.Statuses()) == 0 {
		f.add("kind", NotAllowed, 0, string(o.Kind))
		return
	}
	f.line("title", o.Title, MaxTitle)
	f.past("started_at", o.StartedAt, false)
	f.metadata("metadata", o.Metadata)
	if len(o.DedupKey) > MaxTitle {
		f.add("dedup_key", TooLong, MaxTitle, "")
	}
	if !o.PublishAt.IsZero() && !o.Draft {
		f.add("publish_at", NotAllowed, 0, "")
	}
	f.words("words.", o.Kind, o.Words)
	switch {
	case o.Kind == KindMaintenance && o.Schedule == nil:
		f.add("schedule", Missing, 0, "")
	case o.Kind == KindMaintenance:
		f.schedule("schedule.", *o.Schedule)
	case o.Schedule != nil:
		f.add("schedule", NotAllowed, 0, "")
	}
	if o.Override != nil && (*o.Override > Critical || o.Kind == KindNotice) {
		f.add("impact", NotAllowed, 0, "")
	}
}

func (f *refusal) words(prefix string, kind Kind, w Words) {
	if !slices.Contains(kind.Statuses(), w.Status) {
		f.add(prefix+"status", NotAllowed, 0, string(w.Status))
	}
	f.text(prefix+"text", w.Text, kind != KindMaintenance) // Of a maintenance the phase alone says enough.
	if len(w.Impacts) > maxImpacts {
		f.add(prefix+"impacts", TooMany, maxImpacts, "")
		return
	}
	seen := map[string]bool{}
	for n, a := range w.Impacts {
		field := prefix + "impacts[" + strconv.Itoa(n) + "]"
		switch {
		case kind == KindNotice:
			f.add(field, NotAllowed, 0, a.Service)
		case !f.Services(a.Service):
			f.add(field+".service", NotThere, 0, a.Service)
		case seen[a.Service]:
			f.add(field+".service", Twice, 0, a.Service)
		case a.State == NoState || a.State > MajorOutage:
			f.add(field+".state", NotAllowed, 0, a.State.String())
		}
		seen[a.Service] = true
	}
}

func (f *refusal) schedule(prefix string, s Schedule) {
	p, field, err := s.parts()
	switch {
	case err != nil && field == "start" && s.Start == "":
		f.add(prefix+field, Missing, 0, "")
	case err != nil && field == "minutes":
		f.add(prefix+field, NotAllowed, 0, strconv.Itoa(s.Minutes))
	case err != nil:
		f.add(prefix+field, Unreadable, 0, map[string]string{"start": s.Start, "zone": s.Zone, "rrule": s.Rule}[field])
	case p.rule != nil && len(s.expand(instantOf(p.wall, p.loc), f.Now.AddDate(10, 0, 0))) == 0:
		f.add(prefix+"rrule", NotAllowed, 0, s.Rule) // It never happens.
	}
	if s.Rule != "" && s.ManualStart {
		f.add(prefix+"manual_start", NotAllowed, 0, "")
	}
	if s.Rule != "" && s.ManualEnd {
		f.add(prefix+"manual_end", NotAllowed, 0, "")
	}
	if len(s.Except) > maxCount {
		f.add(prefix+"except", TooMany, maxCount, "")
	}
	for n, e := range s.Except {
		if _, err := time.Parse(WallFormat, e); err != nil {
			f.add(prefix+"except["+strconv.Itoa(n)+"]", Unreadable, 0, e)
			break
		}
	}
	if len(s.Remind) > maxRemind {
		f.add(prefix+"remind", TooMany, maxRemind, "")
	}
	for n, m := range s.Remind {
		if m < 1 || m > int(maxWindow/time.Minute) {
			f.add(prefix+"remind["+strconv.Itoa(n)+"]", NotAllowed, 0, strconv.Itoa(m))
			break
		}
	}
}

// occurrence finds what a field names.
func (f *refusal) occurrence(key string, needed bool) (Occurrence, bool) {
	if f.on.Kind != KindMaintenance {
		if key != "" {
			f.add("occurrence", NotAllowed, 0, key)
		}
		return Occurrence{}, false
	}
	if key == "" && f.on.series() {
		if needed {
			f.add("occurrence", Missing, 0, "")
		}
		return Occurrence{}, false
	}
	o, is := f.on.find(key, f.Now)
	if !is {
		f.add("occurrence", NotThere, 0, key)
	}
	return o, is
}

func (f *refusal) update(id string) {
	n := slices.IndexFunc(f.on.Updates, func(u Update) bool { return u.ID == id })
	switch {
	case n < 0:
		f.add("update", NotThere, 0, id)
	case f.on.Updates[n].Withdrawn:
		f.add("update", Closed, 0, id)
	}
}

// only refuses what is for one kind.
func (f *refusal) only(kind Kind) bool {
	if f.on.Kind != kind {
		f.add("kind", NotAllowed, 0, string(f.on.Kind))
	}
	return f.on.Kind == kind
}

func (f *refusal) content(c Content) {
	switch c := c.(type) {
	case *Posted:
		f.words("", f.on.Kind, c.Words)
		f.occurrence(c.Occurrence, c.Status == InProgress)
		if len(f.on.Updates) >= maxUpdates {
			f.add("updates", TooMany, maxUpdates, "")
		}
	case *Revised:
		f.update(c.Update)
		f.text("text", c.Text, f.on.Kind != KindMaintenance)
		f.past("shown_at", c.ShownAt, false)
	case *Withdrawn:
		f.update(c.Update)
	case *Retitled:
		f.line("title", c.Title, MaxTitle)
	case *Dated:
		f.past("started_at", c.StartedAt, true)
	case *Overridden:
		if c.Impact != nil && (*c.Impact > Critical || f.on.Kind == KindNotice) {
			f.add("impact", NotAllowed, 0, "")
		}
	case *Described:
		f.metadata("metadata", c.Metadata)
	case *Published:
		if !f.on.Draft {
			f.add("draft", Unchanged, 0, "")
		}
	case *Rescheduled:
		if f.only(KindMaintenance) {
			f.schedule("schedule.", c.Schedule)
		}
	case *Moved:
		f.moved(c)
	case *Extended:
		f.extended(c)
	case *Linked:
		f.linked(c.Link)
	case *Unlinked:
		if !slices.Contains(f.on.Links, c.exact()) {
			f.add("service", NotThere, 0, c.Service)
		}
	case *PostmortemDrafted:
		if f.only(KindIncident) {
			f.text("text", c.Text, false)
		}
	case *PostmortemPublished:
		if f.only(KindIncident) {
			f.text("text", c.Text, true)
		}
	case *PostmortemWithdrawn:
		if f.on.Postmortem == nil || f.on.Postmortem.Text == "" {
			f.add("text", NotThere, 0, "")
		}
	}
}

func (f *refusal) moved(c *Moved) {
	if !f.only(KindMaintenance) {
		return
	}
	o, is := f.occurrence(c.Occurrence, true)
	to := *f.on.Schedule
	to.Start, to.Minutes, to.Rule = c.Start, c.Minutes, ""
	p, field, err := to.parts()
	switch {
	case err != nil:
		f.add(field, Unreadable, 0, c.Start)
	case is && o.Phase != Scheduled:
		f.add("occurrence", Closed, 0, c.Occurrence)
	case is && instantOf(p.wall, p.loc).Sub(o.Planned.From).Abs() > maxWindow:
		f.add("start", NotAllowed, 0, c.Start)
	}
}

func (f *refusal) extended(c *Extended) {
	if !f.only(KindMaintenance) {
		return
	}
	o, is := f.occurrence(c.Occurrence, true)
	switch {
	case c.Until.IsZero():
		f.add("until", Missing, 0, "")
	case !is:
	case o.Phase == Cancelled:
		f.add("occurrence", Closed, 0, c.Occurrence)
	case !c.Until.After(o.begin()):
		f.add("until", Backwards, 0, c.Until.Format(time.RFC3339))
	case c.Until.Sub(o.begin()) > maxWindow:
		f.add("until", TooLong, int(maxWindow/time.Minute), c.Until.Format(time.RFC3339))
	}
}

func (f *refusal) linked(l Link) {
	if f.on.Kind == KindNotice {
		f.add("kind", NotAllowed, 0, string(f.on.Kind))
	}
	if !f.Services(l.Service) {
		f.add("service", NotThere, 0, l.Service)
	}
	f.past("from", l.From, true)
	if !l.To.IsZero() && !l.To.After(l.From) {
		f.add("to", Backwards, 0, l.To.Format(time.RFC3339))
	}
	if len(f.on.Links) >= maxLinks {
		f.add("links", TooMany, maxLinks, "")
	}
}

// Behind tells whether an author who saw the event after has not seen all of an incident. Who didn't look (after is
// empty) is not behind.
func (i *Incident) Behind(after string) bool { return after != "" && after != i.Head }
