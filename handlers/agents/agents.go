// Package agents answers probers elsewhere, each of a region: it hands out their checks, and takes their signals in when they
// are durable.
package agents

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
	"log/slog"
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/agent"
	"statuspage/internal/check"
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

// Agents are where agents take their checks and hand signals in. They live as long as the
// process; Set may be called at any time.
type Agents struct {
	retention time.Duration
	now       func() time.Time
	log       *slog.Logger
	handIn    func(ctx context.Context, signals []status.Signal) error
	expiry    func(service string, at time.Time)
	known     atomic.Pointer[[]known]

	taken, refused, denied atomic.Uint64
}

// known is an agent with what it measures.
type known struct {
	Agent
	all      []check.Check
	services map[string]status.Service
	told     atomic.Pointer[told]
	said     atomic.Value // Of the services that the log was told of last: the agent can't measure them.
}

// told is what an agent is told, by what it says that it knows. One is kept: an agent has one version.
type told struct {
	kinds  string
	checks *answer.Entity
	left   []string // Services that it can't measure.
}

// tell returns what to tell an agent with this agent.KindsHeader.
func (k *known) tell(kinds string) (*told, error) {
	if t := k.told.Load(); t != nil && t.kinds == kinds {
		return t, nil
	}
	body, left, err := agent.EncodeChecks(k.Region, k.all, kinds)
	if err != nil {
		return nil, fmt.Errorf("checks of region %s: %w", k.Region, err)
	}
	t := &told{strings.Clone(kinds), answer.New(body), left}
	k.told.Store(t)
	return t, nil
}

// New returns no agents yet. handIn makes signals durable before it returns, and
// shows them; those older than retention are refused. expiry is told when the certificates
// of services expire.
func New(retention time.Duration, now func() time.Time, log *slog.Logger, handIn func(ctx context.Context, signals []status.Signal) error, expiry func(service string, at time.Time)) *Agents {
	a := &Agents{retention: retention, now: now, log: log, handIn: handIn, expiry: expiry}
	a.known.Store(&[]known{})
	return a
}

// Set says who the agents are, and gives each the checks of its region.
func (a *Agents) Set(agents []Agent, checks []check.Check) error {
	all := make([]known, len(agents))
	for i, one := range agents {
		k := &all[i]
		k.Agent, k.all, k.services = one, checks, map[string]status.Service{}
		for _, c := range checks {
			if slices.Contains(c.Regions, one.Region) {
				k.services[c.ID] = c.Service
			}
		}
		if _, err := k.tell(agent.Kinds()); err != nil {
			return err
		}
	}
	a.known.Store(&all)
	return nil
}

// Taken counts the signals that agents have handed in, repeated ones included.
func (a *Agents) Taken() uint64 { return a.taken.Load() }

// Refused counts the signals that were not as they must be.
func (a *Agents) Refused() uint64 { return a.refused.Load() }

// Denied counts the requests without a token of an agent.
func (a *Agents) Denied() uint64 { return a.denied.Load() }

// open tells whether there are agents at all; a may be nil.
func (a *Agents) open() bool { return a != nil && len(*a.known.Load()) > 0 }

var bearer = []byte("Bearer ")

// find returns the agent of a token, nil for none. How long it takes depends neither on the
// token nor on whose it is.
func (a *Agents) find(authorization []byte) *known {
	token, ok := bytes.CutPrefix(authorization, bearer)
	sum, all := sha256.Sum256(token), *a.known.Load()
	at := -1
	for i := range all {
		at = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(sum[:], all[i].Token[:]), i, at)
	}
	if !ok || at < 0 {
		return nil
	}
	return &all[at]
}

// Posts tells whether a request hands signals in.
func (a *Agents) Posts(h *fasthttp.RequestHeader) bool {
	return h.IsPost() && string(h.RequestURI()) == agent.SignalsPath && a.open()
}

// Room lets agents, and nobody else, send more than a bare request.
func (a *Agents) Room(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if a.Posts(h) && a.find(h.Peek(fiber.HeaderAuthorization)) != nil {
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

// Routes adds the addresses of agents.
func (a *Agents) Routes(r fiber.Router) {
	r.Get(agent.ChecksPath, a.checks)
	r.Post(agent.SignalsPath, a.signals)
}

// asking finds who asks, and answers who is nobody.
func (a *Agents) asking(c *fiber.Ctx) (*known, error) {
	if !a.open() {
		return nil, answer.NotFound("error.404")
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Set(agent.TimeHeader, a.now().UTC().Format(agent.TimeFormat))
	who := a.find(answer.Peek(c, fiber.HeaderAuthorization))
	if who == nil {
		a.denied.Add(1)
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		return nil, errDenied
	}
	return who, nil
}

// checks answers GET /agent/v1/checks.
func (a *Agents) checks(c *fiber.Ctx) error {
	who, err := a.asking(c)
	if err != nil {
		return err
	}
	t, err := who.tell(string(answer.Peek(c, agent.KindsHeader)))
	if err != nil {
		return err
	}
	if left := strings.Join(t.left, " "); left != "" && who.said.Swap(left) != left {
		a.log.Error("an agent can't measure what its version does not know; it is no data in its region until the agent is updated", "region", who.Region, "services", len(t.left), "first", t.left[0])
	}
	return answer.Send(c, fiber.MIMEApplicationJSON, t.checks)
}

// signals answers POST /agent/v1/signals, when the batch is on disk.
func (a *Agents) signals(c *fiber.Ctx) error {
	who, err := a.asking(c)
	if err != nil {
		return err
	}
	body, err := unpacked(c)
	if err != nil {
		return err
	}
	signals, refused, err := agent.DecodeSignals(body, agent.Rules{
		Region: who.Region, Services: who.services, Retention: a.retention, Now: a.now(), Certificate: a.expiry,
	})
	switch {
	case errors.Is(err, agent.ErrTooMany) || errors.Is(err, agent.ErrTooLarge):
		return &answer.Problem{Code: http.StatusRequestEntityTooLarge, Detail: "The batch is " + err.Error() + "."}
	case err != nil:
		return &answer.Problem{Code: http.StatusBadRequest, Detail: "The body is " + err.Error() + "."}
	case len(refused) > 0:
		a.refused.Add(uint64(len(refused)))
		c.Status(http.StatusUnprocessableEntity)
		return answerAgent(c, agent.Answer{Refused: refused})
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), handInTimeout)
	defer cancel()
	switch err := a.handIn(ctx, signals); {
	case errors.Is(err, ErrStarting):
		return err
	case err != nil:
		return fmt.Errorf("signals of region %s can't be saved: %w: %w", who.Region, status.ErrUnavailable, err)
	}
	a.taken.Add(uint64(len(signals)))
	return answerAgent(c, agent.Answer{Taken: len(signals)})
}

func answerAgent(c *fiber.Ctx, told agent.Answer) error {
	body, err := json.Marshal(told)
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
