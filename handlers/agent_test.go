package handlers

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"statuspage/handlers/agents"
	"statuspage/handlers/gate"
	"statuspage/internal/agent"
	"statuspage/internal/board"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

const (
	officeToken = "office-office-office-office"
	depotToken  = "depot-depot-depot-depot-depot"
)

// desk is a site that agents of two regions hand in to, and what it was handed.
type desk struct {
	*site
	now time.Time
	log lines

	mu     sync.Mutex
	stored map[[3]string]status.Signal // By the key of a store.
	fails  error
}

func newDesk(t *testing.T, change func(*Options)) *desk {
	t.Helper()
	watched := func(id string, regions ...string) check.Check {
		return check.Check{
			Service: status.Service{ID: id, Name: id, URL: "https://" + id + ".example", Interval: time.Minute, Timeout: 10 * time.Second, Regions: regions, DownWhen: 1},
			Target:  "https://user:s3cret@" + id + ".example", DegradedAfter: time.Second,
			How: &check.HTTP{
				Method: http.MethodGet, Headers: map[string]string{"X-Key": "k3y"}, ExpectStatus: []check.StatusRange{{From: 200, To: 204}}, FollowRedirects: true,
			},
		}
	}
	checks := []check.Check{watched("web", "office", "depot"), watched("till", "depot"), watched("here")}
	var services []status.Service
	for _, c := range checks {
		services = append(services, c.Service)
	}
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{now: time.Now().UTC().Truncate(time.Second), stored: map[[3]string]status.Signal{}}
	front := agents.New(24*time.Hour, func() time.Time { return d.now }, slog.New(slog.NewTextHandler(&d.log, nil)), func(_ context.Context, signals []status.Signal) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.fails != nil {
			return d.fails
		}
		for _, s := range signals {
			d.stored[[3]string{s.Received.Format(time.RFC3339Nano), s.Service, s.Region}] = s
		}
		b.Apply(signals)
		return nil
	}, b.SetCertificate)
	if err := front.Set([]agents.Agent{{Region: "office", Token: sha256.Sum256([]byte(officeToken))}, {Region: "depot", Token: sha256.Sum256([]byte(depotToken))}}, checks); err != nil {
		t.Fatal(err)
	}
	d.site = newSite(t, func(o *Options) {
		o.Board, o.Agents, o.Now = b, front, func() time.Time { return d.now }
		if change != nil {
			change(o)
		}
	})
	return d
}

// post hands in a body.
func (d *desk) post(token string, body []byte, header ...string) (*http.Response, string) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodPost, d.url+agent.SignalsPath, bytes.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := d.http.Do(req)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		// The server hung up on a body that it does not take; its answer was lost with the rest.
		return &http.Response{StatusCode: http.StatusRequestEntityTooLarge, Header: http.Header{"Content-Type": {"application/problem+json"}}}, ""
	}
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res, string(answer)
}

func (d *desk) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.stored)
}

// item is a signal that is as it must be, with fields replaced.
func (d *desk) item(replace ...string) string {
	fields := map[string]string{
		"service": `"web"`, "received": `"` + d.now.Add(-time.Minute).Format(time.RFC3339Nano) + `"`, "outcome": `"down"`, "reason": `"timeout"`,
		"http_status": "-1", "duration_us": "1500000", "error": `"dial 10.0.0.1: i/o timeout"`,
	}
	for i := 0; i+1 < len(replace); i += 2 {
		fields[replace[i]] = replace[i+1]
	}
	var all []string
	for name, value := range fields {
		all = append(all, fmt.Sprintf("%q:%s", name, value))
	}
	return "{" + strings.Join(all, ",") + "}"
}

func packed(body []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body)
	_ = w.Close()
	return b.Bytes()
}

