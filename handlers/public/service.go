package public

import (
	"context"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/page"
	"statuspage/views"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
)

// ServicePage is the page of one service.
type ServicePage struct {
	Sources

	pages answer.Cache // By version.
}

// NewServicePage returns the pages of services.
func NewServicePage(s Sources) *ServicePage { return &ServicePage{Sources: s} }

// Routes adds the addresses of a service. They stand before those of its days, which have the same form.
func (s *ServicePage) Routes(r fiber.Router) {
	r.Get("/services/:id", s.show)
	r.Get("/services/:id"+views.CellsPath, s.cells)
}

// show answers GET /services/{id}.
func (s *ServicePage) show(c *fiber.Ctx) error {
	svc, k, err := s.service(c)
	if err != nil {
		return err
	}
	if day := c.Query("day"); day != "" {
		return s.goTo(c, svc, k, day)
	}
	window, known := figures.FindChart(c.Query("chart", figures.LiveChart))
	if !known {
		return answer.Unprocessable("chart must be 24h, 7d, 30d or 90d.")
	}
	from, to := c.Query("from"), c.Query("to")
	if len(from)+len(to) > 2*len(views.DayPath) {
		return answer.Unprocessable("from and to must be days, such as 2026-03-29.")
	}
	build := func() ([]byte, error) { return answer.Render(s.draw(c, svc, k, window, from, to)) }
	e, err := s.pages.Get(s.Live.Version(), answer.Key("service", svc.ID, k.Query(), window.Name, from, to), build)
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}

// goTo leads to the page of the day that the visitor asked for.
func (s *ServicePage) goTo(c *fiber.Ctx, svc *board.Service, k page.Preferences, text string) error {
	day, err := time.ParseInLocation(views.DayPath, text, k.Zone)
	if err != nil || day.After(s.Now()) || day.Before(historyBegins) {
		return answer.Unprocessable("day must be one of the past, such as 2026-03-29.")
	}
	path := s.Page.Base.At(views.ServicePath(svc.ID)) + "/" + day.Format(views.DayPath)
	return c.Redirect(page.Address(path, s.Page.Head(k, "", "").Look...), http.StatusSeeOther)
}

// draw draws the page of one service.
func (s *ServicePage) draw(c *fiber.Ctx, svc *board.Service, k page.Preferences, window figures.ChartWindow, from, to string) templ.Component {
	chartPair := views.Pair{Name: "chart", Value: window.Name}
	if window.Name == figures.LiveChart {
		chartPair.Value = ""
	}
	head, view := s.Live.ServicePage(svc, k, chartPair, views.Pair{Name: "from", Value: from}, views.Pair{Name: "to", Value: to})
	now := s.Now()
	view.Windows = s.Page.Windows(k, views.ServicePath(svc.ID), chartPair)
	view.Chart = s.chart(c.UserContext(), svc, k, window, now)
	view.Range = s.rangeOf(c, svc, k, from, to, now)
	return views.ServicePage(head, view)
}

// chart is that of a window, with links to the others.
func (s *ServicePage) chart(ctx context.Context, svc *board.Service, k page.Preferences, window figures.ChartWindow, now time.Time) views.Chart {
	c := s.Figures.Chart(ctx, svc, window, now, s.Page.Local(k))
	for _, w := range figures.ChartWindows {
		c.Choices = append(c.Choices, views.Choice{
			Text: views.PeriodText(k.Lang, w.Length), Code: w.Name, Current: w == window,
			Href: page.Address(s.Page.Base.At(views.ServicePath(svc.ID)), k.WindowPair(), views.Pair{Name: "chart", Value: w.Name}),
		})
	}
	return c
}

// rangeOf computes the uptime of the days that the visitor asked for.
func (s *ServicePage) rangeOf(c *fiber.Ctx, svc *board.Service, k page.Preferences, from, to string, now time.Time) views.RangeForm {
	earliest := historyBegins
	f := views.RangeForm{
		Path: s.Page.Base.At(views.ServicePath(svc.ID)), From: from, To: to,
		Earliest: earliest.Format(views.DayPath), Latest: now.In(k.Zone).Format(views.DayPath),
	}
	if from == "" && to == "" {
		f.From, f.To = now.In(k.Zone).AddDate(0, 0, -6).Format(views.DayPath), f.Latest
		return f
	}
	first, errFrom := time.ParseInLocation(views.DayPath, from, k.Zone)
	last, errTo := time.ParseInLocation(views.DayPath, to, k.Zone)
	if errFrom != nil || errTo != nil || last.Before(first) || first.Before(earliest) || first.After(now) {
		f.Mistake = k.Lang.T("range.wrong")
		return f
	}
	y, m, d := last.Date()
	end := time.Date(y, m, d+1, 0, 0, 0, 0, k.Zone)
	sum := svc.Counts(first, end, now)
	if now.Sub(first) > figures.BoardReach {
		var err error
		if sum, err = s.Past.Sum(c.UserContext(), svc.Known(), first, end, now); err != nil {
			f.Mistake = k.Lang.T("history.away")
			return f
		}
	}
	row := views.BuildUptime(svc.Known(), k.Lang.T("range.days", from, to), sum, s.Page.Local(k))
	f.Result = &row
	return f
}
