// Package visitor reads from a request what its sender prefers of how to see a page, and under which address they came.
package visitor

import (
	"io/fs"
	"statuspage/handlers/answer"
	"statuspage/handlers/gate"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

const maxZoneName = 64

// Reader reads requests for one page.
type Reader struct {
	page   *page.Page
	limits *gate.Limiter // Knows which proxies are trusted.
	zones  zones
}

// New returns a reader.
func New(p *page.Page, limits *gate.Limiter) *Reader { return &Reader{page: p, limits: limits} }

// zones keeps those that were asked for; there are some 600 names in the world.
type zones struct{ known sync.Map }

func (z *zones) find(name string) (*time.Location, bool) {
	if known, ok := z.known.Load(name); ok {
		return known.(*time.Location), true //nolint:forcetypeassert // Nothing else is stored.
	}
	if name == "Local" || len(name) > maxZoneName || !fs.ValidPath(name) { // Asia//Tokyo would be found, as another zone.
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	z.known.Store(strings.Clone(name), zone)
	return zone, true
}

// Preferences reads what the visitor wants to see: from the address, else from the browser's language
// and the page's zone. A choice is remembered by the browser (static/look.js), never in a cookie.
func (r *Reader) Preferences(c *fiber.Ctx) (page.Preferences, error) {
	k, err := r.WithoutWindow(c)
	if err != nil {
		return k, err
	}
	if name := c.Query(page.WindowParam); name != "" {
		w, ok := status.FindWindow(name)
		if !ok {
			return k, answer.Unprocessable("window must be 1h, 24h or 90d.")
		}
		k.Window = w
	}
	return k, nil
}

// WithoutWindow reads all but the window, which means something else on some pages.
func (r *Reader) WithoutWindow(c *fiber.Ctx) (page.Preferences, error) {
	k := r.page.Usual(language(c))
	name, asked := c.Query(page.ZoneParam), c.Context().QueryArgs().Has(page.ZoneParam)
	if asked && name != "" && name != k.Zone.String() { // Empty: the page's own. A zone that was read twice would be two.
		zone, ok := r.zones.find(name)
		if !ok {
			return k, answer.Unprocessable("tz must be the name of a time zone, such as Europe/Budapest or UTC.")
		}
		k.Zone = zone
	}
	return k, nil
}

func language(c *fiber.Ctx) *lang.Language {
	if l, ok := lang.Find(c.Query(page.LanguageParam)); ok {
		return l
	}
	return lang.Match(c.Get(fiber.HeaderAcceptLanguage))
}

// Base is the page's absolute address, without a slash at the end: the configured one, else what this
// reader asked for, which must not be handed to others; see Caching. A proxy that is trusted says
// whether that was over TLS. No header says which host it was but Host itself.
func (r *Reader) Base(c *fiber.Ctx) string {
	if r.page.BaseURL != "" {
		return r.page.BaseURL
	}
	host := string(c.Context().Request.Header.Host())
	if host == "" {
		host = "localhost" // HTTP/1.0 needs none.
	}
	if r.limits.OverTLS(c.Context()) {
		return "https://" + host
	}
	return "http://" + host
}

// Caching is how an answer with absolute addresses may be kept. One that was made of the Host header
// is for its reader alone: whoever asks first would decide where a shared cache sends all others.
func (r *Reader) Caching(public string) string {
	if r.page.BaseURL != "" {
		return public
	}
	return "private, no-cache"
}
