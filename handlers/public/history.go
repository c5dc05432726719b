package public

import (
	"statuspage/handlers/answer"
	"statuspage/internal/figures"
	"statuspage/internal/live"
	"statuspage/internal/page"
	"statuspage/views"
	"time"

	"github.com/gofiber/fiber/v2"
)

// monthForm is that of a month in addresses.
const monthForm = "2006-01"

// History is what was: months, outages, and days, hours and minutes of a service.
type History struct {
	Sources

	pages answer.Cache // By version.
	spans answer.Cache // Of what is over, by minute.
}

// NewHistory returns the history of a page.
func NewHistory(s Sources) *History { return &History{Sources: s} }

// Routes adds the addresses of what was.
func (s *History) Routes(r fiber.Router) {
	r.Get("/history", s.history)
	r.Get("/outages/:id", s.outage)
	r.Get("/services/:id/:at", s.span)
}

// history answers GET /history?month=2026-03.
func (s *History) history(c *fiber.Ctx) error {
	k, err := s.Visitor.Preferences(c)
	if err != nil {
		return err
	}
	now := s.Now()
	year, month, _ := now.In(k.Zone).Date()
	from := time.Date(year, month, 1, 0, 0, 0, 0, k.Zone)
	text := c.Query("month")
	if text != "" {
		if from, err = time.ParseInLocation(monthForm, text, k.Zone); err != nil || from.After(now) || from.Before(historyBegins) {
			return answer.Unprocessable("month must be one of the past, such as 2026-03.")
		}
	}
	e, err := s.pages.Get(s.Live.Version(), answer.Key("history", k.Query(), from.Format(monthForm), text), func() ([]byte, error) {
		head := s.Page.Head(k, "/history", k.Lang.T("history")+" · "+s.Page.Title, views.Pair{Name: "month", Value: text})
		head.Feeds = s.Page.Feeds(k, nil)
		if from.AddDate(0, 1, 0).After(now) {
			live.KeepFresh(&head)
		}
		return answer.Render(views.HistoryPage(head, s.month(k, from, now)))
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}

func (s *History) month(k page.Preferences, from, now time.Time) views.History {
	until := from.AddDate(0, 1, 0)
	h := views.History{Month: k.Lang.Month(from), Note: k.Lang.T("outages.none")}
	outages, earlier := s.Board.OutagesBetween(from, until, now)
	earlier = earlier || now.Sub(from) < figures.BoardReach // Also without an outage: that is worth seeing.
	for _, o := range outages {
		h.Note = ""
		date := k.Lang.Date(o.Outage.Begin.In(k.Zone))
		if n := len(h.Days); n == 0 || h.Days[n-1].Date != date {
			h.Days = append(h.Days, views.HistoryDay{Date: date})
		}
		day := &h.Days[len(h.Days)-1]
		day.Outages = append(day.Outages, views.BuildOutage(o.Outage, o.Service.Known(), now, s.Page.Local(k)))
	}
	link := func(month time.Time) *views.Link {
		return &views.Link{Text: k.Lang.Month(month), Href: page.Address(s.Page.Base.At("/history"), views.Pair{Name: "month", Value: month.Format(monthForm)})}
	}
	if earlier {
		h.Previous = link(from.AddDate(0, -1, 0))
	}
	if until.Before(now) {
		h.Next = link(until)
	}
	return h
}

// outage answers GET /outages/{id}.
func (s *History) outage(c *fiber.Ctx) error {
	k, err := s.Visitor.Preferences(c)
	if err != nil {
		return err
	}
	now, id := s.Now(), answer.Param(c, "id")
	o, ok := s.Board.Outage(id, now)
	if !ok {
		return answer.NotFound("error.outage")
	}
	e, err := s.pages.Get(s.Live.Version(), answer.Key("outage", k.Query(), id), func() ([]byte, error) {
		return answer.Render(s.Live.OutagePage(o, k))
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}
