package handlers

import (
	"statuspage/handlers/answer"
	"statuspage/views"
	"statuspage/views/feed"
	"statuspage/views/lang"
	"strings"

	"github.com/gofiber/fiber/v2"
)

const (
	feedEntries = 50
	feedCaching = "public, max-age=60"
	feedPath    = "/history."
)

// feedFormat is the format that the end of a feed's address names, empty for any other address.
func feedFormat(path string) string {
	i := strings.LastIndex(path, feedPath)
	if i < 0 {
		return ""
	}
	format := path[i+len(feedPath):]
	if feed.Formats[format] == "" {
		return ""
	}
	return format
}

// feed answers /history.{atom|rss|json}, and the same below /services/{id}.
func (s *Server) feed(c *fiber.Ctx) error {
	format := feedFormat(c.Path())
	if format == "" {
		return answer.NotFound("error.404")
	}
	base := s.base(c)
	f := feed.Feed{Title: "Outages · " + s.site.Title, About: "Outages of the services of " + s.site.Title + ": when, for how long, and why.", Author: s.site.Title, Home: base + "/history", Base: base, Self: base + feedPath + format}
	now := s.now()
	services, id := s.live.every, answer.Param(c, "id")
	if id != "" {
		i, ok := s.board.Find(id)
		if !ok {
			return answer.NotFound("error.service")
		}
		svc := s.board.Services()[i]
		services, f.Title, f.Home = []int{i}, "Outages of "+svc.Name+" · "+s.site.Title, base+views.ServicePath(svc.ID)
		f.Self = f.Home + feedPath + format
		f.About = "Outages of " + svc.Name + ": when, for how long, and why."
	}
	e, err := s.pages.Get(s.live.version.Load(), answer.Key("feed", base, id, format), func() ([]byte, error) {
		for _, o := range s.board.NewestOutages(services, feedEntries, now) {
			f.Entries = append(f.Entries, feed.Entry{
				Outage: o.Outage, Service: s.board.Services()[o.Service].Name, Reason: views.ReasonText(lang.Default(), o.Outage.Reason, o.Outage.HTTPStatus),
				Took: lang.Default().Duration(o.Outage.Duration(now)),
			})
		}
		return f.Write(format)
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, s.caching(feedCaching))
	return answer.Send(c, feed.Formats[format], e)
}
