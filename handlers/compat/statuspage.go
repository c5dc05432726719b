package compat

import (
	"encoding/json"
	"fmt"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/handlers/visitor"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/incident"
	"statuspage/views"
	"statuspage/views/lang"
	"statuspage/views/statuspage"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// maxListed is how many incidents Statuspage lists.
const maxListed = 50

// Statuspage answers as Atlassian Statuspage's API for readers does. https://metastatuspage.com/api
type Statuspage struct {
	board   *board.Board
	figures *figures.Figures
	visitor *visitor.Reader
	now     func() time.Time
	kept    answer.Cache // By version of the board.
}

// NewStatuspage returns the answers for a page.
func NewStatuspage(b *board.Board, f *figures.Figures, v *visitor.Reader, now func() time.Time) *Statuspage {
	return &Statuspage{board: b, figures: f, visitor: v, now: now}
}

// lists are the addresses below /api/v2, each with what it has beside the page.
var lists = map[string]func(*reading) fiber.Map{
	"summary": func(r *reading) fiber.Map {
		going, next := r.maintenance()
		return fiber.Map{"components": r.site.Components(), "incidents": r.incidents(true), "scheduled_maintenances": append(going, next...), "status": r.status()}
	},
	"status":               func(r *reading) fiber.Map { return fiber.Map{"status": r.status()} },
	"components":           func(r *reading) fiber.Map { return fiber.Map{"components": r.site.Components()} },
	"incidents":            func(r *reading) fiber.Map { return fiber.Map{"incidents": r.incidents(false)} },
	"incidents/unresolved": func(r *reading) fiber.Map { return fiber.Map{"incidents": r.incidents(true)} },
	"scheduled-maintenances": func(r *reading) fiber.Map {
		return fiber.Map{"scheduled_maintenances": r.maintenances()}
	},
	"scheduled-maintenances/upcoming": func(r *reading) fiber.Map {
		_, next := r.maintenance()
		return fiber.Map{"scheduled_maintenances": next}
	},
	"scheduled-maintenances/active": func(r *reading) fiber.Map {
		going, _ := r.maintenance()
		return fiber.Map{"scheduled_maintenances": going}
	},
}

// Routes adds the addresses, each with the ending .json and without.
func (s *Statuspage) Routes(r fiber.Router) {
	for name := range lists {
		r.Get("/api/v2/"+name, s.list)
		r.Get("/api/v2/"+name+".json", s.list)
	}
}

// list answers one of them.
func (s *Statuspage) list(c *fiber.Ctx) error {
	name := strings.TrimSuffix(strings.TrimPrefix(c.Route().Path, "/api/v2/"), ".json")
	now, base := s.now(), s.visitor.Base(c)
	words := s.figures.Words(now)
	// By the second, as states change by time alone, too.
	key := answer.Key("statuspage", name, base, strconv.FormatInt(now.Unix(), 10), strconv.FormatUint(words.Number, 10))
	e, err := s.kept.Get(s.board.Version(), key, func() ([]byte, error) {
		r := &reading{site: s.figures.Statuspage(base, now), words: words, now: now, standing: s.figures.Standing(s.figures.Page(), now)}
		r.site.Shared = true
		all := lists[name](r)
		all["page"] = r.site.Page()
		return json.Marshal(all)
	})
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	c.Set(fiber.HeaderCacheControl, s.visitor.Caching("no-cache"))
	return answer.Send(c, fiber.MIMEApplicationJSONCharsetUTF8, e)
}

// reading is what one answer is made of.
type reading struct {
	site     *statuspage.Site
	words    *incident.Outlook
	now      time.Time
	standing views.Standing
}

func (r *reading) status() fiber.Map {
	return fiber.Map{"indicator": r.site.Indicator(r.words.All), "description": views.Headline(lang.Default(), r.standing)}
}

// incidents are those of the public, newest first: all, or what goes on.
func (r *reading) incidents(unresolved bool) []statuspage.Incident {
	all := []statuspage.Incident{}
	for _, i := range r.words.All {
		if i.Kind == incident.KindMaintenance || !i.Public(r.now) || unresolved && i.Status.Over() {
			continue
		}
		if all = append(all, r.site.Incident(i)); len(all) == maxListed && !unresolved {
			break
		}
	}
	return all
}

// maintenance is what goes on, and what is to come, the next first.
func (r *reading) maintenance() (going, next []statuspage.Incident) {
	going, next = []statuspage.Incident{}, []statuspage.Incident{}
	for _, i := range r.words.All {
		if i.Kind == incident.KindMaintenance && i.Public(r.now) {
			now, soon := r.site.Upcoming(i)
			going, next = append(going, now...), append(next, soon...)
		}
	}
	slices.SortStableFunc(next, func(a, b statuspage.Incident) int { return strings.Compare(string(a.StartedAt), string(b.StartedAt)) })
	return going, next
}

// maintenances are also those that are over, newest first.
func (r *reading) maintenances() []statuspage.Incident {
	going, next := r.maintenance()
	slices.Reverse(next)
	all := slices.Concat(next, going)
	for _, t := range r.words.Log() {
		if t.Kind == incident.KindMaintenance && !t.To.IsZero() && len(all) < maxListed {
			all = append(all, r.site.Occurrence(t.Incident, t.Occurrence))
		}
	}
	return all
}
