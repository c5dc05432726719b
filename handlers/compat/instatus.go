package compat

import (
	"encoding/json"
	"fmt"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/handlers/visitor"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/views"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Instatus answers with Instatus's summary. https://instatus.com/help/widgets/status-api
type Instatus struct {
	page    *page.Page
	board   *board.Board
	figures *figures.Figures
	visitor *visitor.Reader
	now     func() time.Time
	kept    answer.Cache // By version of the board.
}

// NewInstatus returns the summary of a page.
func NewInstatus(p *page.Page, b *board.Board, f *figures.Figures, v *visitor.Reader, now func() time.Time) *Instatus {
	return &Instatus{page: p, board: b, figures: f, visitor: v, now: now}
}

// Routes adds the address of the summary.
func (s *Instatus) Routes(r fiber.Router) { r.Get("/summary.json", s.summary) }

// summary answers GET /summary.json in the form of Instatus, which aggregators read.
func (s *Instatus) summary(c *fiber.Ctx) error {
	type incident struct {
		Name    string    `json:"name"`
		Started time.Time `json:"started"`
		Status  string    `json:"status"`
		Impact  string    `json:"impact"`
		URL     string    `json:"url"`
	}
	base, now := s.visitor.Base(c), s.now()
	state, incidents := "UP", []incident{}
	// By the second, as states change by time alone, too.
	e, err := s.kept.Get(s.board.Version(), answer.Key("summary", base, strconv.FormatInt(now.Unix(), 10)), func() ([]byte, error) {
		last := s.board.LastOutages(s.board.Services(), now) // Only the newest of a service can go on.
		slices.SortStableFunc(last, func(x, y board.OutageOf) int { return y.Outage.Begin.Compare(x.Outage.Begin) })
		for _, o := range last {
			if o.Outage.Ongoing() {
				incidents = append(incidents, incident{o.Service.Name + " is down", o.Outage.Begin.UTC(), "INVESTIGATING", "MAJOROUTAGE", base + views.OutagePath(o.Outage)})
			}
		}
		if s.figures.Standing(s.figures.Page(), now).Worst() != status.Up {
			state = "HASISSUES"
		}
		return json.Marshal(fiber.Map{
			"page":            fiber.Map{"name": s.page.Title, "url": base, "status": state},
			"activeIncidents": incidents, "activeMaintenances": []struct{}{},
		})
	})
	if err != nil {
		return fmt.Errorf("encode summary: %w", err)
	}
	c.Set(fiber.HeaderCacheControl, s.visitor.Caching("no-cache"))
	return answer.Send(c, fiber.MIMEApplicationJSON, e)
}
