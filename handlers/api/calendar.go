package api

import (
	"net/url"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/handlers/visitor"
	"statuspage/internal/board"
	"statuspage/internal/incident"
	"statuspage/internal/live"
	"statuspage/internal/page"
	"statuspage/views"
	"statuspage/views/calendar"
	"statuspage/views/lang"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Calendars answers with planned maintenance, of the page, of a group and of a service.
type Calendars struct {
	page    *page.Page
	board   *board.Board
	live    *live.Live
	visitor *visitor.Reader
	now     func() time.Time
	kept    answer.Cache // By what people say.
}

// NewCalendars returns the calendars of a page.
func NewCalendars(p *page.Page, b *board.Board, l *live.Live, v *visitor.Reader, now func() time.Time) *Calendars {
	return &Calendars{page: p, board: b, live: l, visitor: v, now: now}
}

// Routes adds the addresses. They stand before those of a service's days, which have the same form.
func (s *Calendars) Routes(r fiber.Router) {
	r.Get(page.CalendarPath, s.whole)
	r.Get("/groups/:id"+page.CalendarPath, s.group)
	r.Get("/services/:id"+page.CalendarPath, s.service)
}

func (s *Calendars) whole(c *fiber.Ctx) error { return s.send(c, "", "", s.page.Title, nil) }

func (s *Calendars) group(c *fiber.Ctx) error {
	g, is := s.page.Group(answer.Param(c, "id"))
	if !is {
		return answer.NotFound("error.404")
	}
	return s.send(c, "group", g.ID, g.Name, func(id string) bool { return slices.Contains(g.Services, id) })
}

func (s *Calendars) service(c *fiber.Ctx) error {
	svc, is := s.board.Find(answer.Param(c, "id"))
	if !is {
		return answer.NotFound("error.service")
	}
	return s.send(c, "service", svc.ID, svc.Name, func(id string) bool { return id == svc.ID })
}

func (s *Calendars) send(c *fiber.Ctx, kind, id, of string, takes func(service string) bool) error {
	base, words := s.visitor.Base(c), s.live.Outlook()
	e, err := s.kept.Get(words.Number, answer.Key("calendar", base, kind, id), func() ([]byte, error) {
		title := lang.Default().T("calendar") + " · " + of
		if of != s.page.Title {
			title += " · " + s.page.Title
		}
		made := calendar.Calendar{
			Title: title, Base: base, Host: hostOf(base), Now: s.now(), Takes: takes,
			Phase: func(p incident.Status) string { return views.PhaseText(lang.Default(), p) },
		}
		return made.Write(words.All), nil
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, s.visitor.Caching(feedCaching))
	return answer.Send(c, calendar.Type, e)
}

func hostOf(base string) string {
	if u, err := url.Parse(base); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return "localhost"
}
