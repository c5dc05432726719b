package handlers

import (
	"bytes"
	"statuspage/handlers/answer"
	"statuspage/internal/status"
	"statuspage/views/lang"

	"github.com/gofiber/fiber/v2"
)

// What is asked most stands before the routes that make answers, and before what bounds them: an answer that is at hand
// costs nobody anything, so nobody is kept from it.
func (s *Server) atHand() {
	s.app.Get("/", s.plainPage)
	s.app.Get("/badge/*", s.keptBadge)
	s.app.Get("/signals", s.keptRecords)
}

// plainPage answers a visitor without wishes, if somebody has the page already.
func (s *Server) plainPage(c *fiber.Ctx) error {
	if c.Context().QueryArgs().Len() > 0 {
		return c.Next()
	}
	k := look{status.LastHour, lang.Match(c.Get(fiber.HeaderAcceptLanguage)), s.board.Location()}
	if (*s.live.editions.Load())[k] == nil {
		return c.Next()
	}
	e, shared := s.live.edition(k)
	if !shared {
		return c.Next()
	}
	return answer.SendPage(c, &s.live.current(e).Entity)
}

func (s *Server) keptBadge(c *fiber.Ctx) error {
	path := c.Context().URI().PathOriginal()
	format := path[bytes.LastIndexByte(path, '.')+1:]
	e := s.badges.At(s.live.version.Load(), c.Context().Request.RequestURI())
	if e == nil || badgeTypes[string(format)] == "" { // It may be written otherwise: %2Esvg.
		return c.Next()
	}
	return sendBadge(c, string(format), e)
}

func (s *Server) keptRecords(c *fiber.Ctx) error {
	e := s.records.At(s.board.Version(), c.Context().Request.RequestURI())
	if e == nil {
		return c.Next()
	}
	return sendRecords(c, e)
}
