package compat

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/views/badge"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Uptime Kuma's badge addresses, with its words, colours and parameters, so that a README
// goes on working after a move. A monitor is named by an alias (kuma:2), by our id, or, where no service has such an alias, by its
// place on the page.
// https://github.com/louislam/uptime-kuma/wiki/Badge

const (
	kumaUp      = "#66c20a"
	kumaWarn    = "#eed202"
	kumaDown    = "#c2290a"
	kumaPartial = "#f6be00"
	kumaNone    = "#999999"
	kumaBlue    = "#007ec6"
)

// Kuma answers at the addresses of Uptime Kuma.
type Kuma struct {
	page    *page.Page
	board   *board.Board
	figures *figures.Figures
	now     func() time.Time
	aliases map[string]*board.Service // By the number of the monitor.
}

// NewKuma returns the answers for a page.
func NewKuma(p *page.Page, b *board.Board, f *figures.Figures, now func() time.Time) *Kuma {
	s := &Kuma{page: p, board: b, figures: f, now: now, aliases: map[string]*board.Service{}}
	for _, svc := range b.Services() {
		for _, alias := range svc.Aliases {
			if number, is := strings.CutPrefix(alias, "kuma:"); is {
				s.aliases[number] = svc
			}
		}
	}
	return s
}

// Routes adds Uptime Kuma's addresses.
func (s *Kuma) Routes(r fiber.Router) {
	r.Get("/api/badge/:id/:kind/:duration?", s.badge)
	r.Get("/api/status-page/:slug/badge", s.pageBadge)
}

var kumaDuration = regexp.MustCompile(`^([0-9]{1,4})([hdy]?)$`)

func (s *Kuma) find(id string) (*board.Service, bool) {
	if svc, ok := s.aliases[id]; ok {
		return svc, true
	}
	if svc, ok := s.board.Find(id); ok { // An id of ours goes on meaning the same when the page is put in another order.
		return svc, true
	}
	n, err := strconv.Atoi(id)
	if err != nil || len(s.aliases) > 0 || n < 1 || n > len(s.board.Services()) {
		return nil, false
	}
	return s.board.Services()[n-1], true
}

// badge answers /api/badge/{id}/{kind}/{duration?}.
func (s *Kuma) badge(c *fiber.Ctx) error {
	window, name, valid := parseKumaDuration(answer.Param(c, "duration"))
	if !valid {
		return kumaError(c, "duration: 24 or 24h, to 720h; 30d, to 365d; 1y")
	}
	svc, ok := s.find(answer.Param(c, "id"))
	if !ok {
		return kumaSend(c, kumaNothing(c, "N/A"))
	}
	now := s.now()
	switch kind := answer.Param(c, "kind"); kind {
	case "status":
		return kumaSend(c, kumaState(c, s.figures.State(svc, now)))
	case "uptime":
		counts := svc.Uptime(window, now)
		percent, measured := counts.Uptime()
		if !measured {
			return kumaSend(c, kumaNothing(c, "N/A"))
		}
		return kumaSend(c, kumaValue(c, "Uptime ("+name+")", percent, "%", kumaHue(share(counts))))
	case "ping", "avg-response":
		mean, measured, err := s.figures.MeanLatency(c.UserContext(), svc, window, now)
		if err != nil {
			return kumaError(c, badge.HistoryAway)
		}
		if !measured {
			return kumaSend(c, kumaNothing(c, "N/A"))
		}
		label := map[string]string{"ping": "Avg. Ping", "avg-response": "Avg. Response"}[kind] + " (" + name + ")"
		return kumaSend(c, kumaValue(c, label, strconv.FormatInt(mean.Milliseconds(), 10), "ms", kumaBlue))
	case "response":
		last := svc.Recent(1)
		if len(last) == 0 || !last[0].Outcome.Available() {
			return kumaSend(c, kumaNothing(c, "N/A"))
		}
		return kumaSend(c, kumaValue(c, "Response", strconv.FormatInt(last[0].Duration().Milliseconds(), 10), "ms", kumaBlue))
	case "cert-exp":
		return kumaSend(c, kumaCertificate(c, svc.Certificate(), now))
	}
	return kumaError(c, "kind: status, uptime, ping, avg-response, response, cert-exp")
}

// kumaNothing is the badge without a figure to show.
func kumaNothing(c *fiber.Ctx, message string) badge.Badge {
	return badge.Badge{Label: c.Query("label"), Message: message, Color: kumaNone}
}

