package handlers

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

// trusted makes the tests' own address one of a trusted proxy.
func trusted(o *Options) {
	o.Limits.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// getAs asks for another host than that of the connection.
func (s *site) getAs(host, path string, header ...string) (*http.Response, string) {
	s.t.Helper()
	res := s.server.server().ask(path, append(header, "Host", host)...)
	out := &http.Response{StatusCode: res.StatusCode(), Header: http.Header{}}
	for name, value := range res.Header.All() {
		out.Header.Add(string(name), string(value))
	}
	body, err := res.BodyUncompressed()
	if err != nil {
		s.t.Fatal(err)
	}
	return out, string(body)
}

// TestHostOfAReaderIsForThatReader asks every route as somebody who lies about the host: no shared cache may
// keep what was made of that, and with base_url nothing is.
func TestHostOfAReaderIsForThatReader(t *testing.T) {
	t.Parallel()
	const evil = "evil.example"
	without := newSite(t, trusted)
	with := newSite(t, func(o *Options) { trusted(o); o.Page.BaseURL = "https://status.example.com" })
	poisoned := 0
	for _, path := range append(without.addresses(), "/badges?of=web", "/services/web/history.json") {
		for _, accept := range []string{"text/html", "*/*"} {
			lies := []string{"Accept", accept, "X-Forwarded-Host", "forwarded.example", "Forwarded", "host=forwarded.example", "X-Original-Host", "forwarded.example"}
			res, body := without.getAs(evil, path, lies...)
			if caching := res.Header.Get("Cache-Control"); strings.Contains(body, evil) {
				if poisoned++; !strings.Contains(caching, "private") && !strings.Contains(caching, "no-store") {
					t.Errorf("%s is made of the Host header, and is %q", path, caching)
				}
			}
			if strings.Contains(body, "forwarded.example") || strings.Contains(res.Header.Get("Location"), "example") {
				t.Errorf("%s follows a header that anybody may send", path)
			}
			if _, body := with.getAs(evil, path, lies...); strings.Contains(body, evil) || strings.Contains(body, "forwarded.example") {
				t.Errorf("%s with base_url is made of the Host header", path)
			}
		}
	}
	if poisoned < 10 {
		t.Errorf("only %d answers have the host in them: this test sees nothing", poisoned)
	}
	if res, _ := with.get("/history.atom"); res.Header.Get("Cache-Control") != "public, max-age=60" {
		t.Errorf("with base_url a feed is %q", res.Header.Get("Cache-Control"))
	}
}

func TestHostsThatAreNoneAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for host, want := range map[string]string{
		"status.example.com": "http://status.example.com/", "localhost:8000": "http://localhost:8000/", "[::1]:80": "http://[::1]:80/", "10.0.0.1": "http://10.0.0.1/", "my_host": "http://my_host/", "": "http://localhost/",
	} {
		if _, body := s.getAs(host, "/sitemap.xml"); !strings.Contains(body, "<loc>"+want+"</loc>") {
			t.Errorf("%q: %.200s, want links to %s", host, body, want)
		}
	}
	for _, host := range []string{"a b", `"><script>`, "x@evil.example", "evil.example/x", "x:99999999", "-x", "a?b", "a#b", "a%0ab", strings.Repeat("a", 300), "ä.example"} {
		if res, body := s.getAs(host, "/sitemap.xml"); res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "Host") || strings.Contains(body, "evil") {
			t.Errorf("%q: %d %.200s, want 400 that says why", host, res.StatusCode, body)
		}
	}
}

// TestSchemeOfLinksIsThatOfATrustedProxy: others may say what they like.
func TestSchemeOfLinksIsThatOfATrustedProxy(t *testing.T) {
	t.Parallel()
	behind, alone := newSite(t, trusted), newSite(t, nil)
	for _, path := range []string{"/history.atom", "/history.json", "/robots.txt", "/sitemap.xml", "/summary.json", "/badges"} {
		for _, c := range []struct {
			s           *site
			proto, want string
		}{{behind, "https", "https://"}, {behind, "http", "http://"}, {behind, "https, http", "http://"}, {behind, "", "http://"}, {alone, "https", "http://"}} {
			if _, body := c.s.getAs("status.example.com", path, "X-Forwarded-Proto", c.proto); !strings.Contains(body, c.want+"status.example.com") {
				t.Errorf("%s by %q: no link with %s", path, c.proto, c.want)
			}
		}
	}
}
