package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"path"
	"statuspage/handlers/answer"
	"statuspage/internal/status"
	"statuspage/views"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Site is what the pages say of themselves, and the operator's dress of them.
type Site struct {
	Title   string
	BaseURL string // Absolute, without a slash at the end; empty when not configured.
	Demo    bool
	Groups  []status.Group // In the order of the page; services are filled in.
	Logo    Picture        // Before the title.
	Icon    Picture        // In place of ours, which shows the state.
	CSS     []byte         // After our style sheet.
	Accent  Accent
	Header  []views.Link
	Footer  []views.Link
}

// Picture is a file of the operator's.
type Picture struct {
	Name string // Its extension says what it is.
	Body []byte
}

// Accent is the colour of links and focus, one for each theme; empty for ours.
type Accent struct{ Light, Dark string }

const brandPrefix = "/brand/"

// brandPath is the address of an operator's file; its name carries a hash of the content.
func brandPath(name string, body []byte) string {
	if len(body) == 0 {
		return ""
	}
	sum := sha256.Sum256(body)
	return brandPrefix + hex.EncodeToString(sum[:6]) + strings.ToLower(path.Ext(name))
}

// styles are the operator's style sheets: accent first, so that their own has the last word.
func (s Site) styles() [][]byte {
	var all [][]byte
	if s.Accent.Light != "" {
		all = append(all, []byte(":root{--link:light-dark("+s.Accent.Light+","+s.Accent.Dark+")}\n"))
	}
	if len(s.CSS) > 0 {
		all = append(all, s.CSS)
	}
	return all
}

// dress is the site as views know it.
func (s Site) dress() views.Site {
	at := func(path string) string {
		if path == "" {
			return ""
		}
		return s.base().At(path)
	}
	v := views.Site{Base: s.base(), Title: s.Title, Logo: at(brandPath(s.Logo.Name, s.Logo.Body)), Icon: at(brandPath(s.Icon.Name, s.Icon.Body)), Header: s.Header, Footer: s.Footer}
	for _, css := range s.styles() {
		v.Styles = append(v.Styles, at(brandPath("x.css", css)))
	}
	return v
}

// brandFiles are the operator's files by address.
func (s Site) brandFiles() map[string]*brandFile {
	files := map[string]*brandFile{}
	add := func(name string, body []byte) {
		if address := brandPath(name, body); address != "" {
			files[address] = &brandFile{answer.New(body), mime.TypeByExtension(strings.ToLower(path.Ext(name)))}
		}
	}
	add(s.Logo.Name, s.Logo.Body)
	add(s.Icon.Name, s.Icon.Body)
	for _, css := range s.styles() {
		add("x.css", css)
	}
	return files
}

type brandFile struct {
	*answer.Entity
	kind string
}

// brandAsset serves the operator's files.
func (s *Server) brandAsset(c *fiber.Ctx) error {
	address := brandPrefix + answer.Param(c, "*")
	f, ok := s.brand[address]
	if !ok {
		f, ok = s.outgoing[address]
	}
	if !ok {
		return answer.NotFound("error.404")
	}
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	return answer.Send(c, f.kind, f.Entity)
}
