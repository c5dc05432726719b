// Package api answers programs: signals, the status in numbers, feeds, and the description of all addresses.
package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/lang"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// standing is the state of services in numbers.
type standing struct {
	State    status.Outcome `json:"state"`
	Headline string         `json:"headline"`
	Services int            `json:"services"`
	Up       int            `json:"up"`
	Slow     int            `json:"slow"`
	Down     int            `json:"down"`
	NoData   int            `json:"no_data"`
	Updated  *time.Time     `json:"updated"` // Of the newest signal; null without one.
}

// Status answers with the state in numbers.
type Status struct {
	board   *board.Board
	figures *figures.Figures
	now     func() time.Time
}

// NewStatus returns the status of a page.
func NewStatus(b *board.Board, f *figures.Figures, now func() time.Time) *Status {
	return &Status{b, f, now}
}

// Routes adds the address of the status.
func (s *Status) Routes(r fiber.Router) { r.Get("/status", s.status) }

// status answers GET /status for load balancers and scripts: 200 while everything is
// available, 503 while something is down or nothing is known. With code=200 the answer is
// always 200: browsers write every 503 that a script meets to the console.
func (s *Status) status(c *fiber.Ctx) error {
	name := figures.PageSubject
	switch {
	case c.Query("service") != "":
		name = c.Query("service")
	case c.Query("group") != "":
		name = figures.GroupPrefix + c.Query("group")
	}
	subject, ok := s.figures.Find(name)
	if !ok {
		return answer.Unprocessable("service and group must be ids of this page.")
	}
	code := c.Query("code")
	if code != "" && code != "200" {
		return answer.Unprocessable("code can only be 200.")
	}
	all := s.figures.Standing(subject, s.now())
	st := standing{
		State: all.Worst(), Headline: views.Headline(lang.Default(), all), Services: all.All(),
		Up: all.States[status.Up], Slow: all.States[status.Degraded], Down: all.States[status.Down], NoData: all.States[status.Unknown],
	}
	if newest := s.board.Newest(); !newest.IsZero() {
		st.Updated = &newest
	}
	if !st.State.Available() && code == "" {
		c.Status(http.StatusServiceUnavailable)
		c.Set(fiber.HeaderRetryAfter, answer.StatusRetry)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Vary(fiber.HeaderAccept)
	format := c.Query("format")
	if format == "json" || format == "" && strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMEApplicationJSON) {
		body, err := json.Marshal(st)
		if err != nil {
			return fmt.Errorf("encode status: %w", err)
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(body)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.SendString(fmt.Sprintf("%s\n%s\nservices %d\nup %d\nslow %d\ndown %d\nno data %d\n", st.State, st.Headline, st.Services, st.Up, st.Slow, st.Down, st.NoData))
}
