// Package assets answers with files: those in the binary, the operator's, and what search engines read.
package assets

import (
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/handlers/visitor"
	"statuspage/internal/board"
	"statuspage/internal/page"
	"statuspage/static"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
)

// Assets answers for one page.
type Assets struct {
	page    *page.Page
	board   *board.Board
	visitor *visitor.Reader
	files   sync.Map            // Of package static, by address.
	brand   map[string]*branded // The operator's, by address.
	before  map[string]*branded // Of the configuration before: pages of it are still being loaded.
	made    answer.Cache        // What changes with the configuration alone.
}

// New returns the assets of a page, which takes the place of another; nil at first.
func New(p *page.Page, b *board.Board, v *visitor.Reader, before *Assets) *Assets {
	a := &Assets{page: p, board: b, visitor: v, brand: make(map[string]*branded)}
	for address, f := range p.Files() {
		a.brand[address] = &branded{answer.New(f.Body), f.Type}
	}
	if before != nil {
		a.before = before.brand
	}
	return a
}

// Routes adds the addresses of files.
func (a *Assets) Routes(r fiber.Router) {
	r.Get("/robots.txt", a.robots)
	r.Get("/sitemap.xml", a.sitemap)
	r.Get(page.FilePrefix+"*", a.branded)
	r.Get("/embed.js", a.embedScript)
	r.Get(static.Prefix+"*", a.static)
	r.Get("/favicon.ico", func(c *fiber.Ctx) error {
		return c.Redirect(a.page.Base.At(static.Path("icon.svg")), http.StatusFound)
	})
}

// caching lets browsers keep what has its hash in its name.
const caching = "public, max-age=31536000, immutable"

func (a *Assets) static(c *fiber.Ctx) error {
	f := a.file(static.Prefix + answer.Param(c, "*"))
	if f == nil {
		return answer.NotFound("error.404")
	}
	c.Set(fiber.HeaderCacheControl, caching)
	c.Set(fiber.HeaderContentSecurityPolicy, answer.FilePolicy)
	return answer.Send(c, f.kind, &f.Entity)
}

// file finds what package static has at an address, nil for nothing.
func (a *Assets) file(address string) *file {
	if known, ok := a.files.Load(address); ok {
		return known.(*file) //nolint:forcetypeassert // Nothing else is stored.
	}
	f, ok := static.Lookup(address)
	if !ok {
		return nil
	}
	fresh := &file{answer.Entity{Body: f.Body(), Tag: f.Hash, Once: true, Packed: f.Brotli}, f.ContentType}
	made, _ := a.files.LoadOrStore(strings.Clone(address), fresh)
	return made.(*file) //nolint:forcetypeassert // Nothing else is stored.
}

// file is one that is embedded in the binary.
type file struct {
	answer.Entity
	kind string
}

// branded is a file of the operator's.
type branded struct {
	*answer.Entity
	kind string
}

// branded serves the operator's files.
func (a *Assets) branded(c *fiber.Ctx) error {
	address := page.FilePrefix + answer.Param(c, "*")
	f, ok := a.brand[address]
	if !ok {
		f, ok = a.before[address]
	}
	if !ok {
		return answer.NotFound("error.404")
	}
	c.Set(fiber.HeaderCacheControl, caching)
	return answer.Send(c, f.kind, f.Entity)
}

// embedScript answers GET /embed.js, under an address that never changes.
func (a *Assets) embedScript(c *fiber.Ctx) error {
	f := a.file(static.Path("embed.js"))
	c.Set(fiber.HeaderCacheControl, "public, max-age=300")
	return answer.Send(c, f.kind, &f.Entity)
}
