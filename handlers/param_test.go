package handlers

import (
	"net/http"
	"regexp"
	"statuspage/internal/grant"
	"statuspage/internal/incident"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/static"
	"strings"
	"testing"
	"time"
)

// TestEncodedPathsMeanTheSame asks every route with parameters in three spellings.
func TestEncodedPathsMeanTheSame(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC()
	book := incident.NewBook(0)
	s := newStaff(t, func(o *Options) {
		o.Now = func() time.Time { return now } // Else an answer may change between two spellings.
		o.Page.CSS = []byte("body{}")
		o.Words = incident.NewLookout(book)
	})
	told, err := incident.New(incident.Stamp{At: now, Incident: incident.NewID(now), Actor: "api:x"}, &incident.Opened{Kind: incident.KindNotice, Title: "New address", Words: incident.Words{Status: incident.Active}})
	if err != nil {
		t.Fatal(err)
	}
	book.Apply([]incident.Event{told}, now)
	begin := now.Add(-5 * time.Minute).Truncate(time.Second)
	s.apply("web", begin, status.Down)
	s.apply("web", begin.Add(time.Minute), status.Up)
	s.apply("web", now.Add(-time.Second), status.Up)
	s.apply("api", begin, status.Up)
	s.eventually("/badge/web/status.txt", "up")
	outage := "web-" + begin.Format("20060102T150405Z")
	s.eventually("/history.json", outage)
	s.joins("ana", grant.Admin)
	_, operators := s.get("/admin/operators")
	operator := regexp.MustCompile(`/admin/operators/([a-z0-9]+)`).FindStringSubmatch(operators)
	if operator == nil {
		t.Fatal(operators)
	}
	tried := map[string]bool{}
	for _, c := range []struct{ route, path string }{ // The path's parameters stand in braces.
		{"/services/:id", "/services/{web}"},
		{"/services/:id/cells", "/services/{web}/cells"},
		{"/services/:id/calendar.ics", "/services/{web}/calendar.ics"},
		{"/groups/:id/calendar.ics", "/groups/{public}/calendar.ics"},
		{"/incidents/:id", "/incidents/{" + told.Incident + "}"},
		{"/services/:id/:at", "/services/{web}/{" + begin.Format("2006-01-02") + "}"},
		{"/services/:id/:at", "/services/{web}/{" + begin.Format("2006-01-02T15Z") + "}"},
		{"/services/:id/:at", "/services/{web}/{" + begin.Format("2006-01-02T15:04Z") + "}"},
		{"/services/:id/history.atom", "/services/{web}/history.atom"},
		{"/services/:id/history.rss", "/services/{web}/history.rss"},
		{"/services/:id/history.json", "/services/{web}/history.json"},
		{"/outages/:id", "/outages/{" + outage + "}"},
		{"/badge/*", "/badge/{web}/{uptime.svg}"},
		{"/badge/*", "/badge/{group:public}/{status.json}"},
		{"/badge/*", "/badge/{page.txt}"},
		{"/api/v1/endpoints/:key/*", "/api/v1/endpoints/{public_website}/{health}/{badge.svg}"},
		{"/api/v1/endpoints/:key/*", "/api/v1/endpoints/{public_api-%3Cb%3E}/{uptimes}/{24h}"},
		{"/api/v1/endpoints/:key/*", "/api/v1/endpoints/{_twin}/{statuses}"},
		{"/api/badge/:id/:kind/:duration?", "/api/badge/{web}/{uptime}/{24h}"},
		{"/api/badge/:id/:kind/:duration?", "/api/badge/{2}/{status}"},
		{"/api/status-page/:slug/badge", "/api/status-page/{any}/badge"},
		{"/admin/invite/:secret", strings.Replace(s.invited(grant.Viewer), "/invite/", "/invite/{", 1) + "}"},
		{"/admin/operators/:id", "/admin/operators/{" + operator[1] + "}"},
		{"/static/*", strings.Replace(static.Path("app.css"), "/static/", "/static/{", 1) + "}"},
		{"/brand/*", strings.Replace(page.New(page.Settings{CSS: []byte("body{}")}, nil, time.UTC).Dress.Styles[0], "/brand/", "/brand/{", 1) + "}"},
	} {
		tried[c.route] = true
		usual := strings.NewReplacer("{", "", "}", "").Replace(c.path)
		plain, body := s.get(usual)
		if plain.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", c.path, plain.StatusCode)
		}
		for _, spell := range []func(string) string{everyByte, func(s string) string { return strings.ToLower(everyByte(s[:1])) + s[1:] }, func(s string) string { return strings.ReplaceAll(s, ":", "%3A") }} {
			path := spelt(c.path, spell)
			res, same := s.get(path)
			if same != body { // A signal may have been drawn in between.
				_, body = s.get(usual)
				res, same = s.get(path)
			}
			if res.StatusCode != plain.StatusCode || same != body {
				t.Errorf("%s: %d with %d bytes, want %d with %d as of %s", path, res.StatusCode, len(same), plain.StatusCode, len(body), c.path)
			}
		}
	}
	for _, routes := range s.server.server().app.Stack() {
		for _, r := range routes {
			if r.Method == http.MethodGet && strings.ContainsAny(r.Path, ":*") && !tried[r.Path] {
				t.Errorf("%s has parameters and is not tried", r.Path)
			}
		}
	}
	// What an encoded slash stands in is one part; what was encoded twice is decoded once.
	for _, path := range []string{"/services/%2577eb", "/services/web%2F" + begin.Format("2006-01-02"), "/badge/web%2Fstatus.json", "/outages/" + strings.Replace(outage, "-", "%252D", 1)} {
		if res, _ := s.get(path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, res.StatusCode)
		}
	}
}

