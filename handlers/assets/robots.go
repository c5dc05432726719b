package assets

import (
	"bytes"
	"statuspage/handlers/answer"
	"statuspage/views"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// robots answers GET /robots.txt.
func (a *Assets) robots(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, a.visitor.Caching("public, max-age=3600"))
	var b strings.Builder
	b.WriteString("User-agent: *\n")
	for _, path := range []string{"/events", "/signals/stream", "/metrics", "/*?lang=", "/*?tz="} {
		b.WriteString("Disallow: " + a.page.Base.At(path) + "\n")
	}
	b.WriteString("Sitemap: " + a.visitor.Base(c) + "/sitemap.xml\n")
	return c.SendString(b.String())
}

// sitemap answers GET /sitemap.xml: https://www.sitemaps.org/protocol.html
func (a *Assets) sitemap(c *fiber.Ctx) error {
	base := a.visitor.Base(c)
	e, err := a.made.Get(0, answer.Key("sitemap", base), func() ([]byte, error) {
		paths := []string{"/", "/history", "/badges", "/how"}
		for _, svc := range a.board.Services() {
			paths = append(paths, views.ServicePath(svc.ID)) // Ids are letters, digits and dashes.
		}
		var b bytes.Buffer
		b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`)
		for _, path := range paths {
			b.WriteString("<url><loc>" + xmlText(base+path) + "</loc></url>")
		}
		b.WriteString("</urlset>\n")
		return b.Bytes(), nil
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, a.visitor.Caching("public, max-age=3600"))
	return answer.Send(c, fiber.MIMEApplicationXMLCharsetUTF8, e)
}

func xmlText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;").Replace(s)
}
