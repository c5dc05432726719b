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
	kind := "image/svg+xml; charset=utf-8"
	if isJSON {
		kind = fiber.MIMEApplicationJSON
	}
	c.Set(fiber.HeaderCacheControl, badgeCaching)
	window := c.Query("window", defaultWindow)
	if !strings.HasSuffix(name, "/uptime") {
		window = defaultWindow // It says nothing here, so it shall not fill the cache.
	}
	if b, code := s.wrongBadge(name, window); code != http.StatusOK {
		c.Status(code)
		return send(c, kind, newEntity(encodeBadge(b, isJSON, true)))
	}
	e, err := s.badges.get(s.live.version.Load(), path+" "+window, func() ([]byte, error) {
		return encodeBadge(s.drawBadge(name, window), isJSON, false), nil
	})
	if err != nil {
		return err
	}
	return send(c, kind, e)
}

func encodeBadge(b badge.Badge, isJSON, isError bool) []byte {
	if isJSON {
		return b.JSON(isError)
	}
	return b.SVG()
}

// wrongBadge says what is wrong with a badge's address, and how to answer; 200 is nothing.
func (s *Server) wrongBadge(name, window string) (badge.Badge, int) {
	id, uptime := strings.CutSuffix(name, "/uptime")
	if _, known := status.FindPeriod(window); uptime && !known {
		return badge.Invalid("window: 1h, 24h, 7d, 30d or 90d"), http.StatusBadRequest
	}
	if _, ok := s.board.Find(id); !ok && id != pageBadge {
		return badge.Unknown(), http.StatusNotFound
	}
	return badge.Badge{}, http.StatusOK
}

// drawBadge draws a badge whose address is right.
func (s *Server) drawBadge(name, window string) badge.Badge {
	now := s.now()
	id, uptime := strings.CutSuffix(name, "/uptime")
	period, _ := status.FindPeriod(window)
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
	i, _ := s.board.Find(id)
	if uptime {
		return badge.Uptime(period.Name, s.board.Uptime(i, period.Length, now))
	}
	return badge.State(s.board.Services()[i].Name, s.board.State(i, now))
}
