package handlers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"statuspage/views"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// hostile are texts that an operator, a variable or a target may bring, whatever the configuration
// refuses. Each has MARK in it, behind what would set it free.
var hostile = map[string]string{
	"script":    `<script>MARK</script>`,
	"attribute": `" onmouseover="MARK" x='MARK`,
	"cdata":     `]]><MARK/>`,
	"comment":   `--><MARK>`,
	"template":  `{{MARK}} ${MARK} <%= MARK %>`,
	"url":       `javascript:MARK`,
	"control":   "a\x00\x01\x08\x1b[2JMARK\x7f",
	"lines":     "a\r\n\r\ndata: MARK\nevent: MARK\nid: MARK",
	"direction": "\u202eMARK\u2066",
	"bytes":     "\xff\xfe MARK \xc3\x28",
	"long":      strings.Repeat("MARK", 2500),
}

func newHostileSite(t *testing.T) (*site, *lines) {
	t.Helper()
	var services []status.Service
	for name, text := range hostile {
		services = append(services, status.Service{ID: name, Name: text, Group: text, URL: "https://x/?" + text, Interval: time.Minute, Timeout: time.Second})
	}
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	var log lines
	s := newSite(t, func(o *Options) {
		o.Board, o.Log = b, slog.New(slog.NewTextHandler(&log, nil))
		o.Page.Title = hostile["script"]
		o.Note = func() views.Note { return views.Note(hostile["script"]) }
		for _, text := range hostile {
			o.Page.Header = append(o.Page.Header, views.Link{Text: text, Href: text})
			o.Page.Footer = append(o.Page.Footer, views.Link{Text: text, Href: text})
			o.Page.Groups = append(o.Page.Groups, status.Group{ID: "g", Name: text, Description: text})
		}
	})
	for name, text := range hostile {
		now := time.Now().Add(-time.Second)
		b.Apply([]status.Signal{{Service: name, Received: now, Outcome: status.Down, Reason: status.Other, HTTPStatus: status.NoHTTPStatus, Error: text}})
	}
	s.eventually("/status", "down")
	return s, &log
}

// TestHostileTexts shows them wherever they are shown.
func TestHostileTexts(t *testing.T) {
	t.Parallel()
	s, log := newHostileSite(t)
	paths := []string{"/", "/?window=90d", "/?q=MARK", "/?view=tv", "/history", "/how", "/badges", "/embed", "/redoc", "/summary.json", "/status", "/status?format=json", "/signals", "/history.atom", "/history.rss", "/history.json", "/badge/page.svg", "/badge/page.json", "/api/v1/endpoints/statuses", "/api/v1/config", "/sitemap.xml", "/robots.txt", "/nope"}
	for name := range hostile {
		for _, p := range []string{"/services/ID", "/services/ID/history.atom", "/services/ID/history.rss", "/badges?of=ID", "/badge/ID.svg", "/badge/ID/hours.svg", "/badge/ID.json", "/badge/ID/status.txt", "/badge/ID.svg?style=social", "/badge/ID.shields", "/services/ID/" + time.Now().UTC().Format("2006-01-02")} {
			paths = append(paths, strings.Replace(p, "ID", name, 1))
		}
	}
	for _, path := range paths {
		res, body := s.get(path, "Accept", "text/html")
		if res.StatusCode >= 500 && !strings.HasPrefix(path, "/status") { // Which tells that something is down.
			t.Errorf("%s: %d", path, res.StatusCode)
		}
		if fault := freed(res.Header.Get("Content-Type"), body); fault != "" {
			t.Errorf("%s: %s", path, fault)
		}
	}
	if out := log.String(); strings.Contains(out, "level=ERROR") || strings.Contains(out, "\nMARK") {
		t.Errorf("the log says:\n%.2000s", out)
	}
}

// freed says how a hostile text got out of its place.
func freed(kind, body string) string {
	lower := strings.ToLower(body)
	html := strings.HasPrefix(kind, "text/html")
	if html || strings.Contains(kind, "xml") {
		for _, bad := range []string{"<script>mark", "<mark", `" onmouseover="mark`, `href="javascript:`, `src="javascript:`} {
			if strings.Contains(lower, bad) {
				at := strings.Index(lower, bad)
				return "has " + body[max(0, at-60):min(len(body), at+60)]
			}
		}
	}
	switch {
	case html:
	case strings.Contains(kind, "xml"):
		for d := xml.NewDecoder(strings.NewReader(body)); ; {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return "not XML: " + err.Error()
			}
		}
	case strings.Contains(kind, "json"):
		if !json.Valid([]byte(body)) || strings.Contains(body, "<script>MARK") {
			return "not JSON, or with tags"
		}
	}
	// Browsers show a stray byte of a page as a mark; parsers of all else refuse the whole.
	if !html && !utf8.ValidString(body) {
		at := 0
		for i, r := range body {
			if r == utf8.RuneError {
				at = i
				break
			}
		}
		return "not UTF-8: " + body[max(0, at-60):min(len(body), at+20)]
	}
	return ""
}

// TestHostileTextsInStreams holds that no text makes an event of its own.
func TestHostileTextsInStreams(t *testing.T) {
	t.Parallel()
	s, _ := newHostileSite(t)
	for _, path := range []string{"/events?since=x", "/events?service=lines&since=x", "/signals/stream"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := s.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		for name := range hostile {
			s.board.Apply([]status.Signal{{Service: name, Received: time.Now(), Outcome: status.Down, Reason: status.Timeout, HTTPStatus: status.NoHTTPStatus, Error: hostile["lines"]}})
		}
		r, seen := bufio.NewReaderSize(res.Body, 1<<20), 0
		for seen < 3 {
			line, err := r.ReadBytes('\n')
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			switch field, value, _ := bytes.Cut(line, []byte(":")); string(field) {
			case "data":
				if fault := freed("text/html", string(value)); fault != "" && path != "/signals/stream" {
					t.Errorf("%s: %s", path, fault)
				}
				if bytes.Contains(value, []byte("MARK")) {
					seen++
				}
			case "id", "event", "retry", "\n":
				if bytes.Contains(value, []byte("MARK")) {
					t.Errorf("%s: a text became the field %q", path, line)
				}
			default:
				t.Errorf("%s: a line of no field: %.60q", path, line)
			}
		}
		_ = res.Body.Close()
	}
}
