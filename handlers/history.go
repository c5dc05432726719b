package handlers

import (
	"statuspage/handlers/answer"
	"statuspage/views"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
)

// monthForm is that of a month in addresses.
const monthForm = "2006-01"

// history answers GET /history?month=2026-03.
func (s *Server) history(c *fiber.Ctx) error {
	k, err := s.look(c)
	if err != nil {
		return err
	}
	now := s.now()
	year, month, _ := now.In(k.zone).Date()
	from := time.Date(year, month, 1, 0, 0, 0, 0, k.zone)
	text := c.Query("month")
	if text != "" {
		if from, err = time.ParseInLocation(monthForm, text, k.zone); err != nil || from.After(now) || from.Before(historyBegins) {
			return answer.Unprocessable("month must be one of the past, such as 2026-03.")
		}
	}
	e, err := s.pages.Get(s.live.version.Load(), answer.Key("history", k.key(), from.Format(monthForm), text), func() ([]byte, error) {
		head := s.live.head(k, "/history", k.lang.T("history")+" · "+s.site.Title, views.Pair{Name: "month", Value: text})
		head.Feeds = s.live.pageFeeds(k, nil)
		return s.live.bytes(views.HistoryPage(head, s.month(k, from, now))), nil
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}

func (s *Server) month(k look, from, now time.Time) views.History {
	until := from.AddDate(0, 1, 0)
	h := views.History{Month: k.lang.Month(from), Note: k.lang.T("outages.none")}
	outages, earlier := s.board.OutagesBetween(from, until, now)
	earlier = earlier || now.Sub(from) < boardReach // Also without an outage: that is worth seeing.
	for _, o := range outages {
		h.Note = ""
		date := k.lang.Date(o.Outage.Begin.In(k.zone))
		if n := len(h.Days); n == 0 || h.Days[n-1].Date != date {
			h.Days = append(h.Days, views.HistoryDay{Date: date})
		}
		day := &h.Days[len(h.Days)-1]
		day.Outages = append(day.Outages, views.BuildOutage(o.Outage, s.board.Services()[o.Service], now, s.live.local(k)))
	}
	link := func(month time.Time) *views.Link {
		return &views.Link{Text: k.lang.Month(month), Href: address(s.live.dress.Base.At("/history"), views.Pair{Name: "month", Value: month.Format(monthForm)})}
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
func (s *Server) outage(c *fiber.Ctx) error {
	k, err := s.look(c)
	if err != nil {
		return err
	}
	now, id := s.now(), answer.Param(c, "id")
	o, ok := s.board.Outage(id, now)
	if !ok {
		return answer.NotFound("error.outage")
	}
	e, err := s.pages.Get(s.live.version.Load(), answer.Key("outage", k.key(), id), func() ([]byte, error) {
		view := views.BuildOutageView(o.Outage, s.board.Services()[o.Service], now, s.live.local(k))
		head := s.live.head(k, views.OutagePath(o.Outage), view.Headline+" · "+s.site.Title)
		head.Description = view.Headline + ": " + view.Reason + "."
		return s.live.bytes(views.OutagePage(head, view)), nil
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}

// how answers GET /how.
func (s *Server) how(c *fiber.Ctx) error {
	k, err := s.look(c)
	if err != nil {
		return err
	}
	e, err := s.fixed.Get(0, answer.Key("how", k.key()), func() ([]byte, error) {
		head := s.live.head(k, "/how", k.lang.T("how")+" · "+s.site.Title)
		return s.live.bytes(views.HowPage(head, watchesRegions(s.board.Services()...))), nil
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}

// rangeOf computes the uptime of the days that the visitor asked for.
func (s *Server) rangeOf(c *fiber.Ctx, service int, k look, from, to string, now time.Time) views.RangeForm {
	svc := s.board.Services()[service]
	earliest := historyBegins
	f := views.RangeForm{
		Path: s.live.dress.Base.At(views.ServicePath(svc.ID)), From: from, To: to,
		Earliest: earliest.Format(views.DayPath), Latest: now.In(k.zone).Format(views.DayPath),
	}
	if from == "" && to == "" {
		f.From, f.To = now.In(k.zone).AddDate(0, 0, -6).Format(views.DayPath), f.Latest
		return f
	}
	first, errFrom := time.ParseInLocation(views.DayPath, from, k.zone)
	last, errTo := time.ParseInLocation(views.DayPath, to, k.zone)
	if errFrom != nil || errTo != nil || last.Before(first) || first.Before(earliest) || first.After(now) {
		f.Mistake = k.lang.T("range.wrong")
		return f
	}
	y, m, d := last.Date()
	end := time.Date(y, m, d+1, 0, 0, 0, 0, k.zone)
	sum := s.board.Counts(service, first, end, now)
	if now.Sub(first) > boardReach {
		var err error
		if sum, err = s.past.Sum(c.UserContext(), s.board.Service(service), first, end, now); err != nil {
			f.Mistake = k.lang.T("history.away")
			return f
		}
	}
	row := views.BuildUptime(svc, k.lang.T("range.days", from, to), sum, s.live.local(k))
	f.Result = &row
	return f
}

// servicePage draws the page of one service.
func (s *Server) servicePage(c *fiber.Ctx, i int, k look, chart, from, to string) templ.Component {
	svc, now := s.board.Services()[i], s.now()
	version := s.live.version.Load()
	chartPair := views.Pair{Name: "chart", Value: chart}
	if chart == liveChart {
		chartPair.Value = ""
	}
	head := serviceHead(s.live, k, svc, windowPair(k), chartPair, views.Pair{Name: "from", Value: from}, views.Pair{Name: "to", Value: to})
	state := s.board.State(i, now)
	head.Title = s.live.serviceTitle(i, k, state)
	head.Refresh, head.Beat, head.Scripts, head.Live, head.State = refreshSeconds, beatSeconds, true, true, state.String()
	view := views.ServiceView{
		Partial: watchesRegions(svc),
		ID:      svc.ID, Name: svc.Name, URL: svc.PublicURL(), About: k.lang.T("every", k.lang.Duration(svc.Interval)),
		Window: k.window.Name, Cells: k.window.Cells, Windows: s.live.windowChoices(k, views.ServicePath(svc.ID), chartPair),
		Row:    s.live.row(i, k, now),
		Detail: views.DetailView(head, s.live.detail(i, k, now)),
		Chart:  s.chart(c.UserContext(), i, k, chart, now),
		Range:  s.rangeOf(c, i, k, from, to, now),
		Stream: s.live.dress.Base.At("/events?service="+svc.ID) + "&" + k.query() + "&since=" + s.live.id(version),
	}
	return views.ServicePage(head, view)
}
