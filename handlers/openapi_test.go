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
	s := newSite(t, nil)
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
	for _, kind := range []string{"text/html", "text/javascript", "application/atom+xml", "application/rss+xml"} {
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
		res, body := s.get(path, "Accept", "application/json")
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
		if !covered[path] && path != "/signals/stream" && path != "/metrics" { // Tested elsewhere; no JSON.
			t.Errorf("%s is described and not tested", path)
		}
	}
	if res, _ := s.get("/openapi.json"); !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") {
		t.Errorf("/openapi.json is %s", res.Header.Get("Content-Type"))
	}
}
