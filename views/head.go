package views

import (
	"statuspage/views/lang"
)

// Link is an address with its text.
type Link struct{ Text, Href string }

// Head is what every page says of itself.
type Head struct {
	Lang        *lang.Language
	Title       string
	Description string
	Site        Site
	Path        string // Of the page, from the root; empty for one that is at no address.
	State       string // Overall state, for icon and kiosk; empty where the page shows none.
	Canonical   string // Absolute address of the page; empty when the site's own is unknown.
	Image       string // Absolute address of the picture for previews; empty without Canonical.
	Refresh     int    // Seconds after which a browser without JavaScript asks again; 0 for never.
	Scripts     bool   // The page swaps parts of itself.
	Live        bool   // And it is kept fresh: by a stream, where there is one.
	Plain       bool   // It has no stream by its nature, and is asked for now and then.
	Beat        int    // Seconds at most between two signs of life on a stream.
	Kiosk       bool   // Big, dark, without navigation.
	Languages   []Choice
	Look        []Pair // Language and zone as parameters, where they are not the usual.
	Zone        ZoneChoice
	Feeds       []Feed
	Demo        bool
}

// Site is the operator's dress of the pages.
type Site struct {
	Base    Base
	Title   string
	Logo    string // Address of the picture; empty for none.
	Icon    string // Address of the operator's favicon; empty for ours, which shows the state.
	Styles  []string
	Header  []Link
	Footer  []Link
	History bool // There are past outages to show.
}

// Choice is one of several links, of which one is where the visitor is.
type Choice struct {
	Text, Href, Code string
	Current          bool
}

// ZoneChoice is the switch of the time zone.
type ZoneChoice struct {
	Path  string // Of the page that the form leads to.
	Name  string // Of the zone that times are shown in.
	Own   string // Of the page's own zone.
	Keep  []Pair // Parameters of the page that the form carries on.
	Empty bool   // No switch on this page.
}

// Pair is a parameter.
type Pair struct{ Name, Value string }

// Feed is another form of the page, for readers of feeds.
type Feed struct{ Type, Title, Href string }
