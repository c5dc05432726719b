package handlers

import (
	"io/fs"
	"net/url"
	"slices"
	"statuspage/handlers/answer"
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

func (k look) key() string { return answer.Key(k.window.Name, k.lang.Code, k.zone.String()) }

// local is how a visitor with that look reads.
func (l *live) local(k look) views.Local {
	return views.Local{Lang: k.lang, Zone: k.zone, Base: l.dress.Base}
}

// query is the look as parameters of a stream's address.
func (k look) query() string {
	return "window=" + k.window.Name + "&lang=" + k.lang.Code + "&tz=" + url.QueryEscape(k.zone.String())
}

const (
	languageParam = "lang"
	zoneParam     = "tz"
	maxZoneName   = 64
)

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

// look reads what the visitor wants to see: from the address, else from the browser's language
// and the page's zone. A choice is remembered by the browser (static/look.js), never in a cookie.
func (s *Server) look(c *fiber.Ctx) (look, error) {
	k, err := s.visitor(c)
	if err != nil {
		return k, err
	}
	if name := c.Query("window"); name != "" {
		w, ok := status.FindWindow(name)
		if !ok {
			return k, answer.Unprocessable("window must be 1h, 24h or 90d.")
		}
		k.window = w
	}
	return k, nil
}

// visitor reads the look but for the window, which means something else on some pages.
func (s *Server) visitor(c *fiber.Ctx) (look, error) {
	k := look{window: status.LastHour, lang: s.language(c), zone: s.board.Location()}
	name, asked := c.Query(zoneParam), c.Context().QueryArgs().Has(zoneParam)
	if asked && name != "" && name != k.zone.String() { // Empty: the page's own. A zone that was read twice would be two.
		zone, ok := s.zones.find(name)
		if !ok {
			return k, answer.Unprocessable("tz must be the name of a time zone, such as Europe/Budapest or UTC.")
		}
		k.zone = zone
	}
	return k, nil
}

func (s *Server) language(c *fiber.Ctx) *lang.Language {
	if l, ok := lang.Find(c.Query(languageParam)); ok {
		return l
	}
	return lang.Match(c.Get(fiber.HeaderAcceptLanguage))
}

// carried is what of a look the links and forms of a page pass on: all that is not the usual.
func (l *live) carried(k look) (language, zone views.Pair) {
	if k.lang != lang.Default() {
		language = views.Pair{Name: languageParam, Value: k.lang.Code}
	}
	if k.zone.String() != l.board.Location().String() {
		zone = views.Pair{Name: zoneParam, Value: k.zone.String()}
	}
	return language, zone
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

// head fills in what all pages have in common; path is that of the page. The parameters are those that a switch of
// language or zone carries on.
func (l *live) head(k look, path, title string, keep ...views.Pair) views.Head {
	language, zone := l.carried(k)
	h := views.Head{
		Lang: k.lang, Title: title, Site: l.dress, Demo: l.site.Demo, Look: given([]views.Pair{language, zone}),
		Zone: views.ZoneChoice{Path: l.dress.Base.At(path), Name: k.zone.String(), Own: l.board.Location().String(), Keep: given(append(slices.Clip(keep), language))},
	}
	h.Languages = languageChoices(k, l.dress.Base.At(path), append(slices.Clip(keep), zone)...)
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
			Href: address(path, append(given(keep), views.Pair{Name: languageParam, Value: l.Code})...),
		})
	}
	return choices
}

// given leaves out parameters without a value.
func given(pairs []views.Pair) []views.Pair {
	return slices.DeleteFunc(slices.Clone(pairs), func(p views.Pair) bool { return p.Value == "" })
}

// pageFeeds are the feeds of the page, or of one service with its path and name.
func (l *live) pageFeeds(k look, service *status.Service) []views.Feed {
	prefix := "/history"
	if service != nil {
		prefix = views.ServicePath(service.ID) + "/history"
	}
	var feeds []views.Feed
	for _, f := range []struct{ name, ext, kind string }{
		{"Atom", ".atom", "application/atom+xml"}, {"RSS", ".rss", "application/rss+xml"}, {"JSON Feed", ".json", "application/feed+json"},
	} {
		feeds = append(feeds, views.Feed{Type: f.kind, Title: k.lang.T("feed", f.name), Href: l.dress.Base.At(prefix + f.ext)})
	}
	return feeds
}
