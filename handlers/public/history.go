package public

import (
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/figures"
	"statuspage/internal/incident"
	"statuspage/internal/live"
	"statuspage/internal/page"
	"statuspage/views"
	"time"

	"github.com/gofiber/fiber/v2"
)

// monthForm is that of a month in addresses.
const monthForm = "2006-01"

// maxExplained is how many outages are listed with what people wrote about them; nobody reads more.
const maxExplained = 20

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
	words := s.Live.Outlook()
	told, before := words.LogBetween(from, until)
	earlier = earlier || before || now.Sub(from) < figures.BoardReach // Also without an outage: that is worth seeing.
	around := words.Around(from, until)
	t, to := 0, s.Page.Local(k)
	for _, o := range outages {
		if slices.ContainsFunc(around, func(t incident.Told) bool { return t.Explains(o.Outage) }) {
			continue // It stands with what people wrote about it.
		}
		for ; t < len(told) && !told[t].From.Before(o.Outage.Begin); t++ {
			s.told(&h, told[t], k, now)
		}
		day := dayOf(&h, o.Outage.Begin, k)
		day.Outages = append(day.Outages, views.BuildOutage(o.Outage, o.Service.Known(), now, to))
	}
	for ; t < len(told); t++ {
		s.told(&h, told[t], k, now)
	}
	if len(h.Days) > 0 {
		h.Note = ""
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

// dayOf is the day of the history that an instant is on; days come in their order.
func dayOf(h *views.History, at time.Time, k page.Preferences) *views.HistoryDay {
	date := k.Lang.Date(at.In(k.Zone))
	if n := len(h.Days); n == 0 || h.Days[n-1].Date != date {
		h.Days = append(h.Days, views.HistoryDay{Date: date})
	}
	return &h.Days[len(h.Days)-1]
}

// told adds what people wrote about, with the outages that it explains.
func (s *History) told(h *views.History, t incident.Told, k page.Preferences, now time.Time) {
	row := views.BuildTold(t, s.Live.Naming(), s.Page.Local(k))
	if t.Kind != incident.KindNotice {
		from, until := t.Reach(now)
		outages, _ := s.Board.OutagesBetween(from, until, now)
		for _, o := range outages {
			if t.Explains(o.Outage) && len(row.Outages) < maxExplained {
				row.Outages = append(row.Outages, views.BuildOutage(o.Outage, o.Service.Known(), now, s.Page.Local(k)))
			}
		}
	}
	day := dayOf(h, t.From, k)
	day.Told = append(day.Told, row)
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
