package handlers

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/agent"
	"statuspage/internal/status"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// handInTimeout bounds the write of one batch.
const handInTimeout = 5 * time.Second

// Agent is a prober elsewhere that hands signals in for its region.
type Agent struct {
	Region string
	Token  [sha256.Size]byte // SHA-256 of its token.
}

// Desk is where agents take their checks and hand signals in. It lives as long as the
// process; Set may be called at any time.
type Desk struct {
	retention time.Duration
	handIn    func(ctx context.Context, signals []status.Signal) error
	expiry    func(service string, at time.Time)
	seats     atomic.Pointer[[]seat]

	taken, refused, denied atomic.Uint64
}

// seat is an agent with what it measures.
type seat struct {
	Agent
	checks   *answer.Entity
	services map[string]status.Service
}

// NewDesk returns a desk without agents. handIn makes signals durable before it returns, and
// shows them; those older than retention are refused. expiry is told when the certificates
// of services expire.
func NewDesk(retention time.Duration, handIn func(ctx context.Context, signals []status.Signal) error, expiry func(service string, at time.Time)) *Desk {
	d := &Desk{retention: retention, handIn: handIn, expiry: expiry}
	d.seats.Store(&[]seat{})
	return d
}

// Set says who the agents are, and gives each the checks of its region.
func (d *Desk) Set(agents []Agent, checks []status.Check) error {
	seats := make([]seat, len(agents))
	for i, a := range agents {
		body, err := agent.EncodeChecks(a.Region, checks)
		if err != nil {
			return fmt.Errorf("checks of region %s: %w", a.Region, err)
		}
		seats[i] = seat{a, answer.New(body), map[string]status.Service{}}
		for _, c := range checks {
			if slices.Contains(c.Regions, a.Region) {
				seats[i].services[c.ID] = c.Service
			}
		}
	}
	d.seats.Store(&seats)
	return nil
}

// Taken counts the signals that agents have handed in, repeated ones included.
func (d *Desk) Taken() uint64 { return d.taken.Load() }

// Refused counts the signals that were not as they must be.
func (d *Desk) Refused() uint64 { return d.refused.Load() }

// Denied counts the requests without a token of an agent.
func (d *Desk) Denied() uint64 { return d.denied.Load() }

// open tells whether there are agents at all; d may be nil.
func (d *Desk) open() bool { return d != nil && len(*d.seats.Load()) > 0 }

var bearer = []byte("Bearer ")

// find returns the seat of a token, nil for none. How long it takes depends neither on the
// token nor on whose it is.
func (d *Desk) find(authorization []byte) *seat {
	token, ok := bytes.CutPrefix(authorization, bearer)
	sum, seats := sha256.Sum256(token), *d.seats.Load()
	at := -1
	for i := range seats {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], seats[i].Token[:]), i, at)
	}
	if !ok || at < 0 {
		return nil
	}
	return &seats[at]
}

// posts tells whether a request hands signals in.
func (d *Desk) posts(h *fasthttp.RequestHeader) bool {
	return h.IsPost() && string(h.RequestURI()) == agent.SignalsPath && d.open()
}

// room lets agents, and nobody else, send more than a bare request.
func (d *Desk) room(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if d.posts(h) && d.find(h.Peek(fiber.HeaderAuthorization)) != nil {
		return fasthttp.RequestConfig{MaxRequestBodySize: agent.MaxBody}
	}
	return fasthttp.RequestConfig{}
}

// errStarting is what agents are told while signals would be counted wrong.
var errStarting = &answer.Problem{Code: http.StatusServiceUnavailable, Detail: "The history is being read; send it again.", Retry: 1, Refusal: true}

// ErrStarting is what handIn returns while the history is being read: what came in between would
// be counted wrong, and agents keep it.
var ErrStarting error = errStarting

var errDenied = &answer.Problem{Code: http.StatusUnauthorized, Detail: "Send the token of an agent: Authorization: Bearer …"}

// agentSeat finds who asks, and answers who is nobody.
func (s *Server) agentSeat(c *fiber.Ctx) (*seat, error) {
	if !s.desk.open() {
		return nil, answer.NotFound("error.404")
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(agent.TimeHeader, s.now().UTC().Format(agent.TimeFormat))
	who := s.desk.find(answer.Peek(c, fiber.HeaderAuthorization))
	if who == nil {
		s.desk.denied.Add(1)
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		return nil, errDenied
	}
	return who, nil
}

// agentChecks answers GET /agent/v1/checks.
func (s *Server) agentChecks(c *fiber.Ctx) error {
	who, err := s.agentSeat(c)
	if err != nil {
		return err
	}
	return answer.Send(c, fiber.MIMEApplicationJSON, who.checks)
}

// agentSignals answers POST /agent/v1/signals, when the batch is on disk.
func (s *Server) agentSignals(c *fiber.Ctx) error {
	who, err := s.agentSeat(c)
	if err != nil {
		return err
	}
	body, err := unpacked(c)
	if err != nil {
		return err
	}
	signals, refused, err := agent.DecodeSignals(body, agent.Rules{
		Region: who.Region, Services: who.services, Retention: s.desk.retention, Now: s.now(), Certificate: s.desk.expiry,
	})
	switch {
	case errors.Is(err, agent.ErrTooMany) || errors.Is(err, agent.ErrTooLarge):
		return &answer.Problem{Code: http.StatusRequestEntityTooLarge, Detail: "The batch is " + err.Error() + "."}
	case err != nil:
		return &answer.Problem{Code: http.StatusBadRequest, Detail: "The body is " + err.Error() + "."}
	case len(refused) > 0:
		s.desk.refused.Add(uint64(len(refused)))
		c.Status(http.StatusUnprocessableEntity)
		return answerAgent(c, agent.Answer{Refused: refused})
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), handInTimeout)
	defer cancel()
	switch err := s.desk.handIn(ctx, signals); {
	case errors.Is(err, ErrStarting):
		return err
	case err != nil:
		return fmt.Errorf("signals of region %s can't be saved: %w: %w", who.Region, status.ErrUnavailable, err)
	}
	s.desk.taken.Add(uint64(len(signals)))
	return answerAgent(c, agent.Answer{Taken: len(signals)})
}

func answerAgent(c *fiber.Ctx, a agent.Answer) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(body)
}

// unpacked is the body as its sender wrote it. Whoever reads bounds how much of it there is.
func unpacked(c *fiber.Ctx) (io.Reader, error) {
	body := bytes.NewReader(c.Context().Request.Body())
	switch strings.ToLower(c.Get(fiber.HeaderContentEncoding)) {
	case "", "identity":
		return body, nil
	case "gzip":
		r, err := gzip.NewReader(body)
		if err != nil {
			return nil, &answer.Problem{Code: http.StatusBadRequest, Detail: "The body is not gzip."}
		}
		return r, nil
	default:
		return nil, &answer.Problem{Code: http.StatusUnsupportedMediaType, Detail: "Send the body plain or in gzip."}
	}
}
