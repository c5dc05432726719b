package handlers

import (
	"encoding/json"
	"net/http"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

// newRegionSite is a site of a service that three regions watch, and one that nobody named a region for.
func newRegionSite(t *testing.T, change func(*Options)) *site {
	t.Helper()
	return newSite(t, func(o *Options) {
		b, err := board.New([]status.Service{
			{ID: "web", Name: "Website", URL: "https://web.example", Interval: time.Minute, Timeout: 10 * time.Second, Regions: []string{"eu-west", "us-east", "ap"}, DownWhen: 2, Quorum: status.Majority},
			{ID: "api", Name: "API", URL: "https://api.example", Interval: time.Minute, Timeout: 10 * time.Second},
		}, time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		o.Board = b
		if change != nil {
			change(o)
		}
	})
}

func (s *site) report(region string, at time.Time, o status.Outcome) {
	sig := status.Signal{Service: "web", Region: region, Received: at, Outcome: o, Available: o.Available(), HTTPStatus: 200, Duration: 12345 * time.Microsecond}
	if o == status.Down {
		sig.HTTPStatus, sig.Reason = status.NoHTTPStatus, status.Timeout
	}
	s.board.Apply([]status.Signal{sig})
}

func TestPageTellsHowManyRegionsAreDown(t *testing.T) {
	t.Parallel()
	s := newRegionSite(t, nil)
	at := time.Now().UTC().Truncate(time.Microsecond)
	events := s.events("/events")
	next(t, events, "s-web")
	s.report("us-east", at, status.Down)
	s.report("eu-west", at, status.Up)
	e := next(t, events, "1 of 2 regions down")
	if !strings.Contains(e, `hx-target="#s-web"`) || strings.Contains(e, `hx-target="#s-api"`) {
		t.Errorf("the frame of a region's report is not that of its row:\n%s", e)
	}
	s.report("ap", at, status.Up)
	next(t, events, "Degraded, 1 of 3 regions down")
	clock := at.Format("15:04")
	s.eventually("/services/web/cells", clock+" degraded, 1 of 3 regions down")
	s.wants("/?lang=de", "Beeinträchtigt, 1 von 3 Regionen ausgefallen")
	s.report("eu-west", at.Add(time.Millisecond), status.Down) // A new slot; us-east was down last.
	next(t, events, "Down: timeout, 2 of 3 regions down")

	s.eventually("/services/web", `id="regions"`)
	page := s.wants("/services/web", `<th scope="row">eu-west</th>`, `<th scope="row">us-east</th>`, "<small>eu-west</small>", "Uptime, 1 h", "<h2>Regions</h2>")
	if strings.Count(page, `<th scope="row">ap</th>`) != 1 {
		t.Error("the table of regions lacks one")
	}
	s.wants("/services/web/"+at.Format("2006-01-02T15:04Z"), "<small>us-east</small>", "<small>ap</small>", "2 of 3 regions down", "Down, 2 of 3 regions down")
	s.wants("/how", "Several regions")
	if _, plain := s.get("/services/api"); strings.Contains(plain, `id="regions"`) {
		t.Error("a service without regions has a table of them")
	}
	s.wants("/history", "eu-west, us-east")
}

func TestSignalsTellRegionsApart(t *testing.T) {
	t.Parallel()
	s := newRegionSite(t, nil)
	at := time.Now().UTC().Truncate(time.Microsecond)
	stream := s.events("/signals/stream")
	next(t, stream, "retry")
	s.report("us-east", at, status.Down)
	next(t, stream, `"region":"us-east"`)
	s.report("eu-west", at, status.Up)
	s.apply("api", at, status.Up)
	if e := next(t, stream, `"service":"api"`); strings.Contains(e, "region") {
		t.Errorf("a record without regions names one: %s", e)
	}
	groups := func(path string) (all []map[string]any) {
		t.Helper()
		_, body := s.get(path)
		var wire []struct {
			Records []map[string]any `json:"records"`
		}
		if err := json.Unmarshal([]byte(body), &wire); err != nil {
			t.Fatalf("%s: %v: %s", path, err, body)
		}
		for _, g := range wire {
			all = append(all, g.Records...)
		}
		return all
	}
	if got := groups("/signals"); len(got) != 3 || got[0]["region"] != "eu-west" || got[1]["region"] != "us-east" || got[1]["outcome"] != "down" {
		t.Errorf("/signals = %v, want the two of web as they were measured, and one of api", got)
	} else if _, named := got[2]["region"]; named {
		t.Errorf("record of api = %v, want no region", got[2])
	}
	if got := groups("/signals?region=us-east"); len(got) != 1 || got[0]["region"] != "us-east" {
		t.Errorf("/signals?region=us-east = %v, want its one record", got)
	}
	for _, wrong := range []string{"mars", "", "EU-WEST"} {
		if res, _ := s.get("/signals?region=" + wrong); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("region %q: %d, want 422", wrong, res.StatusCode)
		}
	}
}

func TestBadgesOfARegion(t *testing.T) {
	t.Parallel()
	s := newRegionSite(t, nil)
	at := time.Now().UTC().Add(-2 * time.Minute)
	for i := range 2 {
		s.report("us-east", at.Add(time.Duration(i)*time.Minute), status.Down)
		s.report("eu-west", at.Add(time.Duration(i)*time.Minute), status.Up)
		s.report("ap", at.Add(time.Duration(i)*time.Minute), status.Up)
	}
	s.eventually("/badge/web/status.json", `"degraded"`)
	for _, c := range []struct {
		path, want string
		code       int
	}{
		{"/badge/web/status.json?region=us-east", `"state":"down"`, 200},
		{"/badge/web/status.json?region=eu-west", `"region":"eu-west"`, 200},
		{"/badge/web/uptime.txt?region=us-east", "0%", 200},
		{"/badge/web/uptime.txt?region=eu-west", "100%", 200},
		{"/badge/web/uptime.txt", "100%", 200},
		{"/badge/web/latency.txt?region=eu-west", "12 ms", 200},
		{"/badge/web/latency.txt?region=us-east", "no data", 200},
		{"/badge/web.svg?region=us-east", "down", 200},
		{"/badge/web.svg?region=mars", "unknown region", 200},
		{"/badge/api.svg?region=us-east", "unknown region", 200},
		{"/badge/web/uptime.txt?region=eu-west&window=7d", "24h", 400},
		{"/badge/web/hours.txt?region=eu-west", "status, uptime, latency", 400},
		{"/badge/page.svg?region=eu-west", "one service", 200},
		{"/badge/web/uptime.txt?region=%3Cscript%3E", "unknown", 404},
	} {
		if res, body := s.get(c.path); res.StatusCode != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %.300s; want %d and %q", c.path, res.StatusCode, body, c.code, c.want)
		}
	}
}