// pageBadge answers /api/status-page/{slug}/badge; every slug is this page.
func (s *Kuma) pageBadge(c *fiber.Ctx) error {
	all := s.figures.Standing(s.figures.Page(), s.now()).States
	label := c.Query("label", s.page.Title)
	switch {
	case all[status.Up]+all[status.Degraded]+all[status.Down] == 0:
		return kumaSend(c, badge.Badge{Label: label, Message: "N/A", Color: kumaNone})
	case all[status.Down] == 0:
		return kumaSend(c, badge.Badge{Label: label, Message: "Up", Color: kumaColor(c, "upColor", kumaUp)})
	case all[status.Up]+all[status.Degraded] > 0:
		return kumaSend(c, badge.Badge{Label: label, Message: "Degraded", Color: kumaColor(c, "partialColor", kumaPartial)})
	default:
		return kumaSend(c, badge.Badge{Label: label, Message: "Down", Color: kumaColor(c, "downColor", kumaDown)})
	}
}

func kumaState(c *fiber.Ctx, state status.Outcome) badge.Badge {
	label := c.Query("label", "Status")
	switch {
	case state == status.Down:
		return badge.Badge{Label: label, Message: c.Query("downLabel", "Down"), Color: kumaColor(c, "downColor", kumaDown)}
	case state.Available():
		return badge.Badge{Label: label, Message: c.Query("upLabel", "Up"), Color: kumaColor(c, "upColor", kumaUp)}
	default:
		return badge.Badge{Label: label, Message: "N/A", Color: kumaNone}
	}
}

// kumaValue shows a figure. Prefix and suffix go around a label of the address too, as in Kuma.
func kumaValue(c *fiber.Ctx, label, value, suffix, color string) badge.Badge {
	return badge.Badge{
		Label: c.Query("labelPrefix") + c.Query("label", label) + c.Query("labelSuffix"), Message: c.Query("prefix") + value + c.Query("suffix", suffix), Color: kumaColor(c, "color", color),
	}
}

func kumaCertificate(c *fiber.Ctx, expiry, now time.Time) badge.Badge {
	if expiry.IsZero() {
		return kumaNothing(c, "No/Bad Cert")
	}
	left := int(expiry.Sub(now) / (24 * time.Hour))
	color := kumaColor(c, "upColor", kumaUp)
	switch {
	case left <= c.QueryInt("downDays", 7):
		color = kumaColor(c, "downColor", kumaDown)
	case left <= c.QueryInt("warnDays", 14):
		color = kumaColor(c, "warnColor", kumaWarn)
	}
	value, suffix := strconv.Itoa(left), " days"
	if c.Query("date") != "" {
		value, suffix = expiry.UTC().Format("2006-01-02"), ""
	}
	b := kumaValue(c, "Cert Exp.", value, suffix, color)
	b.Color = color
	return b
}

func kumaColor(c *fiber.Ctx, name, usual string) string {
	if color, err := badge.ParseColor(c.Query(name)); err == nil {
		return color
	}
	return usual
}

// kumaHue is green at all and red at nothing: hue 10 to 90, saturation 90 %, lightness 40 %.
func kumaHue(ratio float64) string {
	hue, saturation, lightness := 10+80*ratio, 0.9, 0.4
	channel := func(n float64) int {
		k := math.Mod(n+hue/30, 12)
		return int(math.Round(255 * (lightness - saturation*lightness*max(-1, min(k-3, 9-k, 1)))))
	}
	return fmt.Sprintf("#%02x%02x%02x", channel(0), channel(8), channel(4))
}

// parseKumaDuration reads 24, 24h, 30d or 1y within Kuma's limits, which is another grammar than status.ParseDuration's: hours
// need no unit, and there are years. Longer than the history is the history.
func parseKumaDuration(text string) (window time.Duration, name string, ok bool) {
	if text == "" {
		text = "24h"
	}
	m := kumaDuration.FindStringSubmatch(text)
	if m == nil {
		return 0, "", false
	}
	n, _ := strconv.Atoi(m[1]) // Digits only.
	unit, suffix, most := time.Hour, "h", 720
	switch m[2] {
	case "d":
		unit, suffix, most = status.Day, "d", 365
	case "y":
		unit, suffix, most = 365*status.Day, "y", 1
	}
	return min(time.Duration(n)*unit, figures.MaxWindow), m[1] + suffix, n > 0 && n <= most
}

// kumaError answers with an image, whatever is wrong: what asks is a README.
func kumaError(c *fiber.Ctx, what string) error {
	err := kumaSend(c, badge.Invalid(what))
	c.Set(fiber.HeaderCacheControl, "no-store")
	return err
}

func kumaSend(c *fiber.Ctx, b badge.Badge) error {
	if color, err := badge.ParseColor(c.Query("labelColor")); err == nil {
		b.LabelColor = color
	}
	if style := c.Query("style"); slices.Contains(badge.Styles, style) {
		b.Style = style
	}
	c.Set(fiber.HeaderCacheControl, badge.Caching)
	return answer.Send(c, badge.Types["svg"], answer.New(b.SVG()))
}
