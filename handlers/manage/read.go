package manage

import (
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/internal/incident"
	"statuspage/views/statuspage"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// maxListed is how many incidents a page of a list has at most, and unless it is asked for fewer.
const maxListed = 100

func (m *Manage) pages(c *fiber.Ctx, _ string) error {
	return m.send(c, http.StatusOK, []statuspage.Page{m.site(c).Page()})
}

func (m *Manage) onePage(c *fiber.Ctx, _ string) error {
	return m.send(c, http.StatusOK, m.site(c).Page())
}

// listed tells components from groups.
func (m *Manage) listed(c *fiber.Ctx, groups bool) []statuspage.Component {
	all := []statuspage.Component{}
	for _, one := range m.site(c).Components() {
		if one.Group == groups {
			all = append(all, one)
		}
	}
	return all
}

func (m *Manage) components(c *fiber.Ctx, _ string) error {
	return m.send(c, http.StatusOK, m.listed(c, false))
}

func (m *Manage) groups(c *fiber.Ctx, _ string) error {
	return m.send(c, http.StatusOK, m.listed(c, true))
}

func (m *Manage) component(c *fiber.Ctx, _ string) error { return m.oneOf(c, false, "component") }

func (m *Manage) group(c *fiber.Ctx, _ string) error { return m.oneOf(c, true, "group") }

func (m *Manage) oneOf(c *fiber.Ctx, groups bool, what string) error {
	id := answer.Param(c, "id")
	for _, one := range m.listed(c, groups) {
		if one.ID == id {
			return m.send(c, http.StatusOK, one)
		}
	}
	return notFound(what, id)
}

// declareComponent says why a component's state can't be set by itself.
func (m *Manage) declareComponent(c *fiber.Ctx, _ string) error {
	id := answer.Param(c, "id")
	for _, one := range m.listed(c, false) {
		if one.ID == id {
			return mistakes{{"component", "can't be changed by itself: its state is measured, and what it is called stands in the configuration; declare a state with an incident, components: {" + id + ": …}"}}
		}
	}
	return notFound("component", id)
}

// answerList sends a page of those that are wanted.
func (m *Manage) answerList(c *fiber.Ctx, want func(*incident.Incident) bool) error {
	limit, page := maxListed, 1
	for name, to := range map[string]*int{"limit": &limit, "per_page": &limit, "page": &page} {
		text := c.Query(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 1_000_000 {
			return mistakes{{name, "is no number above 0"}}
		}
		*to = n
	}
	limit = min(limit, maxListed)
	all, site, skip := []statuspage.Incident{}, m.site(c), limit*(page-1)
	q := strings.ToLower(c.Query("q"))
	for _, i := range m.Desk.Book.Snapshot().All {
		if i.Removed || !want(i) || !strings.Contains(strings.ToLower(i.Title), q) {
			continue
		}
		if skip--; skip >= 0 {
			continue
		}
		if all = append(all, site.Incident(i)); len(all) == limit {
			break
		}
	}
	return m.send(c, http.StatusOK, all)
}

// list answers with all, or with ?status=draft the drafts alone.
func (m *Manage) list(c *fiber.Ctx, _ string) error {
	switch c.Query("status") {
	case "draft":
		return m.answerList(c, func(i *incident.Incident) bool { return !i.Public(m.now()) })
	case "":
		return m.answerList(c, func(i *incident.Incident) bool { return i.Public(m.now()) })
	}
	return mistakes{{"status", "can only be draft"}}
}

func (m *Manage) unresolved(c *fiber.Ctx, _ string) error {
	return m.answerList(c, func(i *incident.Incident) bool {
		return i.Kind != incident.KindMaintenance && i.Public(m.now()) && !i.Status.Over()
	})
}

func (m *Manage) scheduled(c *fiber.Ctx, _ string) error {
	return m.answerList(c, func(i *incident.Incident) bool { return i.Kind == incident.KindMaintenance && i.Public(m.now()) })
}

// inPhase wants maintenance of which the occurrence that counts is in one of the phases.
func (m *Manage) inPhase(phases ...incident.Status) func(*incident.Incident) bool {
	now := m.now()
	return func(i *incident.Incident) bool {
		if i.Kind != incident.KindMaintenance || !i.Public(now) {
			return false
		}
		o, is := i.Now(now)
		for _, p := range phases {
			if is && o.Phase == p {
				return true
			}
		}
		return false
	}
}

func (m *Manage) upcoming(c *fiber.Ctx, _ string) error {
	return m.answerList(c, m.inPhase(incident.Scheduled))
}

func (m *Manage) active(c *fiber.Ctx, _ string) error {
	return m.answerList(c, m.inPhase(incident.InProgress, incident.Verifying))
}

func (m *Manage) one(c *fiber.Ctx, _ string) error {
	i, err := m.find(c)
	if err != nil {
		return err
	}
	return m.send(c, http.StatusOK, m.site(c).Incident(i))
}
