package handlers

import (
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/handlers/api"
	"statuspage/internal/page"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"
)

// cors says which pages of other sites may read from a browser. Nobody is known by a cookie here, so
// reading is open to all unless the operator names origins, and credentials are never taken.
type cors struct{ named []string } // None: any.

func newCORS(origins []string) cors {
	if slices.Contains(origins, anyOrigin) {
		return cors{}
	}
	return cors{origins}
}

const anyOrigin = "*"

// forOtherSites tells whether an address is made to be used from other sites.
func forOtherSites(path string) bool {
	if path == "/" {
		return false
	}
	return beginsWith(path, otherSites) || api.FeedFormat(path) != "" || strings.HasSuffix(path, page.CalendarPath)
}

var otherSites = []string{"/badge/", "/api/", "/v2/", "/calendar.ics", "/signals", "/openapi", "/embed", "/status", "/summary.json", "/card.png"}

// forNamed begin the addresses that named origins, where there are any, have to themselves. What is made to be
// shown on other sites is open to all, as its readers can't be known.
var forNamed = []string{"/signals", "/openapi", "/events"}

var (
	headAllowOrigin = []byte(fiber.HeaderAccessControlAllowOrigin)
	headOrigin      = []byte(fiber.HeaderOrigin)
	allowAny        = []byte(anyOrigin)
)

// allow sets the header by which a browser lets the page of another site read the answer.
func (o cors) allow(c *fiber.Ctx, path string) {
	switch named := len(o.named) > 0 && beginsWith(path, forNamed); {
	case named:
		c.Vary(fiber.HeaderOrigin)
		o.allowNamed(c, answer.Peek(c, fiber.HeaderOrigin))
	case readable(path):
		answer.Put(c, headAllowOrigin, allowAny)
	}
}

// allowNamed sets it for an origin that is named.
func (o cors) allowNamed(c *fiber.Ctx, origin []byte) {
	if len(origin) > 0 && slices.Contains(o.named, utils.UnsafeString(origin)) {
		answer.Put(c, headAllowOrigin, origin)
	}
}

// readable tells whether the pages of other sites may read an address at all. Agents are no browsers, and
// what they are told is theirs.
func readable(path string) bool { return forOtherSites(path) || beginsWith(path, forNamed) }

// preflight answers a browser that asks whether it may read with headers of its own, such as If-None-Match.
func (s *server) preflight(c *fiber.Ctx) bool {
	h := &c.Context().Request.Header
	if !h.IsOptions() || len(h.PeekBytes(headOrigin)) == 0 || len(h.Peek(fiber.HeaderAccessControlRequestMethod)) == 0 || !readable(utils.UnsafeString(c.Context().Path())) {
		return false
	}
	c.Set(fiber.HeaderAccessControlAllowMethods, "GET, HEAD")
	c.Set(fiber.HeaderAccessControlAllowHeaders, anyOrigin)
	c.Set(fiber.HeaderAccessControlMaxAge, "3600")
	c.Status(http.StatusNoContent)
	return true
}

func beginsWith(path string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
}
