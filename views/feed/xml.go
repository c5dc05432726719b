package feed

import (
	"encoding/xml"
	"fmt"
	"time"

	"github.com/gorilla/feeds"
)

// language is what entries are written in.
const language = "en"

// atomFeed is the library's with what it lacks: the feed's own address (RFC 4287, section
// 4.1.1 asks for it) and the language.
type atomFeed struct {
	*feeds.AtomFeed
	Lang  string           `xml:"xml:lang,attr"`
	Links []feeds.AtomLink `xml:"link"`
	// Entries stand here again, for the RELAX NG of RFC 4287 wants them last.
	Entries []*feeds.AtomEntry `xml:"entry"`
}

func (f Feed) atom(out *feeds.Feed) ([]byte, error) {
	a := &atomFeed{AtomFeed: (&feeds.Atom{Feed: out}).AtomFeed(), Lang: language}
	a.Links = []feeds.AtomLink{{Href: f.Home, Rel: "alternate", Type: "text/html"}, {Href: f.Self, Rel: "self", Type: "application/atom+xml"}}
	for i, e := range a.AtomFeed.Entries {
		e.Published = f.Entries[i].begin().Format(time.RFC3339)
	}
	a.Entries = a.AtomFeed.Entries
	return encode(a)
}

// rssFeed is the library's with a link to itself, for which RSS borrows that of Atom:
// https://www.rssboard.org/rss-profile#namespace-elements-atom-link
type rssFeed struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Atom    string   `xml:"xmlns:atom,attr"`
	Channel rssChannel
}

type rssChannel struct {
	*feeds.RssFeed
	Self struct {
		Href string `xml:"href,attr"`
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr"`
	} `xml:"atom:link"`
}

func (f Feed) rss(out *feeds.Feed) ([]byte, error) {
	r := rssFeed{Version: "2.0", Atom: "http://www.w3.org/2005/Atom", Channel: rssChannel{RssFeed: (&feeds.Rss{Feed: out}).RssFeed()}}
	r.Channel.Language = language
	if len(f.Entries) == 0 {
		r.Channel.PubDate, r.Channel.LastBuildDate = "", "" // Unlike Atom, RSS may leave open when.
	}
	r.Channel.Self.Href, r.Channel.Self.Rel, r.Channel.Self.Type = f.Self, "self", "application/rss+xml"
	return encode(r)
}

func encode(v any) ([]byte, error) {
	body, err := xml.MarshalIndent(v, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write feed: %w", err)
	}
	return append([]byte(xml.Header), body...), nil
}
