package feed

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

var begin = time.Date(2026, 3, 29, 12, 0, 30, 0, time.UTC)

func sample(name string) Feed {
	return Feed{
		Title: "Outages", Author: "Acme", Home: "https://status.example/history", Self: "https://status.example/history.json", Base: "https://status.example",
		Entries: []Entry{
			{Outage: status.Outage{Service: "web", Begin: begin.Add(time.Hour), Last: begin.Add(time.Hour)}, Service: name, Reason: "timeout"},
			{Outage: status.Outage{Service: "web", Begin: begin, Last: begin, End: begin.Add(time.Minute), Regions: []string{"eu", "us"}}, Service: name, Reason: "timeout", Took: "1 min"},
			{Outage: status.Outage{Service: "web", Begin: begin.Add(-time.Hour), Last: begin.Add(-time.Hour), End: begin, Lapsed: true}, Service: name, Reason: "timeout"},
		},
	}
}

func TestEntriesTellOfTheOutages(t *testing.T) {
	t.Parallel()
	for format := range Formats {
		f := sample("Website")
		body, err := f.Write(format)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"Website is down", "Website was down for 1 min", "nobody measured", "Seen from: eu, us", "https://status.example/outages/web-20260329T120030Z"} {
			if !bytes.Contains(body, []byte(want)) {
				t.Errorf("%s lacks %q:\n%s", format, want, body)
			}
		}
		if again, _ := f.Write(format); !bytes.Equal(body, again) {
			t.Errorf("%s differs from one writing to the next", format)
		}
	}
	if body, err := (Feed{Title: "Outages", Home: "https://x.example"}).Write("atom"); err != nil || !bytes.Contains(body, []byte("<updated>1970-01-01T00:00:00Z</updated>")) {
		t.Errorf("a feed without entries: %v\n%s", err, body)
	}
}

// TestFormsKeepTheirRules holds what RFC 4287, RSS 2.0 and JSON Feed 1.1 demand of an entry.
func TestFormsKeepTheirRules(t *testing.T) {
	t.Parallel()
	var atom struct {
		ID       string `xml:"id"`
		Title    string `xml:"title"`
		Subtitle string `xml:"subtitle"`
		Updated  string `xml:"updated"`
		Lang     string `xml:"lang,attr"`
		Links    []struct {
			Rel  string `xml:"rel,attr"`
			Href string `xml:"href,attr"`
		} `xml:"link"`
		Author  []string `xml:"author>name"`
		Entries []struct {
			ID, Title, Updated, Published string
			Link                          struct {
				Href string `xml:"href,attr"`
			} `xml:"link"`
		} `xml:"entry"`
	}
	body, _ := sample("Website").Write("atom")
	if err := xml.Unmarshal(body, &atom); err != nil || atom.ID == "" || atom.Title == "" || len(atom.Author) != 1 || len(atom.Entries) != 3 {
		t.Errorf("Atom: %v %+v", err, atom)
	}
	if _, err := time.Parse(time.RFC3339, atom.Updated); err != nil {
		t.Errorf("Atom: updated: %v", err)
	}
	if len(atom.Links) != 2 || atom.Links[1].Rel != "self" || atom.Links[1].Href != sample("").Self || atom.Lang != "en" || atom.Subtitle == atom.Title {
		t.Errorf("Atom: links %+v, language %q, subtitle %q", atom.Links, atom.Lang, atom.Subtitle)
	}
	body, _ = sample("Website").Write("rss")
	if !bytes.Contains(body, []byte(`<atom:link href="`+sample("").Self+`" rel="self"`)) || !bytes.Contains(body, []byte("<language>en</language>")) || bytes.Count(body, []byte("<channel>")) != 1 {
		t.Errorf("RSS does not say where it is, or in which language:\n%s", body)
	}
	if bytes.Contains(body, []byte("managingEditor")) || bytes.Count(body, []byte("<guid")) != 3 || !bytes.Contains(body, []byte(`isPermaLink="true"`)) {
		t.Errorf("RSS:\n%s", body)
	}
	var feed struct {
		Version string `json:"version"`
		FeedURL string `json:"feed_url"`
		Items   []struct {
			ID      string `json:"id"`
			Content string `json:"content_html"`
		} `json:"items"`
	}
	body, _ = sample("Website").Write("json")
	if err := json.Unmarshal(body, &feed); err != nil || feed.Version != "https://jsonfeed.org/version/1.1" || feed.FeedURL == "" || len(feed.Items) != 3 || feed.Items[0].Content == "" {
		t.Errorf("JSON Feed: %v %+v", err, feed)
	}
}

func TestAFeedWithoutOutagesIsAFeed(t *testing.T) {
	t.Parallel()
	f := sample("Website")
	f.Entries = nil
	body, err := f.Write("json")
	var feed struct{ Items []any }
	if err != nil || json.Unmarshal(body, &feed) != nil || feed.Items == nil {
		t.Errorf("JSON Feed lacks its list of items (%v):\n%s", err, body)
	}
	if body, err = f.Write("rss"); err != nil || bytes.Contains(body, []byte("1970")) {
		t.Errorf("RSS dates what never was (%v):\n%s", err, body)
	}
}

func TestAtomsEntriesComeLast(t *testing.T) {
	t.Parallel()
	body, err := sample("Website").Write("atom")
	if self := bytes.Index(body, []byte(`rel="self"`)); err != nil || self < 0 || self > bytes.Index(body, []byte("<entry>")) {
		t.Errorf("what is said of the feed does not come before its entries (%v):\n%s", err, body)
	}
}

func TestHostileNamesStayText(t *testing.T) {
	t.Parallel()
	const hostile = "<img src=x onerror=alert(1)>\x00\x1b]]>\ufffe&"
	for format := range Formats {
		body, err := sample(hostile).Write(format)
		if err != nil {
			t.Fatal(err)
		}
		if format == "json" {
			if !json.Valid(body) || strings.Contains(string(body), `"content_html": "<img`) {
				t.Errorf("JSON Feed:\n%s", body)
			}
			continue
		}
		if bytes.Contains(body, []byte("<img")) || bytes.Contains(body, []byte(`type="html">&lt;img`)) || bytes.Contains(body, []byte("<description>&lt;img")) {
			t.Errorf("%s lets markup through:\n%s", format, body)
		}
		for d := xml.NewDecoder(bytes.NewReader(body)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s is no XML: %v", format, err)
			}
		}
	}
}
