package handlers

import (
	"net/http"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestKeptAnswersAreThoseThatWereMade asks everything twice: the second answer comes from
// the head and the bytes that were kept of the first.
func TestKeptAnswersAreThoseThatWereMade(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newSite(t, func(o *Options) { o.Now = func() time.Time { return now } }) // Else a page may change by time between two answers.
	s.apply("web", now.Add(-time.Second), status.Up)
	s.eventually("/badge/web/status.svg", "up")
	for _, path := range []string{"/", "/badge/web/status.svg", "/badge/web/uptime.svg?window=1h", "/signals?limit=60"} {
		for _, header := range [][]string{
			nil,
			{"Accept-Encoding", "gzip"},
			{"Accept-Encoding", "br"},
			{"Accept-Encoding", "zstd"},
			{"Accept-Language", "de"},
			{"Cookie", "lang=fr"},
			{"Origin", "http://localhost:3000"},
			{"Origin", "http://evil.example"},
		} {
			first, body := s.get(path, header...)
			again, same := s.get(path, header...)
			first.Header.Del("Date")
			again.Header.Del("Date")
			if diff := cmp.Diff(first.Header, again.Header); diff != "" || body != same || first.StatusCode != again.StatusCode {
				t.Errorf("%s with %q: the second answer differs, %d bytes after %d: %s", path, header, len(same), len(body), diff)
			}
			if again.Header.Get("Content-Security-Policy") == "" || again.Header.Get("Vary") == "" {
				t.Errorf("%s with %q lacks headers: %v", path, header, again.Header)
			}
			tag := again.Header.Get("ETag")
			unchanged, none := s.get(path, append([]string{"If-None-Match", tag}, header...)...)
			if unchanged.StatusCode != http.StatusNotModified || none != "" || unchanged.Header.Get("ETag") != tag || unchanged.Header.Get("Content-Encoding") != "" {
				t.Errorf("%s with %q and its tag: %d, %v", path, header, unchanged.StatusCode, unchanged.Header)
			}
		}
	}
	if _, body := s.get("/", "Accept-Language", "de"); !strings.Contains(body, `lang="de"`) {
		t.Error("another language was sent than the browser asked for")
	}
	s.apply("web", now, status.Down)
	s.eventually("/badge/web/status.svg", "down")
	s.eventually("/", "1 of 3 services is down")
}
