package handlers

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/handlers/manage"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

// pen is a site that people can write on.
type pen struct {
	*site
	book *incident.Book

	mu     sync.Mutex
	kept   int
	part   bool  // Not all that was written before is known.
	broken error // What the disk says.
}

const (
	mayWrite = "OAuth writer"
	mayRead  = "Bearer reader"
	pageID   = "abcdefghij12"
)

func newPen(t *testing.T) *pen {
	t.Helper()
	p := &pen{book: incident.NewBook(0)}
	p.site = newSite(t, func(o *Options) {
		o.Page.ID, o.Page.BaseURL = pageID, "https://status.example"
		b := o.Board
		o.Words = incident.NewLookout(p.book)
		o.Manage = manage.Sources{
			Desk: &incident.Desk{Book: p.book, Now: time.Now, Keep: p.keep, Services: func(id string) bool { _, is := b.Find(id); return is }},
			Whole: func() bool {
				p.mu.Lock()
				defer p.mu.Unlock()
				return !p.part
			},
			Authorize: func(c *fiber.Ctx, scope string) (string, error) {
				switch who := c.Get("Authorization"); {
				case who == mayWrite, who == mayRead && scope == "incidents:read":
					return "api:ci", nil
				case who == mayRead:
					return "", &answer.Problem{Code: http.StatusForbidden}
				}
				return "", &answer.Problem{Code: http.StatusUnauthorized}
			},
			Known: func(authorization []byte) bool { return string(authorization) == mayWrite },
		}
	})
	return p
}

func (p *pen) keep(_ context.Context, events []incident.Event) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken == nil {
		p.kept += len(events)
	}
	return p.broken
}

func (p *pen) events() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.kept
}

// send asks /v1/pages/{id}/… as somebody.
func (p *pen) send(who, method, path, body string) (int, map[string]any) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Authorization", who)
	res, err := p.http.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	var object map[string]any
	if len(data) > 0 && data[0] == '{' {
		if err := json.Unmarshal(data, &object); err != nil {
			p.t.Fatalf("%s %s: %v in %s", method, path, err, data)
		}
	}
	return res.StatusCode, object
}

const incidents = "/v1/pages/" + pageID + "/incidents"

// write writes what must be taken, and returns its id and head.
func (p *pen) write(method, path, body string) (id, head string) {
	p.t.Helper()
	code, i := p.send(mayWrite, method, path, body)
	if code != http.StatusOK && code != http.StatusCreated {
		p.t.Fatalf("%s %s %s: %d %v", method, path, body, code, i)
	}
	return i["id"].(string), i["head"].(string)
}

// frames returns what reads the parts of a stream until one that goes to a target has a text.
func (p *pen) frames(path string) (next func(target, text string)) {
	p.t.Helper()
	ctx, leave := context.WithTimeout(p.t.Context(), 20*time.Second)
	p.t.Cleanup(leave)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	res, err := p.http.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = res.Body.Close() })
	r := bufio.NewReaderSize(res.Body, 1<<20)
	var parts []string // Of the newest frame: nobody says in which order it has them.
	has := func(target, text string) bool {
		return slices.ContainsFunc(parts, func(part string) bool {
			return strings.HasPrefix(part, `hx-target="#`+target+`"`) && strings.Contains(part, text)
		})
	}
	return func(target, text string) {
		p.t.Helper()
		for !has(target, text) {
			line, err := r.ReadString('\n')
			if err != nil {
				p.t.Fatalf("%s never brings %q to %s: %v", path, text, target, err)
			}
			if strings.Contains(line, "<hx-partial ") {
				parts = strings.Split(line, "<hx-partial ")
			}
		}
	}
}

