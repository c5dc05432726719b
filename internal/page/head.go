package page

import (
	"slices"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/lang"
)

// Head fills in what the heads of all pages have in common; path is that of the page. The parameters are those that a
// switch of language or zone carries on.
func (p *Page) Head(k Preferences, path, title string, keep ...views.Pair) views.Head {
	language, zone := p.carried(k)
	h := views.Head{
		Lang: k.Lang, Title: title, Path: path, Site: p.Dress, Demo: p.Demo, Look: given([]views.Pair{language, zone}),
		Zone: views.ZoneChoice{Path: p.Base.At(path), Name: k.Zone.String(), Own: p.Zone.String(), Keep: given(append(slices.Clip(keep), language))},
	}
	h.Languages = Languages(k, p.Base.At(path), append(slices.Clip(keep), zone)...)
	h.Description = k.Lang.T("description", p.Title)
	if p.BaseURL != "" {
		h.Canonical, h.Image = p.BaseURL+path, p.BaseURL+"/card.png"
	}
	return h
}

// ServiceHead is Head for the page of a service.
func (p *Page) ServiceHead(k Preferences, svc status.Service, keep ...views.Pair) views.Head {
	head := p.Head(k, views.ServicePath(svc.ID), svc.Name+" · "+p.Title, keep...)
	head.Feeds = p.Feeds(k, &svc)
	return head
}

// Languages are the links by which a visitor changes the language of the page at path.
func Languages(k Preferences, path string, keep ...views.Pair) []views.Choice {
	var choices []views.Choice
	for _, l := range lang.All() {
		choices = append(choices, views.Choice{
			Text: l.Name, Code: l.Code, Current: l == k.Lang,
			Href: Address(path, append(given(keep), views.Pair{Name: LanguageParam, Value: l.Code})...),
		})
	}
	return choices
}

// Windows are the links by which a visitor changes the window of the page at path.
func (p *Page) Windows(k Preferences, path string, keep ...views.Pair) []views.Choice {
	language, zone := p.carried(k)
	keep = append(slices.Clip(keep), language, zone)
	choices := make([]views.Choice, len(status.Windows))
	for i, w := range status.Windows {
		choices[i] = views.Choice{
			Text: k.Lang.T("window." + w.Name), Code: w.Name, Current: w == k.Window,
			Href: Address(p.Base.At(path), append([]views.Pair{Preferences{Window: w}.WindowPair()}, keep...)...),
		}
	}
	return choices
}

// CalendarPath is where the calendar of maintenance stands, and what ends the address of that of a group or a service.
const CalendarPath = "/calendar.ics"

// Feeds are those of the page, or of one service, and its calendar.
func (p *Page) Feeds(k Preferences, service *status.Service) []views.Feed {
	prefix := "/history"
	if service != nil {
		prefix = views.ServicePath(service.ID) + "/history"
	}
	var feeds []views.Feed
	for _, f := range []struct{ name, ext, kind string }{
		{"Atom", ".atom", "application/atom+xml"}, {"RSS", ".rss", "application/rss+xml"}, {"JSON Feed", ".json", "application/feed+json"},
	} {
		feeds = append(feeds, views.Feed{Type: f.kind, Title: k.Lang.T("feed", f.name), Href: p.Base.At(prefix + f.ext)})
	}
	calendar := CalendarPath
	if service != nil {
		calendar = views.ServicePath(service.ID) + CalendarPath
	}
	return append(feeds, views.Feed{Type: "text/calendar", Title: k.Lang.T("calendar"), Href: p.Base.At(calendar)})
}
