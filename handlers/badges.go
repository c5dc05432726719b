package handlers

import (
	"fmt"
	"net/url"
	"statuspage/handlers/answer"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/badge"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// badgesPage answers GET /badges: a form that makes the snippet of a badge.
func (s *Server) badgesPage(c *fiber.Ctx) error {
	k, err := s.visitor(c) // The window is the badge's.
	if err != nil {
		return err
	}
	base := s.base(c)
	e, err := s.fixed.Get(0, answer.Key("badges", k.key(), base, string(c.Context().QueryArgs().QueryString())), func() ([]byte, error) {
		return s.badgesForm(c, k, base), nil
	})
	if err != nil {
		return err
	}
	if err := answer.SendPage(c, e); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, s.caching("no-cache")) // The snippets are absolute.
	return nil
}

// badgesForm draws the page, which names every service.
func (s *Server) badgesForm(c *fiber.Ctx, k look, base string) []byte {
	q := parseBadge([]string{c.Query("of", pageBadge), c.Query("kind", "status") + ".svg"}, func(name string) string {
		if name == "window" && c.Query("kind") == "hours" {
			return "" // The form has a window also for what has only one.
		}
		return c.Query(name)
	})
	_, title, found := s.subject(q.subject)
	if !found && q.mistake == "" {
		q.mistake = "of: the id of a service, group:<id> or page"
	}
	b := views.BadgeBuilder{Label: c.Query("label"), Color: c.Query("color"), Mistake: q.mistake, Subjects: s.subjectChoices(k, q.subject)}
	for _, kind := range badgeKinds {
		b.Kinds = append(b.Kinds, views.Choice{Text: k.lang.T("badge." + kind), Code: kind, Current: kind == q.kind})
	}
	for _, p := range status.Periods {
		b.Windows = append(b.Windows, views.Choice{Text: views.PeriodText(k.lang, p.Length), Code: p.Name, Current: p.Name == q.windowName})
	}
	for _, style := range badge.Styles {
		b.Styles = append(b.Styles, views.Choice{Text: style, Code: style, Current: style == q.style})
	}
	if q.mistake == "" {
		s.snippets(&b, q, title, base)
	}
	head := s.live.head(k, "/badges", k.lang.T("badges")+" · "+s.site.Title, views.Pair{Name: "of", Value: c.Query("of")})
	head.Scripts = true
	return s.live.bytes(views.BadgesPage(head, b))
}

func (s *Server) subjectChoices(k look, chosen string) []views.Choice {
	choices := []views.Choice{{Text: k.lang.T("all.services"), Code: pageBadge, Current: chosen == pageBadge}}
	for _, g := range s.live.groups {
		if g.Name != "" {
			choices = append(choices, views.Choice{Text: g.Name, Code: groupPrefix + g.ID, Current: chosen == groupPrefix+g.ID})
		}
		for _, i := range g.Services {
			svc := s.board.Services()[i]
			choices = append(choices, views.Choice{Text: svc.Name, Code: svc.ID, Current: chosen == svc.ID})
		}
	}
	return choices
}

// snippets writes the badge in the markup languages that READMEs are written in.
func (s *Server) snippets(b *views.BadgeBuilder, q badgeRequest, title, base string) {
	var query []string
	for _, p := range []views.Pair{{Name: "window", Value: q.windowIfUsed()}, {Name: "region", Value: q.region}, {Name: "style", Value: q.style}, {Name: "label", Value: q.label}, {Name: "color", Value: strings.TrimPrefix(q.color, "#")}} {
		if p.Value != "" && p.Value != badge.Styles[0] {
			query = append(query, p.Name+"="+url.QueryEscape(p.Value))
		}
	}
	path := "/badge/" + q.subject + "/" + q.kind + ".svg"
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	b.Image = s.live.dress.Base.At(path)
	page := base + "/"
	if _, isService := s.board.Find(q.subject); isService {
		page = base + views.ServicePath(q.subject)
	}
	image := base + path
	b.Alt = title + ": " + q.kind
	plain := strings.NewReplacer("[", "(", "]", ")", "<", "", ">", "", `"`, "", "&", "and", "`", "", "|", "").Replace(b.Alt)
	html := strings.ReplaceAll(image, "&", "&amp;")
	b.Snippets = []views.Snippet{
		{Name: "Markdown", Text: fmt.Sprintf("[![%s](%s)](%s)", plain, image, page)},
		{Name: "HTML", Text: fmt.Sprintf(`<a href="%s"><img src="%s" alt="%s"></a>`, page, html, plain)},
		{Name: "AsciiDoc", Text: fmt.Sprintf("image:%s[%s,link=%s]", image, strings.ReplaceAll(plain, ",", ""), page)},
		{Name: "reStructuredText", Text: fmt.Sprintf(".. image:: %s\n   :target: %s\n   :alt: %s", image, page, plain)},
		{Name: "Org", Text: fmt.Sprintf("[[%s][%s]]", page, image)},
		{Name: "shields.io", Text: "https://img.shields.io/endpoint?url=" + url.QueryEscape(strings.Replace(image, ".svg", ".shields", 1))},
	}
}