func TestAPostIsInOpenBrowsersAndSpokenOnce(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	p.apply("web", time.Now(), status.Up)
	p.apply("api", time.Now(), status.Up)
	p.apply("twin", time.Now(), status.Up)
	p.eventually("/", "All 3 services are up")
	next := p.frames("/events?since=x")
	next("going", "hidden")
	began := time.Now()
	id, _ := p.write(http.MethodPost, incidents+".json", `{"incident":{"name":"Login fails","body":"We **look** at it.","components":{"web":"partial_outage"}}}`)
	next("s-web", "Partial outage")
	next("going", "We <strong>look</strong> at it.")
	next("said", "Login fails. Investigating: We look at it.")
	next("banner", "1 of 3 services is down")
	if took := time.Since(began); took > time.Second {
		t.Errorf("a post was in another browser after %v", took)
	}
	own := p.frames("/events?incident=" + id + "&since=x")
	own("incident-title", "Investigating")
	p.write(http.MethodPatch, incidents+"/"+id, `{"incident":{"status":"identified","body":"A cable."}}`)
	own("i-"+id, "A cable.")
	next("said", "Login fails. Identified: A cable.")
	p.write(http.MethodPatch, incidents+"/"+id, `{"incident":{"status":"resolved"}}`)
	next("s-web", "Up")
	next("going", "hidden")
	next("said", "Login fails. Resolved:") // It is spoken that it is over, though it is not there any more.
	_, page := p.get("/incidents/" + id)
	for _, want := range []string{"Login fails", `<ol class="timeline"`, "Website: operational → partial outage", "A cable.", `aria-live="polite"`, `id="stream"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of the incident lacks %q", want)
		}
	}
}

// TestWordsAreSpokenByOneRegion: a list that were live would be spoken as a whole with each post.
func TestWordsAreSpokenByOneRegion(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	for n := range 3 {
		p.write(http.MethodPost, incidents, fmt.Sprintf(`{"incident":{"name":"Fault %d","body":"Words %d."}}`, n, n))
	}
	p.eventually("/", "Words 2.</span>")
	_, page := p.get("/")
	if n := strings.Count(page, "aria-live"); n != 1 || strings.Count(page, "Words 0.") != 1 || strings.Count(page, "Words 2.") != 2 {
		t.Errorf("%d live regions; the oldest words stand there %d times, the newest %d times", n, strings.Count(page, "Words 0."), strings.Count(page, "Words 2."))
	}
}

func TestRefusalsNameTheField(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	id, _ := p.write(http.MethodPost, incidents, `{"incident":{"name":"There"}}`)
	long := strings.Repeat("x", 256)
	before := p.events()
	for _, c := range []struct {
		who, method, path, body string
		code                    int
		field                   string
	}{
		{"", "GET", "/v1/pages", "", 401, ""},
		{"OAuth wrong", "POST", incidents, `{"incident":{"name":"x"}}`, 401, ""},
		{mayRead, "POST", incidents, `{"incident":{"name":"x"}}`, 403, ""},
		{mayRead, "DELETE", incidents + "/" + id, "", 403, ""},
		{mayWrite, "GET", "/v1/pages/nope/incidents", "", 404, ""},
		{mayWrite, "POST", "/v1/pages/nope/incidents.json", `{"incident":{"name":"x"}}`, 404, ""},
		{mayWrite, "GET", incidents + "/000000000000", "", 404, ""},
		{mayWrite, "PATCH", incidents + "/000000000000.json", `{"incident":{"name":"x"}}`, 404, ""},
		{mayWrite, "PATCH", incidents + "/" + id + "/incident_updates/nope", `{"incident_update":{"body":"x"}}`, 404, ""},
		{mayWrite, "GET", "/v1/pages/" + pageID + "/components/nope", "", 404, ""},
		{mayWrite, "GET", "/v1/pages/" + pageID + "/metrics", "", 404, ""},
		{mayWrite, "POST", incidents, `{"incident":`, 400, ""},
		{mayWrite, "POST", incidents, `[]`, 400, ""},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x"}} more`, 400, ""},
		{mayWrite, "POST", incidents, ``, 400, ""},
		{mayWrite, "POST", incidents, `{"name":"x"}`, 422, "incident"},
		{mayWrite, "POST", incidents, `{"incident":[]}`, 422, "incident"},
		{mayWrite, "POST", incidents, `{"incident":{}}`, 422, "name"},
		{mayWrite, "POST", incidents, `{"incident":{"name":7}}`, 422, "name"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"` + long + `"}}`, 422, "name"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"a\nb"}}`, 422, "name"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","status":"huh"}}`, 422, "status"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","status":"scheduled"}}`, 422, "status"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","body":"` + strings.Repeat("x", 25_001) + `"}}`, 422, "body"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","components":{"nope":"major_outage"}}}`, 422, "components.nope"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","components":{"web":"broken"}}}`, 422, "components.web"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","components":[]}}`, 422, "components"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","component_ids":"web"}}`, 422, "component_ids"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","impact_override":"huge"}}`, 422, "impact_override"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","kind":"rumour"}}`, 422, "kind"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","metadata":"text"}}`, 422, "metadata"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","deliver_notifications":"perhaps"}}`, 422, "deliver_notifications"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","backfilled":true}}`, 422, "backfill_date"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","started_at":"2999-01-01"}}`, 422, "started_at"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","scheduled_for":"soon"}}`, 422, "scheduled_for"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","scheduled_for":"2999-01-01T00:00:00Z"}}`, 422, "scheduled_until"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","scheduled_for":"2027-01-02T00:00:00Z","scheduled_until":"2027-01-01T00:00:00Z"}}`, 422, "scheduled_until"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","scheduled_for":"2027-01-01T00:00:00Z","scheduled_until":"2027-06-01T00:00:00Z"}}`, 422, "scheduled_until"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","schedule":{"start":"2027-01-01T03:00","minutes":30,"zone":"Mars/Olympus"}}}`, 422, "schedule.zone"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","schedule":{"start":"2027-01-01T03:00","minutes":30,"zone":"UTC","rrule":"FREQ=SECONDLY"}}}`, 422, "schedule.rrule"},
		{mayWrite, "POST", incidents, `{"incident":{"name":"x","schedule":{"begin":1}}}`, 422, "schedule"},
		{mayWrite, "PATCH", incidents + "/" + id, `{"incident":{"status":"completed"}}`, 422, "status"},
		{mayWrite, "PATCH", incidents + "/" + id, `{"incident":{"scheduled_until":"2027-06-01T00:00:00Z"}}`, 422, "scheduled_for"},
		{mayWrite, "PATCH", "/v1/pages/" + pageID + "/components/web", `{"component":{"status":"operational"}}`, 422, "component"},
		{mayWrite, "GET", incidents + "?limit=none", "", 422, "limit"},
		{mayWrite, "GET", incidents + "?status=x", "", 422, "status"},
		{mayWrite, "PUT", incidents + "/" + id + "/postmortem/publish", "", 422, "body_draft"},
		{mayWrite, "PUT", incidents + "/" + id + "/postmortem", `{"postmortem":{}}`, 422, "body_draft"},
		{mayWrite, "PUT", incidents + "/" + id + "/postmortem/revert", "", 422, "body"},
	} {
		code, got := p.send(c.who, c.method, c.path, c.body)
		if code != c.code || got["error"] == nil && c.code != 404 {
			t.Errorf("%s %s %.90s: %d %v, want %d", c.method, c.path, c.body, code, got, c.code)
			continue
		}
		if c.field == "" {
			continue
		}
		errs, _ := got["errors"].([]any)
		if len(errs) != 1 || errs[0].(map[string]any)["field"] != c.field {
			t.Errorf("%s %s %.90s: %v, want the field %s", c.method, c.path, c.body, got["errors"], c.field)
		}
	}
	if p.events() != before {
		t.Errorf("%d events were kept of what was refused", p.events()-before)
	}
}

