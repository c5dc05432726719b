package public

import (
	"statuspage/handlers/answer"
	"statuspage/internal/incident"
	"statuspage/views"

	"github.com/gofiber/fiber/v2"
)

const (
	// embedPolicy lets every site frame the page, and the page do nothing else.
	embedPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
	embedWords  = 5 // Incidents that are named at most.
)

// Elsewhere is what other sites show of the page: a frame, and the picture of a preview.
type Elsewhere struct {
	Sources

	pages answer.Cache // By version.
	cards answer.Cache // By time.
}

// NewElsewhere returns what other sites show.
func NewElsewhere(s Sources) *Elsewhere { return &Elsewhere{Sources: s} }

// Routes adds the addresses for other sites.
func (s *Elsewhere) Routes(r fiber.Router) {
	r.Get("/embed", s.embed)
	r.Get("/card.png", s.card)
}

// embed answers GET /embed, the page for frames on other sites.
func (s *Elsewhere) embed(c *fiber.Ctx) error {
	k, err := s.Visitor.Preferences(c)
	if err != nil {
		return err
	}
	theme := c.Query("theme")
	if theme == "auto" {
		theme = ""
	}
	if theme != "" && theme != "light" && theme != "dark" {
		return answer.Unprocessable("theme must be light, dark or auto.")
	}
	c.Set(fiber.HeaderContentSecurityPolicy, embedPolicy)
	c.Response().Header.Del(fiber.HeaderXFrameOptions)
	e, err := s.pages.Get(s.Live.Version(), answer.Key("embed", k.Query(), theme), func() ([]byte, error) {
		now := s.Now()
		view := views.Embed{Home: s.Page.Base.At("/"), Theme: theme}
		all := s.Figures.Standing(s.Figures.Page(), now)
		view.Banner = views.BuildBanner(s.Page.Title, all, s.Board.Newest(), views.NoNote, s.Figures.News(all, now), s.Page.Local(k))
		for _, i := range s.Live.Outlook().All { // What people say first.
			if i.Kind != incident.KindMaintenance && i.Public(now) && !i.Status.Over() && len(view.Words) < embedWords {
				view.Words = append(view.Words, views.Link{Text: i.Title + ": " + views.PhaseText(k.Lang, i.Status), Href: s.Page.Base.At(incident.Path(i.ID))})
			}
		}
		return answer.Render(views.EmbedPage(s.Page.Head(k, "/embed", view.Banner.Title), view))
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}
