package handlers

import (
	"bytes"
	"errors"
	"net"
	"statuspage/handlers/answer"
	"statuspage/handlers/gate"
	"statuspage/internal/sse"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// identity is the length of an answer that ends with its connection.
const identity = -2

// stream takes the connection over and hands it to the hall, with what watch says the viewer
// lacks; what comes after that is sent from there.
func (s *Server) stream(c *fiber.Ctx, w gate.Watched, watch func(sse.Guest) (first *sse.Events, viewer sse.Joining)) error {
	guest := sse.Guest{From: s.limits.StreamsOf(c.Context())}
	if err := w.Take(guest.From); err != nil {
		return err
	}
	guest.Left = func() { w.Give(guest.From) }
	if err := s.hall.Admit(guest.From); err != nil {
		guest.Left()
		if errors.Is(err, sse.ErrShare) {
			return gate.ErrShare
		}
		return gate.ErrFull
	}
	place := &place{hall: s.hall, guest: guest}
	c.Context().SetUserValue(placeKey{}, place)
	if answer.Accepts(c, sse.Zstd.String()) {
		guest.Coding = sse.Zstd
		c.Set(fiber.HeaderContentEncoding, guest.Coding.String())
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	c.Set(fiber.HeaderContentType, "text/event-stream; charset=utf-8")
	c.Set(fiber.HeaderContentSecurityPolicy, answer.FilePolicy)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(fiber.HeaderConnection, "close")
	c.Set("X-Accel-Buffering", "no")
	c.Response().Header.SetContentLength(identity)
	head := bytes.Clone(c.Response().Header.Header())
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(conn net.Conn) { // Runs after return: nothing of c in here.
		place.taken = true
		begun := time.Now()
		first, viewer := watch(guest)
		s.limits.Worked(uint64(guest.From), begun)
		viewer.Connect(conn, head, first)
	})
	return nil
}

// place is one in the hall that was reserved. The server closes it at the end of the request:
// a client may be gone before the connection can be taken over, and then nobody takes it.
type place struct {
	hall  *sse.Hall
	guest sse.Guest
	taken bool
}

type placeKey struct{}

// Close gives the place back, unless a viewer has it.
func (p *place) Close() error {
	if !p.taken {
		p.taken = true
		p.hall.Leave(p.guest.From)
		p.guest.Left()
	}
	return nil
}

// events streams what changes on the page, or on one service's page with ?service=, in the
// look that the parameters name.
func (s *Server) events(c *fiber.Ctx) error {
	since := seenID(c)
	k, err := s.look(c)
	if err != nil {
		return err
	}
	if id := c.Query("service"); id != "" {
		service, ok := s.board.Find(id)
		if !ok {
			return answer.NotFound("error.service")
		}
		w := gate.Watched{Shares: s.limits.Details, What: strconv.Itoa(service) + " " + k.key(), Total: maxDetails, Share: maxDetails / gate.AddressShare}
		return s.stream(c, w, func(g sse.Guest) (*sse.Events, sse.Joining) {
			return s.live.watchService(service, k, since, g)
		})
	}
	e, shared := s.live.edition(k)
	if !shared { // The page did not ask for a stream either.
		return gate.ErrFull
	}
	w := gate.Watched{}
	if !s.live.usual(k) {
		rare := s.live.maxRare()
		w = gate.Watched{Shares: s.limits.Looks, What: k.key(), Total: rare, Share: max(1, rare/gate.AddressShare)}
	}
	return s.stream(c, w, func(g sse.Guest) (*sse.Events, sse.Joining) { return s.live.watch(e, since, g) })
}

// seenID is what the browser has seen: on a reconnect Last-Event-ID, else what the page says.
func seenID(c *fiber.Ctx) string {
	if id := c.Get("Last-Event-ID"); id != "" {
		return strings.Clone(id)
	}
	return strings.Clone(c.Query("since"))
}
