package handlers

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

var badgeKinds = []string{"status", "uptime", "latency", "certificate", "outage", "hours"}

func newBadgeSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, nil)
	at := time.Now().Add(-10 * time.Minute)
	for i := range 10 {
		o := status.Up
		if i == 4 {
			o = status.Down
		}
		s.apply("web", at.Add(time.Duration(i)*time.Minute), o)
	}
	s.apply("twin", time.Now(), status.Up)
	s.eventually("/badge/web/status.txt", "up")
	return s
}

// TestBadgesAsJSONHaveOneShape holds every kind, and every mistake, to the same keys.
func TestBadgesAsJSONHaveOneShape(t *testing.T) {
	t.Parallel()
	s := newBadgeSite(t)
	paths := []string{"/badge/nobody/status.json", "/badge/web/uptime.json?window=x", "/badge/web/weather.json"}
	for _, kind := range badgeKinds {
		for _, subject := range []string{"web", "api", "group:public", "page"} {
			paths = append(paths, "/badge/"+subject+"/"+kind+".json")
		}
	}
	for _, path := range paths {
		_, body := s.get(path)
		var got struct {
			Subject, Kind, Label, Message, Color, State *string
			Value                                       json.RawMessage // A number, or null.
			Window                                      string
			Hours                                       []any
		}
		d := json.NewDecoder(strings.NewReader(body))
		d.DisallowUnknownFields()
		if err := d.Decode(&got); err != nil || got.Subject == nil || got.Kind == nil || got.Label == nil || got.Message == nil || got.Color == nil || got.State == nil || len(got.Value) == 0 {
			t.Errorf("%s (%v): %s", path, err, body)
		}
	}
}

// TestBuilderTakesEveryWindow: a window is the badge's there, not the page's.
func TestBuilderTakesEveryWindow(t *testing.T) {
	t.Parallel()
	s := newBadgeSite(t)
	for query, want := range map[string]string{
		"kind=uptime&window=30d": "/badge/page/uptime.svg?window=30d", "kind=uptime&window=7d&of=web": "/badge/web/uptime.svg?window=7d",
		"kind=hours&window=7d": `src="/badge/page/hours.svg"`, // The form has a window also for what has only one.
	} {
		if res, body := s.get("/badges?" + query); res.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d, want 200 with %s", query, res.StatusCode, want)
		}
	}
	if res, _ := s.get("/?window=30d"); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a window that the grid has not: %d, want 422", res.StatusCode)
	}
}

