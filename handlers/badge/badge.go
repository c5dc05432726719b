// Package badge answers /badge/…, the pictures that other sites show of a service, a group or the page, and the form that makes
// their addresses.
package badge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/handlers/visitor"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/live"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/views/badge"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Badges answers for one page.
type Badges struct {
	page    *page.Page
	board   *board.Board
	live    *live.Live
	figures *figures.Figures
	visitor *visitor.Reader
	now     func() time.Time

	kept  answer.Cache // By version of the page: a state may also change by time alone.
	forms answer.Cache // They change with the configuration alone.
	told  told
}

// New returns the badges of a page.
func New(p *page.Page, b *board.Board, l *live.Live, f *figures.Figures, v *visitor.Reader, now func() time.Time) *Badges {
	return &Badges{page: p, board: b, live: l, figures: f, visitor: v, now: now}
}

// AtHand adds what answers from memory, before anything is made.
func (s *Badges) AtHand(r fiber.Router) { r.Get("/badge/*", s.answerKept) }

// Routes adds the addresses of badges.
func (s *Badges) Routes(r fiber.Router) {
	r.Get("/badge/*", s.badge)
	r.Get("/badges", s.form)
}

func (s *Badges) answerKept(c *fiber.Ctx) error {
	path := c.Context().URI().PathOriginal()
	format := path[bytes.LastIndexByte(path, '.')+1:]
	e := s.kept.At(s.live.Version(), c.Context().Request.RequestURI())
	if e == nil || badge.Types[string(format)] == "" { // It may be written otherwise: %2Esvg.
		return c.Next()
	}
	return send(c, string(format), e)
}

// badge answers /badge/{service|group:<id>|page}/{kind}.{svg|json|shields|txt}, and the short
// forms without a kind. It always answers with an image (or its JSON or text), also when
// something is wrong: a README has no use for an error page.
func (s *Badges) badge(c *fiber.Ctx) error {
	q := parse(answer.Segments(c), func(name string) string { return c.Query(name) })
	if badge.Types[q.format] == "" {
		return errNone
	}
	subject, found := s.figures.Find(q.subject)
	switch {
	case q.mistake != "":
		return refuse(c, q, http.StatusBadRequest, badge.Invalid(q.mistake))
	case !found && strings.HasPrefix(q.subject, figures.GroupPrefix):
		return refuse(c, q, http.StatusNotFound, badge.Unknown("group"))
	case !found:
		return refuse(c, q, http.StatusNotFound, badge.Unknown("service"))
	case q.region != "" && subject.Services[0].Region(q.region) == "": // A region is of one service.
		return refuse(c, q, http.StatusNotFound, badge.Unknown("region"))
	}
	version := s.live.Version()
	e, err := s.kept.Get(version, q.key(), func() ([]byte, error) {
		f, err := s.told.get(version, q.figure(), func() (f figure, err error) {
			f.badge, f.state, err = s.draw(c.UserContext(), q, subject)
			return f, err
		})
		return q.encode(q.dress(f.badge), f.state, false), err
	})
	switch {
	case errors.Is(err, status.ErrUnavailable):
		return refuse(c, q, http.StatusServiceUnavailable, badge.Invalid(badge.HistoryAway))
	case err != nil:
		return err
	}
	s.kept.KeepAt(version, c.Context().Request.RequestURI(), e)
	return send(c, q.format, e)
}

func send(c *fiber.Ctx, format string, e *answer.Entity) error {
	c.Set(fiber.HeaderCacheControl, badge.Caching)
	return answer.Send(c, badge.Types[format], e)
}

// errNone is the answer to an address without a format.
var errNone = &answer.Problem{Code: http.StatusNotFound, Detail: "A badge's address ends in its format, .svg, .json, .shields or .txt: /badge/{service}/{kind}.svg. /badges makes one."}

// refuse says on a badge what is wrong. No cache keeps it: the address may be right a moment later,
// when the service has been added. Programs get a code; an image is 200, since the proxies
// through which READMEs load images show a broken one for anything else.
func refuse(c *fiber.Ctx, q request, code int, b badge.Badge) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if q.format != "svg" {
		c.Status(code)
		if code == http.StatusServiceUnavailable {
			c.Set(fiber.HeaderRetryAfter, answer.StatusRetry)
		}
	}
	return answer.Send(c, badge.Types[q.format], answer.New(q.encode(b, status.Unknown, true)))
}