func TestWhoIsBehindIsShownThePresent(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	id, seen := p.write(http.MethodPost, incidents, `{"incident":{"name":"Fault","body":"First."}}`)
	_, head := p.write(http.MethodPatch, incidents+"/"+id, `{"incident":{"body":"Ana was here.","after":"`+seen+`"}}`)
	before := p.events()
	for method, body := range map[string]string{http.MethodPatch: `{"incident":{"status":"resolved","after":"` + seen + `"}}`, http.MethodDelete: ""} {
		path := incidents + "/" + id
		if method == http.MethodDelete {
			path += "?after=" + seen
		}
		code, got := p.send(mayWrite, method, path, body)
		present, _ := got["incident"].(map[string]any)
		if code != http.StatusConflict || present["head"] != head || !strings.Contains(fmt.Sprint(present["incident_updates"]), "Ana was here.") {
			t.Errorf("%s: %d %v", method, code, got)
		}
	}
	if p.events() != before {
		t.Error("what was refused was kept")
	}
	if code, _ := p.send(mayWrite, http.MethodPatch, incidents+"/"+id, `{"incident":{"status":"resolved","body":"Over.","name":"Fault of Ana","after":"`+head+`"}}`); code != http.StatusOK {
		t.Errorf("who has seen all: %d", code)
	}
	_, got := p.send(mayRead, http.MethodGet, incidents+"/"+id+".json", "")
	if got["forks"] != nil || got["name"] != "Fault of Ana" || got["status"] != "resolved" {
		t.Errorf("%v", got)
	}
}

// TestAChangeIsTakenAsAWhole: what is refused in one field leaves the others as they were, too.
func TestAChangeIsTakenAsAWhole(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	id, head := p.write(http.MethodPost, incidents, `{"incident":{"name":"Fault"}}`)
	before := p.events()
	if code, _ := p.send(mayWrite, http.MethodPatch, incidents+"/"+id, `{"incident":{"name":"Other","components":{"nope":"major_outage"}}}`); code != http.StatusUnprocessableEntity {
		t.Errorf("%d", code)
	}
	p.mu.Lock()
	p.broken = errors.New("read-only file system")
	p.mu.Unlock()
	if code, got := p.send(mayWrite, http.MethodPatch, incidents+"/"+id, `{"incident":{"name":"Other","body":"Words."}}`); code != http.StatusServiceUnavailable || strings.Contains(fmt.Sprint(got), "read-only") {
		t.Errorf("a disk that refuses: %d %v", code, got)
	}
	_, got := p.send(mayRead, http.MethodGet, incidents+"/"+id, "")
	if got["head"] != head || got["name"] != "Fault" || p.events() != before {
		t.Errorf("%v", got)
	}
}

