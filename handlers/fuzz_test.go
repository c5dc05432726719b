package handlers

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net"
	"statuspage/internal/board"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/valyala/fasthttp"
)

// fuzzed is a server without a socket, asked by requests as they stand on the wire.
func fuzzed(f *testing.F) *still {
	f.Helper()
	services := []status.Service{
		{ID: "web", Name: "Website", Group: "Public", URL: "https://web.example", Interval: time.Minute, Timeout: 10 * time.Second},
		{ID: "api", Name: "API", Group: "Public", URL: "https://api.example", HideURL: true, Interval: time.Minute, Timeout: 10 * time.Second},
	}
	b, err := board.New(services, time.UTC)
	if err != nil {
		f.Fatal(err)
	}
	now := time.Now()
	for i := range 5 {
		b.Apply([]status.Signal{
			{Service: "web", Received: now.Add(time.Duration(i-5) * time.Minute), Outcome: status.Up, Available: true, HTTPStatus: 200, Duration: time.Millisecond},
			{Service: "api", Received: now.Add(time.Duration(i-5) * time.Minute), Outcome: status.Down, Reason: status.Timeout, HTTPStatus: status.NoHTTPStatus},
		})
	}
	s, err := New(Options{Board: b, Log: slog.New(slog.DiscardHandler), Page: page.Settings{Title: "Acme"}, MaxViewers: 10, CORS: []string{"http://localhost:3000"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Shutdown() })
	return &still{s.server(), b, time.Now}
}

// loopback is who asks in a fuzzer: nobody that limits hold.
var loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}

// FuzzRequest holds that no path, parameter or header makes an answer of 500, one without its
// headers, one that its parser refuses, or one in which what was asked comes back as tags.
func FuzzRequest(f *testing.F) {
	for _, path := range []string{
		"/?window=24h&lang=de&tz=Asia/Tokyo&q=w&state=down&view=tv", "/services/web?chart=7d&from=2026-01-01&to=2026-01-31&window=1h", "/services/web/2026-01-02T03", "/services/web/2026-01-02T03:04Z?tz=UTC",
		"/history?month=2026-01&service=web", "/outages/web-20260102T030405Z", "/how?lang=ja", "/history.atom", "/services/web/history.rss",
		"/badge/web/status.svg?style=flat-square&label=x&color=ff0000&logo=x&width=3", "/badge/group:public/uptime.json?window=7d", "/badge/page/hours.svg?style=social&labelColor=rgb(1,2,3)", "/badge/web/latency.shields?window=1w",
		"/badges?of=web&style=plastic&kind=uptime&window=90d", "/embed?theme=dark&lang=fr", "/status?service=web&format=json&code=200", "/summary.json", "/card.png", "/sitemap.xml", "/robots.txt",
		"/signals?limit=3&service=web", "/api/v1/endpoints/public_website/statuses?page=1&pageSize=2", "/api/v1/endpoints/public_website/uptimes/7d/badge.svg", "/api/v1/endpoints/public_website/response-times/24h/chart.svg",
		"/api/badge/1/uptime/24?label=x&labelPrefix=y&style=flat", "/api/status-page/x/badge?label=<script>MARK", "/openapi.json", "/metrics", "/static/app.css", "/%3Cscript%3EMARK", "/?q=%22%3E%3Cscript%3EMARK", "/badge/web.svg?label=%3C/text%3E%3Cscript%3EMARK",
		"//x/..%2f..%2fetc/passwd", "/services/%00%ff", "/events?since=x&service=nope", "/favicon.ico", "/brand/x",
	} {
		f.Add(path, "text/html", "gzip, br;q=0", "de-CH, fr;q=0.9", "status.example.com", "tz=UTC; lang=de", `"x"`)
	}
	f.Add("/", "*/*", "zstd;q=1,,,;;=", "x-;q=;,*", "\"><script>MARK", "lang=\"><script>MARK", "*, W/")
	s := fuzzed(f)
	f.Fuzz(func(t *testing.T, address, accept, encoding, language, host, cookie, tag string) {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, loopback, nil)
		h := &ctx.Request.Header
		h.SetRequestURI(address)
		h.SetHost(host)
		h.Set("Accept", accept)
		h.Set("Accept-Encoding", encoding)
		h.Set("Accept-Language", language)
		h.Set("Cookie", cookie)
		h.Set("If-None-Match", tag)
		if path := string(ctx.Path()); path == "/events" || path == "/signals/stream" {
			return // They take the connection over; FuzzLastEventID asks them.
		}
		s.receive(&ctx)
		res := &ctx.Response
		if res.StatusCode() == 500 || res.StatusCode() > 503 {
			t.Fatalf("%q: %d", address, res.StatusCode())
		}
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Referrer-Policy"} {
			if len(res.Header.Peek(name)) == 0 {
				t.Fatalf("%q: no %s", address, name)
			}
		}
		if strings.ContainsAny(strings.TrimSuffix(string(bytes.ReplaceAll(res.Header.Header(), []byte("\r\n"), nil)), "\n"), "\r\n\x00") {
			t.Fatalf("%q: a broken header: %q", address, res.Header.Header())
		}
		body, err := res.BodyUncompressed()
		if err != nil {
			t.Fatalf("%q: %v", address, err)
		}
		if fault := wellFormed(string(res.Header.ContentType()), body, address, host, cookie, language, accept); fault != "" && res.StatusCode() != 304 {
			t.Fatalf("%q, host %q: %s\n%.500q", address, host, fault, body)
		}
	})
}

// wellFormed says what is wrong with a body by its kind.
func wellFormed(kind string, body []byte, asked ...string) string {
	html := strings.HasPrefix(kind, "text/html")
	switch {
	case len(body) == 0 || strings.HasPrefix(kind, "image/png"):
		return ""
	case strings.Contains(kind, "json"):
		if !json.Valid(body) {
			return "not JSON"
		}
	case strings.Contains(kind, "xml"):
		for d := xml.NewDecoder(bytes.NewReader(body)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return "not XML: " + err.Error()
			}
		}
	}
	if !html && !utf8.Valid(body) {
		return "not UTF-8"
	}
	if html || strings.Contains(kind, "xml") {
		if bytes.Contains(body, []byte("<script>MARK")) || bytes.Contains(body, []byte("<MARK")) {
			return "a tag of the reader's"
		}
		for _, text := range asked {
			for _, c := range []string{`<`, `"`} { // From the sign on that would set it free, long enough not to be ours by chance.
				if i := strings.Index(text, c); i >= 0 && len(text)-i > 8 && strings.Contains(text[i:], ">") && bytes.Contains(body, []byte(text[i:])) {
					return "what was asked, as it was: " + text[i:]
				}
			}
		}
	}
	return ""
}
