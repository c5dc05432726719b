// Package ops answers the operator and balancers: whether the process lives, whether it is ready, and its metrics.
package ops

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"statuspage/handlers/answer"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Readiness is what /readyz tells.
type Readiness struct {
	Ready   bool   `json:"ready"`
	Board   string `json:"board"` // "filled", or "loading" until history has been read.
	Store   string `json:"store"` // "up" or "away".
	Engine  string `json:"engine"`
	Outbox  int    `json:"outbox"`         // Signals on disk that the store does not have yet.
	Unsaved int    `json:"unsaved"`        // Signals in memory that are on no disk yet.
	Config  string `json:"config"`         // "current", or "refused" while the file holds something else than what runs.
	Mail    string `json:"mail,omitempty"` // "up" or "away"; empty where no alert goes by mail.
	Role    string `json:"role,omitempty"`
	Queue   string `json:"queue,omitempty"` // "up" or "away"; empty for one process.
}

// Ops answers for one process.
type Ops struct {
	ready   func() Readiness
	metrics *exposition // Nil without any.
}

// New returns the answers of a process that tells ready, nil for always, and writes metrics, nil for none.
func New(ready func() Readiness, metrics func(io.Writer) (contentType string, err error)) *Ops {
	if ready == nil {
		ready = func() Readiness { return Readiness{Ready: true, Board: "filled", Store: "up", Config: "current"} }
	}
	return &Ops{ready, newExposition(metrics)}
}

// Routes adds what any listener answers: balancers ask where visitors go.
func (o *Ops) Routes(r fiber.Router) {
	r.Get("/healthz", o.healthz)
	r.Get("/readyz", o.readyz)
}

// MetricsRoutes adds what is dear, and where the operator has a listener of his own stands only there.
func (o *Ops) MetricsRoutes(r fiber.Router) { r.Get("/metrics", o.prometheus) }

func (o *Ops) healthz(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.SendString("ok\n")
}

func (o *Ops) readyz(c *fiber.Ctx) error {
	r := o.ready()
	if !r.Ready {
		c.Status(http.StatusServiceUnavailable)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.JSON(r)
}

func (o *Ops) prometheus(c *fiber.Ctx) error {
	if o.metrics == nil {
		return answer.NotFound("error.404")
	}
	kind, body, err := o.metrics.get()
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