func TestDraftsAndWhatIsRemovedAreNotPublic(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	draft, _ := p.write(http.MethodPost, incidents, `{"incident":{"name":"SECRET","body":"SECRET","draft":true,"components":{"web":"major_outage"}}}`)
	gone, _ := p.write(http.MethodPost, incidents, `{"incident":{"name":"SECRET","body":"SECRET","components":{"web":"major_outage"}}}`)
	p.write(http.MethodPost, incidents, `{"incident":{"name":"SECRET","draft":true,"scheduled_for":"`+time.Now().Add(time.Hour).UTC().Format(time.RFC3339)+`","scheduled_until":"`+time.Now().Add(2*time.Hour).UTC().Format(time.RFC3339)+`"}}`)
	p.eventually("/", "SECRET")
	p.write(http.MethodDelete, incidents+"/"+gone, "")
	p.eventually("/status?service=web&code=200", "no data 1")
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, page := p.get("/"); !strings.Contains(page, "SECRET") { // A page is a second behind at most.
			break
		}
	}
	for _, path := range []string{"/", "/?view=tv", "/history", "/embed", "/incidents/" + draft, "/incidents/" + gone, "/api/v2/summary.json", "/api/v2/incidents", "/api/v2/scheduled-maintenances.json", "/summary.json", "/history.atom", "/history.json?each=update", "/calendar.ics", "/badge/web.json", "/sitemap.xml"} {
		res, body := p.get(path)
		if strings.Contains(body, "SECRET") || strings.HasPrefix(path, "/incidents") && res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d tells what is not public", path, res.StatusCode)
		}
	}
	if res, _ := p.get("/events?incident=" + draft); res.StatusCode != http.StatusNotFound {
		t.Errorf("the stream of a draft: %d", res.StatusCode)
	}
	if code, _ := p.send(mayWrite, http.MethodGet, incidents+"/"+gone, ""); code != http.StatusNotFound {
		t.Errorf("what was removed: %d", code)
	}
	res, body := p.get(incidents+"?status=draft", "Authorization", mayRead)
	if res.StatusCode != http.StatusOK || strings.Count(body, `"name":"SECRET"`) != 2 {
		t.Errorf("drafts: %d %s", res.StatusCode, body)
	}
	p.write(http.MethodPatch, incidents+"/"+draft, `{"incident":{"draft":false}}`)
	p.eventually("/", "SECRET")
}

func TestDeclaredStatesAreKnownEverywhere(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	for _, id := range []string{"web", "api", "twin"} {
		p.apply(id, time.Now(), status.Up)
	}
	p.eventually("/", "All 3 services are up")
	id, _ := p.write(http.MethodPost, incidents, `{"incident":{"name":"Fault","components":{"web":"degraded_performance"}}}`)
	for path, want := range map[string]string{
		"/": "<title>1 of 3 services is degraded", "/services/web": "Website: Slow", "/?view=tv": "Fault", "/badge/web/status.txt": "slow", "/badge/page/status.txt": "slow", "/status?service=web": "degraded",
		"/embed": "Fault: Investigating", "/api/v2/status.json": `"indicator":"minor"`, "/summary.json": `"status":"INVESTIGATING"`, "/api/badge/1/status": "Up", "/v2/components.json": "DEGRADEDPERFORMANCE",
	} {
		p.eventually(path, want)
	}
	p.write(http.MethodPatch, incidents+"/"+id, `{"incident":{"body":"Worse.","components":{"web":"major_outage"}}}`)
	for path, want := range map[string]string{
		"/": "icon-down.", "/badge/web/status.txt": "down", "/badge/group:public/status.txt": "1 of 2 down", "/status?service=web&code=200": "down", "/api/v2/summary": `"indicator":"major"`,
		"/api/badge/1/status": "Down", "/api/v1/endpoints/public_website/health/badge.svg": "down", "/summary.json": "MAJOROUTAGE",
	} {
		p.eventually(path, want)
	}
	if res, _ := p.get("/status"); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("/status with a declared outage: %d", res.StatusCode)
	}
	p.write(http.MethodPatch, incidents+"/"+id, `{"incident":{"status":"resolved"}}`)
	p.eventually("/api/v2/status.json", `"indicator":"none"`)
}

