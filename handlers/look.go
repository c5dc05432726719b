package handlers

import (
	"net/url"
	"slices"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/lang"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// look is what a visitor chooses of how to see a page.
type look struct {
	window status.Window
	lang   *lang.Language
	zone   *time.Location
}

func (k look) key() string { return k.window.Name + " " + k.lang.Code + " " + k.zone.String() }

func (k look) local() views.Local { return views.Local{Lang: k.lang, Zone: k.zone} }

// query is the look as parameters of a stream's address.
func (k look) query() string {
	return "window=" + k.window.Name + "&lang=" + k.lang.Code + "&tz=" + url.QueryEscape(k.zone.String())
}

const (
	languageCookie = "lang"
	zoneCookie     = "tz"
	choiceKept     = 365 * 24 * time.Hour // How long a browser remembers language and zone.
	maxZoneName    = 64
)

// zones keeps those that were asked for; there are some 600 names in the world.
type zones struct{ known sync.Map }

func (z *zones) find(name string) (*time.Location, bool) {
	if known, ok := z.known.Load(name); ok {
		return known.(*time.Location), true //nolint:forcetypeassert // Nothing else is stored.
	}
	if name == "" || name == "Local" || len(name) > maxZoneName {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	z.known.Store(strings.Clone(name), zone)
	return zone, true
}

// look reads what the visitor wants to see: from the address, else from what the browser
// remembers, else from the browser's language and the page's zone.
func (s *Server) look(c *fiber.Ctx) (look, error) {
	k, err := s.visitor(c)
	if err != nil {
		return k, err
	}
	if name := c.Query("window"); name != "" {
		w, ok := status.FindWindow(name)
		if !ok {
			return k, unprocessable("window must be 1h, 24h or 90d.")
		}
		k.window = w
	}
	return k, nil
}

// visitor reads the look but for the window, which means something else on some pages.
func (s *Server) visitor(c *fiber.Ctx) (look, error) {
	k := look{window: status.LastHour, lang: s.language(c), zone: s.board.Location()}
	name, asked := c.Query(zoneCookie), c.Context().QueryArgs().Has(zoneCookie)
	switch {
	case asked && name == "": // Back to the page's own.
		remember(c, zoneCookie, "")
	case asked:
		zone, ok := s.zones.find(name)
		if !ok {
			return k, unprocessable("tz must be the name of a time zone, such as Europe/Budapest or UTC.")
		}
		k.zone = zone
		remember(c, zoneCookie, name)
	default:
		if zone, ok := s.zones.find(c.Cookies(zoneCookie)); ok {
			k.zone = zone
		}
	}
	return k, nil
}

func (s *Server) language(c *fiber.Ctx) *lang.Language {
	if l, ok := lang.Find(c.Query(languageCookie)); ok {
		remember(c, languageCookie, l.Code)
		return l
	}
	if l, ok := lang.Find(c.Cookies(languageCookie)); ok {
		return l
	}
	return lang.Match(c.Get(fiber.HeaderAcceptLanguage))
}

// remember lets the browser keep a choice that the visitor made; nothing else is ever kept.
func remember(c *fiber.Ctx, name, value string) {
	if strings.HasPrefix(c.Path(), "/events") {
		return // There the parameters repeat what the page shows.
	}
	cookie := fiber.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(choiceKept / time.Second), SameSite: fiber.CookieSameSiteLaxMode, HTTPOnly: true}
	if value == "" {
		cookie.MaxAge, cookie.Expires = -1, time.Unix(1, 0)
	}
	c.Cookie(&cookie)
}

// address returns the path with parameters, those with an empty value left out.
func address(path string, pairs ...views.Pair) string {
	var query []string
	for _, p := range pairs {
		if p.Value != "" {
			query = append(query, p.Name+"="+url.QueryEscape(p.Value))
		}
	}
	if len(query) == 0 {
		return path
	}
	return path + "?" + strings.Join(query, "&")
}

// head fills in what all pages have in common. The parameters are those that a switch of
// language or zone carries on.
func (l *live) head(k look, path, title string, keep ...views.Pair) views.Head {
	h := views.Head{
		Lang: k.lang, Title: title, Site: l.dress, Demo: l.site.Demo,
		Zone: views.ZoneChoice{Path: path, Name: k.zone.String(), Own: l.board.Location().String(), Keep: given(keep)},
	}
	h.Languages = languageChoices(k, path, keep...)
	h.Description = k.lang.T("description", l.site.Title)
	if l.site.BaseURL != "" {
		h.Canonical, h.Image = l.site.BaseURL+path, l.site.BaseURL+"/card.png"
	}
	return h
}

func languageChoices(k look, path string, keep ...views.Pair) []views.Choice {
	var choices []views.Choice
	for _, l := range lang.All() {
		choices = append(choices, views.Choice{
			Text: l.Name, Code: l.Code, Current: l == k.lang,
			Href: address(path, append(given(keep), views.Pair{Name: languageCookie, Value: l.Code})...),
		})
	}
	return choices
}

// given leaves out parameters without a value.
func given(pairs []views.Pair) []views.Pair {
	return slices.DeleteFunc(slices.Clone(pairs), func(p views.Pair) bool { return p.Value == "" })
}

// pageFeeds are the feeds of the page, or of one service with its path and name.
func pageFeeds(l *lang.Language, service *status.Service) []views.Feed {
	prefix := "/history"
	if service != nil {
		prefix = views.ServicePath(service.ID) + "/history"
	}
	var feeds []views.Feed
	for _, f := range []struct{ name, ext, kind string }{
		{"Atom", ".atom", "application/atom+xml"}, {"RSS", ".rss", "application/rss+xml"}, {"JSON Feed", ".json", "application/feed+json"},
	} {
		feeds = append(feeds, views.Feed{Type: f.kind, Title: l.T("feed", f.name), Href: prefix + f.ext})
	}
	return feeds
}

var (
	typeHTML = []byte(fiber.MIMETextHTMLCharsetUTF8)
	noCache  = []byte("no-cache")
)

// sendHTML answers with a page in the visitor's look.
func sendHTML(c *fiber.Ctx, e *entity) error {
	put(c, headCacheControl, noCache)
	put(c, headVary, varyLook)
	return deliver(c, typeHTML, e)
}