func TestAgentNeedsItsToken(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	good := []byte("[" + d.item() + "]")
	for _, header := range []string{"", "Bearer ", "Bearer wrong", "Bearer " + officeToken + "x", officeToken, "Basic " + officeToken, "Bearer " + officeToken[:26]} {
		res, body := d.get(agent.ChecksPath, "Authorization", header)
		if res.StatusCode != http.StatusUnauthorized || res.Header.Get("WWW-Authenticate") != "Bearer" || strings.Contains(body, "example") {
			t.Errorf("checks with %q: %d %s", header, res.StatusCode, body)
		}
		if res, body := d.post("", good, "Authorization", header); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("signals with %q: %d %s", header, res.StatusCode, body)
		}
	}
	if n := d.count(); n != 0 {
		t.Errorf("%d signals stored of nobody", n)
	}
	if n := d.server.server().agents.Denied(); n != 14 {
		t.Errorf("%d denied, want 14", n)
	}
	// A body beyond that of other requests is not even read for who has no token.
	if res, _ := d.post("wrong", bytes.Repeat([]byte(" "), 100<<10)); res.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a large body without a token: %d", res.StatusCode)
	}
}

func TestAgentGuessesAreLimited(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(o *Options) { o.Limits.Requests = gate.Limit{N: 1, Everybody: true} })
	codes := map[int]int{}
	for range 10 {
		res, _ := d.get(agent.ChecksPath, "Authorization", "Bearer wrong")
		codes[res.StatusCode]++
	}
	if codes[http.StatusUnauthorized] == 0 || codes[http.StatusTooManyRequests] < 5 {
		t.Errorf("ten guesses at one a second: %v", codes)
	}
}

func TestWithoutAgentsThereIsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) {
		o.Agents = agents.New(time.Hour, time.Now, slog.New(slog.DiscardHandler), func(context.Context, []status.Signal) error { return nil }, nil)
	})
	if res, _ := s.get(agent.ChecksPath); res.StatusCode != http.StatusNotFound {
		t.Errorf("checks: %d", res.StatusCode)
	}
	if res, _ := s.do(http.MethodPost, agent.SignalsPath); res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("signals: %d", res.StatusCode)
	}
}

func TestAgentTakesItsChecks(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	res, body := d.get(agent.ChecksPath, "Authorization", "Bearer "+officeToken)
	if res.StatusCode != http.StatusOK || res.Header.Get("Cache-Control") != "no-store" || strings.Contains(body, "till") || strings.Contains(body, "here.example") {
		t.Fatalf("%d %v %s", res.StatusCode, res.Header, body)
	}
	region, checks, unknown, err := agent.DecodeChecks([]byte(body))
	if err != nil || len(unknown) > 0 || region != "office" || len(checks) != 1 {
		t.Fatal(region, checks, err)
	}
	c, how := checks[0], checks[0].How.(*check.HTTP)
	if c.ID != "web" || c.Target != "https://user:s3cret@web.example" || how.Headers["X-Key"] != "k3y" || c.Interval != time.Minute || c.Timeout != 10*time.Second ||
		c.DegradedAfter != time.Second || !how.Expects(204) || how.Expects(205) || how.Method != http.MethodGet || len(c.Regions) != 0 {
		t.Errorf("check %+v", c)
	}
	if at, err := time.Parse(time.RFC3339Nano, res.Header.Get(agent.TimeHeader)); err != nil || !at.Equal(d.now) {
		t.Errorf("time of the server: %v %v, want %v", at, err, d.now)
	}
	if res, body = d.get(agent.ChecksPath, "Authorization", "Bearer "+officeToken, "If-None-Match", res.Header.Get("ETag")); res.StatusCode != http.StatusNotModified || body != "" || res.Header.Get(agent.TimeHeader) == "" {
		t.Errorf("again: %d %q", res.StatusCode, body)
	}
	if res, _ = d.get(agent.ChecksPath, "Authorization", "Bearer "+depotToken, "If-None-Match", res.Header.Get("ETag")); res.StatusCode != http.StatusOK {
		t.Errorf("another region with this tag: %d", res.StatusCode)
	}
}

