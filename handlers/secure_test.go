package handlers

import (
	"net/http"
	"net/netip"
	"statuspage/static"
	"strings"
	"testing"
)

// addresses fills in every route that there is, with things that exist and with things that do not.
func (s *site) addresses() []string {
	s.t.Helper()
	known := strings.NewReplacer(":id", "web", ":at", "2026-01-02", ":key", "public_website", ":kind", "status", ":duration?", "24", ":slug", "page", "*", "web.svg")
	wrong := strings.NewReplacer(":id", "nope", ":at", "x", ":key", "x", ":kind", "x", ":duration?", "x", ":slug", "x", "*", "x")
	seen := map[string]bool{}
	var all []string
	for _, routes := range s.server.server().app.Stack() {
		for _, r := range routes {
			for _, path := range []string{known.Replace(r.Path), wrong.Replace(r.Path)} {
				stream := path == "/events" || path == "/signals/stream"
				if r.Method == http.MethodGet && !stream && !seen[path] {
					seen[path] = true
					all = append(all, path)
				}
			}
		}
	}
	if len(all) < 40 {
		s.t.Fatalf("only %d addresses are known", len(all))
	}
	return append(all, static.Path("app.css"), static.Path("icon.svg"), static.Path("embed.js"), "/nope", "/badge/web.json", "/badge/web/uptime.svg?window=x", "/?window=x", "/embed?theme=x")
}

// TestEveryAnswerIsProtected asks every route, twice, since the second answer may be a kept one, and
// in the forms that errors have.
func TestEveryAnswerIsProtected(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, path := range s.addresses() {
		for _, accept := range []string{"text/html", "*/*"} {
			for range 2 {
				res, _ := s.get(path, "Accept", accept)
				if lacking := unprotected(res); lacking != "" {
					t.Errorf("%s (%d): %s", path, res.StatusCode, lacking)
				}
				if res.StatusCode >= http.StatusInternalServerError && res.StatusCode != http.StatusServiceUnavailable {
					t.Errorf("%s: %d", path, res.StatusCode)
				}
				framed := strings.Contains(res.Header.Get("Content-Security-Policy"), "frame-ancestors *")
				if may := path == "/embed"; framed != may || (res.Header.Get("X-Frame-Options") == "") != may {
					t.Errorf("%s: frames %v, X-Frame-Options %q", path, framed, res.Header.Get("X-Frame-Options"))
				}
				if res.Header.Get("Strict-Transport-Security") != "" {
					t.Errorf("%s: HSTS without TLS", path)
				}
			}
		}
	}
}

func TestStrictTransportBehindTLS(t *testing.T) {
	t.Parallel()
	trusting := newSite(t, func(o *Options) { o.Limits.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	distrusting := newSite(t, nil)
	public := newSite(t, func(o *Options) { o.Page.BaseURL = "https://status.example.com" })
	for _, c := range []struct {
		s     *site
		proto string
		want  bool
	}{{trusting, "https", true}, {trusting, "http", false}, {trusting, "", false}, {trusting, "https, http", false}, {distrusting, "https", false}, {public, "", true}} {
		for _, path := range []string{"/", "/badge/web.svg", "/nope"} {
			for range 2 {
				res, _ := c.s.get(path, "X-Forwarded-Proto", c.proto)
				if got := res.Header.Get("Strict-Transport-Security"); (got != "") != c.want {
					t.Errorf("%s by %q: HSTS %q, want %v", path, c.proto, got, c.want)
				}
			}
		}
	}
	// What was kept of an answer over TLS is handed to one without.
	if res, _ := trusting.get("/", "X-Forwarded-Proto", "http"); res.Header.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS is kept for others")
	}
}

// TestNoInlineScriptsOrStyles holds the pages to what their policy allows.
func TestNoInlineScriptsOrStyles(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, path := range s.addresses() {
		res, body := s.get(path, "Accept", "text/html")
		if !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
			continue
		}
		for _, bad := range []string{"<style", " style=", "<script>", " onclick=", " onload=", " onerror=", "javascript:", "hx-on"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s has %q", path, bad)
			}
		}
	}
}