func TestBadgeGrammar(t *testing.T) {
	t.Parallel()
	s := newBadgeSite(t)
	s.board.SetCertificate("web", time.Now().Add(41*24*time.Hour+time.Hour))
	for path, want := range map[string]string{
		"/badge/web/status.txt":                                  "up\n",
		"/badge/page/status.txt":                                 "no data\n",
		"/badge/group:public/status.txt":                         "no data\n",
		"/badge/web/uptime.txt?window=PT1H":                      "90%\n",
		"/badge/group:public/uptime.txt?window=7d":               "90%\n",
		"/badge/web/latency.txt?window=1h&percentile=50":         "p50 12 ms\n",
		"/badge/web/certificate.txt":                             "expires in 41 d\n",
		"/badge/api/certificate.txt":                             "none\n",
		"/badge/twin/outage.txt":                                 "none in 90 d\n",
		"/badge/web/uptime.svg?label=Availability&style=plastic": "Availability",
		"/badge/web/status.svg?color=blue&label_color=%23fff":    "#007ec6",
		"/badge/web/status.svg?logo=pulse&style=for-the-badge":   "WEBSITE",
		"/badge/web/status.shields":                              `{"schemaVersion":1,"label":"Website","message":"up","color":"2c9d5e"}`,
		"/badge/web.json":                                        `"schemaVersion":1`,
		"/badge/web/uptime.json?window=1h":                       `"message":"90%","color":"#d9661f","value":90,"state":"up","window":"1h"}`,
		"/badge/web/uptime.shields?window=7d12h":                 `{"schemaVersion":1,"label":"uptime 7d12h","message":"90%","color":"d9661f"}`,
		"/badge/web/hours.json":                                  `"hours":[{"start":`,
		"/badge/web/status.json":                                 `{"subject":"web","kind":"status","label":"Website","message":"up","color":"#2c9d5e","value":1,"state":"up"}`,
		"/badge/web/hours.svg":                                   "of the last 24 hours",
		"/badge/web/status.svg?label=%3Cscript%3E%00%22":         "&lt;script&gt;&#34;",
	} {
		res, body := s.get(path)
		if res.StatusCode != http.StatusOK || !strings.Contains(body, want) || strings.HasSuffix(want, "\n") && body != want {
			t.Errorf("%s: %d %q, want %q", path, res.StatusCode, body, want)
		}
		if got := res.Header.Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("%s: Access-Control-Allow-Origin %q", path, got)
		}
		if strings.Contains(path, ".svg") {
			if err := xml.Unmarshal([]byte(body), new(struct{})); err != nil {
				t.Errorf("%s is no XML: %v", path, err)
			}
		}
	}
	if _, body := s.get("/badge/web/hours.txt"); len([]rune(strings.TrimSpace(body))) != 24 {
		t.Errorf("hours in text = %q, want 24 letters", body)
	}
	for path, code := range map[string]int{
		"/badge/web/uptime.svg?window=1y": 400, "/badge/web/uptime.svg?window=P1Y": 400, "/badge/web/latency.svg?percentile=0": 400, "/badge/web/latency.svg?percentile=NaN": 400,
		"/badge/web/status.svg?color=url(x)": 400, "/badge/web/status.svg?style=round": 400, "/badge/web/status.svg?logo=x": 400, "/badge/web/weather.svg": 400,
		"/badge/web/status.svg?label=" + strings.Repeat("x", 200): 400, "/badge/group:none/status.svg": 404, "/badge/nobody/uptime.svg": 404,
		"/badge/page/status.svg?region=x": 400, "/badge/web/status.svg?region=mars": 404,
	} {
		// Image proxies show a broken image for any other code.
		res, body := s.get(path)
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(body, "<svg") || !strings.Contains(body, "#8b929c") || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s %.60s, want 200 with a grey image that is not kept", path, res.StatusCode, res.Header.Get("Cache-Control"), body)
		}
		for _, format := range []string{".json", ".txt", ".shields"} {
			if res, body := s.get(strings.Replace(path, ".svg", format, 1)); res.StatusCode != code || body == "" || res.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s as %s: %d %s %q, want %d", path, format, res.StatusCode, res.Header.Get("Cache-Control"), body, code)
			}
		}
	}
	for _, path := range []string{"/badge/web", "/badge/web/status", "/badge/", "/badge/web.gif", "/badge/web/status.svg/x"} {
		if res, body := s.get(path); res.StatusCode != http.StatusNotFound || !strings.Contains(body, ".svg") || !strings.Contains(body, "/badges") {
			t.Errorf("%s: %d %s, want 404 that says how to write it", path, res.StatusCode, body)
		}
	}
}

func TestBadgeWindows(t *testing.T) {
	t.Parallel()
	s := newBadgeSite(t)
	for _, kind := range badgeKinds {
		path := "/badge/web/" + kind + ".svg?window="
		res, body := s.get(path + "garbage")
		if res.StatusCode != http.StatusOK || !strings.Contains(body, "window: 1h") || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s with garbage: %d %q %s", kind, res.StatusCode, res.Header.Get("Cache-Control"), body)
		}
		if res, body := s.get(path + "P1M"); res.Header.Get("Cache-Control") != "no-store" || !strings.Contains(body, "months and years differ in length") {
			t.Errorf("%s of a month: %d %s", kind, res.StatusCode, body)
		}
		if res, body := s.get(path + "P1D"); res.StatusCode != http.StatusOK {
			t.Errorf("%s of a day: %d %s", kind, res.StatusCode, body)
		}
		if res, body := s.get(path + "7d"); res.StatusCode != http.StatusOK || strings.Contains(body, "hours shows 24h") != (kind == "hours") {
			t.Errorf("%s of a week: %d %s", kind, res.StatusCode, body)
		}
	}
	if _, body := s.get("/badge/web/uptime.json?format=x&window=1d"); !strings.Contains(body, "uptime 1d") {
		t.Errorf("uptime of a day = %s", body)
	}
	for _, path := range []string{"/badge/web/hours.json", "/badge/web/status.json", "/badge/web/status.svg"} {
		if _, body := s.get(path + "?label=a%E2%80%AEb"); strings.Contains(body, "\u202e") || strings.Contains(body, `\u202e`) || !strings.Contains(body, "ab") {
			t.Errorf("%s lets a label turn the text: %s", path, body)
		}
	}
}

