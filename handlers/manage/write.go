package manage

import (
	"cmp"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/internal/incident"
	"statuspage/views/statuspage"
	"time"

	"github.com/gofiber/fiber/v2"
)

// create answers POST …/incidents: an incident, a maintenance, or, with kind, a notice.
func (m *Manage) create(c *fiber.Ctx, actor string) error {
	b, err := read(c, "incident")
	if err != nil {
		return err
	}
	schedule := b.schedule(nil)
	o := &incident.Opened{Kind: incident.Kind(cmp.Or(b.text("kind"), string(incident.KindIncident))), Title: b.text("name"), Schedule: schedule}
	if schedule != nil && !b.has("kind") {
		o.Kind = incident.KindMaintenance
	}
	first := o.Kind.Statuses()
	if len(first) == 0 {
		b.fail("kind", "is none of incident, maintenance, notice")
		return b.err()
	}
	r := incident.Request{Actor: actor, Content: o}
	o.Draft, o.Override, o.PublishAt = b.yes("draft", false), b.override(), b.time("publish_at")
	o.Metadata = b.fields["metadata"]
	o.Words = incident.Words{
		Status: incident.Status(cmp.Or(b.text("status"), string(first[0]))), Text: b.text("body"), Impacts: b.impacts(o.Kind), Notify: b.yes("deliver_notifications", true),
	}
	if o.Words.Text == "" && o.Kind != incident.KindMaintenance {
		o.Words.Text = cmp.Or(usual[o.Words.Status], o.Title)
	}
	r.ShownAt = b.time("display_at")
	if o.StartedAt = b.time("started_at"); b.yes("backfilled", false) {
		if o.StartedAt = b.time("backfill_date"); o.StartedAt.IsZero() {
			b.fail("backfill_date", "must not be empty")
		}
		r.ShownAt, o.Words.Impacts, o.Words.Notify = o.StartedAt, nil, false
		if !b.has("status") {
			o.Words.Status = incident.Resolved
		}
	}
	if err := b.err(); err != nil {
		return err
	}
	return m.write(c, http.StatusCreated, r)
}

// change answers PATCH and PUT …/incidents/{id}. Words, a phase or components add an update; nothing edits one.
func (m *Manage) change(c *fiber.Ctx, actor string) error {
	i, err := m.find(c)
	if err != nil {
		return err
	}
	b, err := read(c, "incident")
	if err != nil {
		return err
	}
	r := incident.Request{Incident: i.ID, Actor: actor, After: b.text("after"), ShownAt: b.time("display_at")}
	all := m.changes(b, i)
	if b.has("schedule") || b.has("scheduled_for") || b.has("scheduled_until") {
		all = append(all, m.reschedule(b, i))
	}
	if b.has("status") || b.has("body") || b.has("components") || b.has("component_ids") {
		all = append(all, m.posted(b, i))
	}
	if err := b.err(); err != nil {
		return err
	}
	if len(all) == 0 {
		if i.Behind(r.After) {
			return &incident.BehindError{Present: i}
		}
		return m.send(c, http.StatusOK, m.site(c).Incident(i))
	}
	r.Content, r.Also = all[0], all[1:]
	return m.write(c, http.StatusOK, r)
}

// changes are those of what stands above the timeline.
func (m *Manage) changes(b *body, i *incident.Incident) (all []incident.Content) {
	if name := b.text("name"); b.has("name") && name != i.Title {
		all = append(all, &incident.Retitled{Title: name})
	}
	if b.has("impact_override") && i.Kind != incident.KindMaintenance {
		all = append(all, &incident.Overridden{Impact: b.override()})
	}
	if b.has("metadata") {
		all = append(all, &incident.Described{Metadata: b.fields["metadata"]})
	}
	for _, field := range []string{"started_at", "backfill_date"} {
		if t := b.time(field); !t.IsZero() {
			all = append(all, &incident.Dated{StartedAt: t})
		}
	}
	if b.has("draft") && !b.yes("draft", true) && i.Draft {
		all = append(all, &incident.Published{})
	}
	return all
}

// posted is the update that a change adds.
func (m *Manage) posted(b *body, i *incident.Incident) *incident.Posted {
	now := i.Status
	if i.Kind == incident.KindMaintenance {
		now = incident.Scheduled
		if o, is := i.Now(m.now()); is {
			now = o.Phase
		}
	}
	p := &incident.Posted{Occurrence: b.text("occurrence"), Words: incident.Words{
		Status: incident.Status(cmp.Or(b.text("status"), string(now))), Text: b.text("body"), Impacts: b.impacts(i.Kind), Notify: b.yes("deliver_notifications", true),
	}}
	if p.Text == "" && i.Kind != incident.KindMaintenance {
		p.Text = cmp.Or(usual[p.Status], i.Title)
	}
	return p
}

// reschedule is another time of a maintenance; of one that goes on, another end.
func (m *Manage) reschedule(b *body, i *incident.Incident) incident.Content {
	occurrence := b.text("occurrence")
	until := b.time("scheduled_until")
	o, is := i.Now(m.now())
	if is && !until.IsZero() && !b.has("schedule") && !b.has("scheduled_for") && o.Phase != incident.Scheduled {
		return &incident.Extended{Occurrence: cmp.Or(occurrence, o.Key), Until: until, Notify: b.yes("deliver_notifications", true)}
	}
	if occurrence != "" {
		from := b.time("scheduled_for")
		if b.has("schedule") || from.IsZero() || !until.After(from) || i.Schedule == nil {
			b.fail("scheduled_for", "must be there, with scheduled_until: one occurrence moves to a time")
			return &incident.Moved{}
		}
		return &incident.Moved{
			Occurrence: occurrence, Start: i.Schedule.Wall(from), Minutes: int((until.Sub(from) + time.Minute - 1) / time.Minute), Notify: b.yes("deliver_notifications", true),
		}
	}
	s := b.schedule(i.Schedule)
	if s == nil {
		s = &incident.Schedule{}
	}
	return &incident.Rescheduled{Schedule: *s, Notify: b.yes("deliver_notifications", true)}
}