// spelt writes what stands in braces in another way.
func spelt(path string, spell func(string) string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(path, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		inside, after, _ := strings.Cut(rest, "}")
		b.WriteString(spell(strings.NewReplacer("%3C", "<", "%3E", ">").Replace(inside)))
		path = after
	}
}

// TestBrokenEncodingsAreNotFound: what is no encoding names nothing, and that is said.
func TestBrokenEncodingsAreNotFound(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	for _, routes := range s.app.Stack() {
		for _, r := range routes {
			if r.Method != http.MethodGet || !strings.ContainsAny(r.Path, ":*") || r.Path == "/api/status-page/:slug/badge" { // Any slug is this page.
				continue
			}
			for _, broken := range []string{"%zz", "%", "%4", "%ff", "%00", "%c3%28", "%25"} {
				path := strings.NewReplacer(":id", broken, ":at", broken, ":key", broken, ":kind", broken, ":duration?", broken, ":slug", broken, "*", broken).Replace(r.Path)
				res := s.ask(path, "Accept", "text/html")
				picture := strings.HasPrefix(string(res.Header.ContentType()), "image/svg+xml") && strings.Contains(string(res.Body()), "error") // Kuma's are all pictures.
				if code := res.StatusCode(); !picture && code != http.StatusNotFound && code != http.StatusBadRequest || len(res.Body()) == 0 {
					t.Errorf("%s: %d %.100s", path, code, res.Body())
				}
			}
		}
	}
}

// TestKumaPlaceHidesNoID: the place on the page changes with its order, an id does not.
func TestKumaPlaceHidesNoID(t *testing.T) {
	t.Parallel()
	s := newSite(t, withServices(t, "1", "web", "2"))
	for id, want := range map[string]string{"1": "Up", "2": "Down", "3": "Down", "0": "N/A", "4": "N/A", "-1": "N/A"} {
		s.apply("1", time.Now(), status.Up)
		s.apply("2", time.Now(), status.Down)
		if _, body := s.get("/api/badge/" + id + "/status"); !strings.Contains(body, "Status: "+want) && want != "N/A" || want == "N/A" && !strings.Contains(body, want) {
			t.Errorf("%s: %s, want %s", id, body, want)
		}
	}
}

// TestMistakesAreToldInOneOrder: the same address is always answered alike.
func TestMistakesAreToldInOneOrder(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	const path = "/badge/web/status.svg?color=x(&label_color=y(&style=z&logo=z&label=x"
	first := string(s.ask(path).Body())
	for range 50 {
		if again := string(s.ask(path).Body()); again != first {
			t.Fatalf("%s\nand then\n%s", first, again)
		}
	}
}
