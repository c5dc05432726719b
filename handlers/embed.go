package handlers

import (
	"statuspage/handlers/answer"
	"statuspage/internal/status"
	"statuspage/static"
	"statuspage/views"

	"github.com/gofiber/fiber/v2"
)

const (
	// embedPolicy lets every site frame the page, and the page do nothing else.
	embedPolicy   = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors *"
	embedAffected = 5
)

// embed answers GET /embed, the page for frames on other sites.
func (s *Server) embed(c *fiber.Ctx) error {
	k, err := s.look(c)
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
	e, err := s.pages.Get(s.live.version.Load(), answer.Key("embed", k.key(), theme), func() ([]byte, error) {
		now := s.now()
		view := views.Embed{Home: s.live.dress.Base.At("/"), Theme: theme}
		for i, svc := range s.board.Services() {
			if state := s.board.State(i, now); state >= status.Degraded && len(view.Affected) < embedAffected {
				view.Affected = append(view.Affected, views.Link{Text: svc.Name + ": " + views.StateText(k.lang, svc, state), Href: s.live.dress.Base.At(views.ServicePath(svc.ID))})
			}
		}
		view.Banner = views.BuildBanner(s.site.Title, s.stand(s.live.every, now), s.board.Newest(), views.NoNote, s.live.local(k))
		return s.live.bytes(views.EmbedPage(s.live.head(k, "/embed", view.Banner.Title), view)), nil
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, e)
}

// embedScript answers GET /embed.js, under an address that never changes.
func (s *Server) embedScript(c *fiber.Ctx) error {
	f := s.file(static.Path("embed.js"))
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	return answer.Send(c, f.kind, &f.Entity)
}
