package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/lang"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// standing is the state of services in numbers.
type standing struct {
	State    status.Outcome `json:"state"`
	Headline string         `json:"headline"`
	Services int            `json:"services"`
	Up       int            `json:"up"`
	Slow     int            `json:"slow"`
	Down     int            `json:"down"`
	NoData   int            `json:"no_data"`
	Updated  *time.Time     `json:"updated"` // Of the newest signal; null without one.
}

// statusRetry is after how many seconds a new state may be known.
const statusRetry = "30"

// status answers GET /status for load balancers and scripts: 200 while everything is
// available, 503 while something is down or nothing is known. With code=200 the answer is
// always 200: browsers write every 503 that a script meets to the console.
func (s *Server) status(c *fiber.Ctx) error {
	subject := pageBadge
	switch {
	case c.Query("service") != "":
		subject = c.Query("service")
	case c.Query("group") != "":
		subject = groupPrefix + c.Query("group")
	}
	services, _, ok := s.subject(subject)
	if !ok {
		return answer.Unprocessable("service and group must be ids of this page.")
	}
	code := c.Query("code")
	if code != "" && code != "200" {
		return answer.Unprocessable("code can only be 200.")
	}
	all := s.standNow(subject, services)
	st := standing{
		State: all.Worst(), Headline: views.Headline(lang.Default(), all), Services: all.All(),
		Up: all.States[status.Up], Slow: all.States[status.Degraded], Down: all.States[status.Down], NoData: all.States[status.Unknown],
	}
	if newest := s.board.Newest(); !newest.IsZero() {
		st.Updated = &newest
	}
	if !st.State.Available() && code == "" {
		c.Status(http.StatusServiceUnavailable)
		c.Set(fiber.HeaderRetryAfter, statusRetry)
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Vary(fiber.HeaderAccept)
	format := c.Query("format")
	if format == "json" || format == "" && strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMEApplicationJSON) {
		body, err := json.Marshal(st)
		if err != nil {
			return fmt.Errorf("encode status: %w", err)
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(body)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.SendString(fmt.Sprintf("%s\n%s\nservices %d\nup %d\nslow %d\ndown %d\nno data %d\n", st.State, st.Headline, st.Services, st.Up, st.Slow, st.Down, st.NoData))
}

// sums keeps what a group or the page comes to, so that asking for it costs the same however many services there are.
type sums struct {
	mu   sync.Mutex
	kept map[string]sum // By subject, of which there are the page and the groups.
}

type sum struct {
	version uint64
	at      time.Time
	all     views.Standing
}

// sumAge is for how long a sum is right without a signal: states change by time alone, too.
const sumAge = time.Second

// standNow is the states of a subject's services now, counted at most once a version and second.
func (s *Server) standNow(subject string, services []int) views.Standing {
	now, version := s.now(), s.board.Version()
	if len(services) == 1 {
		return s.stand(services, now)
	}
	s.sums.mu.Lock()
	defer s.sums.mu.Unlock()
	if k, ok := s.sums.kept[subject]; ok && k.version == version && now.Sub(k.at) < sumAge && !now.Before(k.at) {
		return k.all
	}
	all := s.stand(services, now)
	if s.sums.kept == nil {
		s.sums.kept = make(map[string]sum)
	}
	s.sums.kept[subject] = sum{version, now, all}
	return all
}

// stand is the states of services at an instant.
func (s *Server) stand(services []int, now time.Time) (all views.Standing) {
	for _, i := range services {
		all.States[s.board.State(i, now)]++
		all.Partial = all.Partial || watchesRegions(s.board.Services()[i])
	}
	return all
}

// summary answers GET /summary.json in the form of Instatus, which aggregators read.
func (s *Server) summary(c *fiber.Ctx) error {
	type incident struct {
		Name    string    `json:"name"`
		Started time.Time `json:"started"`
		Status  string    `json:"status"`
		Impact  string    `json:"impact"`
		URL     string    `json:"url"`
	}
	base, now := s.base(c), s.now()
	state, incidents := "UP", []incident{}
	// By the second, as states change by time alone, too.
	e, err := s.records.Get(s.board.Version(), answer.Key("summary", base, strconv.FormatInt(now.Unix(), 10)), func() ([]byte, error) {
		last := s.board.LastOutages(s.live.every, now) // Only the newest of a service can go on.
		slices.SortStableFunc(last, func(x, y board.OutageOf) int { return y.Outage.Begin.Compare(x.Outage.Begin) })
		for _, o := range last {
			if o.Outage.Ongoing() {
				incidents = append(incidents, incident{s.board.Services()[o.Service].Name + " is down", o.Outage.Begin.UTC(), "INVESTIGATING", "MAJOROUTAGE", base + views.OutagePath(o.Outage)})
			}
		}
		if s.stand(s.live.every, now).Worst() != status.Up {
			state = "HASISSUES"
		}
		return json.Marshal(fiber.Map{
			"page":            fiber.Map{"name": s.site.Title, "url": base, "status": state},
			"activeIncidents": incidents, "activeMaintenances": []struct{}{},
		})
	})
	if err != nil {
		return fmt.Errorf("encode summary: %w", err)
	}
	c.Set(fiber.HeaderCacheControl, s.caching("no-cache"))
	return answer.Send(c, fiber.MIMEApplicationJSON, e)
}

// robots answers GET /robots.txt.
func (s *Server) robots(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, s.caching("public, max-age=3600"))
	var b strings.Builder
	b.WriteString("User-agent: *\n")
	for _, path := range []string{"/events", "/signals/stream", "/metrics", "/*?lang=", "/*?tz="} {
		b.WriteString("Disallow: " + s.live.dress.Base.At(path) + "\n")
	}
	b.WriteString("Sitemap: " + s.base(c) + "/sitemap.xml\n")
	return c.SendString(b.String())
}

// sitemap answers GET /sitemap.xml: https://www.sitemaps.org/protocol.html
func (s *Server) sitemap(c *fiber.Ctx) error {
	base := s.base(c)
	e, err := s.fixed.Get(0, answer.Key("sitemap", base), func() ([]byte, error) {
		paths := []string{"/", "/history", "/badges", "/how"}
		for _, svc := range s.board.Services() {
			paths = append(paths, views.ServicePath(svc.ID)) // Ids are letters, digits and dashes.
		}
		var b bytes.Buffer
		b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`)
		for _, path := range paths {
			b.WriteString("<url><loc>" + xmlText(base+path) + "</loc></url>")
		}
		b.WriteString("</urlset>\n")
		return b.Bytes(), nil
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, s.caching("public, max-age=3600"))
	return answer.Send(c, fiber.MIMEApplicationXMLCharsetUTF8, e)
}

func xmlText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
