package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"statuspage/views/badge"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	// pageBadge is the name under which the whole page has its badge; no service may have it.
	pageBadge = "page"
	// groupPrefix stands before the id of a group.
	groupPrefix = "group:"
	// badgeCaching lets image proxies show a badge for half a minute, and an old one while they ask.
	badgeCaching = "public, max-age=30, stale-while-revalidate=60"
)

// historyAway is what a badge says when the store can't be read.
const historyAway = "history away"

var badgeTypes = map[string]string{
	"svg": "image/svg+xml; charset=utf-8", "json": fiber.MIMEApplicationJSON, "shields": fiber.MIMEApplicationJSON, "txt": fiber.MIMETextPlainCharsetUTF8,
}

// badge answers /badge/{service|group:<id>|page}/{kind}.{svg|json|shields|txt}, and the short
// forms without a kind. It always answers with an image (or its JSON or text), also when
// something is wrong: a README has no use for an error page.
func (s *Server) badge(c *fiber.Ctx) error {
	q := parseBadge(answer.Segments(c), func(name string) string { return c.Query(name) })
	if badgeTypes[q.format] == "" {
		return errNoBadge
	}
	services, title, found := s.subject(q.subject)
	switch {
	case q.mistake != "":
		return refuseBadge(c, q, http.StatusBadRequest, badge.Invalid(q.mistake))
	case !found && strings.HasPrefix(q.subject, groupPrefix):
		return refuseBadge(c, q, http.StatusNotFound, badge.Unknown("group"))
	case !found:
		return refuseBadge(c, q, http.StatusNotFound, badge.Unknown("service"))
	case q.region != "" && s.board.Services()[services[0]].Region(q.region) == "": // A region is of one service.
		return refuseBadge(c, q, http.StatusNotFound, badge.Unknown("region"))
	}
	version := s.live.version.Load()
	e, err := s.badges.Get(version, q.key(), func() ([]byte, error) {
		f, err := s.figures.get(version, q.figure(), func() (f figure, err error) {
			f.badge, f.state, err = s.drawBadge(c.UserContext(), q, services, title)
			return f, err
		})
		return q.encode(q.dress(f.badge), f.state, false), err
	})
	switch {
	case errors.Is(err, status.ErrUnavailable):
		return refuseBadge(c, q, http.StatusServiceUnavailable, badge.Invalid(historyAway))
	case err != nil:
		return err
	}
	s.badges.KeepAt(version, c.Context().Request.RequestURI(), e)
	return sendBadge(c, q.format, e)
}

func sendBadge(c *fiber.Ctx, format string, e *answer.Entity) error {
	c.Set(fiber.HeaderCacheControl, badgeCaching)
	return answer.Send(c, badgeTypes[format], e)
}

// errNoBadge is the answer to an address without a format.
var errNoBadge = &answer.Problem{Code: http.StatusNotFound, Detail: "A badge's address ends in its format, .svg, .json, .shields or .txt: /badge/{service}/{kind}.svg. /badges makes one."}

// refuseBadge says on a badge what is wrong. No cache keeps it: the address may be right a moment later,
// when the service has been added. Programs get a code; an image is 200, since the proxies
// through which READMEs load images show a broken one for anything else.
func refuseBadge(c *fiber.Ctx, q badgeRequest, code int, b badge.Badge) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if q.format != "svg" {
		c.Status(code)
		if code == http.StatusServiceUnavailable {
			c.Set(fiber.HeaderRetryAfter, statusRetry)
		}
	}
	return answer.Send(c, badgeTypes[q.format], answer.New(q.encode(b, status.Unknown, true)))
}

