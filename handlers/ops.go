package handlers

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"statuspage/handlers/answer"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/valyala/fasthttp"
)

// opsConnections is how many connections the operator's listener has at a time.
const opsConnections = 32

// bare answers for a process that shows no page.
func (s *Server) bare() {
	s.onlyOps(s.app)
	if !s.ownOps {
		s.app.Get("/metrics", s.prometheus)
	}
}

// onlyOps answers what any listener does: whether the process lives, and is ready. Balancers ask where visitors go.
func (s *Server) onlyOps(app *fiber.App) {
	app.Use(recover.New(), func(c *fiber.Ctx) error {
		s.secure(c, answer.Protect)
		return c.Next()
	})
	app.Get("/healthz", s.healthz)
	app.Get("/readyz", s.readyz)
}

// operators builds what the operator's own listener answers.
func (s *Server) operators(settings fiber.Config) fasthttp.RequestHandler {
	app := fiber.New(settings)
	s.onlyOps(app)
	app.Get("/metrics", s.prometheus)
	return app.Handler()
}

func (s *Server) healthz(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.SendString("ok\n")
}

func (s *Server) readyz(c *fiber.Ctx) error {
	r := s.ready()
	if !r.Ready {
		c.Status(http.StatusServiceUnavailable)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(r)
}

func (s *Server) prometheus(c *fiber.Ctx) error {
	if s.metrics == nil {
		return answer.NotFound("error.404")
	}
	kind, body, err := s.metrics.get()
	if err != nil {
		return fmt.Errorf("write metrics: %w", err)
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Context().Response.SetBodyRaw(body) // Plain: compressing megabytes for one reader costs more than it saves.
	return nil
}

const (
	// expositionShare bounds the time that writing metrics takes, one in so much.
	expositionShare = 10
	// expositionOldest bounds how old they may be for it, below the time between two readings.
	expositionOldest = 10 * time.Second
)

// exposition is what Prometheus reads. With 20,000 services it takes some 40 ms to write, so it is written once for all who
// ask at the same time, and shown for ten times as long as it took.
type exposition struct {
	write func(io.Writer) (contentType string, err error)
	turn  chan struct{} // Holds one while it is written; whoever asks meanwhile waits for it.

	until time.Time
	kind  string
	body  []byte
}

// newExposition returns nil without anything to write.
func newExposition(write func(io.Writer) (string, error)) *exposition {
	if write == nil {
		return nil
	}
	return &exposition{write: write, turn: make(chan struct{}, 1)}
}

func (x *exposition) get() (kind string, body []byte, err error) {
	x.turn <- struct{}{}
	defer func() { <-x.turn }()
	begun := time.Now()
	if begun.Before(x.until) {
		return x.kind, x.body, nil
	}
	b := bytes.NewBuffer(make([]byte, 0, len(x.body))) // Another: the last may still be on its way to a reader.
	if kind, err = x.write(b); err != nil {
		return "", nil, err
	}
	now := time.Now()
	x.kind, x.body, x.until = kind, b.Bytes(), now.Add(min(expositionShare*now.Sub(begun), expositionOldest))
	return x.kind, x.body, nil
}
