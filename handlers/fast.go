package handlers

import (
	"bytes"
	"net/http"
	"statuspage/internal/status"
	"statuspage/views/lang"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"
	"github.com/valyala/fasthttp"
)

var (
	badgePrefix  = []byte("/badge/")
	recordPrefix = []byte("/signals")
)

// fast answers what is asked most, when an answer to the same question is at hand, by
// copying its head and handing out its bytes: the plain page, badges, records. Whatever is
// unusual about a request is left to the handlers.
func (s *Server) fast(c *fiber.Ctx) bool {
	request := &c.Context().Request
	address := request.RequestURI()
	if !request.Header.IsGet() {
		return false
	}
	asks, usual := read(&request.Header)
	if !usual || asks.forwarded && len(s.limits.Proxies) == 0 && !s.limits.told.Load() {
		return false
	}
	var e *entity
	switch {
	case len(address) == 1: // The root.
		e = s.plainPage(asks.language)
	case bytes.HasPrefix(address, badgePrefix):
		e = s.badges.at(s.live.version.Load(), address)
	case bytes.HasPrefix(address, recordPrefix):
		e = s.records.at(s.board.Version(), address)
	}
	if e == nil {
		return false
	}
	made, _ := e.in(accepted(asks.encoding))
	head := made.head.Load()
	if head == nil {
		return false
	}
	head.CopyTo(&c.Context().Response.Header)
	if bytes.HasPrefix(address, recordPrefix) {
		s.cors.allowNamed(c, asks.origin)
	}
	if fresh(asks.noneMatch, e.tag) {
		c.Context().Response.Header.DelBytes(headContentEncoding)
		c.Context().SetStatusCode(http.StatusNotModified)
		return true
	}
	c.Context().Response.SetBodyRaw(made.body)
	return true
}

// asked is what of a request's header the answer depends on.
type asked struct {
	encoding, language, noneMatch, origin []byte
	forwarded                             bool // By a proxy.
}

// read goes over the header once; usual is false where more than that matters.
func read(h *fasthttp.RequestHeader) (a asked, usual bool) {
	for name, value := range h.All() {
		switch string(name) {
		case fiber.HeaderAcceptEncoding:
			a.encoding = value
		case fiber.HeaderAcceptLanguage:
			a.language = value
		case fiber.HeaderIfNoneMatch:
			a.noneMatch = value
		case fiber.HeaderXForwardedFor:
			a.forwarded = true
		case fiber.HeaderOrigin:
			a.origin = value
		}
	}
	return a, true
}

// plainPage is the page for a visitor without wishes, if somebody has one already.
func (s *Server) plainPage(language []byte) *entity {
	k := look{status.LastHour, lang.Match(utils.UnsafeString(language)), s.board.Location()}
	if (*s.live.editions.Load())[k] == nil {
		return nil
	}
	e, shared := s.live.edition(k)
	if !shared {
		return nil
	}
	return &s.live.current(e).entity
}
