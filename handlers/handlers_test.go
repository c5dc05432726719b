package handlers

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"statuspage/handlers/gate"
	"statuspage/internal/board"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/static"
	"statuspage/views/badge"
	"strings"
	"testing"
	"time"
)

// site is a server on a real socket with the board behind it.
type site struct {
	t      *testing.T
	board  *board.Board
	url    string
	http   *http.Client
	server *Front
}

// receivedForm is how records tell when they were received.
const receivedForm = "2006-01-02T15:04:05.000000Z"

func newSite(t *testing.T, change func(*Options)) *site {
	t.Helper()
	services := []status.Service{
		{ID: "web", Name: "Website", Group: "Public", URL: "https://web.example", Interval: time.Minute, Timeout: 10 * time.Second},
		{ID: "api", Name: "API <b>", Group: "Public", URL: "https://api.example", HideURL: true, Interval: time.Minute, Timeout: 10 * time.Second},
		{ID: "twin", Name: "Twin", URL: "https://web.example", Interval: time.Minute, Timeout: 10 * time.Second},
	}
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Board: b, Log: slog.New(slog.DiscardHandler), Page: page.Settings{Title: "Acme"}, MaxViewers: 10, CORS: []string{"http://localhost:3000"}}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(ln) }()
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := s.Shutdown(); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return &site{t: t, server: s, board: o.Board, url: "http://" + ln.Addr().String(), http: client}
}

func (s *site) apply(id string, at time.Time, o status.Outcome) {
	sig := status.Signal{Service: id, Received: at, Outcome: o, Available: o.Available(), HTTPStatus: 200, Duration: 12345 * time.Microsecond, Error: "dial 10.1.2.3: secret"}
	if o == status.Down {
		sig.HTTPStatus, sig.Reason = status.NoHTTPStatus, status.Timeout
	}
	s.board.Apply([]status.Signal{sig})
}

func (s *site) do(method, path string, header ...string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res, string(body)
}

func (s *site) get(path string, header ...string) (*http.Response, string) {
	s.t.Helper()
	return s.do(http.MethodGet, path, header...)
}

// eventually polls until the page says what is expected of it.
func (s *site) eventually(path, want string) {
	s.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		_, body := s.get(path)
		if strings.Contains(body, want) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s never says %q:\n%s", path, want, body)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestPageShowsWhatTheBoardKnows(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.eventually("/", "No data")
	s.apply("web", time.Now(), status.Down)
	s.eventually("/", "Down: timeout")
	_, body := s.get("/")
	for _, secret := range []string{"10.1.2.3", "https://api.example"} {
		if strings.Contains(body, secret) {
			t.Errorf("the page tells %q", secret)
		}
	}
	if !strings.Contains(body, "API &lt;b&gt;") {
		t.Error("a hostile name is missing or not escaped")
	}
}

func TestConditionalAndCompressedPage(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	plain, body := s.get("/")
	packed, raw := s.get("/", "Accept-Encoding", "br;q=0, gzip;q=0.8")
	if packed.Header.Get("Content-Encoding") != "gzip" || plain.Header.Get("Content-Encoding") != "" {
		t.Fatal("gzip must be sent to those who accept it, and to no one else")
	}
	z, err := gzip.NewReader(strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, _ := io.ReadAll(z); string(unpacked) != body {
		t.Error("the compressed page differs")
	}
	if plain.Header.Get("ETag") == packed.Header.Get("ETag") {
		t.Error("one strong entity tag for two encodings")
	}
	for _, tag := range []string{plain.Header.Get("ETag"), packed.Header.Get("ETag"), `"x", W/` + plain.Header.Get("ETag")} {
		if res, _ := s.get("/", "If-None-Match", tag); res.StatusCode != http.StatusNotModified {
			t.Errorf("If-None-Match: %s gives %d, want 304", tag, res.StatusCode)
		}
	}
	if res, _ := s.get("/", "Accept-Encoding", "gzip;q=0"); res.Header.Get("Content-Encoding") != "" {
		t.Error("gzip was sent to a reader that refuses it")
	}
}

// events opens a stream and hands out its events, each as one block of lines.
func (s *site) events(path string, header ...string) <-chan string {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := s.http.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	if kind := res.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		s.t.Fatalf("%s is %d, %s", path, res.StatusCode, kind)
	}
	events := make(chan string, 100)
	go func() {
		defer close(events)
		defer res.Body.Close()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		var block strings.Builder
		for lines.Scan() {
			if lines.Text() == "" {
				events <- block.String()
				block.Reset()
				continue
			}
			block.WriteString(lines.Text() + "\n")
		}
	}()
	s.t.Cleanup(cancel)
	return events
}