func TestOldHoursOfRegionsAreMerged(t *testing.T) {
	t.Parallel()
	s := newRegionSite(t, func(o *Options) {
		h := &shelf{}
		for i := range 60 {
			for n, region := range []string{"eu-west", "us-east", "ap"} {
				sig := status.Signal{Service: "web", Region: region, Received: longAgo.Truncate(time.Hour).Add(time.Duration(i)*time.Minute + time.Second), Outcome: status.Up, Available: true, HTTPStatus: 200, Duration: time.Millisecond}
				if i == 7 && n < 2 || i == 8 && n < 1 { // Down in two regions, and in one.
					sig.Outcome, sig.Available, sig.Reason = status.Down, false, status.Timeout
				}
				h.signals = append(h.signals, sig)
			}
		}
		o.History = h
	})
	hour := longAgo.Truncate(time.Hour)
	s.wants("/services/web/"+hour.Format("2006-01-02T15Z"), "58 up, 1 degraded, 1 down", "1 of 3 regions down")
	s.wants("/services/web/"+hour.Format("2006-01-02"), "58 up, 1 degraded, 1 down")
	s.wants("/services/web/"+hour.Add(7*time.Minute).Format("2006-01-02T15:04Z"), "<small>us-east</small>", "<small>ap</small>", "2 of 3 regions down", `data-s="up"`)
	day := hour.Format("2006-01-02")
	s.wants("/services/web?from="+day+"&to="+day, "58 up, 1 degraded, 1 down")
}