// TestAgentOfBeforeIsToldOfWhatItKnows holds that one which does not say what it measures is told of checks over HTTP
// alone, that the log names what is no data for that, once, and that others are told of all.
func TestAgentOfBeforeIsToldOfWhatItKnows(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	at := status.Service{ID: "db", Interval: time.Minute, Timeout: time.Second, Regions: []string{"office"}}
	web := at
	web.ID = "web"
	if err := d.server.server().agents.Set([]agents.Agent{{Region: "office", Token: sha256.Sum256([]byte(officeToken))}}, []check.Check{
		{Service: at, Target: "tcp://db.example:5432", How: new(check.TCP)}, {Service: web, Target: "http://web.example", How: &check.HTTP{Method: "HEAD"}},
	}); err != nil {
		t.Fatal(err)
	}
	tags := map[string]string{}
	for range 3 {
		for kinds, want := range map[string]int{"": 1, "http, tcp": 2} {
			res, body := d.get(agent.ChecksPath, "Authorization", "Bearer "+officeToken, agent.KindsHeader, kinds)
			_, all, unknown, err := agent.DecodeChecks([]byte(body))
			if res.StatusCode != http.StatusOK || err != nil || len(all) != want || len(unknown) != 0 {
				t.Errorf("knowing %q it is told %d %s", kinds, res.StatusCode, body)
			}
			tags[kinds] = res.Header.Get("ETag")
		}
	}
	if tags[""] == tags["http, tcp"] {
		t.Error("another version would believe that it has the checks")
	}
	if n := strings.Count(d.log.String(), "an agent can't measure"); n != 1 || !strings.Contains(d.log.String(), "region=office services=1 first=db") {
		t.Errorf("%d lines:\n%s", n, d.log.String())
	}
}

func TestAgentHandsInAndRepeats(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	batch := []byte("[" + d.item("region", `"depot"`, "url", `"https://evil.example"`) + "," + d.item("received", `"`+d.now.Format(time.RFC3339Nano)+`"`, "outcome", `"up"`, "reason", `""`, "http_status", "200", "certificate_expiry", `"2031-01-02T03:04:05+01:00"`) + "]")
	for i, body := range [][]byte{batch, packed(batch), batch} {
		var header []string
		if i == 1 {
			header = []string{"Content-Encoding", "gzip"}
		}
		res, answer := d.post(officeToken, body, header...)
		if res.StatusCode != http.StatusOK || answer != `{"taken":2}` {
			t.Fatalf("%d %s", res.StatusCode, answer)
		}
	}
	if d.count() != 2 {
		t.Errorf("%d signals stored, want 2", d.count())
	}
	for _, s := range d.stored {
		if s.Region != "office" || s.URL != "https://web.example" || s.Service != "web" {
			t.Errorf("stored %+v", s)
		}
	}
	if at, want := d.board.Services()[0].Certificate(), time.Date(2031, 1, 2, 2, 4, 5, 0, time.UTC); !at.Equal(want) {
		t.Errorf("the certificate expires at %v, want %v", at, want)
	}
	if samples := d.board.Services()[0].Recent(10); len(samples) != 2 {
		t.Errorf("%d samples on the board, want 2: %v", len(samples), samples)
	}
	if _, body := d.get("/signals?service=web"); strings.Count(body, `"received"`) != 2 || strings.Contains(body, "10.0.0.1") {
		t.Errorf("/signals: %s", body)
	}
}