func next(t *testing.T, events <-chan string, want string) string {
	t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended before %q came", want)
			}
			if strings.Contains(e, want) {
				return e
			}
		case <-deadline:
			t.Fatalf("no event with %q", want)
		}
	}
}

var idLine = regexp.MustCompile(`(?m)^id: (.+)$`)

func TestStreamSendsTheChangedRowAndResumesWithoutAGap(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	_, page := s.get("/")
	since := regexp.MustCompile(`/events\?window=1h&amp;lang=en&amp;tz=UTC&amp;since=([A-Za-z0-9._-]+)`).FindStringSubmatch(page)
	if since == nil {
		t.Fatal("the page names no stream")
	}
	s.apply("twin", time.Now().Add(-time.Second), status.Up) // Between page and stream.
	events := s.events("/events?since=" + since[1])
	next(t, events, `hx-target="#s-twin"`)
	s.apply("web", time.Now(), status.Up)
	e := next(t, events, `hx-target="#s-web"`)
	if strings.Contains(e, `hx-target="#s-api"`) {
		t.Error("a frame repeats a row that has not changed")
	}
	if !strings.Contains(e, `hx-target="#banner"`) {
		t.Error("the banner does not move with the state")
	}
	id := idLine.FindStringSubmatch(e)
	if id == nil {
		t.Fatalf("no id in %s", e)
	}
	s.apply("api", time.Now(), status.Down)
	e = next(t, s.events("/events", "Last-Event-ID", id[1]), `hx-target="#s-api"`)
	if strings.Contains(e, `hx-target="#s-web"`) {
		t.Error("resuming repeats what the viewer has seen")
	}
	all := next(t, s.events("/events", "Last-Event-ID", "other-77"), `hx-target="#s-web"`)
	if !strings.Contains(all, `hx-target="#s-api"`) || !strings.Contains(all, `hx-target="#s-twin"`) {
		t.Error("an id of another process must bring every row")
	}
}

func TestServicePageIsLive(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	_, page := s.get("/services/web")
	if !strings.Contains(page, "/badges?of=web") || !strings.Contains(page, "Nothing measured.") {
		t.Error("the page of a service lacks its badge or its signals")
	}
	events := s.events("/events?service=web")
	next(t, events, "beat")
	s.apply("web", time.Now(), status.Down)
	e := next(t, events, "timeout")
	if !strings.Contains(e, `hx-target="#s-web"`) || !strings.Contains(e, `hx-target="#detail"`) {
		t.Errorf("the stream of a service lacks its row or its newest signal:\n%s", e)
	}
}

