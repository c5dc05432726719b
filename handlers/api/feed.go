package api

import (
	"slices"
	"statuspage/handlers/answer"
	"statuspage/handlers/visitor"
	"statuspage/internal/board"
	"statuspage/internal/live"
	"statuspage/internal/page"
	"statuspage/views"
	"statuspage/views/feed"
	"statuspage/views/lang"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	feedEntries = 50
	feedCaching = "public, max-age=60"
	feedPath    = "/history."
)

// FeedFormat is the format that the end of a feed's address names, empty for any other address.
func FeedFormat(path string) string {
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

// Feeds answers with what went wrong on the page or with a service, and what people wrote, as feeds.
type Feeds struct {
	page    *page.Page
	board   *board.Board
	live    *live.Live
	visitor *visitor.Reader
	now     func() time.Time
	kept    answer.Cache // By version of the page.
}

// NewFeeds returns the feeds of a page.
func NewFeeds(p *page.Page, b *board.Board, l *live.Live, v *visitor.Reader, now func() time.Time) *Feeds {
	return &Feeds{page: p, board: b, live: l, visitor: v, now: now}
}

// Routes adds the addresses of feeds. They stand before those of a service's days, which have the same form.
func (s *Feeds) Routes(r fiber.Router) {
	for format := range feed.Formats {
		r.Get(feedPath+format, s.feed)
		r.Get("/services/:id"+feedPath+format, s.feed)
	}
}

// feed answers /history.{atom|rss|json}, and the same below /services/{id}.
func (s *Feeds) feed(c *fiber.Ctx) error {
	format := FeedFormat(c.Path())
	if format == "" {
		return answer.NotFound("error.404")
	}
	base := s.visitor.Base(c)
	f := feed.Feed{Title: "Outages · " + s.page.Title, About: "What went wrong with the services of " + s.page.Title + ", when, for how long, and why; and what is planned.", Author: s.page.Title, Home: base + "/history", Base: base, Self: base + feedPath + format}
	now := s.now()
	services, id := s.board.Services(), answer.Param(c, "id")
	if id != "" {
		svc, ok := s.board.Find(id)
		if !ok {
			return answer.NotFound("error.service")
		}
		services, f.Title, f.Home = []*board.Service{svc}, "Outages of "+svc.Name+" · "+s.page.Title, base+views.ServicePath(svc.ID)
		f.Self = f.Home + feedPath + format
		f.About = "Outages of " + svc.Name + ": when, for how long, and why."
	}
	each := c.Query("each")
	if each != "" && each != "update" {
		return answer.Unprocessable("each can only be update.")
	}
	words := s.live.Outlook()
	key := answer.Key("feed", base, id, format, each, strconv.FormatUint(words.Number, 10))
	e, err := s.kept.Get(s.live.Version(), key, func() ([]byte, error) {
		f.Entries = told(words, id, each != "", now)
		for _, o := range s.board.NewestOutages(services, feedEntries, now) {
			if explained(words, o.Outage, now) {
				continue // It stands with what people wrote about it.
			}
			f.Entries = append(f.Entries, feed.Entry{
				Outage: o.Outage, Service: o.Service.Name, Reason: views.ReasonText(lang.Default(), o.Outage.Reason, o.Outage.HTTPStatus),
				Took: lang.Default().Duration(o.Outage.Duration(now)),
			})
		}
		slices.SortStableFunc(f.Entries, func(x, y feed.Entry) int { return begins(y).Compare(begins(x)) })
		f.Entries = f.Entries[:min(len(f.Entries), feedEntries)]
		return f.Write(format)
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, s.visitor.Caching(feedCaching))
	return answer.Send(c, feed.Formats[format], e)
}
