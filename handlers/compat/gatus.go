// Package compat answers at the addresses of other products, in their words and forms, so that what reads them goes on
// working after a move.
package compat

import (
	"context"
	"fmt"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/status"
	"statuspage/views/badge"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Gatus's badge addresses, so that a README goes on working after a move.
// https://github.com/TwiN/gatus#badges

// Gatus answers at the addresses of Gatus.
type Gatus struct {
	board   *board.Board
	figures *figures.Figures
	now     func() time.Time
	byKey   map[string]*board.Service // By Gatus's name for them, the first of several.
	kept    answer.Cache              // By version of the board.
}

// NewGatus returns the answers for a page.
func NewGatus(b *board.Board, f *figures.Figures, now func() time.Time) *Gatus {
	return &Gatus{board: b, figures: f, now: now, byKey: gatusKeys(b.Services())}
}

// Routes adds Gatus's addresses.
func (s *Gatus) Routes(r fiber.Router) {
	r.Get("/api/v1/endpoints/statuses", s.statuses)
	r.Get("/api/v1/endpoints/:key/*", s.endpoint)
	r.Get("/api/v1/config", s.config)
	r.Get("/health", s.alive)
}

var gatusDurations = map[string]time.Duration{"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour}

// Gatus's colours, best first.
var gatusColors = []string{"#40cc11", "#94cc11", "#ccd311", "#ccb311", "#cc8111", "#c7130a"}

var gatusClean = strings.NewReplacer("/", "-", "_", "-", ".", "-", ",", "-", " ", "-", "#", "-", "+", "-", "&", "-")

// gatusKey is how Gatus names an endpoint in addresses.
func gatusKey(s status.Service) string {
	part := func(text string) string { return gatusClean.Replace(strings.ToLower(strings.TrimSpace(text))) }
	return part(s.Group) + "_" + part(s.Name)
}

func (s *Gatus) find(key string) (*board.Service, bool) {
	if svc, ok := s.byKey[key]; ok {
		return svc, true
	}
	return s.board.Find(key)
}

// gatusKeys finds services by Gatus's names; of several with one name the first counts.
func gatusKeys(services []*board.Service) map[string]*board.Service {
	at := make(map[string]*board.Service, len(services))
	for _, svc := range services {
		for _, alias := range svc.Aliases {
			if key, is := strings.CutPrefix(alias, "gatus:"); is {
				at[key] = svc
			}
		}
	}
	for _, svc := range services {
		key := gatusKey(svc.Service)
		if _, taken := at[key]; !taken {
			at[key] = svc
		}
	}
	return at
}

// gatusHeaders are those of all that Gatus answers.
func gatusHeaders(c *fiber.Ctx) {
	c.Set(fiber.HeaderCacheControl, "no-cache, no-store, must-revalidate")
	c.Set(fiber.HeaderExpires, "0")
}

// gatusError answers in plain words, as Gatus does; where an image is asked for, in an image
// and without the code: a README has no use for anything else, and image proxies show no other.
func gatusError(c *fiber.Ctx, code int, what string) error {
	if rest := answer.Segments(c); strings.HasSuffix(rest[len(rest)-1], ".svg") {
		c.Set(fiber.HeaderContentType, badge.Types["svg"])
		return c.Send(badge.Invalid(what).SVG())
	}
	if code == http.StatusServiceUnavailable {
		c.Set(fiber.HeaderRetryAfter, answer.StatusRetry)
	}
	c.Status(code)
	c.Set(fiber.HeaderContentType, badge.Types["txt"])
	return c.SendString(what)
}

// endpoint answers /api/v1/endpoints/{key}/….
func (s *Gatus) endpoint(c *fiber.Ctx) error {
	gatusHeaders(c)
	svc, ok := s.find(answer.Param(c, "key"))
	if !ok {
		return gatusError(c, http.StatusNotFound, "endpoint not found")
	}
	now, rest := s.now(), answer.Segments(c)
	kind, duration, form := rest[0], "", ""
	if len(rest) > 1 {
		duration, form = rest[1], strings.Join(rest[2:], "/")
	}
	switch {
	case kind == "health" && form == "" && (duration == "badge.svg" || duration == "badge.shields"):
		return gatusHealth(c, s.figures.State(svc, now), duration == "badge.svg")
	case kind == "statuses" && len(rest) == 1:
		page, size := gatusPage(c)
		one := gatusStatusOf(svc, page, size)
		one.Events = gatusEventsOf(svc, now)
		return c.JSON(one)
	}
	switch window, known := gatusDurations[duration]; {
	case kind == "response-times" && form == "chart.svg":
		return s.chart(c, svc, duration, now)
	case kind == "response-times" && form == "history":
		return s.history(c, svc, duration, now)
	case kind != "uptimes" && kind != "response-times" || form != "" && form != "badge.svg":
		return gatusError(c, http.StatusNotFound, "not found")
	case !known:
		return gatusError(c, http.StatusBadRequest, "Durations supported: 30d, 7d, 24h, 1h")
	case kind == "response-times":
		b, plain, err := s.latency(c.UserContext(), svc, window, duration, now)
		if err != nil {
			return gatusAway(c)
		}
		return gatusSend(c, form)(b, plain)
	default:
		return gatusSend(c, form)(gatusUptime(svc, window, duration, now))
	}
}

// gatusSend answers with a figure, as a badge or bare.
func gatusSend(c *fiber.Ctx, form string) func(b badge.Badge, plain string) error {
	return func(b badge.Badge, plain string) error {
		if form == "" {
			return c.SendString(plain)
		}
		c.Set(fiber.HeaderContentType, badge.Types["svg"])
		return c.Send(b.SVG())
	}
}

func gatusHealth(c *fiber.Ctx, state status.Outcome, svg bool) error {
	message, name, color := "?", "yellow", "#ccd311"
	switch {
	case state.Available():
		message, name, color = "up", "brightgreen", gatusColors[0]
	case state == status.Down:
		message, name, color = "down", "red", gatusColors[5]
	}
	if svg {
		c.Set(fiber.HeaderContentType, badge.Types["svg"])
		return c.Send(badge.Badge{Label: "health", Message: message, Color: color}.SVG())
	}
	return c.JSON(fiber.Map{"schemaVersion": 1, "label": "gatus", "message": message, "color": name})
}

func gatusUptime(svc *board.Service, window time.Duration, name string, now time.Time) (b badge.Badge, plain string) {
	counts := svc.Uptime(window, now)
	b = badge.Uptime(name, counts)
	if counts.Measured() == 0 {
		return b, "0.000000"
	}
	available, measured := counts.Share()
	perMille := available * 1000 / measured
	b.Color = gatusColors[5]
	for n, least := range []int64{975, 950, 900, 800, 650} {
		if perMille >= least {
			b.Color = gatusColors[n]
			break
		}
	}
	return b, fmt.Sprintf("%.6f", share(counts))
}

func (s *Gatus) latency(ctx context.Context, svc *board.Service, window time.Duration, name string, now time.Time) (b badge.Badge, plain string, err error) {
	mean, ok, err := s.figures.MeanLatency(ctx, svc, window, now)
	b = badge.Badge{Label: "response time " + name, Message: "no data", Color: "#8b929c"}
	if err != nil || !ok {
		return b, "0", err
	}
	ms := strconv.FormatInt(mean.Milliseconds(), 10)
	b.Message, b.Color = ms+"ms", gatusColors[5]
	for n, most := range []time.Duration{50, 200, 300, 500, 750} {
		if mean <= most*time.Millisecond {
			b.Color = gatusColors[n]
			break
		}
	}
	return b, ms, nil
}

// share is the uptime as a number from 0 to 1; something must have been measured.
func share(c status.Counts) float64 {
	available, measured := c.Share()
	return float64(available) / float64(measured)
}