func TestSignals(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	at := time.Now().Add(-time.Hour).UTC().Truncate(time.Microsecond)
	for i := range 5 {
		s.apply("web", at.Add(time.Duration(2*i)*time.Minute), status.Up)
		s.apply("twin", at.Add(time.Duration(2*i+1)*time.Minute), status.Up)
	}
	s.apply("api", at, status.Down)
	res, body := s.get("/signals?limit=4")
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	var wire []struct {
		URL     string           `json:"url"`
		Records []map[string]any `json:"records"`
	}
	if err := json.Unmarshal([]byte(body), &wire); err != nil {
		t.Fatal(err)
	}
	if len(wire) != 2 || wire[0].URL != "https://web.example" || wire[1].URL != "API <b>" {
		t.Fatalf("groups = %s", body)
	}
	if len(wire[0].Records) != 4 {
		t.Fatalf("%d records of a URL that two services share, want 4", len(wire[0].Records))
	}
	last := ""
	for _, r := range wire[0].Records {
		received, _ := r["received"].(string)
		if received <= last {
			t.Errorf("records are not oldest first: %s after %s", received, last)
		}
		last = received
	}
	if want := at.Add(9 * time.Minute).Format(receivedForm); last != want {
		t.Errorf("newest record %s, want %s", last, want)
	}
	down := wire[1].Records[0]
	if down["http_status"] != -1.0 || down["available"] != false || down["outcome"] != "down" || down["reason"] != "timeout" || down["duration_ms"] != 12.345 || down["url"] != "API <b>" {
		t.Errorf("record = %v", down)
	}
	if strings.Contains(body, "api.example") || strings.Contains(body, "10.1.2.3") {
		t.Error("a hidden address or the text of an error is told")
	}
	if _, only := s.get("/signals?service=api"); strings.Contains(only, "web.example") {
		t.Error("service= does not filter")
	}
	if res, _ := s.get("/signals?limit=4", "If-None-Match", res.Header.Get("ETag")); res.StatusCode != http.StatusNotModified {
		t.Errorf("conditional request = %d, want 304", res.StatusCode)
	}
}

func TestSignalsBeforeTheFirstOne(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	res, body := s.get("/signals")
	if want := `[{"url":"https://web.example","records":[]},{"url":"API \u003cb\u003e","records":[]}]`; res.StatusCode != http.StatusOK || body != want {
		t.Errorf("%d %s, want %s", res.StatusCode, body, want)
	}
}

func TestSignalsRefusesBadParameters(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, query := range []string{"limit=0", "limit=1441", "limit=-1", "limit=x", "limit=", "limit=1e3", "service=nope", "service=", "limit=99999999999999999999"} {
		res, body := s.get("/signals?" + query)
		if res.StatusCode != http.StatusUnprocessableEntity || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s, want 422 application/problem+json", query, res.StatusCode, res.Header.Get("Content-Type"))
		}
		if strings.Contains(body, "nope") {
			t.Errorf("%s: the value is reflected: %s", query, body)
		}
	}
}

func TestSignalStreamResumes(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	events := s.events("/signals/stream")
	next(t, events, "beat")
	s.apply("web", time.Now(), status.Up)
	e := next(t, events, `"service":"web"`)
	if !strings.Contains(e, "event: signal\n") {
		t.Errorf("event = %s", e)
	}
	id := idLine.FindStringSubmatch(e)[1]
	s.apply("api", time.Now(), status.Up)
	next(t, events, `"service":"api"`)
	resumed := s.events("/signals/stream", "Last-Event-ID", id)
	if e := next(t, resumed, "event: signal"); !strings.Contains(e, `"service":"api"`) {
		t.Errorf("resumed with %s, want api's signal first", e)
	}
	_, micros, _ := strings.Cut(strings.TrimPrefix(id, strings.SplitN(id, "-", 2)[0]+"-"), "-")
	next(t, s.events("/signals/stream", "Last-Event-ID", "0ther-5-"+micros), `"service":"web"`)
}

func TestFullHouse(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.MaxViewers = 1 })
	next(t, s.events("/events"), "beat")
	res, _ := s.get("/signals/stream")
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("second viewer got %d, Retry-After %q; want 503 with one", res.StatusCode, res.Header.Get("Retry-After"))
	}
	if res, _ := s.get("/"); res.StatusCode != http.StatusOK {
		t.Errorf("the page of a full house = %d, want 200", res.StatusCode)
	}
}

