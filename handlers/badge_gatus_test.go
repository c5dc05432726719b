package handlers

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestGatusStatuses(t *testing.T) {
	t.Parallel()
	s := newBadgeSite(t)
	s.apply("api", time.Now().Add(-time.Minute), status.Down)
	read := func(path string, into any) {
		t.Helper()
		res, body := s.get(path)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", path, res.StatusCode, body)
		}
		if strings.Contains(body, "secret") || strings.Contains(body, "api.example") || strings.Contains(body, "10.1.2.3") {
			t.Errorf("%s says what is not public: %s", path, body)
		}
		if err := json.Unmarshal([]byte(body), into); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	type endpoint struct {
		Key     string
		Results []struct {
			Status    int
			Hostname  string
			Duration  int64
			Errors    []string
			Success   bool
			Timestamp time.Time
		}
		Events []struct {
			Type      string
			Timestamp time.Time
		}
	}
	var all []endpoint
	read("/api/v1/endpoints/statuses", &all)
	if len(all) != 3 || all[0].Key != "public_website" || len(all[0].Results) != 10 || all[0].Results[0].Hostname != "web.example" {
		t.Fatalf("statuses = %+v", all)
	}
	if r := all[1].Results[0]; r.Success || r.Hostname != "" || r.Status != 0 || len(r.Errors) != 1 || r.Errors[0] != "timeout" {
		t.Errorf("a failure is told as %+v", r)
	}
	if r := all[0].Results[9]; !r.Success || r.Status != 200 || r.Duration != 12_345_000 || r.Errors != nil {
		t.Errorf("a success is told as %+v", r)
	}
	for query, want := range map[string][2]int{ // The place of the first result, and how many.
		"?page=1&pageSize=3": {7, 3}, "?page=4&pageSize=3": {0, 1}, "?page=5&pageSize=3": {0, 0}, "?page=9223372036854775807&pageSize=100": {0, 0},
		"?page=99999999999999999999&pageSize=3": {7, 3}, "?page=-1&pageSize=x": {0, 10}, "?pageSize=1000": {0, 10},
	} {
		var one endpoint
		read("/api/v1/endpoints/public_website/statuses"+query, &one)
		if len(one.Results) != want[1] || want[1] > 0 && !one.Results[0].Timestamp.Equal(all[0].Results[want[0]].Timestamp) {
			t.Errorf("%s: %d results %+v, want %d from %d on", query, len(one.Results), one.Results, want[1], want[0])
		}
		if len(one.Events) != 2 || one.Events[0].Type != "UNHEALTHY" || one.Events[1].Type != "HEALTHY" || !one.Events[0].Timestamp.Before(one.Events[1].Timestamp) {
			t.Errorf("events = %+v", one.Events)
		}
	}
	for path, want := range map[string]string{"/api/v1/config": `"authenticated":true`, "/health": `{"status":"UP"}`} {
		if res, body := s.get(path); res.StatusCode != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
}

func TestGatusResponseTimes(t *testing.T) {
	t.Parallel()
	hour := time.Now().UTC().Truncate(time.Hour)
	s := newSite(t, func(o *Options) {
		past := &shelf{}
		for i := range 2 {
			past.signals = append(past.signals, status.Signal{Service: "web", Received: hour.Add(time.Duration(i-50) * time.Hour), Available: true, Duration: 100 * time.Millisecond})
		}
		o.History = past
	})
	s.apply("web", time.Now().Add(-time.Second), status.Up)
	for duration, points := range map[string]int{"24h": 1, "7d": 2, "30d": 2} {
		var got struct{ Timestamps, Values []int64 }
		_, body := s.get("/api/v1/endpoints/public_website/response-times/" + duration + "/history")
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Timestamps) != points || len(got.Values) != points || got.Timestamps[0]%3_600_000 != 0 || got.Values[0] < 12 {
			t.Errorf("history of %s: %v %s, want %d points", duration, err, body, points)
		}
		res, body := s.get("/api/v1/endpoints/public_website/response-times/" + duration + "/chart.svg")
		if res.StatusCode != http.StatusOK || xml.Unmarshal([]byte(body), new(struct{})) != nil || !strings.Contains(body, `viewBox="0 0 720 220"`) || strings.Contains(body, "class=") {
			t.Errorf("chart of %s: %d %s", duration, res.StatusCode, body)
		}
		if !strings.Contains(body, `stroke-width="2" stroke-linejoin="round" d="M`) {
			t.Errorf("chart of %s has no line: %s", duration, body)
		}
	}
	if _, body := s.get("/api/v1/endpoints/_twin/response-times/24h/history"); body != `{"timestamps":[],"values":[]}` {
		t.Errorf("history of nothing = %s", body)
	}
	if res, body := s.get("/api/v1/endpoints/public_api-%3Cb%3E/response-times/24h/chart.svg"); res.StatusCode != http.StatusOK || !strings.Contains(body, "API &lt;b&gt;") {
		t.Errorf("chart of nothing: %d %s", res.StatusCode, body)
	}
}

