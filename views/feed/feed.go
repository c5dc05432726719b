// Package feed writes outages, and what people wrote about them, as Atom, RSS and JSON Feed. The formats' details are the
// library's; what an entry says is ours. The same outages give the same bytes.
package feed

import (
	"encoding/json"
	"fmt"
	"html"
	"statuspage/internal/status"
	"strings"
	"time"

	"github.com/gorilla/feeds"
)

// Entry is one outage with what its service is called, or something that people wrote.
type Entry struct {
	Told    *Told // Nil for an outage.
	Outage  status.Outage
	Service string
	Reason  string // In public words.
	Took    string // How long it took, in words; empty while it goes on.
}

// Feed is outages, newest first, and where they are to be found.
type Feed struct {
	Title   string
	About   string // What the feed tells, in a sentence.
	Author  string
	Home    string // Absolute address of the page that the feed is another form of.
	Self    string // Absolute address of the feed.
	Base    string // Absolute address of the site, without a slash at the end.
	Entries []Entry
}

// Told is an incident, a maintenance or a notice, or one of its updates.
type Told struct {
	Path           string // Below the base; of an update with its anchor.
	Title          string
	HTML, Text     string // The same words; the HTML is ours.
	Begin, Changed time.Time
}

func (e Entry) begin() time.Time {
	if e.Told != nil {
		return e.Told.Begin.UTC()
	}
	return e.Outage.Begin.UTC()
}

func (e Entry) changed() time.Time {
	if e.Told != nil {
		return e.Told.Changed.UTC()
	}
	return changed(e.Outage)
}

// Formats are the names that a feed can be written in, by the end of its address.
var Formats = map[string]string{
	"atom": "application/atom+xml; charset=utf-8", "rss": "application/rss+xml; charset=utf-8", "json": "application/feed+json; charset=utf-8",
}

// Write returns the feed in one of the Formats.
func (f Feed) Write(format string) ([]byte, error) {
	out := &feeds.Feed{
		Title: f.Title, Link: &feeds.Link{Href: f.Home}, Description: f.About, Id: f.Home,
		Author: &feeds.Author{Name: f.Author}, Updated: f.updated(),
	}
	for _, e := range f.Entries {
		item := f.item(e)
		text := html.EscapeString(item.Description) // Readers of Atom and RSS take it for HTML.
		if e.Told != nil {
			text = keep(e.Told.HTML)
		}
		if format == "json" {
			item.Content = text // Which must be there, beside the summary in plain text.
		} else {
			item.Description = text
		}
		out.Items = append(out.Items, item)
	}
	switch format {
	case "atom":
		return f.atom(out)
	case "rss":
		out.Author = nil // RSS wants an address of mail there.
		return f.rss(out)
	default:
		j := (&feeds.JSON{Feed: out}).JSONFeed()
		j.Version, j.Author = "https://jsonfeed.org/version/1.1", nil
		j.FeedUrl, j.Language = f.Self, language
		j.Authors = []*feeds.JSONAuthor{{Name: f.Author}}
		if j.Items == nil {
			j.Items = []*feeds.JSONItem{}
		}
		body, err := json.MarshalIndent(jsonFeed{j, j.Items}, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("write feed: %w", err)
		}
		return body, nil
	}
}

// jsonFeed is the library's, which leaves the list of items out when there are none; JSON
// Feed demands it.
type jsonFeed struct {
	*feeds.JSONFeed
	Items []*feeds.JSONItem `json:"items"`
}

// updated is when the newest of the entries changed; a feed without any never did.
func (f Feed) updated() time.Time {
	newest := time.Unix(0, 0).UTC()
	for _, e := range f.Entries {
		if at := e.changed(); at.After(newest) {
			newest = at
		}
	}
	return newest
}

func changed(o status.Outage) time.Time {
	if o.Ongoing() {
		return o.Begin.UTC()
	}
	return o.End.UTC()
}

func (f Feed) item(e Entry) *feeds.Item {
	if t := e.Told; t != nil {
		address := f.Base + t.Path
		return &feeds.Item{
			Title: clean(t.Title), Link: &feeds.Link{Href: address}, Id: address, IsPermaLink: "true", Description: keep(t.Text), Created: e.begin(), Updated: e.changed(),
		}
	}
	o, name := e.Outage, clean(e.Service)
	address := f.Base + "/outages/" + o.ID()
	const clock = "2006-01-02 15:04:05 UTC"
	title := name + " is down"
	text := fmt.Sprintf("%s has been down since %s. Reason: %s.", name, o.Begin.UTC().Format(clock), e.Reason)
	switch {
	case o.Lapsed:
		title = name + " was down"
		text = fmt.Sprintf("%s was down from %s on; after %s nobody measured. Reason: %s.", name, o.Begin.UTC().Format(clock), o.Last.UTC().Format(clock), e.Reason)
	case !o.Ongoing():
		title = name + " was down for " + e.Took
		text = fmt.Sprintf("%s was down from %s to %s, for %s. Reason: %s.", name, o.Begin.UTC().Format(clock), o.End.UTC().Format(clock), e.Took, e.Reason)
	}
	if len(o.Regions) > 0 {
		text += " Seen from: " + clean(strings.Join(o.Regions, ", ")) + "."
	}
	return &feeds.Item{
		Title: title, Link: &feeds.Link{Href: address}, Id: address, IsPermaLink: "true", Description: text,
		Created: o.Begin.UTC(), Updated: changed(o),
	}
}

// keep is clean for texts of several lines.
func keep(s string) string {
	parts := strings.Split(s, "\n")
	for i := range parts {
		parts[i] = clean(parts[i])
	}
	return strings.Join(parts, "\n")
}

// clean drops what XML 1.0 cannot carry.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0xFFFD || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
}
