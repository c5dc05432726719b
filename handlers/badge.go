package handlers

import (
	"encoding/json"
	"net/http"
	"slices"
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

// badgeCachingOf keeps an image that says what is wrong out of every cache: the address may
// be right a moment later, when the service has been added.
func badgeCachingOf(code int) string {
	if code != http.StatusOK {
		return "no-store"
	}
	return badgeCaching
}

var badgeTypes = map[string]string{
	"svg": "image/svg+xml; charset=utf-8", "json": fiber.MIMEApplicationJSON, "shields": fiber.MIMEApplicationJSON, "txt": fiber.MIMETextPlainCharsetUTF8,
}

// badge answers /badge/{service|group:<id>|page}/{kind}.{svg|json|shields|txt}, and the short
// forms without a kind. It always answers with an image (or its JSON or text), also when
// something is wrong: a README has no use for an error page.
func (s *Server) badge(c *fiber.Ctx) error {
	q := parseBadge(strings.TrimPrefix(c.Path(), "/badge/"), func(name string) string { return c.Query(name) })
	if badgeTypes[q.format] == "" {
		return notFound("A badge's address ends in .svg, .json, .shields or .txt.")
	}
	services, title, found := s.subject(q.subject)
	found = found && (q.region == "" || s.board.Services()[services[0]].Region(q.region) != "")
	code := http.StatusOK
	switch {
	case q.mistake != "":
		code = http.StatusBadRequest
	case !found:
		code = http.StatusNotFound
	}
	return s.sendBadge(c, q, code, func() (badge.Badge, status.Outcome) {
		switch code {
		case http.StatusBadRequest:
			return badge.Invalid(q.mistake), status.Unknown
		case http.StatusNotFound:
			return badge.Unknown(), status.Unknown
		}
		f := s.figures.get(s.live.version.Load(), q.figure(), func() figure {
			if q.region != "" {
				b, state := s.drawRegion(q, services[0], title)
				return figure{b, state}
			}
			return figure{s.drawBadge(c, q, services, title), s.stand(services, s.now()).Worst()}
		})
		return q.dress(f.badge), f.state
	})
}

// sendBadge answers with a badge and its subject's state; drawn once a version when its address
// is right.
func (s *Server) sendBadge(c *fiber.Ctx, q badgeRequest, code int, draw func() (badge.Badge, status.Outcome)) error {
	c.Set(fiber.HeaderCacheControl, badgeCachingOf(code))
	c.Set(fiber.HeaderAccessControlAllowOrigin, "*")
	kind := badgeTypes[q.format]
	if code != http.StatusOK {
		c.Status(code)
		b, state := draw()
		return send(c, kind, newEntity(q.encode(b, state, true)))
	}
	version := s.live.version.Load()
	e, err := s.badges.get(version, q.key(), func() ([]byte, error) {
		b, state := draw()
		return q.encode(b, state, false), nil
	})
	if err != nil {
		return err
	}
	return send(c, kind, s.badges.keepAt(version, c.Context().Request.RequestURI(), e))
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

// drawBadge draws a badge whose address is right.
func (s *Server) drawBadge(c *fiber.Ctx, q badgeRequest, services []int, title string) badge.Badge {
	now := s.now()
	single := !strings.HasPrefix(q.subject, groupPrefix) && q.subject != pageBadge
	switch q.kind {
	case "uptime":
		return badge.Uptime(q.windowName, s.uptime(services, q.window, now))
	case "latency":
		p, ok := s.percentiles(c.UserContext(), services, q.window, now, q.percentile)
		return badge.Latency(q.windowName, q.percentile, p[0], ok)
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
