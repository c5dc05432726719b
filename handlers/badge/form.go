package badge

import (
	"fmt"
	"net/url"
	"statuspage/handlers/answer"
	"statuspage/internal/figures"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/badge"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// form answers GET /badges: a form that makes the snippet of a badge.
func (s *Badges) form(c *fiber.Ctx) error {
	k, err := s.visitor.WithoutWindow(c) // The window is the badge's.
	if err != nil {
		return err
	}
	base := s.visitor.Base(c)
	e, err := s.forms.Get(0, answer.Key("badges", k.Query(), base, string(c.Context().QueryArgs().QueryString())), func() ([]byte, error) {
		return s.drawForm(c, k, base)
	})
	if err != nil {
		return err
	}
	if err := answer.SendPage(c, e); err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, s.visitor.Caching("no-cache")) // The snippets are absolute.
	return nil
}

// drawForm draws the page, which names every service.
func (s *Badges) drawForm(c *fiber.Ctx, k page.Preferences, base string) ([]byte, error) {
	q := parse([]string{c.Query("of", figures.PageSubject), c.Query("kind", "status") + ".svg"}, func(name string) string {
		if name == "window" && c.Query("kind") == "hours" {
			return "" // The form has a window also for what has only one.
		}
		return c.Query(name)
	})
	subject, found := s.figures.Find(q.subject)
	if !found && q.mistake == "" {
		q.mistake = "of: the id of a service, group:<id> or page"
	}
	b := views.BadgeBuilder{Label: c.Query("label"), Color: c.Query("color"), Mistake: q.mistake, Subjects: s.subjectChoices(k, q.subject)}
	for _, kind := range kinds {
		b.Kinds = append(b.Kinds, views.Choice{Text: k.Lang.T("badge." + kind), Code: kind, Current: kind == q.kind})
	}
	for _, p := range status.Periods {
		b.Windows = append(b.Windows, views.Choice{Text: views.PeriodText(k.Lang, p.Length), Code: p.Name, Current: p.Name == q.windowName})
	}
	for _, style := range badge.Styles {
		b.Styles = append(b.Styles, views.Choice{Text: style, Code: style, Current: style == q.style})
	}
	if q.mistake == "" {
		s.snippets(&b, q, subject, base)
	}
	head := s.page.Head(k, "/badges", k.Lang.T("badges")+" · "+s.page.Title, views.Pair{Name: "of", Value: c.Query("of")})
	head.Scripts = true
	return answer.Render(views.BadgesPage(head, b))
}

func (s *Badges) subjectChoices(k page.Preferences, chosen string) []views.Choice {
	choices := []views.Choice{{Text: k.Lang.T("all.services"), Code: figures.PageSubject, Current: chosen == figures.PageSubject}}
	for _, g := range s.page.Groups {
		if g.Name != "" {
			choices = append(choices, views.Choice{Text: g.Name, Code: figures.GroupPrefix + g.ID, Current: chosen == figures.GroupPrefix+g.ID})
		}
		for _, id := range g.Services {
			svc, shown := s.board.Find(id)
			if !shown {
				continue
			}
			choices = append(choices, views.Choice{Text: svc.Name, Code: svc.ID, Current: chosen == svc.ID})
		}
	}
	return choices
}

// snippets writes the badge in the markup languages that READMEs are written in.
func (s *Badges) snippets(b *views.BadgeBuilder, q request, subject figures.Subject, base string) {
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
	b.Image = s.page.Base.At(path)
	link := base + "/"
	if subject.Single() {
		link = base + views.ServicePath(q.subject)
	}
	image := base + path
	b.Alt = subject.Title + ": " + q.kind
	plain := strings.NewReplacer("[", "(", "]", ")", "<", "", ">", "", `"`, "", "&", "and", "`", "", "|", "").Replace(b.Alt)
	html := strings.ReplaceAll(image, "&", "&amp;")
	b.Snippets = []views.Snippet{
		{Name: "Markdown", Text: fmt.Sprintf("[![%s](%s)](%s)", plain, image, link)},
		{Name: "HTML", Text: fmt.Sprintf(`<a href="%s"><img src="%s" alt="%s"></a>`, link, html, plain)},
		{Name: "AsciiDoc", Text: fmt.Sprintf("image:%s[%s,link=%s]", image, strings.ReplaceAll(plain, ",", ""), link)},
		{Name: "reStructuredText", Text: fmt.Sprintf(".. image:: %s\n   :target: %s\n   :alt: %s", image, link, plain)},
		{Name: "Org", Text: fmt.Sprintf("[[%s][%s]]", link, image)},
		{Name: "shields.io", Text: "https://img.shields.io/endpoint?url=" + url.QueryEscape(strings.Replace(image, ".svg", ".shields", 1))},
	}
}