// TestMaintenanceHidesNoRed: it worsens what is good in words, and covers nothing that was measured.
func TestMaintenanceHidesNoRed(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	for _, id := range []string{"web", "api", "twin"} {
		p.apply(id, time.Now(), status.Up)
	}
	now := time.Now().UTC()
	p.write(http.MethodPost, incidents, `{"incident":{"name":"Disks","body":"New disks.","component_ids":["web"],"scheduled_for":"`+now.Add(-time.Minute).Format(time.RFC3339)+`","scheduled_until":"`+now.Add(time.Hour).Format(time.RFC3339)+`"}}`)
	for path, want := range map[string]string{
		"/": "1 of 3 services is under maintenance", "/badge/web/status.txt": "maintenance", "/badge/page/status.txt": "maintenance", "/badge/web.svg": "maintenance", "/status": "1 of 3 services is under maintenance",
		"/api/v2/status.json": `"indicator":"none"`, "/api/v2/scheduled-maintenances/active": "Disks", "/summary.json": "UNDERMAINTENANCE", "/services/web": `data-m=""`, "/services/web/cells": `data-m=""`,
	} {
		p.eventually(path, want)
	}
	_, page := p.get("/")
	for _, want := range []string{`data-s="maintenance"`, "icon-maintenance.", `class="m"`, " under maintenance\""} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	p.apply("web", time.Now(), status.Down)
	for path, want := range map[string]string{
		"/": "Down: timeout, under maintenance", "/badge/web/status.txt": "down", "/badge/page/status.txt": "1 of 3 down", "/status?code=200": "1 of 3 services is down", "/api/v2/status.json": `"indicator":"major"`,
	} {
		p.eventually(path, want)
	}
	_, page = p.get("/")
	if !strings.Contains(page, `class="x"`) || !strings.Contains(page, `<tr id="s-web" data-s="down"`) {
		t.Error("what was measured is covered")
	}
}

func TestHistoryHasEachThingOnce(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	now := time.Now().UTC()
	for n := range 10 {
		at := now.Add(time.Duration(n-10) * time.Minute)
		o := status.Up
		if n == 3 || n == 4 {
			o = status.Down
		}
		p.apply("web", at, o)
		p.apply("api", at, o)
	}
	p.eventually("/history", "Website")
	month := "/history?month=" + now.Add(-7*time.Minute).Format("2006-01")
	_, before := p.get(month)
	p.write(http.MethodPost, incidents, `{"incident":{"name":"A cable","body":"It was cut.","status":"resolved","started_at":"`+now.Add(-7*time.Minute).Format(time.RFC3339)+`","component_ids":["web"]}}`)
	p.eventually(month, "A cable")
	_, after := p.get(month)
	link := `href="/outages/web-`
	if strings.Count(before, link) != 1 || strings.Count(after, link) != 1 || strings.Count(after, `href="/outages/api-`) != 1 {
		t.Errorf("outages: %d, then %d of web and %d of api; want one of each", strings.Count(before, link), strings.Count(after, link), strings.Count(after, `href="/outages/api-`))
	}
	told := after[strings.Index(after, `<article class="incident"`):strings.Index(after, "</article>")]
	if !strings.Contains(told, link) || strings.Contains(told, "/outages/api-") {
		t.Errorf("what explains the outage is not where it stands: %s", told)
	}
	for _, path := range []string{"/history.atom", "/history.json", "/services/web/history.rss"} {
		_, feed := p.get(path)
		if strings.Contains(feed, "/outages/web-") || !strings.Contains(feed, "A cable") {
			t.Errorf("%s has the outage beside the words about it:\n%s", path, feed)
		}
	}
	_, feed := p.get("/history.json?each=update")
	if strings.Count(feed, "/incidents/") < 1 || !strings.Contains(feed, "#") {
		t.Errorf("updates have no entry of their own:\n%s", feed)
	}
	if res, _ := p.get("/history.atom?each=word"); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("another each: %d", res.StatusCode)
	}
}

