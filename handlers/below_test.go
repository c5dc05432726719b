package handlers

import (
	"encoding/json"
	"html"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"statuspage/internal/agent"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

// below puts a site behind a proxy which shows it below a path of a host that has other pages as well. It takes
// the path off, or not.
func (s *site) below(base string, strip bool) *site {
	s.t.Helper()
	target, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.URL.Path, r.Out.URL.RawPath = r.In.URL.Path, r.In.URL.RawPath
		if strip {
			r.Out.URL.Path, r.Out.URL.RawPath = strings.TrimPrefix(r.In.URL.Path, base), strings.TrimPrefix(r.In.URL.RawPath, base)
		}
		r.Out.Host = r.In.Host
	}}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, base+"/") {
			http.Error(w, "another page", http.StatusTeapot)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	s.t.Cleanup(proxy.Close)
	return &site{t: s.t, board: s.board, url: proxy.URL, http: s.http, server: s.server}
}

var (
	linking  = []string{"href", "src", "action", "hx-get", "hx-sse:connect", "data-icon", "spec-url"}
	absolute = regexp.MustCompile(`https://example\.org[^"<]*`)
	digits   = regexp.MustCompile(`[0-9]+|-[A-Za-z0-9_-]{20,}`)
)

// links are what the attributes named in linking lead to, but for places on the same page. Pages are large, and an
// expression that says the same takes most of a test's time under the race detector.
func links(page string) (all []string) {
	for before, rest, found := strings.Cut(page, `="`); found; before, rest, found = strings.Cut(rest, `="`) {
		if !slices.ContainsFunc(linking, func(name string) bool { return strings.HasSuffix(before, name) }) {
			continue
		}
		if link, _, closed := strings.Cut(rest, `"`); closed && link != "" && !strings.Contains(link, "#") {
			all = append(all, link)
		}
	}
	return all
}

// rooted are addresses that begin at the root of the host, wherever they stand.
func rooted(page string) (all []string) {
	for _, rest, found := strings.Cut(page, "/"); found; _, rest, found = strings.Cut(rest, "/") {
		at := len(page) - len(rest) - 1
		if at == 0 || rest == "" || !strings.ContainsRune(`"'(=`, rune(page[at-1])) || rest[0] < 'a' || rest[0] > 'z' {
			continue
		}
		end := strings.IndexAny(rest, "\"') \t\r\n")
		if end < 0 {
			end = len(rest)
		}
		all, rest = append(all, page[at:at+1+end]), rest[end:]
	}
	return all
}

// TestPageBelowAPath follows every link of every page, as a browser does, behind a proxy that takes the path off and
// behind one that doesn't, below a path of the name of one of our own addresses and below another.
func TestPageBelowAPath(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"/status", "/a/b-c"} {
		for _, strip := range []bool{true, false} {
			now := time.Now()
			direct := newSite(t, func(o *Options) {
				o.Now = func() time.Time { return now }
				o.History, o.MaxViewers = &shelf{}, 1000
				o.Page.BaseURL = "https://example.org" + base
				o.Page.Logo = page.Picture{Name: "logo.svg", Body: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>")}
				o.Page.CSS = []byte("body{}")
			})
			direct.apply("web", now.Add(-5*time.Minute), status.Down)
			direct.apply("web", now.Add(-time.Second), status.Up)
			direct.eventually("/badge/web/status.txt", "up")
			s := direct.below(base, strip)
			todo := []string{base + "/", base + "/embed", base + "/docs", base + "/badges?of=web", base + "/nope", base + "/history.atom", base + "/history.json", base + "/services/web/history.rss", base + "/sitemap.xml", base + "/robots.txt", base + "/summary.json"}
			seen, kinds := map[string]bool{}, map[string]int{}
			for _, path := range todo {
				seen[path] = true
			}
			follow := func(from, link string) {
				link = strings.TrimPrefix(html.UnescapeString(link), "https://example.org")
				if strings.HasPrefix(link, "https://") || link == "" {
					return
				}
				if !strings.HasPrefix(link, base+"/") {
					t.Errorf("below %s (strip %t) %s leads out, to %s", base, strip, from, link)
					return
				}
				// There are thousands, of a few dozen kinds.
				if kind := digits.ReplaceAllString(link, "0"); !seen[link] && kinds[kind] < 1 && (!strings.Contains(link, "lang=") || strings.Contains(link, "lang=ja")) {
					seen[link] = true
					kinds[kind]++
					todo = append(todo, link)
				}
			}
			for len(todo) > 0 {
				path := todo[0]
				todo = todo[1:]
				if strings.Contains(path, "/events?") {
					next(t, s.events(path), "beat")
					continue
				}
				res, body := s.get(path, "Accept", "text/html")
				if res.StatusCode != http.StatusOK && !strings.HasSuffix(path, "/nope") {
					t.Errorf("below %s (strip %t) %s: %d", base, strip, path, res.StatusCode)
				}
				kind := res.Header.Get("Content-Type")
				switch {
				case strings.HasPrefix(kind, "text/html"):
					for _, link := range links(body) {
						follow(path, link)
					}
					for _, at := range rooted(body) {
						if !strings.HasPrefix(at, base+"/") {
							t.Errorf("below %s (strip %t) %s has %s", base, strip, path, at)
						}
					}
				case strings.Contains(kind, "xml") && !strings.Contains(kind, "svg"):
					for _, m := range absolute.FindAllString(body, -1) {
						follow(path, m)
					}
				}
			}
			if len(seen) < 60 {
				t.Errorf("only %d addresses were followed: this test sees nothing", len(seen))
			}
			s.restBelow(base, strip, now)
		}
	}
}