func TestGatusAddresses(t *testing.T) {
	t.Parallel()
	s := newBadgeSite(t)
	for path, want := range map[string]string{
		"/api/v1/endpoints/public_website/health/badge.shields":         `{"color":"brightgreen","label":"gatus","message":"up","schemaVersion":1}`,
		"/api/v1/endpoints/public_website/health/badge.svg":             "#40cc11",
		"/api/v1/endpoints/public_website/uptimes/24h":                  "0.900000",
		"/api/v1/endpoints/public_website/uptimes/1h/badge.svg":         "#ccd311",
		"/api/v1/endpoints/_twin/response-times/24h":                    "12",
		"/api/v1/endpoints/public_website/response-times/24h/badge.svg": "12ms",
		"/api/v1/endpoints/public_api-<b>/health/badge.shields":         `"message":"?"`,
	} {
		if res, body := s.get(strings.NewReplacer("<", "%3C", ">", "%3E").Replace(path)); res.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %q, want %q", path, res.StatusCode, body, want)
		}
	}
	for path, code := range map[string]int{"/api/v1/endpoints/none/health/badge.svg": 200, "/api/v1/endpoints/none/health/badge.shields": 404, "/api/v1/endpoints/_twin/uptimes/2h": 400, "/api/v1/endpoints/_twin/weather": 404} {
		if res, _ := s.get(path); res.StatusCode != code {
			t.Errorf("%s: %d, want %d", path, res.StatusCode, code)
		}
	}
}

func TestKumaAddresses(t *testing.T) {
	t.Parallel()
	s := newBadgeSite(t)
	s.board.SetCertificate("api", time.Now().Add(41*24*time.Hour+time.Hour))
	for path, want := range map[string]string{
		"/api/badge/1/status":                                          "Status: Up",
		"/api/badge/web/status?upLabel=fine&upColor=0f0":               "fine",
		"/api/badge/1/uptime":                                          "Uptime (24h): 90%",
		"/api/badge/1/uptime/720":                                      "Uptime (720h): 90%",
		"/api/badge/1/uptime/30d?labelPrefix=Web+":                     "Web Uptime (30d)",
		"/api/badge/3/ping/24h":                                        "Avg. Ping (24h): 12ms",
		"/api/badge/3/response":                                        "Response: 12ms",
		"/api/badge/2/status":                                          "N/A",
		"/api/badge/99/status":                                         "N/A",
		"/api/badge/1/cert-exp":                                        "No/Bad Cert",
		"/api/badge/1/cert-exp?label=TLS":                              "TLS: No/Bad Cert",
		"/api/badge/2/cert-exp?labelPrefix=My+":                        "My Cert Exp.: 41 days",
		"/api/badge/1/uptime/365d":                                     "Uptime (365d): 90%",
		"/api/badge/1/uptime/1y?label=Web":                             ">Web: 90%",
		"/api/badge/1/uptime?label=Web&labelPrefix=The+&labelSuffix=!": "The Web!: 90%",
		"/api/badge/1/status?label=Web":                                "Web: Up",
		"/api/status-page/any/badge":                                   "Acme: Up",
		"/api/status-page/any/badge?label=All":                         "All: Up",
	} {
		if res, body := s.get(path); res.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %.200q, want %q", path, res.StatusCode, body, want)
		}
	}
	for _, path := range []string{"1/uptime/x", "1/uptime/721h", "1/uptime/721", "1/ping/366d", "1/avg-response/2y", "1/uptime/0h", "99/uptime/x", "1/weather"} {
		res, body := s.get("/api/badge/" + path)
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(body, "<svg") || !strings.Contains(body, "error: ") || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %q %.60s, want an image that says what is wrong and is not kept", path, res.StatusCode, res.Header.Get("Cache-Control"), body)
		}
	}
}