func (q badgeRequest) encode(b badge.Badge, state status.Outcome, isError bool) []byte {
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
func (q badgeRequest) facts(b badge.Badge, state status.Outcome) []byte {
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

// subject finds the services that a badge sums up, and what they are called together.
func (s *Server) subject(name string) (services []int, title string, ok bool) {
	if name == pageBadge {
		return s.live.every, s.site.Title, true
	}
	if id, isGroup := strings.CutPrefix(name, groupPrefix); isGroup {
		i := slices.IndexFunc(s.live.groups, func(g status.Group) bool { return g.ID == id })
		if i < 0 {
			return nil, "", false
		}
		return s.live.groups[i].Services, s.live.groups[i].Name, true
	}
	i, ok := s.board.Find(name)
	if !ok {
		return nil, "", false
	}
	return []int{i}, s.board.Services()[i].Name, true
}

// drawBadge draws a badge whose address is right, and tells the state of its subject.
func (s *Server) drawBadge(ctx context.Context, q badgeRequest, services []int, title string) (badge.Badge, status.Outcome, error) {
	now := s.now()
	if q.region != "" {
		b, state := s.drawRegion(q, services[0], title)
		return b, state, nil
	}
	state := s.stand(services, now).Worst()
	if q.kind == "latency" {
		p, ok, err := s.percentiles(ctx, services, q.window, now, q.percentile)
		return badge.Latency(q.windowName, q.percentile, p[0], ok), state, err
	}
	return s.drawFromBoard(q, services, title, now), state, nil
}

// drawFromBoard draws a badge of what is in memory.
func (s *Server) drawFromBoard(q badgeRequest, services []int, title string, now time.Time) badge.Badge {
	single := !strings.HasPrefix(q.subject, groupPrefix) && q.subject != pageBadge
	switch q.kind {
	case "uptime":
		return badge.Uptime(q.windowName, s.uptime(services, q.window, now))
	case "certificate":
		var earliest time.Time
		for _, i := range services {
			if at := s.board.Certificate(i); !at.IsZero() && (earliest.IsZero() || at.Before(earliest)) {
				earliest = at
			}
		}
		return badge.Certificate(earliest, now)
	case "outage":
		var newest []status.Outage
		for _, o := range s.board.LastOutages(services, now) {
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
		return badge.Hours(title, s.hours(services, now))
	}
	states := make([]status.Outcome, len(services))
	for n, i := range services {
		states[n] = s.board.State(i, now)
	}
	if single {
		return badge.State(title, states[0])
	}
	return badge.Page(title, states)
}

// drawRegion draws the badge of what one region says of a service.
func (s *Server) drawRegion(q badgeRequest, service int, title string) (badge.Badge, status.Outcome) {
	now := s.now()
	var region board.Region
	for _, r := range s.board.Regions(service, q.window, now) {
		if r.Name == q.region {
			region = r
		}
	}
	switch q.kind {
	case "uptime":
		return badge.Uptime(q.windowName, region.Counts), region.State
	case "latency":
		latencies := s.board.LatenciesIn(service, q.region, now.Add(-q.window), now.Add(time.Second))
		return badge.Latency(q.windowName, q.percentile, status.Percentiles(latencies, q.percentile)[0], len(latencies) > 0), region.State
	default:
		return badge.State(title+" · "+q.region, region.State), region.State
	}
}

func (s *Server) uptime(services []int, window time.Duration, now time.Time) status.Counts {
	var sum status.Counts
	for _, i := range services {
		sum = sum.Add(s.board.Uptime(i, window, now))
	}
	return sum
}

// hours sums the last day up by the hour.
func (s *Server) hours(services []int, now time.Time) []badge.Hour {
	all := make([]badge.Hour, status.LastDay.Cells)
	for _, i := range services {
		for n, cell := range s.board.Row(i, status.LastDay, time.UTC, now).Cells {
			h := &all[n]
			h.Start = cell.Start
			h.State = max(h.State, cell.Outcome)
			h.Up, h.Slow, h.Down, h.Missing = h.Up+cell.Up, h.Slow+cell.Degraded, h.Down+cell.Down, h.Missing+cell.Missing()
		}
	}
	return all
}
