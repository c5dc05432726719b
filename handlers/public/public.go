// Package public answers visitors with the page and its neighbours: services, days and hours, history, outages, and what
// other sites show of it.
package public

import (
	"statuspage/handlers/answer"
	"statuspage/handlers/gate"
	"statuspage/handlers/visitor"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/live"
	"statuspage/internal/page"
	"statuspage/internal/past"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Sources are what the pages are made of; each of them belongs to the same configuration.
type Sources struct {
	Page    *page.Page
	Board   *board.Board
	Live    *live.Live
	Past    *past.Reader
	Figures *figures.Figures
	Visitor *visitor.Reader
	Streams *gate.Streams
	Limits  *gate.Limiter
	Now     func() time.Time
}

// service is the one that an address names, and how the visitor wants to see it.
func (s *Sources) service(c *fiber.Ctx) (*board.Service, page.Preferences, error) {
	svc, ok := s.Board.Find(answer.Param(c, "id"))
	if !ok {
		return nil, page.Preferences{}, answer.NotFound("error.service")
	}
	k, err := s.Visitor.Preferences(c)
	return svc, k, err
}