func TestCalendarKeepsWhatWasCancelled(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	start := time.Now().AddDate(0, 0, 2).UTC().Truncate(24 * time.Hour).Add(3 * time.Hour)
	once, _ := p.write(http.MethodPost, incidents, `{"incident":{"name":"Disks; new, and \\ big","body":"a\nb","component_ids":["web"],"scheduled_for":"`+start.Format(time.RFC3339)+`","scheduled_until":"`+start.Add(time.Hour).Format(time.RFC3339)+`"}}`)
	series, _ := p.write(http.MethodPost, incidents, `{"incident":{"name":"Weekly","component_ids":["twin"],"schedule":{"start":"`+start.Format(incident.WallFormat)+`","minutes":30,"zone":"Europe/Berlin","rrule":"FREQ=WEEKLY"}}}`)
	read := func(path string) string {
		res, body := p.get(path)
		if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "text/calendar; charset=utf-8" || res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Fatalf("%s: %d %v", path, res.StatusCode, res.Header)
		}
		for line := range strings.SplitSeq(strings.TrimSuffix(body, "\r\n"), "\r\n") {
			if len(line) > 75 || strings.ContainsAny(line, "\r\n") {
				t.Errorf("%s: the line %q", path, line)
			}
		}
		return strings.ReplaceAll(body, "\r\n ", "")
	}
	whole := read("/calendar.ics")
	for _, want := range []string{
		"UID:" + once + "@status.example", "SEQUENCE:0", "SUMMARY:Disks\\; new\\, and \\\\ big", `DESCRIPTION:Planned\n\na\nb`, "STATUS:CONFIRMED", "DTSTART:" + start.Format("20060102T150405Z"),
		"UID:" + series + "-" + strings.ToLower(start.Format("20060102T1504")) + "@status.example", "URL:https://status.example/incidents/" + once, "METHOD:PUBLISH", "TRANSP:TRANSPARENT", "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
	} {
		if !strings.Contains(whole, want+"\r\n") {
			t.Errorf("the calendar lacks %q:\n%s", want, whole[:min(len(whole), 2500)])
		}
	}
	if n := strings.Count(whole, "BEGIN:VEVENT"); n < 50 || n > 55 || strings.Contains(whole, "RRULE") {
		t.Errorf("a year of weeks is %d events", n-1)
	}
	p.write(http.MethodPatch, incidents+"/"+once, `{"incident":{"status":"cancelled"}}`)
	p.eventually("/calendar.ics", "STATUS:CANCELLED")
	if whole = read("/calendar.ics"); strings.Count(whole, "UID:"+once+"@") != 1 || !strings.Contains(whole, "SEQUENCE:1") {
		t.Errorf("what was cancelled is gone, or came anew:\n%s", whole[:2000])
	}
	for path, want := range map[string][2]bool{"/services/web/calendar.ics": {true, false}, "/services/twin/calendar.ics": {false, true}, "/groups/public/calendar.ics": {true, false}, "/services/api/calendar.ics": {false, false}} {
		body := read(path)
		if strings.Contains(body, once) != want[0] || strings.Contains(body, series) != want[1] {
			t.Errorf("%s has others' maintenance, or not its own", path)
		}
	}
	for _, path := range []string{"/services/nope/calendar.ics", "/groups/nope/calendar.ics"} {
		if res, _ := p.get(path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
	if _, page := p.get("/"); !strings.Contains(page, `<link rel="alternate" type="text/calendar"`) || !strings.Contains(page, "Planned maintenance") {
		t.Error("the page does not say that there is a calendar, or what is planned")
	}
}

func TestStatuspagesReaders(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	p.apply("web", time.Now(), status.Up)
	id, _ := p.write(http.MethodPost, incidents, `{"incident":{"name":"Fault","body":"Words.","components":{"web":"partial_outage"},"metadata":{"jira":{"key":"SECRET"}}}}`)
	var want struct {
		Page                 struct{ ID, Name, URL, UpdatedAt string }
		Status               struct{ Indicator, Description string }
		Components           []struct{ ID, Status string }
		Incidents            []struct{ ID, Impact, Status, Shortlink string }
		ScheduledMaintenance []any `json:"scheduled_maintenances"`
	}
	for _, name := range []string{"summary", "status", "components", "incidents", "incidents/unresolved", "scheduled-maintenances", "scheduled-maintenances/upcoming", "scheduled-maintenances/active"} {
		var same string
		for _, path := range []string{"/api/v2/" + name + ".json", "/api/v2/" + name} {
			res, body := p.get(path, "Origin", "https://elsewhere.example")
			if res.StatusCode != http.StatusOK || res.Header.Get("Access-Control-Allow-Origin") != "*" || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/json") || strings.Contains(body, "SECRET") {
				t.Errorf("%s: %d %v", path, res.StatusCode, res.Header)
			}
			if head, _ := p.do(http.MethodHead, path); head.StatusCode != http.StatusOK {
				t.Errorf("HEAD %s: %d", path, head.StatusCode)
			}
			if same != "" && same != body {
				t.Errorf("%s differs from what ends in .json", path)
			}
			same = body
		}
		if strings.Contains(same, "null,") && name == "status" {
			t.Errorf("%s: %s", name, same)
		}
	}
	_, body := p.get("/api/v2/summary.json")
	if err := json.Unmarshal([]byte(body), &want); err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, c := range want.Components {
		states[c.ID] = c.Status
	}
	if want.Page.ID != pageID || want.Page.URL != "https://status.example" || want.Status.Indicator != "major" || len(want.Incidents) != 1 || want.Incidents[0].Impact != "major" || want.Incidents[0].Shortlink != "https://status.example/incidents/"+id || want.ScheduledMaintenance == nil {
		t.Errorf("%+v", want)
	}
	if states["public"] != "partial_outage" || states["web"] != "partial_outage" || states["twin"] != "" {
		t.Errorf("states %v: what nobody knows has no word", states)
	}
}