func TestFeeds(t *testing.T) {
	t.Parallel()
	s := newBadgeSite(t)
	for _, prefix := range []string{"/history", "/services/web/history"} {
		for ext, kind := range map[string]string{".atom": "application/atom+xml", ".rss": "application/rss+xml", ".json": "application/feed+json"} {
			res, body := s.get(prefix + ext)
			if res.StatusCode != http.StatusOK || !strings.HasPrefix(res.Header.Get("Content-Type"), kind) {
				t.Fatalf("%s: %d %s", prefix+ext, res.StatusCode, res.Header.Get("Content-Type"))
			}
			if !strings.Contains(body, "Website was down for 1 min") || !strings.Contains(body, s.url+"/outages/web-") {
				t.Errorf("%s lacks the outage or its address:\n%s", prefix+ext, body)
			}
			if ext == ".json" && !json.Valid([]byte(body)) {
				t.Errorf("%s is no JSON", prefix+ext)
			}
			if ext != ".json" {
				if err := xml.Unmarshal([]byte(body), new(struct{})); err != nil {
					t.Errorf("%s is no XML: %v", prefix+ext, err)
				}
			}
			if again, _ := s.get(prefix+ext, "If-None-Match", res.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
				t.Errorf("%s again: %d, want 304", prefix+ext, again.StatusCode)
			}
		}
	}
	if _, body := s.get("/services/twin/history.rss"); strings.Contains(body, "was down") {
		t.Error("the feed of a service tells of another")
	}
}

func TestStatusForScripts(t *testing.T) {
	t.Parallel()
	s := newBadgeSite(t)
	for path, want := range map[string]struct {
		code int
		text string
	}{
		"/status":                          {503, "unknown\n1 of 3 services is without data\nservices 3\nup 2\n"},
		"/status?service=web":              {200, "up\nThe service is up\n"},
		"/status?group=public":             {503, "no data 1\n"},
		"/status?service=twin&format=json": {200, `"state":"up"`},
		"/status?service=x":                {422, "ids of this page"},
		"/status?code=200":                 {200, "unknown\n1 of 3 services is without data\n"},
		"/status?code=204":                 {422, "code can only be 200"},
		"/summary.json":                    {200, `"status":"HASISSUES"`},
		"/robots.txt":                      {200, "Sitemap: " + s.url + "/sitemap.xml"},
		"/sitemap.xml":                     {200, "<loc>" + s.url + "/services/web</loc>"},
	} {
		if res, body := s.get(path); res.StatusCode != want.code || !strings.Contains(body, want.text) {
			t.Errorf("%s: %d %q, want %d %q", path, res.StatusCode, body, want.code, want.text)
		} else if retry := res.Header.Get("Retry-After"); (retry == "30") != (want.code == 503) {
			t.Errorf("%s: %d with Retry-After %q", path, res.StatusCode, retry)
		}
	}
	s.apply("api", time.Now(), status.Down)
	if res, body := s.get("/status?format=json&code=200"); res.StatusCode != 200 || !strings.Contains(body, `"state":"down"`) {
		t.Errorf("with a service down and code=200: %d %s", res.StatusCode, body)
	}
	if res, body := s.get("/status", "Accept", "application/json"); res.StatusCode != 503 || !strings.Contains(body, `"down":1`) {
		t.Errorf("with a service down: %d %s", res.StatusCode, body)
	}
	if _, body := s.get("/summary.json"); !strings.Contains(body, "API \\u003cb\\u003e is down") && !strings.Contains(body, "API <b> is down") {
		t.Errorf("summary = %s", body)
	}
}
