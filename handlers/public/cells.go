package public

import (
	"statuspage/handlers/answer"
	"statuspage/views"

	"github.com/gofiber/fiber/v2"
)

// cells answers GET /services/{id}/cells with the service's row in which each cell is a link: the page asks
// for it when the visitor enters the row (static/app.js), and again when the row has changed.
func (s *ServicePage) cells(c *fiber.Ctx) error {
	svc, k, err := s.service(c)
	if err != nil {
		return err
	}
	e, err := s.pages.Get(s.Live.Version(), answer.Key("cells", svc.ID, k.Query()), func() ([]byte, error) { return answer.Render(s.Live.Cells(svc, k)) })
	if err != nil {
		return err
	}
	c.Set("HX-Retarget", "#"+views.DOMID(svc.ID)) // A frame may have replaced the row that was asked for.
	return answer.SendPage(c, e)
}
