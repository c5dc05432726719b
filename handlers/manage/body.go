package manage

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/incident"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// body is what was sent, field by field: one that is not there is left as it is. Fields that nobody here knows are passed over, as
// Statuspage has many.
type body struct {
	fields map[string]json.RawMessage
	wrong  mistakes
}

// read reads the object below a name, as Statuspage wraps it.
func read(c *fiber.Ctx, name string) (*body, error) {
	decoder := json.NewDecoder(bytes.NewReader(c.Body()))
	var outer map[string]json.RawMessage
	if err := decoder.Decode(&outer); err != nil || outer == nil {
		return nil, &answer.Problem{Code: http.StatusBadRequest, Detail: "The body is no JSON object."}
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, &answer.Problem{Code: http.StatusBadRequest, Detail: "There is more behind the JSON object."}
	}
	inner, is := outer[name]
	if !is {
		return nil, mistakes{{name, "must be there: {\"" + name + "\": {…}}"}}
	}
	b := &body{}
	if json.Unmarshal(inner, &b.fields) != nil || b.fields == nil {
		return nil, mistakes{{name, "must be an object"}}
	}
	for field, value := range b.fields {
		if string(value) == "null" {
			delete(b.fields, field)
		}
	}
	return b, nil
}

func (b *body) has(field string) bool {
	_, is := b.fields[field]
	return is
}

func (b *body) fail(field, detail string) { b.wrong = append(b.wrong, mistake{field, detail}) }

// err is what was found wrong, in the order of names.
func (b *body) err() error {
	if len(b.wrong) == 0 {
		return nil
	}
	slices.SortStableFunc(b.wrong, func(x, y mistake) int { return strings.Compare(x.Field, y.Field) })
	return b.wrong
}

func (b *body) text(field string) (text string) {
	if raw, is := b.fields[field]; is && json.Unmarshal(raw, &text) != nil {
		b.fail(field, "must be a text")
	}
	return text
}

// yes reads true and false, which some clients write as text.
func (b *body) yes(field string, otherwise bool) bool {
	switch raw := string(b.fields[field]); raw {
	case "":
		return otherwise
	case "true", `"true"`:
		return true
	case "false", `"false"`:
		return false
	}
	b.fail(field, "must be true or false")
	return otherwise
}

func (b *body) time(field string) time.Time {
	text := b.text(field)
	if text == "" {
		return time.Time{}
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC()
		}
	}
	b.fail(field, "must be a time such as 2026-12-01T03:00:00Z")
	return time.Time{}
}

// impacts reads components, {id: state}, and component_ids, which names those that stay as they are.
func (b *body) impacts(kind incident.Kind) (all []incident.Affected) {
	states := map[string]incident.State{}
	if raw, is := b.fields["component_ids"]; is {
		var ids []string
		if json.Unmarshal(raw, &ids) != nil {
			b.fail("component_ids", "must be a list of ids")
		}
		for _, id := range ids {
			states[id] = incident.Operational
		}
	}
	if raw, is := b.fields["components"]; is {
		var named map[string]string
		if json.Unmarshal(raw, &named) != nil {
			b.fail("components", "must be an object of ids and states")
		}
		for _, id := range slices.Sorted(maps.Keys(named)) {
			var s incident.State
			if err := s.UnmarshalText([]byte(named[id])); err != nil || s == incident.NoState {
				b.fail("components."+short(id), "is none of operational, under_maintenance, degraded_performance, partial_outage, major_outage")
			}
			states[id] = s
		}
	}
	for _, id := range slices.Sorted(maps.Keys(states)) {
		s := states[id]
		if kind == incident.KindMaintenance && s == incident.Operational {
			s = incident.UnderMaintenance
		}
		all = append(all, incident.Affected{Service: id, State: s})
	}
	return all
}

func short(text string) string {
	if runes := []rune(text); len(runes) > 64 {
		return string(runes[:64]) + "…"
	}
	return text
}

// override reads impact_override; maintenance has none but its own.
func (b *body) override() *incident.Impact {
	text := b.text("impact_override")
	if text == "" || text == "maintenance" {
		return nil
	}
	var i incident.Impact
	if i.UnmarshalText([]byte(text)) != nil {
		b.fail("impact_override", "is none of none, minor, major, critical")
		return nil
	}
	return &i
}

// schedule reads when a maintenance is: ours, with a time on the wall and a rule, or Statuspage's two instants. Before is what
// holds so far.
func (b *body) schedule(before *incident.Schedule) *incident.Schedule {
	next := incident.Schedule{}
	if before != nil {
		next = *before
	}
	switch {
	case b.has("schedule"):
		decoder := json.NewDecoder(bytes.NewReader(b.fields["schedule"]))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&next); err != nil {
			b.fail("schedule", "can't be read: it has start, minutes, zone, rrule, except, manual_start, manual_end, remind, tell_start and tell_end")
		}
	case b.has("scheduled_for") || b.has("scheduled_until"):
		b.instants(&next, before)
	case before == nil:
		return nil
	}
	if b.has("scheduled_auto_in_progress") || b.has("scheduled_auto_transition") {
		next.ManualStart = !b.yes("scheduled_auto_in_progress", b.yes("scheduled_auto_transition", true))
	}
	if b.has("scheduled_auto_completed") || b.has("scheduled_auto_transition") {
		next.ManualEnd = !b.yes("scheduled_auto_completed", b.yes("scheduled_auto_transition", true))
	}
	if b.has("scheduled_remind_prior") {
		if next.Remind = nil; b.yes("scheduled_remind_prior", false) {
			next.Remind = []int{60}
		}
	}
	next.TellStart = b.yes("auto_transition_deliver_notifications_at_start", next.TellStart)
	next.TellEnd = b.yes("auto_transition_deliver_notifications_at_end", next.TellEnd)
	return &next
}

// instants puts Statuspage's two instants into a schedule.
func (b *body) instants(next, before *incident.Schedule) {
	from, until := b.time("scheduled_for"), b.time("scheduled_until")
	if before != nil {
		if start, length, err := before.Once(); err == nil {
			if from.IsZero() {
				from = start
			}
			if until.IsZero() {
				until = from.Add(length)
			}
		}
	}
	switch {
	case len(b.wrong) > 0:
	case from.IsZero():
		b.fail("scheduled_for", "must not be empty")
	case until.IsZero():
		b.fail("scheduled_until", "must not be empty")
	case !until.After(from):
		b.fail("scheduled_until", "ends before it starts")
	default:
		from = from.Truncate(time.Minute)
		next.Start, next.Zone, next.Rule, next.Except = from.Format(incident.WallFormat), "UTC", "", nil
		next.Minutes = int((until.Sub(from) + time.Minute - 1) / time.Minute)
	}
}

// usual is what Statuspage writes where somebody says a phase and no words.
var usual = map[incident.Status]string{
	incident.Investigating: "We are currently investigating this issue.",
	incident.Identified:    "The issue has been identified and a fix is being implemented.",
	incident.Monitoring:    "A fix has been implemented and we are monitoring the results.",
	incident.Resolved:      "This incident has been resolved.",
	incident.Active:        "This is still so.",
	incident.Postmortem:    "This incident has been resolved.",
}