func TestAgentIsToldWhenNothingCanBeSaved(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.fails = agents.ErrStarting
	if res, body := d.post(officeToken, []byte("["+d.item()+"]")); res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "history is being read") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	d.fails = errors.New("disk of /var/lib/secret is full")
	if res, body := d.post(officeToken, []byte("["+d.item()+"]")); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || strings.Contains(body, "secret") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestBadSignalsAreNamed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	at := func(off time.Duration) string { return `"` + d.now.Add(off).Format(time.RFC3339Nano) + `"` }
	for name, c := range map[string]struct {
		item, cause string
	}{
		"unknown service":         {d.item("service", `"nobody"`), "service"},
		"service of other region": {d.item("service", `"till"`), "region office"},
		"service of no region":    {d.item("service", `"here"`), "service"},
		"nothing":                 {"null", "service"},
		"no outcome":              {d.item("outcome", `"unknown"`), "outcome"},
		"odd outcome":             {d.item("outcome", `"<b>"`), "outcome"},
		"odd reason":              {d.item("reason", `"<script>"`), "reason"},
		"reason of another":       {d.item("outcome", `"degraded"`), "reason"},
		"down without a reason":   {d.item("reason", `""`), "reason"},
		"status":                  {d.item("http_status", "70000"), "http_status"},
		"status below":            {d.item("http_status", "-2"), "http_status"},
		"up without an answer":    {d.item("outcome", `"up"`, "reason", `""`), "http_status"},
		"negative duration":       {d.item("duration_us", "-1"), "duration_us"},
		"endless duration":        {d.item("duration_us", "9223372036854775807"), "duration_us"},
		"future":                  {d.item("received", at(agent.MaxAhead+time.Second)), "set the agent's clock"},
		"far future":              {d.item("received", `"9999-12-31T23:59:59Z"`), "set the agent's clock"},
		"older than kept":         {d.item("received", at(-24*time.Hour-time.Second)), "set the agent's clock"},
		"ancient":                 {d.item("received", `"0001-01-01T00:00:00Z"`), "set the agent's clock"},
		"invalid UTF-8":           {d.item("service", "\"web\xff\""), "service"},
	} {
		res, body := d.post(officeToken, []byte("["+d.item()+","+c.item+","+d.item()+"]"))
		var a agent.Answer
		if err := json.Unmarshal([]byte(body), &a); err != nil || res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
			continue
		}
		if len(a.Refused) != 1 || a.Refused[0].Index != 1 || !strings.Contains(a.Refused[0].Cause, c.cause) || a.Taken != 0 {
			t.Errorf("%s: %+v, want index 1 for %q", name, a, c.cause)
		}
		if res.Header.Get(agent.TimeHeader) == "" {
			t.Errorf("%s: the server's time is missing", name)
		}
	}
	if d.count() != 0 {
		t.Errorf("%d signals of refused batches are stored", d.count())
	}
	// What lies just within is taken.
	if res, body := d.post(officeToken, []byte("["+d.item("received", at(agent.MaxAhead))+","+d.item("received", at(-24*time.Hour))+"]")); res.StatusCode != http.StatusOK {
		t.Errorf("at the limits: %d %s", res.StatusCode, body)
	}
}