// remove answers DELETE …/incidents/{id}: to the public it never was.
func (m *Manage) remove(c *fiber.Ctx, actor string) error {
	i, err := m.find(c)
	if err != nil {
		return err
	}
	return m.write(c, http.StatusOK, incident.Request{Incident: i.ID, Actor: actor, After: c.Query("after"), Content: &incident.Removed{}})
}

// update finds the one that an address names.
func (m *Manage) update(c *fiber.Ctx) (*incident.Incident, string, error) {
	i, err := m.find(c)
	if err != nil {
		return nil, "", err
	}
	id := answer.Param(c, "update")
	for _, u := range i.Updates {
		if u.ID == id {
			return i, id, nil
		}
	}
	return nil, "", notFound("update", id)
}

// revise answers PATCH …/incident_updates/{id}.
func (m *Manage) revise(c *fiber.Ctx, actor string) error {
	i, id, err := m.update(c)
	if err != nil {
		return err
	}
	b, err := read(c, "incident_update")
	if err != nil {
		return err
	}
	text := b.text("body")
	if !b.has("body") {
		for _, u := range i.Updates {
			if u.ID == id {
				text = u.Text
			}
		}
	}
	next := &incident.Revised{Update: id, Text: text, ShownAt: b.time("display_at"), Notify: b.yes("deliver_notifications", false)}
	if err := b.err(); err != nil {
		return err
	}
	return m.write(c, http.StatusOK, incident.Request{Incident: i.ID, Actor: actor, After: b.text("after"), Content: next})
}

// withdraw answers DELETE …/incident_updates/{id}: a note of it stays in the timeline.
func (m *Manage) withdraw(c *fiber.Ctx, actor string) error {
	i, id, err := m.update(c)
	if err != nil {
		return err
	}
	return m.write(c, http.StatusOK, incident.Request{Incident: i.ID, Actor: actor, After: c.Query("after"), Content: &incident.Withdrawn{Update: id}})
}

// postmortem answers GET …/postmortem.
func (m *Manage) postmortem(c *fiber.Ctx, _ string) error {
	i, err := m.find(c)
	if err != nil {
		return err
	}
	if i.Postmortem == nil || i.Postmortem.Text == "" && i.Postmortem.Draft == "" {
		return notFound("postmortem of incident", i.ID)
	}
	return m.send(c, http.StatusOK, statuspage.PostmortemOf(i.Postmortem))
}

// about writes something of a postmortem, and answers with it.
func (m *Manage) about(c *fiber.Ctx, actor string, content func(i *incident.Incident) (incident.Content, error)) error {
	i, err := m.find(c)
	if err != nil {
		return err
	}
	next, err := content(i)
	if err != nil {
		return err
	}
	if err := m.write(c, http.StatusOK, incident.Request{Incident: i.ID, Actor: actor, Content: next}); err != nil {
		return err
	}
	if i, err = m.find(c); err != nil {
		return err
	}
	return m.send(c, http.StatusOK, statuspage.PostmortemOf(i.Postmortem))
}

func (m *Manage) draftPostmortem(c *fiber.Ctx, actor string) error {
	return m.about(c, actor, func(*incident.Incident) (incident.Content, error) {
		b, err := read(c, "postmortem")
		if err != nil {
			return nil, err
		}
		next := &incident.PostmortemDrafted{Text: b.text("body_draft")}
		if next.Text == "" {
			b.fail("body_draft", "must not be empty")
		}
		return next, b.err()
	})
}

func (m *Manage) publishPostmortem(c *fiber.Ctx, actor string) error {
	return m.about(c, actor, func(i *incident.Incident) (incident.Content, error) {
		if i.Postmortem == nil || i.Postmortem.Draft == "" {
			return nil, mistakes{{"body_draft", "must be there before it is published"}}
		}
		next := &incident.PostmortemPublished{Text: i.Postmortem.Draft}
		if len(c.Body()) > 0 {
			b, err := read(c, "postmortem")
			if err != nil {
				return nil, err
			}
			next.Notify = b.yes("notify_subscribers", false)
			return next, b.err()
		}
		return next, nil
	})
}

func (m *Manage) revertPostmortem(c *fiber.Ctx, actor string) error {
	return m.about(c, actor, func(*incident.Incident) (incident.Content, error) { return &incident.PostmortemWithdrawn{}, nil })
}

// dropPostmortem answers DELETE …/postmortem: neither a text nor a draft is left.
func (m *Manage) dropPostmortem(c *fiber.Ctx, actor string) error {
	i, err := m.find(c)
	if err != nil {
		return err
	}
	r := incident.Request{Incident: i.ID, Actor: actor, Content: &incident.PostmortemDrafted{}}
	if i.Postmortem != nil && i.Postmortem.Text != "" {
		r.Content, r.Also = &incident.PostmortemWithdrawn{}, []incident.Content{&incident.PostmortemDrafted{}}
	}
	if err := m.write(c, http.StatusNoContent, r); err != nil {
		return err
	}
	c.Context().Response.ResetBody()
	return nil
}
