package handlers

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"statuspage/handlers/gate"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"strings"
	"testing"
	"time"
)

// oddLooks are addresses of streams in looks that are not the usual ones.
func oddLooks(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("/events?window=%s&tz=%s", []string{"1h", "24h", "90d"}[i%3], url.QueryEscape(fmt.Sprintf("Etc/GMT%+d", 1+i/3%12))))
	}
	return all
}

// TestLooksAreSharedOut lets an address watch as many looks as it can, and holds that all others are live for others.
func TestLooksAreSharedOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) {
		o.MaxViewers = 1000
		o.Limits.Streams = gate.Limit{N: 100, Everybody: true}
		o.Limits.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	taken, refused := 0, 0
	for _, path := range oddLooks(36) {
		switch res := s.watch(path, "X-Forwarded-For", "203.0.113.1"); res.StatusCode {
		case http.StatusOK:
			taken++
		case http.StatusTooManyRequests:
			refused++
		default:
			t.Fatalf("%s: %d", path, res.StatusCode)
		}
	}
	if share := s.server.server().live.MaxRare() / gate.AddressShare; taken != share || refused != 36-share {
		t.Errorf("one address watches %d looks, want %d", taken, share)
	}
	if res := s.watch(oddLooks(1)[0], "X-Forwarded-For", "203.0.113.1"); res.StatusCode != http.StatusOK {
		t.Errorf("one more viewer of a look that it watches: %d", res.StatusCode)
	}
	for _, path := range []string{"/?lang=es&window=24h", "/", "/?tz=Asia/Tokyo&window=90d"} {
		_, page := s.get(path, "X-Forwarded-For", "203.0.113.2")
		if !strings.Contains(page, "/events?") {
			t.Errorf("%s is not live for another address", path)
		}
	}
}

// TestUsualLooksAreAlwaysLive lets ever other addresses watch all looks there may be.
func TestUsualLooksAreAlwaysLive(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) {
		o.MaxViewers = 1000
		o.Limits.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	full := 0
	for n := range 72 {
		path := oddLooks(36)[n%36] + "&lang=" + []string{"en", "de"}[n/36]
		if res := s.watch(path, "X-Forwarded-For", fmt.Sprintf("203.0.113.%d", n)); res.StatusCode == http.StatusServiceUnavailable {
			full++
		}
	}
	if full != 72-s.server.server().live.MaxRare() {
		t.Errorf("%d of 72 looks are refused, want %d", full, 72-s.server.server().live.MaxRare())
	}
	for _, l := range lang.All() {
		if _, page := s.get("/?lang=" + l.Code); !strings.Contains(page, "/events?") {
			t.Errorf("the page in %s is not live", l.Code)
		}
		if res := s.watch("/events?lang=" + l.Code); res.StatusCode != http.StatusOK {
			t.Errorf("the stream in %s: %d", l.Code, res.StatusCode)
		}
	}
	if _, page := s.get("/?tz=Asia/Tokyo"); strings.Contains(page, "/events?") {
		t.Error("a look without a place promises to be live")
	}
}

// TestPagesOfServicesAreSharedOut is the same of services' own pages.
func TestPagesOfServicesAreSharedOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) {
		o.MaxViewers = 1000
		o.Limits.Streams = gate.Limit{N: 500, Everybody: true}
	})
	taken, refused := 0, 0
	for _, path := range oddLooks(36) {
		for _, id := range []string{"web", "api"} {
			if res := s.watch(path + "&service=" + id); res.StatusCode == http.StatusOK {
				taken++
			} else {
				refused++
			}
		}
	}
	if share := 512 / gate.AddressShare; taken != share || refused != 72-share {
		t.Errorf("one address watches %d pages of services, want %d", taken, share)
	}
}

// TestPlacesComeBack holds that who has left can come again.
func TestPlacesComeBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.Limits.Streams = gate.Limit{N: 100, Everybody: true} })
	for range 2 {
		var open []*http.Response
		for _, path := range oddLooks(s.server.server().live.MaxRare() / gate.AddressShare) {
			res := s.watch(path)
			if open = append(open, res); res.StatusCode != http.StatusOK {
				t.Fatalf("%s: %d", path, res.StatusCode)
			}
		}
		for _, res := range open {
			_ = res.Body.Close()
		}
		s.until("all have left", func() bool {
			s.apply("web", time.Now(), status.Up) // Who has gone is noticed when something is sent.
			return s.server.Streams().Viewers() == 0
		})
	}
}

// watch opens a stream and leaves it open.
func (s *site) watch(path string, header ...string) *http.Response {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.url+path, nil)
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
	s.t.Cleanup(func() { _ = res.Body.Close() })
	return res
}
