package handlers

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"statuspage/internal/status"
	"statuspage/views/badge"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Gatus's badge addresses, so that a README goes on working after a move.
// https://github.com/TwiN/gatus#badges

var gatusDurations = map[string]time.Duration{"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "30d": 30 * 24 * time.Hour}

// Gatus's colours, best first.
var gatusColors = []string{"#40cc11", "#94cc11", "#ccd311", "#ccb311", "#cc8111", "#c7130a"}

var gatusClean = strings.NewReplacer("/", "-", "_", "-", ".", "-", ",", "-", " ", "-", "#", "-", "+", "-", "&", "-")

// gatusKey is how Gatus names an endpoint in addresses.
func gatusKey(s status.Service) string {
	part := func(text string) string { return gatusClean.Replace(strings.ToLower(strings.TrimSpace(text))) }
	return part(s.Group) + "_" + part(s.Name)
}

func (s *Server) gatusService(key string) (int, bool) {
	if plain, err := url.PathUnescape(key); err == nil {
		key = plain
	}
	if i, ok := s.gatusAt[key]; ok {
		return i, true
	}
	return s.board.Find(key)
}

// gatusKeys finds services by Gatus's names; of several with one name the first counts.
func gatusKeys(services []status.Service) map[string]int {
	at := make(map[string]int, len(services))
	for i, svc := range services {
		key := gatusKey(svc)
		if _, taken := at[key]; !taken {
			at[key] = i
		}
	}
	return at
}

// gatusHeaders are those of all that Gatus answers.
func gatusHeaders(c *fiber.Ctx) {
	c.Set(fiber.HeaderCacheControl, "no-cache, no-store, must-revalidate")
	c.Set(fiber.HeaderExpires, "0")
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
}

// gatusError answers in plain words, as Gatus does; where an image is asked for, in an image:
// a README has no use for anything else.
func gatusError(c *fiber.Ctx, code int, what string) error {
	c.Status(code)
	if strings.HasSuffix(c.Path(), ".svg") {
		c.Set(fiber.HeaderContentType, badgeTypes["svg"])
		return c.Send(badge.Invalid(what).SVG())
	}
	c.Set(fiber.HeaderContentType, badgeTypes["txt"])
	return c.SendString(what)
}

// gatus answers /api/v1/endpoints/{key}/….
func (s *Server) gatus(c *fiber.Ctx) error {
	gatusHeaders(c)
	i, ok := s.gatusService(c.Params("key"))
	if !ok {
		return gatusError(c, http.StatusNotFound, "endpoint not found")
	}
	now, rest := s.now(), c.Params("*")
	switch rest {
	case "health/badge.svg", "health/badge.shields":
		return s.gatusHealth(c, s.board.State(i, now), strings.HasSuffix(rest, ".svg"))
	case "statuses":
		page, size := gatusPage(c)
		one := s.gatusStatus(i, page, size)
		one.Events = s.gatusEventsOf(i, now)
		return c.JSON(one)
	}
	kind, rest, _ := strings.Cut(rest, "/")
	duration, form, _ := strings.Cut(rest, "/")
	switch window, known := gatusDurations[duration]; {
	case kind == "response-times" && form == "chart.svg":
		return s.gatusChart(c, i, duration, now)
	case kind == "response-times" && form == "history":
		return s.gatusHistory(c, i, duration, now)
	case kind != "uptimes" && kind != "response-times" || form != "" && form != "badge.svg":
		return gatusError(c, http.StatusNotFound, "not found")
	case !known:
		return gatusError(c, http.StatusBadRequest, "Durations supported: 30d, 7d, 24h, 1h")
	case kind == "response-times":
		return gatusSend(c, form)(s.gatusLatency(c.UserContext(), i, window, duration, now))
	default:
		return gatusSend(c, form)(s.gatusUptime(i, window, duration, now))
	}
}

// gatusSend answers with a figure, as a badge or bare.
func gatusSend(c *fiber.Ctx, form string) func(b badge.Badge, plain string) error {
	return func(b badge.Badge, plain string) error {
		if form == "" {
			return c.SendString(plain)
		}
		c.Set(fiber.HeaderContentType, badgeTypes["svg"])
		return c.Send(b.SVG())
	}
}

func (s *Server) gatusHealth(c *fiber.Ctx, state status.Outcome, svg bool) error {
	message, name, color := "?", "yellow", "#ccd311"
	switch {
	case state.Available():
		message, name, color = "up", "brightgreen", gatusColors[0]
	case state == status.Down:
		message, name, color = "down", "red", gatusColors[5]
	}
	if svg {
		c.Set(fiber.HeaderContentType, badgeTypes["svg"])
		return c.Send(badge.Badge{Label: "health", Message: message, Color: color}.SVG())
	}
	return c.JSON(fiber.Map{"schemaVersion": 1, "label": "gatus", "message": message, "color": name})
}

func (s *Server) gatusUptime(service int, window time.Duration, name string, now time.Time) (b badge.Badge, plain string) {
	counts := s.board.Uptime(service, window, now)
	b = badge.Uptime(name, counts)
	if counts.Measured() == 0 {
		return b, "0.000000"
	}
	perMille := counts.Available() * 1000 / counts.Measured()
	b.Color = gatusColors[5]
	for n, least := range []int{975, 950, 900, 800, 650} {
		if perMille >= least {
			b.Color = gatusColors[n]
			break
		}
	}
	return b, fmt.Sprintf("%.6f", float64(counts.Available())/float64(counts.Measured()))
}

func (s *Server) gatusLatency(ctx context.Context, service int, window time.Duration, name string, now time.Time) (b badge.Badge, plain string) {
	mean, ok := s.meanLatency(ctx, service, window, now)
	b = badge.Badge{Label: "response time " + name, Message: "no data", Color: "#8b929c"}
	if !ok {
		return b, "0"
	}
	ms := strconv.FormatInt(mean.Milliseconds(), 10)
	b.Message, b.Color = ms+"ms", gatusColors[5]
	for n, most := range []time.Duration{50, 200, 300, 500, 750} {
		if mean <= most*time.Millisecond {
			b.Color = gatusColors[n]
			break
		}
	}
	return b, ms
}