func (q request) encode(b badge.Badge, state status.Outcome, isError bool) []byte {
	switch q.format {
	case "svg":
		return b.SVG()
	case "txt":
		return []byte(b.Message + "\n")
	case "json":
		if !q.short {
			return q.facts(b, state)
		}
	}
	return b.JSON(isError)
}

// facts is the badge in our own JSON, in one shape whatever its kind and also for a mistake:
// what it says in words and as a number, of which window, and the state of its subject.
func (q request) facts(b badge.Badge, state status.Outcome) []byte {
	out, _ := json.Marshal(struct { // Strings, numbers and times always encode.
		Subject string         `json:"subject"`
		Kind    string         `json:"kind"`
		Label   string         `json:"label"`
		Message string         `json:"message"`
		Color   string         `json:"color"`
		Value   *float64       `json:"value"`
		State   status.Outcome `json:"state"`
		Window  string         `json:"window,omitempty"`
		Hours   []badge.Hour   `json:"hours,omitempty"`
		Region  string         `json:"region,omitempty"`
	}{q.subject, q.kind, badge.Clean(b.Label), badge.Clean(b.Message), b.Color, b.Value, state, q.windowIfUsed(), b.Hours, q.region})
	return out
}

// draw draws a badge whose address is right, and tells the state of its subject.
func (s *Badges) draw(ctx context.Context, q request, of figures.Subject) (badge.Badge, status.Outcome, error) {
	now := s.now()
	if q.region != "" {
		b, state := s.drawRegion(q, of.Services[0])
		return b, state, nil
	}
	state := s.figures.Standing(of, now).Worst()
	if q.kind == "latency" {
		p, ok, err := s.figures.Percentiles(ctx, of.Services, q.window, now, q.percentile)
		return badge.Latency(q.windowName, q.percentile, p[0], ok), state, err
	}
	return s.drawFromBoard(q, of, now), state, nil
}

// drawFromBoard draws a badge of what is in memory.
func (s *Badges) drawFromBoard(q request, of figures.Subject, now time.Time) badge.Badge {
	switch q.kind {
	case "uptime":
		return badge.Uptime(q.windowName, figures.Uptime(of.Services, q.window, now))
	case "certificate":
		var earliest time.Time
		for _, svc := range of.Services {
			if at := svc.Certificate(); !at.IsZero() && (earliest.IsZero() || at.Before(earliest)) {
				earliest = at
			}
		}
		return badge.Certificate(earliest, now)
	case "outage":
		var newest []status.Outage
		for _, o := range s.board.LastOutages(of.Services, now) {
			newest = append(newest, o.Outage)
		}
		slices.SortFunc(newest, func(a, b status.Outage) int {
			if a.Ongoing() != b.Ongoing() { // What goes on comes first.
				if a.Ongoing() {
					return -1
				}
				return 1
			}
			return b.Begin.Compare(a.Begin)
		})
		return badge.Outage(newest, now)
	case "hours":
		return badge.Hours(of.Title, figures.Hours(of.Services, now))
	}
	states := make([]status.Outcome, len(of.Services))
	for n, svc := range of.Services {
		states[n] = s.figures.State(svc, now)
	}
	var drawn badge.Badge
	if of.Single() {
		drawn = badge.State(of.Title, states[0])
	} else {
		drawn = badge.Page(of.Title, states)
	}
	if s.figures.Standing(of, now).Word() == "maintenance" {
		return drawn.UnderMaintenance()
	}
	return drawn
}

// drawRegion draws the badge of what one region says of a service.
func (s *Badges) drawRegion(q request, svc *board.Service) (badge.Badge, status.Outcome) {
	now := s.now()
	var region board.Region
	for _, r := range svc.ByRegion(q.window, now) {
		if r.Name == q.region {
			region = r
		}
	}
	switch q.kind {
	case "uptime":
		return badge.Uptime(q.windowName, region.Counts), region.State
	case "latency":
		latencies := svc.LatenciesIn(q.region, now.Add(-q.window), now.Add(time.Second))
		return badge.Latency(q.windowName, q.percentile, status.Percentiles(latencies, q.percentile)[0], len(latencies) > 0), region.State
	default:
		return badge.State(svc.Name+" · "+q.region, region.State), region.State
	}
}
