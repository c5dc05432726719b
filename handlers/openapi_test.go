package handlers

import (
	"net/http"
	"net/url"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// TestAnswersKeepTheDescription holds real answers to /openapi.json.
func TestAnswersKeepTheDescription(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	s := p.site
	told, _ := p.write(http.MethodPost, incidents, `{"incident":{"name":"Fault","components":{"web":"major_outage"}}}`)
	p.write(http.MethodPost, incidents, `{"incident":{"name":"Disks","schedule":{"start":"2026-01-01T03:00","minutes":30,"zone":"Europe/Berlin","rrule":"FREQ=DAILY"},"component_ids":["web"]}}`)
	_, description := s.get("/openapi.json")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(description))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range 3 {
		s.apply("web", now.Add(time.Duration(i-5)*time.Minute), status.Up)
		s.apply("api", now.Add(time.Duration(i-5)*time.Minute), status.Down)
	}
	doc.Servers = openapi3.Servers{{URL: s.url}}
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	openapi3filter.RegisterBodyDecoder("image/svg+xml", openapi3filter.FileBodyDecoder)
	for _, kind := range []string{"text/html", "text/javascript", "application/atom+xml", "application/rss+xml", "text/calendar"} {
		openapi3filter.RegisterBodyDecoder(kind, openapi3filter.FileBodyDecoder)
	}
	openapi3filter.RegisterBodyDecoder("application/feed+json", openapi3filter.JSONBodyDecoder)
	covered := map[string]bool{}
	for _, path := range []string{
		"/", "/services/web", "/services/nope", "/signals", "/signals?limit=1&service=api", "/signals?limit=0", "/signals?region=mars", "/badge/web.svg?region=mars", "/badge/web/uptime.json?region=mars",
		"/badge/web.svg", "/badge/nope.svg", "/badge/page.svg", "/badge/web.json", "/badge/nope.json",
		"/badge/web/uptime.svg?window=7d", "/badge/web/uptime.svg?window=1y", "/badge/web/uptime.json", "/badge/page/hours.json", "/badge/web/latency.shields",
		"/badge/web/status.txt", "/badge/group:public/status.json", "/healthz", "/readyz", "/?window=2h", "/services/web?chart=7d", "/services/web/" + now.UTC().Format("2006-01-02"),
		"/services/web/x", "/history", "/history?month=x", "/outages/x", "/how", "/badges", "/embed", "/embed?theme=x", "/embed.js", "/status", "/status?service=web&format=json",
		"/status?service=x", "/status?code=200&format=json", "/summary.json", "/history.atom", "/history.rss", "/history.json", "/services/web/history.atom", "/services/web/history.rss", "/services/web/history.json",
		"/history.atom?each=update", "/history.json?each=x", "/calendar.ics", "/services/web/calendar.ics", "/services/nope/calendar.ics", "/groups/public/calendar.ics", "/groups/nope/calendar.ics", "/incidents/" + told, "/incidents/nope",
		"/v2/components.json", "/api/v2/summary", "/api/v2/summary.json", "/api/v2/status", "/api/v2/status.json", "/api/v2/components", "/api/v2/components.json", "/api/v2/incidents", "/api/v2/incidents.json",
		"/api/v2/incidents/unresolved", "/api/v2/incidents/unresolved.json", "/api/v2/scheduled-maintenances", "/api/v2/scheduled-maintenances.json", "/api/v2/scheduled-maintenances/upcoming", "/api/v2/scheduled-maintenances/upcoming.json",
		"/api/v2/scheduled-maintenances/active", "/api/v2/scheduled-maintenances/active.json",
		"/v1/pages", "/v1/pages/" + pageID, "/v1/pages/nope", "/v1/pages/" + pageID + "/components", "/v1/pages/" + pageID + "/components/web", "/v1/pages/" + pageID + "/components/nope", "/v1/pages/" + pageID + "/component-groups",
		"/v1/pages/" + pageID + "/component-groups/public", incidents, incidents + "?limit=0", incidents + "/unresolved", incidents + "/scheduled", incidents + "/upcoming", incidents + "/active_maintenance", incidents + "/" + told, incidents + "/nope",
		incidents + "/" + told + "/postmortem",
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		route, params, err := router.FindRoute(req)
		if err != nil {
			t.Errorf("%s is not described: %v", path, err)
			continue
		}
		covered[route.Path] = true
		res, body := s.get(path, "Accept", "application/json", "Authorization", mayRead)
		in := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, QueryParams: url.Values{}}
		out := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: in, Status: res.StatusCode, Header: res.Header,
			Options: &openapi3filter.Options{IncludeResponseStatus: true},
		}
		out.SetBodyBytes([]byte(body))
		if err := openapi3filter.ValidateResponse(t.Context(), out); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for path := range doc.Paths.Map() {
		elsewhere := path == "/signals/stream" || path == "/metrics" // No JSON.
		if item := doc.Paths.Value(path); !covered[path] && !elsewhere && item.Get != nil {
			t.Errorf("%s is described and not tested", path)
		}
	}
	if res, _ := s.get("/openapi.json"); !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		t.Errorf("/openapi.json is %s", res.Header.Get("Content-Type"))
	}
}