func TestInstatusSaysInvestigatingOnlyWhereSomebodyDoes(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	p.apply("web", time.Now(), status.Down)
	p.eventually("/summary.json", "Website is down")
	if _, body := p.get("/summary.json"); strings.Contains(body, "INVESTIGATING") {
		t.Errorf("nobody investigates: %s", body)
	}
	p.write(http.MethodPost, incidents, `{"incident":{"name":"Fault","components":{"web":"major_outage"}}}`)
	p.eventually("/summary.json", "INVESTIGATING")
	if _, body := p.get("/summary.json"); strings.Contains(body, "Website is down") {
		t.Errorf("one thing is there twice: %s", body)
	}
}

// TestPostmortems are drafted, shown, taken back and dropped as at Statuspage.
func TestPostmortems(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	id, _ := p.write(http.MethodPost, incidents, `{"incident":{"name":"Fault","status":"resolved"}}`)
	at := incidents + "/" + id + "/postmortem"
	if code, _ := p.send(mayWrite, http.MethodGet, at, ""); code != http.StatusNotFound {
		t.Errorf("none yet: %d", code)
	}
	if code, got := p.send(mayWrite, http.MethodPut, at+".json", `{"postmortem":{"body_draft":"A **cable**."}}`); code != http.StatusOK || got["body_draft"] != "A **cable**." || got["body"] != nil {
		t.Errorf("%d %v", code, got)
	}
	if _, page := p.get("/incidents/" + id); strings.Contains(page, "cable") {
		t.Error("a draft is shown")
	}
	if code, got := p.send(mayWrite, http.MethodPut, at+"/publish", `{"postmortem":{"notify_subscribers":true}}`); code != http.StatusOK || got["body"] != "A **cable**." {
		t.Errorf("%d %v", code, got)
	}
	p.eventually("/incidents/"+id, "A <strong>cable</strong>.")
	if code, got := p.send(mayWrite, http.MethodPut, at+"/revert", ""); code != http.StatusOK || got["body"] != nil || got["body_draft"] != "A **cable**." {
		t.Errorf("%d %v", code, got)
	}
	if code, _ := p.send(mayWrite, http.MethodDelete, at, ""); code != http.StatusNoContent {
		t.Errorf("%d", code)
	}
	if code, _ := p.send(mayWrite, http.MethodGet, at, ""); code != http.StatusNotFound {
		t.Errorf("dropped: %d", code)
	}
}

// TestUpdatesAreEditedAndWithdrawn, and say so.
func TestUpdatesAreEditedAndWithdrawn(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	id, head := p.write(http.MethodPost, incidents, `{"incident":{"name":"Fault","body":"Worng."}}`)
	p.write(http.MethodPatch, incidents+"/"+id+"/incident_updates/"+head+".json", `{"incident_update":{"body":"Wrong."}}`)
	p.eventually("/incidents/"+id, "edited")
	if _, page := p.get("/incidents/" + id); strings.Contains(page, "Worng") {
		t.Error("the public reads the former words")
	}
	_, second := p.write(http.MethodPatch, incidents+"/"+id, `{"incident":{"body":"Not so.","components":{"web":"major_outage"}}}`)
	p.write(http.MethodDelete, incidents+"/"+id+"/incident_updates/"+second, "")
	p.eventually("/incidents/"+id, "withdrawn")
	_, page := p.get("/incidents/" + id)
	if strings.Contains(page, "Not so.") || !strings.Contains(page, `id="`+second+`"`) {
		t.Error("what was withdrawn is to be read, or leaves no note")
	}
	p.eventually("/badge/web/status.txt", "no data")
}

