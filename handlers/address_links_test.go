package handlers

import (
	"regexp"
	"statuspage/internal/board"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

// TestAddressesOfNoWebsiteAreNoLinks holds that what can't be opened in a browser, a tcp:// address say, is text on every page, and that
// it stands there at all.
func TestAddressesOfNoWebsiteAreNoLinks(t *testing.T) {
	t.Parallel()
	var services []status.Service
	var schemes []string
	for _, k := range check.Kinds() {
		for _, s := range k.Schemes {
			services = append(services, status.Service{ID: s.Name, Name: "A " + s.Name, URL: strings.ReplaceAll(s.Form, "port", "1"), Interval: time.Minute, Timeout: time.Second})
			if k.Name != "http" {
				schemes = append(schemes, s.Name)
			}
		}
	}
	link := regexp.MustCompile(`(?i)(href|src|action|url|link|id|guid|loc)["']?\s*(=|:|>)\s*["']?\s*(` + strings.Join(schemes, "|") + `):`)
	if !link.MatchString(`<a href="tcp://a:1">`) || !link.MatchString(`<link>dns://a</link>`) {
		t.Fatal("the test sees no link")
	}
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, func(o *Options) { o.Board = b })
	paths := []string{"/", "/?window=90d", "/?view=tv", "/history", "/how", "/badges", "/embed", "/history.atom", "/history.rss", "/sitemap.xml"}
	for _, svc := range services {
		s.apply(svc.ID, time.Now().Add(-2*time.Minute), status.Up)
		s.apply(svc.ID, time.Now().Add(-time.Minute), status.Down)
		paths = append(paths, "/services/"+svc.ID, "/badges?of="+svc.ID, "/services/"+svc.ID+"/history.atom", "/services/"+svc.ID+"/history.rss", "/services/"+svc.ID+"/"+time.Now().UTC().Format("2006-01-02"))
	}
	s.eventually("/status", "down")
	shown := 0
	for _, path := range paths {
		_, body := s.get(path, "Accept", "text/html")
		if at := link.FindStringIndex(body); at != nil {
			t.Errorf("%s has %s", path, body[max(0, at[0]-60):min(len(body), at[1]+60)])
		}
		shown += strings.Count(body, "tcp://host:1")
	}
	if shown == 0 {
		t.Error("no page shows the address")
	}
}