func TestGatusErrors(t *testing.T) {
	t.Parallel()
	s := newBadgeSite(t) // Without a history.
	for path, want := range map[string]struct {
		code int
		text string
	}{
		"none/statuses": {404, "endpoint not found"}, "none/health/badge.svg": {404, "endpoint not found"}, "none/uptimes/24h": {404, "endpoint not found"},
		"_twin/uptimes/2h": {400, "Durations supported: 30d, 7d, 24h, 1h"}, "_twin/uptimes/2h/badge.svg": {400, "30d, 7d, 24h, 1h"},
		"_twin/response-times/1h/chart.svg": {400, "Durations supported: 30d, 7d, 24h"}, "_twin/response-times/90d/chart.svg": {400, "30d, 7d, 24h"},
		"_twin/response-times/1h/history": {400, "Durations supported: 30d, 7d, 24h"}, "_twin/weather.svg": {404, "not found"}, "_twin/weather": {404, "not found"},
		"_twin/response-times/7d/chart.svg": {503, "history away"}, "_twin/response-times/7d/history": {503, "history away"},
	} {
		res, body := s.get("/api/v1/endpoints/"+path, "Accept", "text/html")
		code, kind, begin := want.code, "text/plain", want.text
		if strings.HasSuffix(path, ".svg") { // Image proxies show a broken image for any other code.
			code, kind, begin = http.StatusOK, "image/svg+xml", "<svg"
		}
		if res.StatusCode != code || !strings.HasPrefix(res.Header.Get("Content-Type"), kind) || !strings.HasPrefix(body, begin) || !strings.Contains(body, want.text) {
			t.Errorf("%s: %d %s %s", path, res.StatusCode, res.Header.Get("Content-Type"), body)
		}
		if !strings.Contains(res.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s is kept: %s", path, res.Header.Get("Cache-Control"))
		}
	}
}

// TestMeansOfLongWindowsAreOfTheHistory: what is in memory reaches back a day at most.
func TestMeansOfLongWindowsAreOfTheHistory(t *testing.T) {
	t.Parallel()
	longBefore := time.Now().UTC().Truncate(time.Hour).Add(-50 * time.Hour)
	s := newSite(t, func(o *Options) {
		past := &shelf{}
		for _, took := range []time.Duration{100, 100, 400} {
			past.signals = append(past.signals, status.Signal{Service: "web", Received: longBefore, Available: true, Duration: took * time.Millisecond})
		}
		o.History = past
	})
	s.apply("web", time.Now().Add(-time.Second), status.Up)
	number := func(path string) int {
		t.Helper()
		_, body := s.get(path)
		n, err := strconv.Atoi(strings.TrimSpace(body))
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		return n
	}
	if got := number("/api/v1/endpoints/public_website/response-times/24h"); got != 12 {
		t.Errorf("mean of a day = %d ms, want 12", got)
	}
	if got := number("/api/v1/endpoints/public_website/response-times/7d"); got < 190 || got > 210 { // A class is 9 % wide.
		t.Errorf("mean of a week = %d ms, want about 200", got)
	}
	var history struct{ Values []int }
	_, body := s.get("/api/v1/endpoints/public_website/response-times/7d/history")
	if err := json.Unmarshal([]byte(body), &history); err != nil || len(history.Values) != 1 || history.Values[0] < 190 || history.Values[0] > 210 {
		t.Errorf("history of the hour = %s (%v), want about 200", body, err)
	}
	if _, body := s.get("/api/badge/web/ping/7d"); strings.Contains(body, "12ms") {
		t.Error("Kuma's ping of a week is that of a day")
	}
}
