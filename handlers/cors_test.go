package handlers

import (
	"net/http"
	"statuspage/internal/agent"
	"strings"
	"testing"
	"time"
)

// forReading are addresses that scripts on other sites read.
var forReading = []string{
	"/signals", "/signals?limit=0", "/openapi.json", "/status?code=200", "/summary.json", "/badge/web.svg", "/badge/web/uptime.json", "/badge/nope.json", "/history.atom", "/services/web/history.json",
	"/embed.js", "/card.png", "/api/v1/endpoints/statuses", "/api/v1/endpoints/none/uptimes/24h", "/api/badge/1/status",
}

// TestAnyOriginMayRead: nobody is known by a cookie, so there is nothing to protect from whom.
func TestAnyOriginMayRead(t *testing.T) {
	t.Parallel()
	for _, origins := range [][]string{nil, {"*"}, {"http://localhost:3000", "*"}} {
		s := newSite(t, func(o *Options) { o.CORS = origins })
		for _, path := range forReading {
			for _, header := range [][]string{{"Origin", "https://dashboard.example"}, nil, {"Origin", "null"}} {
				for range 2 { // The second may be a kept one.
					res, _ := s.get(path, header...)
					if res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Access-Control-Allow-Credentials") != "" || strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Origin") {
						t.Errorf("%s of %q: %v", path, header, res.Header)
					}
				}
			}
			if res, _ := s.do(http.MethodHead, path, "Origin", "https://dashboard.example"); res.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("HEAD %s: %v", path, res.Header)
			}
			res, body := s.do(http.MethodOptions, path, "Origin", "https://dashboard.example", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "if-none-match")
			if res.StatusCode != http.StatusNoContent || body != "" || res.Header.Get("Access-Control-Allow-Origin") != "*" || res.Header.Get("Access-Control-Allow-Methods") != "GET, HEAD" || res.Header.Get("Access-Control-Allow-Headers") != "*" {
				t.Errorf("preflight of %s: %d %v", path, res.StatusCode, res.Header)
			}
		}
		for _, path := range []string{"/", "/services/web", "/history", agent.ChecksPath, agent.SignalsPath, "/readyz", "/metrics", "/nope"} {
			if res, _ := s.get(path, "Origin", "https://dashboard.example"); res.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s may be read by others: %v", path, res.Header)
			}
			if res, _ := s.do(http.MethodOptions, path, "Origin", "https://dashboard.example", "Access-Control-Request-Method", "POST"); res.Header.Get("Access-Control-Allow-Methods") != "" || res.StatusCode == http.StatusNoContent {
				t.Errorf("preflight of %s: %d %v", path, res.StatusCode, res.Header)
			}
		}
	}
}

// TestNamedOriginsMayRead: what cors.allow_origins names, and no other, reads signals. What is made for other
// sites stays open.
func TestNamedOriginsMayRead(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newSite(t, func(o *Options) { // Names http://localhost:3000.
		o.Now = func() time.Time { return now }
	})
	for range 2 { // Those of the second round may be kept ones.
		for _, path := range []string{"/signals", "/signals?limit=0", "/openapi.json"} {
			for origin, want := range map[string]string{"http://localhost:3000": "http://localhost:3000", "http://evil.example": "", "http://localhost:3000.evil.example": "", "null": "", "": ""} {
				res, body := s.get(path, "Origin", origin)
				if got := res.Header.Get("Access-Control-Allow-Origin"); got != want || res.Header.Get("Access-Control-Allow-Credentials") != "" || strings.Contains(body, "evil") {
					t.Errorf("%s of %q: %v", path, origin, res.Header)
				}
				if !strings.Contains(strings.Join(res.Header.Values("Vary"), ","), "Origin") {
					t.Errorf("%s of %q: Vary = %v, want Origin in it", path, origin, res.Header.Values("Vary"))
				}
			}
		}
		for _, path := range []string{"/status?code=200", "/badge/web.svg", "/history.json", "/embed.js"} {
			if res, _ := s.get(path, "Origin", "https://blog.example"); res.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: %v", path, res.Header)
			}
		}
	}
	for origin, want := range map[string]string{"http://localhost:3000": "http://localhost:3000", "http://evil.example": ""} {
		res, _ := s.do(http.MethodOptions, "/signals", "Origin", origin, "Access-Control-Request-Method", "GET")
		if res.StatusCode != http.StatusNoContent || res.Header.Get("Access-Control-Allow-Origin") != want {
			t.Errorf("preflight of %s: %d %v", origin, res.StatusCode, res.Header)
		}
	}
	if res, _ := s.do(http.MethodOptions, "/signals"); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("OPTIONS of nobody's browser: %d, want 405", res.StatusCode)
	}
}
