package handlers

import (
	"net/http"
	"statuspage/internal/status"
	"statuspage/views/badge"
	"strings"

	"github.com/gofiber/fiber/v2"
)

const (
	// pageBadge is the name under which the whole page has its badge; no service may have it.
	pageBadge = "page"
	// badgeCaching lets image proxies show a badge for half a minute, and an old one while they ask.
	badgeCaching  = "public, max-age=30, stale-while-revalidate=60"
	defaultWindow = "24h"
)

// badge answers /badge/{service}.svg, /badge/{service}/uptime.svg and the .json of each.
// It always answers with an image (or its JSON): a README has no use for an error page.
func (s *Server) badge(c *fiber.Ctx) error {
	path := strings.TrimPrefix(c.Path(), "/badge/")
	name, isJSON := strings.CutSuffix(path, ".json")
	if !isJSON {
		var isSVG bool
		if name, isSVG = strings.CutSuffix(path, ".svg"); !isSVG {
			return notFound("A badge's address ends in .svg or .json.")
		}
	}
	window := c.Query("window", defaultWindow)
	code := http.StatusOK
	b := s.drawBadge(name, window, &code)
	c.Set(fiber.HeaderCacheControl, badgeCaching)
	c.Status(code)
	if isJSON {
		return s.sendEntity(c, fiber.MIMEApplicationJSON, b.JSON(code != http.StatusOK))
	}
	return s.sendEntity(c, "image/svg+xml; charset=utf-8", b.SVG())
}

func (s *Server) drawBadge(name, window string, code *int) badge.Badge {
	now := s.now()
	id, uptime := strings.CutSuffix(name, "/uptime")
	period, known := status.FindPeriod(window)
	if uptime && !known {
		*code = http.StatusBadRequest
		return badge.Invalid("window: 1h, 24h, 7d, 30d or 90d")
	}
	if id == pageBadge {
		var sum status.Counts
		states := make([]status.Outcome, len(s.board.Services()))
		for i := range states {
			states[i] = s.board.State(i, now)
			if uptime {
				sum = sum.Add(s.board.Uptime(i, period.Length, now))
			}
		}
		if uptime {
			return badge.Uptime(period.Name, sum)
		}
		return badge.Page(s.site.Title, states)
	}
	i, ok := s.board.Find(id)
	switch {
	case !ok:
		*code = http.StatusNotFound
		return badge.Unknown()
	case uptime:
		return badge.Uptime(period.Name, s.board.Uptime(i, period.Length, now))
	default:
		return badge.State(s.board.Services()[i].Name, s.board.State(i, now))
	}
}