// TestOnlyWhoMayWriteSendsMore: bodies of strangers are bounded as those of bare requests.
func TestOnlyWhoMayWriteSendsMore(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	big := `{"incident":{"name":"x","body":"` + strings.Repeat("y", 20_000) + `"}}`
	if code, _ := p.send(mayWrite, http.MethodPost, incidents, big); code != http.StatusCreated {
		t.Errorf("who may write: %d", code)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+incidents, strings.NewReader(big))
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.http.Do(req)
	if err == nil {
		_ = res.Body.Close()
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("a stranger: %d", res.StatusCode)
		}
	}
	if res, _ := newSite(t, nil).do(http.MethodPost, incidents); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a page that nobody can write on: %d", res.StatusCode)
	}
}

// TestHostileWords shows them wherever they are shown, however they came into the table.
func TestHostileWords(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	now := time.Now().UTC().Truncate(time.Microsecond)
	var ids []string
	for name, text := range hostile {
		for _, o := range []*incident.Opened{
			{Kind: incident.KindIncident, Words: incident.Words{Status: incident.Investigating, Impacts: []incident.Affected{{Service: "web", State: incident.MajorOutage}, {Service: text, State: incident.PartialOutage}}}},
			{Kind: incident.KindMaintenance, Words: incident.Words{Status: incident.Scheduled, Impacts: []incident.Affected{{Service: "api", State: incident.UnderMaintenance}}}, Schedule: &incident.Schedule{Start: now.Add(time.Duration(len(ids)) * time.Hour).Format(incident.WallFormat), Minutes: 30, Zone: "UTC"}},
			{Kind: incident.KindNotice, Words: incident.Words{Status: incident.Status(text)}},
		} {
			o.Title, o.Words.Text = text, text
			e, err := incident.New(incident.Stamp{At: now, Incident: incident.NewID(now), Actor: "api:x"}, o)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			post, err := incident.New(incident.Stamp{At: now.Add(time.Microsecond), Incident: e.Incident, Actor: "api:x"}, &incident.PostmortemPublished{Text: text})
			if err != nil {
				t.Fatal(err)
			}
			p.book.Apply([]incident.Event{e, post}, now)
			ids = append(ids, e.Incident)
		}
	}
	p.eventually("/", "MARK")
	paths := []string{"/", "/?view=tv", "/?lang=ja&tz=Asia/Kathmandu", "/history", "/embed", "/calendar.ics", "/services/api/calendar.ics", "/groups/public/calendar.ics", "/history.atom", "/history.rss", "/history.json", "/history.atom?each=update", "/history.rss?each=update", "/history.json?each=update", "/services/web/history.atom", "/summary.json", "/v2/components.json", "/api/v2/summary.json", "/api/v2/incidents", "/api/v2/scheduled-maintenances", incidents, incidents + "/scheduled"}
	for _, id := range ids {
		paths = append(paths, "/incidents/"+id, "/incidents/"+id+"?lang=de", incidents+"/"+id)
	}
	for _, path := range paths {
		res, body := p.get(path, "Accept", "text/html", "Authorization", mayRead)
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
		if fault := freed(res.Header.Get("Content-Type"), body); fault != "" {
			t.Errorf("%s: %s", path, fault)
		}
		if strings.HasSuffix(path, ".ics") {
			for line := range strings.SplitSeq(strings.TrimSuffix(strings.ReplaceAll(body, "\r\n ", ""), "\r\n"), "\r\n") {
				if name, _, is := strings.Cut(line, ":"); !is || strings.Contains(name, "MARK") || strings.ContainsAny(line, "\x00\x1b\n") {
					t.Errorf("%s: a text became the line %.80q", path, line)
				}
			}
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+"/events?since=x", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := p.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	r := bufio.NewReaderSize(res.Body, 4<<20)
	for seen := false; !seen; {
		line, err := r.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		if seen = bytes.Contains(value, []byte("MARK")); seen && string(field) != "data" {
			t.Errorf("a text became the field %q", line)
		}
		if fault := freed("text/html", string(value)); fault != "" {
			t.Error(fault)
		}
	}
}

// TestWhatMayBeInTheStoreIsNotDenied while what was written before is being read.
func TestWhatMayBeInTheStoreIsNotDenied(t *testing.T) {
	t.Parallel()
	p := newPen(t)
	p.mu.Lock()
	p.part = true
	p.mu.Unlock()
	for id, want := range map[string]int{"000000000000": http.StatusServiceUnavailable, "no-id-of-ours": http.StatusNotFound} {
		if code, _ := p.send(mayWrite, http.MethodPatch, incidents+"/"+id, `{"incident":{"body":"x"}}`); code != want {
			t.Errorf("%s: %d, want %d", id, code, want)
		}
	}
	p.write(http.MethodPost, incidents, `{"incident":{"name":"What is new waits for nothing"}}`)
}