func TestBadges(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.apply("web", time.Now(), status.Up)
	for path, want := range map[string]struct {
		code int
		text string
	}{
		"/badge/web.svg":                    {200, ">up<"},
		"/badge/web.json":                   {200, `"message":"up"`},
		"/badge/web/uptime.svg":             {200, "100%"},
		"/badge/web/uptime.json?window=7d":  {200, `"label":"uptime 7d"`},
		"/badge/page.svg":                   {200, "no data"},
		"/badge/page/uptime.svg?window=90d": {200, "uptime 90d"},
		"/badge/nope.svg":                   {200, "unknown service"},
		"/badge/nope.json":                  {404, `"isError":true`},
		"/badge/web/uptime.svg?window=200d": {200, "window: 1h"},
		"/badge/%3Cscript%3E.svg":           {200, "unknown service"},
	} {
		res, body := s.get(path)
		if res.StatusCode != want.code || !strings.Contains(body, want.text) {
			t.Errorf("%s: %d %s, want %d with %q", path, res.StatusCode, body, want.code, want.text)
		}
		kind := "image/svg+xml; charset=utf-8"
		if strings.Contains(path, ".json") {
			kind = "application/json"
		}
		if got := res.Header.Get("Content-Type"); got != kind {
			t.Errorf("%s is %s, want %s", path, got, kind)
		}
		right := !strings.Contains(want.text, "unknown") && !strings.Contains(want.text, "window: ") && !strings.Contains(want.text, `"isError":true`)
		if caching := res.Header.Get("Cache-Control"); right && caching != badge.Caching || !right && caching != "no-store" || res.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s can't be embedded well: %v", path, res.Header)
		}
		if want.code == 200 {
			if res, _ := s.get(path, "If-None-Match", res.Header.Get("ETag")); res.StatusCode != http.StatusNotModified {
				t.Errorf("%s conditional: %d, want 304", path, res.StatusCode)
			}
		}
	}
}

func TestErrorsComeInTheRightForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	const hostile = "/%3Cscript%3Ealert(1)%3C/script%3E"
	for _, c := range []struct {
		method, path, accept string
		code                 int
		kind                 string
	}{
		{"GET", hostile, "text/html", 404, "text/html; charset=utf-8"},
		{"GET", "/services/nope", "text/html", 404, "text/html; charset=utf-8"},
		{"GET", hostile, "*/*", 404, "application/problem+json"},
		{"POST", "/", "text/html", 405, "text/html; charset=utf-8"},
		{"DELETE", "/signals", "text/html", 405, "application/problem+json"},
		{"GET", "/signals/x", "text/html", 404, "application/problem+json"},
		{"GET", "/static/nope.css", "*/*", 404, "application/problem+json"},
		{"GET", "/static/../server.go", "*/*", 404, "application/problem+json"},
		{"GET", "/events?service=nope", "*/*", 404, "application/problem+json"},
		{"HEAD", "/events", "*/*", 405, "application/problem+json"},
	} {
		res, body := s.do(c.method, c.path, "Accept", c.accept)
		if res.StatusCode != c.code || res.Header.Get("Content-Type") != c.kind {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, res.StatusCode, res.Header.Get("Content-Type"), c.code, c.kind)
		}
		if strings.Contains(body, "alert(1)") {
			t.Errorf("%s %s is reflected", c.method, c.path)
		}
	}
}

func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for name, c := range map[string]struct{ raw, want string }{
		"two lengths":   {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", "HTTP/1.1 400"},
		"no host":       {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400"},
		"not HTTP":      {"\x16\x03\x01\x02\x00\r\n\r\n", "HTTP/1.1 400"},
		"large header":  {"GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", gate.MaxHeader) + "\r\n\r\n", "HTTP/1.1 431"},
		"large body":    {fmt.Sprintf("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", maxBody+1), "HTTP/1.1 413"},
		"hostile host":  {"GET / HTTP/1.1\r\nHost: \"><script>\r\nConnection: close\r\n\r\n", "HTTP/1.1 "},
		"hostile query": {"GET /signals?limit=%00%ff%3Cscript%3E HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 422"},
	} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
		_, _ = io.WriteString(conn, c.raw)
		answer, _ := bufio.NewReader(conn).ReadString('\n')
		_ = conn.Close()
		if !strings.HasPrefix(answer, c.want) || strings.HasPrefix(answer, "HTTP/1.1 5") {
			t.Errorf("%s: %q, want %s", name, answer, c.want)
		}
	}
}

func TestStaticFilesAreImmutable(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	res, body := s.get(static.Path("app.js"))
	if res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") || !strings.Contains(body, "htmx:sse") {
		t.Errorf("%d, %s", res.StatusCode, res.Header.Get("Cache-Control"))
	}
}