func TestHostileBatches(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	list := func(n int, item string) []byte {
		return []byte("[" + strings.Repeat(item+",", n-1) + item + "]")
	}
	bomb := packed(append([]byte("["+d.item()), append(bytes.Repeat([]byte(" "), 2*agent.MaxText), ']')...))
	if len(bomb) > agent.MaxBody {
		t.Fatalf("the bomb has %d bytes", len(bomb))
	}
	for name, c := range map[string]struct {
		body   []byte
		coding string
		want   int
	}{
		"empty":              {nil, "", 400},
		"no list":            {[]byte(d.item()), "", 400},
		"text":               {[]byte("hello"), "", 400},
		"cut":                {[]byte("[" + d.item()[:20]), "", 400},
		"open":               {[]byte("[" + d.item()), "", 400},
		"more behind":        {[]byte("[" + d.item() + "][]"), "", 400},
		"NaN":                {[]byte("[" + d.item("duration_us", "NaN") + "]"), "", 400},
		"huge number":        {[]byte("[" + d.item("duration_us", "1e999") + "]"), "", 400},
		"fraction":           {[]byte("[" + d.item("http_status", "200.5") + "]"), "", 400},
		"no time":            {[]byte("[" + d.item("received", `"yesterday"`) + "]"), "", 400},
		"year 10000":         {[]byte("[" + d.item("received", `"10000-01-01T00:00:00Z"`) + "]"), "", 400},
		"deep":               {[]byte("[" + d.item("x", strings.Repeat("[", 200_000)+strings.Repeat("]", 200_000)) + "]"), "", 400},
		"deep in a field":    {[]byte("[" + d.item("service", strings.Repeat(`{"a":`, 50_000)+"1"+strings.Repeat("}", 50_000)) + "]"), "", 400},
		"10,001 signals":     {packed(list(10_001, d.item())), "gzip", 413},
		"2,001 signals":      {packed(list(agent.MaxSignals+1, d.item())), "gzip", 413},
		"a crowd of nothing": {packed(list(100_000, "{}")), "gzip", 413},
		"huge":               {bytes.Repeat([]byte("["), agent.MaxBody+1), "", 413},
		"bomb":               {bomb, "gzip", 413},
		"bomb in a text":     {packed([]byte("[" + d.item("error", `"`+strings.Repeat("a", 2*agent.MaxText)+`"`) + "]")), "gzip", 413},
		"no gzip":            {[]byte("[" + d.item() + "]"), "gzip", 400},
		"cut gzip":           {packed([]byte("[" + d.item() + "]"))[:40], "gzip", 400},
		"other coding":       {[]byte("x"), "br", 415},
		"two codings":        {packed(packed([]byte("[]"))), "gzip, gzip", 415},
	} {
		var header []string
		if c.coding != "" {
			header = []string{"Content-Encoding", c.coding}
		}
		res, body := d.post(officeToken, c.body, header...)
		if res.StatusCode != c.want || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d, want %d: %.200s", name, res.StatusCode, c.want, body)
		}
	}
	if d.count() != 0 {
		t.Errorf("%d signals of hostile batches are stored", d.count())
	}
	// Other addresses take no body of an agent's size, not even from one.
	req, _ := http.NewRequest(http.MethodPost, d.url+"/signals", bytes.NewReader(make([]byte, 100<<10)))
	req.Header.Set("Authorization", "Bearer "+officeToken)
	if res, err := d.http.Do(req); err == nil {
		_ = res.Body.Close()
		if res.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("a large body elsewhere: %d", res.StatusCode)
		}
	}
}

func TestTextsOfAgentsAreCleaned(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	long := strings.Repeat("ä", 5000)
	for i, text := range []string{`"line\nbreak\u202e\u0000"`, "\"bad \xff\xfe utf-8\"", `"` + long + `"`} {
		item := d.item("error", text, "received", `"`+d.now.Add(-time.Duration(i)*time.Second).Format(time.RFC3339Nano)+`"`)
		// The last of a key that is there twice counts, and is what was looked at.
		item = `{"service":"till",` + item[1:]
		if res, body := d.post(officeToken, []byte("["+item+"]")); res.StatusCode != http.StatusOK {
			t.Errorf("%d: %d %s", i, res.StatusCode, body)
		}
	}
	for _, s := range d.stored {
		if s.Service != "web" || !utf8.ValidString(s.Error) || len(s.Error) > 1000 || strings.ContainsAny(s.Error, "\n\x00\u202e") {
			t.Errorf("stored %q of %s", s.Error, s.Service)
		}
	}
	if d.count() != 3 {
		t.Errorf("%d stored, want 3", d.count())
	}
}

// TestAgentsChangeWhileRunning holds that a token that is taken away opens nothing any more.
func TestAgentsChangeWhileRunning(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	if err := d.server.server().agents.Set([]agents.Agent{{Region: "depot", Token: sha256.Sum256([]byte(depotToken))}}, nil); err != nil {
		t.Fatal(err)
	}
	if res, _ := d.post(officeToken, []byte("[]")); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a token that was taken away: %d", res.StatusCode)
	}
	if res, body := d.post(depotToken, []byte("[]")); res.StatusCode != http.StatusOK || body != `{"taken":0}` {
		t.Errorf("one that stays: %d %s", res.StatusCode, body)
	}
}
