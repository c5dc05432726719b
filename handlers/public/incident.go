package public

import (
	"statuspage/handlers/answer"
	"statuspage/internal/incident"
	"statuspage/views"
	"strconv"

	"github.com/gofiber/fiber/v2"
)

// maxTold bounds the pages of incidents, each for visitors of the same preferences, that are kept live at a time.
const maxTold = 512

// Incidents are the pages of incidents, maintenances and notices.
type Incidents struct {
	Sources

	pages answer.Cache // By outlook.
}

// NewIncidents returns the pages of incidents.
func NewIncidents(s Sources) *Incidents { return &Incidents{Sources: s} }

// Routes adds the address of an incident; each of its updates is an anchor there.
func (s *Incidents) Routes(r fiber.Router) { r.Get(incident.Path(":id"), s.incident) }

// incident answers GET /incidents/{id}.
func (s *Incidents) incident(c *fiber.Ctx) error {
	id := answer.Param(c, "id")
	i, is := s.Live.Incident(id)
	if !is {
		return answer.NotFound("error.incident")
	}
	k, err := s.Visitor.Preferences(c)
	if err != nil {
		return err
	}
	number := s.Live.Outlook().Number
	e, err := s.pages.Get(number, answer.Key("incident", id, k.Query(), strconv.FormatUint(s.Live.Version(), 10)), func() ([]byte, error) {
		head, view := s.Live.IncidentPage(i, k)
		return answer.Render(views.IncidentPage(head, view))
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}
