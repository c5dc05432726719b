package gate

import (
	"bytes"
	"errors"
	"net"
	"statuspage/handlers/answer"
	"statuspage/internal/sse"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// identity is the length of an answer that ends with its connection.
const identity = -2

// Streams lets viewers in.
type Streams struct {
	broker *sse.Broker
	limits *Limiter
}

// NewStreams returns the streams of a broker.
func NewStreams(broker *sse.Broker, limits *Limiter) *Streams { return &Streams{broker, limits} }

// Open takes the connection over and hands it to the broker, with what watch says the viewer
// lacks; what comes after that is sent from there.
func (s *Streams) Open(c *fiber.Ctx, w Watched, watch func(sse.Guest) (first *sse.Events, viewer sse.Joining)) error {
	guest := sse.Guest{From: s.limits.StreamsOf(c.Context())}
	if err := w.Take(guest.From); err != nil {
		return err
	}
	guest.Left = func() { w.Give(guest.From) }
	if err := s.broker.Admit(guest.From); err != nil {
		guest.Left()
		if errors.Is(err, sse.ErrShare) {
			return ErrShare
		}
		return ErrFull
	}
	place := &place{broker: s.broker, guest: guest}
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

// place is one in the broker that was reserved. The server closes it at the end of the request:
// a client may be gone before the connection can be taken over, and then nobody takes it.
type place struct {
	broker *sse.Broker
	guest  sse.Guest
	taken  bool
}

type placeKey struct{}

// Close gives the place back, unless a viewer has it.
func (p *place) Close() error {
	if !p.taken {
		p.taken = true
		p.broker.Leave(p.guest.From)
		p.guest.Left()
	}
	return nil
}

// SeenID is what the browser has seen: on a reconnect Last-Event-ID, else what the page says.
func SeenID(c *fiber.Ctx) string {
	if id := c.Get("Last-Event-ID"); id != "" {
		return strings.Clone(id)
	}
	return strings.Clone(c.Query("since"))
}