// restBelow holds what no link leads to.
func (s *site) restBelow(base string, strip bool, now time.Time) {
	s.t.Helper()
	if res, _ := s.get(base + "/favicon.ico"); res.StatusCode != http.StatusFound || !strings.HasPrefix(res.Header.Get("Location"), base+"/static/") {
		s.t.Errorf("the icon is at %s", res.Header.Get("Location"))
	}
	if _, body := s.get(base + "/status?code=200"); !strings.Contains(body, "services 3") {
		s.t.Errorf("%s/status: %s", base, body)
	}
	var described struct{ Servers []struct{ URL string } }
	if _, body := s.get(base + "/openapi.json"); json.Unmarshal([]byte(body), &described) != nil || len(described.Servers) != 1 || described.Servers[0].URL != base {
		s.t.Errorf("the description is of %v", described)
	}
	if _, body := s.get(base + "/robots.txt"); !strings.Contains(body, "Disallow: "+base+"/events\n") || !strings.Contains(body, "Sitemap: https://example.org"+base+"/sitemap.xml") {
		s.t.Errorf("robots.txt: %s", body)
	}
	if res, _ := s.get(base + "/services/web/" + strings.Replace(now.UTC().Format("2006-01-02T15:04Z"), ":", "%3A", 1)); res.StatusCode != http.StatusOK {
		s.t.Errorf("an encoded minute below %s (strip %t): %d", base, strip, res.StatusCode)
	}
	for _, path := range []string{base + "/", base + "/badge/web.svg", base + "/signals"} { // From memory, too.
		first, body := s.get(path)
		again, same := s.get(path)
		if first.StatusCode != http.StatusOK || again.StatusCode != http.StatusOK || body != same {
			s.t.Errorf("%s: %d, and then %d", path, first.StatusCode, again.StatusCode)
		}
	}
}

// TestFramesBelowAPath: what a stream sends leads where the page does.
func TestFramesBelowAPath(t *testing.T) {
	t.Parallel()
	direct := newSite(t, func(o *Options) { o.Page.BaseURL = "https://example.org/a" })
	s := direct.below("/a", true)
	for path, id := range map[string]string{"/a/events": "#s-web", "/a/events?service=web": "#detail"} {
		events := s.events(path)
		next(t, events, "beat")
		direct.apply("web", time.Now(), status.Down)
		e := next(t, events, id)
		for _, link := range links(e) {
			if !strings.HasPrefix(link, "/a/") {
				t.Errorf("%s sends %s", path, link)
			}
		}
		if !strings.Contains(e, `href="/a/services/web`) {
			t.Errorf("%s leads nowhere:\n%s", path, e)
		}
	}
}

// TestPathAloneLeadsToThePage: somebody leaves the last slash out, and the proxy lets it through.
func TestPathAloneLeadsToThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.Page.BaseURL = "https://example.org/a/b" })
	if res, _ := s.get("/a/b"); res.StatusCode != http.StatusPermanentRedirect || res.Header.Get("Location") != "/a/b/" {
		t.Errorf("%d to %q", res.StatusCode, res.Header.Get("Location"))
	}
	for _, path := range []string{"/a/b/", "/", "/a/b/how", "/how"} {
		if res, _ := s.get(path); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	for _, path := range []string{"/a/bc", "/a/b/a/b/how", "/a/how", "/a/b//how"} {
		if res, _ := s.get(path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, res.StatusCode)
		}
	}
}

// TestAgentsComeBelowAPath: they name the page by its address.
func TestAgentsComeBelowAPath(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *Options) { o.Page.BaseURL = "https://example.org/a" })
	for _, base := range []string{"", "/a"} {
		d.url += base
		if res, body := d.post(officeToken, []byte(`{"signals":[]}`)); res.StatusCode == http.StatusNotFound || res.StatusCode == http.StatusMethodNotAllowed {
			t.Errorf("%s: %d %s", d.url, res.StatusCode, body)
		}
		if res, body := d.get(agent.ChecksPath, "Authorization", "Bearer "+officeToken); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", d.url, res.StatusCode, body)
		}
	}
}

func TestPathOfTheConfiguredAddress(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{"https://example.org/a": "/a", "https://example.org": "", "": "", "https://example.org/%22x": "", "https://example.org/a b": "", "http://[": ""} {
		if got := page.New(page.Settings{BaseURL: base}, nil, time.UTC).Base; string(got) != want {
			t.Errorf("%s stands below %q, want %q", base, got, want)
		}
	}
}

// TestOwnPathsAreThoseThatTheConfigurationRefuses names the first parts of addresses that go on behind them.
// Package config has the same list: below such a path nobody could tell whether a proxy has taken it off.
func TestOwnPathsAreThoseThatTheConfigurationRefuses(t *testing.T) {
	t.Parallel()
	s := newStill(t)
	own := map[string]bool{"admin": true, "agent": true, "v1": true} // There without agents and writers, too.
	for _, routes := range s.app.Stack() {
		for _, r := range routes {
			if first, rest, deep := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/"); deep && rest != "" {
				own[first] = true
			}
		}
	}
	var names []string
	for name := range own {
		names = append(names, name)
	}
	slices.Sort(names)
	if want := []string{"admin", "agent", "api", "badge", "brand", "groups", "incidents", "outages", "services", "signals", "static", "v1", "v2"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q: change ownPaths of package config with it", names, want)
	}
}
