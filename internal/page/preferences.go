package page

import (
	"net/url"
	"slices"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/lang"
	"strings"
	"time"
)

// Preferences are what a visitor chooses of how to see a page.
type Preferences struct {
	Window status.Window
	Lang   *lang.Language
	Zone   *time.Location
}

// Names of the parameters that carry preferences.
const (
	WindowParam   = "window"
	LanguageParam = "lang"
	ZoneParam     = "tz"
)

// Usual are the preferences of a visitor without wishes who reads a language.
func (p *Page) Usual(l *lang.Language) Preferences { return Preferences{status.LastHour, l, p.Zone} }

// IsUsual tells whether they are such.
func (p *Page) IsUsual(k Preferences) bool {
	return k.Window == status.LastHour && k.Zone.String() == p.Zone.String()
}

// Query is all preferences as parameters of an address; different ones differ.
func (k Preferences) Query() string {
	return WindowParam + "=" + k.Window.Name + "&" + LanguageParam + "=" + k.Lang.Code + "&" + ZoneParam + "=" + url.QueryEscape(k.Zone.String())
}

// WindowPair is the window as a parameter, left out for the usual one.
func (k Preferences) WindowPair() views.Pair {
	if k.Window == status.LastHour {
		return views.Pair{}
	}
	return views.Pair{Name: WindowParam, Value: k.Window.Name}
}

// Local is how a visitor with these preferences reads.
func (p *Page) Local(k Preferences) views.Local {
	return views.Local{Lang: k.Lang, Zone: k.Zone, Base: p.Base}
}

// carried is what the links and forms of a page pass on: all that is not the usual.
func (p *Page) carried(k Preferences) (language, zone views.Pair) {
	if k.Lang != lang.Default() {
		language = views.Pair{Name: LanguageParam, Value: k.Lang.Code}
	}
	if k.Zone.String() != p.Zone.String() {
		zone = views.Pair{Name: ZoneParam, Value: k.Zone.String()}
	}
	return language, zone
}

// Address returns the path with parameters, those with an empty value left out.
func Address(path string, pairs ...views.Pair) string {
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

// given leaves out parameters without a value.
func given(pairs []views.Pair) []views.Pair {
	return slices.DeleteFunc(slices.Clone(pairs), func(p views.Pair) bool { return p.Value == "" })
}
