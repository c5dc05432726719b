package handlers

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"statuspage/handlers/gate"
	"statuspage/handlers/ops"
	"statuspage/internal/status"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestRatesForgetTheOldest asks from ever new addresses, and holds that one which goes on
// asking too often is not forgotten for them.
// lines collects the log.
type lines struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	var log lines
	s := newSite(t, func(o *Options) {
		o.Limits = gate.Limits{Requests: gate.Limit{N: 1}, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	ask := func(path, from, accept string) *http.Response {
		res, _ := s.get(path, "X-Forwarded-For", from, "Accept", accept)
		return res
	}
	for range 2 {
		if res := ask("/", "203.0.113.9", "*/*"); res.StatusCode != http.StatusOK {
			t.Fatalf("within the limit: %d", res.StatusCode)
		}
	}
	for accept, kind := range map[string]string{"*/*": "application/problem+json", "text/html": "text/html; charset=utf-8"} {
		res := ask("/", "203.0.113.9", accept)
		if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Content-Type") != kind || res.Header.Get("Retry-After") != "1" || res.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("above the limit: %d %v", res.StatusCode, res.Header)
		}
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if res := ask(path, "203.0.113.9", "*/*"); res.StatusCode != http.StatusOK {
			t.Errorf("%s above the limit: %d", path, res.StatusCode)
		}
	}
	if res := ask("/", "203.0.113.10", "*/*"); res.StatusCode != http.StatusOK {
		t.Errorf("another address: %d", res.StatusCode)
	}
	for range 5 {
		if res, _ := s.get("/"); res.StatusCode != http.StatusOK {
			t.Errorf("the proxy itself, on loopback, with a default: %d", res.StatusCode)
		}
	}
	if strings.Contains(log.String(), "level=ERROR") || strings.Contains(log.String(), "trusted") {
		t.Errorf("the log says:\n%s", log.String())
	}
}

func TestLimitsOnLoopback(t *testing.T) {
	t.Parallel()
	for _, everybody := range []bool{false, true} {
		var log lines
		s := newSite(t, func(o *Options) {
			o.Limits = gate.Limits{Requests: gate.Limit{N: 1, Everybody: everybody}}
			o.Log = slog.New(slog.NewTextHandler(&log, nil))
		})
		refused := false
		for range 5 {
			res, _ := s.get("/", "X-Forwarded-For", "203.0.113.9")
			refused = refused || res.StatusCode == http.StatusTooManyRequests
		}
		if refused != everybody {
			t.Errorf("written by the operator: %v, refused on loopback: %v", everybody, refused)
		}
		if n := strings.Count(log.String(), "set trusted_proxies"); n != 1 {
			t.Errorf("an unknown proxy is told of %d times, want once:\n%s", n, log.String())
		}
	}
}

func TestStreamsOfOneAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.Limits.Streams = gate.Limit{N: 2, Everybody: true} })
	s.events("/events")
	s.events("/signals/stream")
	res, _ := s.get("/events")
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Errorf("a third stream: %d %v", res.StatusCode, res.Header)
	}
}

// TestFullHouseKeepsThePage holds that who finds no live place still gets the page, which asks
// again by itself.
func TestFullHouseKeepsThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.MaxViewers = 1 })
	s.events("/events")
	res, _ := s.get("/events")
	if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		t.Errorf("a stream in a full house: %d %v", res.StatusCode, res.Header)
	}
	res, body := s.get("/")
	if res.StatusCode != http.StatusOK || !strings.Contains(body, `http-equiv="refresh"`) {
		t.Errorf("the page in a full house: %d", res.StatusCode)
	}
}

// TestPlaceIsGivenBack lets clients go at the moment when their stream begins.
func TestPlaceIsGivenBack(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for range 50 {
		conn := s.dial()
		_, _ = io.WriteString(conn, "GET /services/web HTTP/1.1\r\nHost: x\r\n\r\nGET /events HTTP/1.1\r\nHost: x\r\n\r\n")
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}
	s.apply("web", time.Now(), status.Up)
	s.until("all places are free", func() bool {
		s.apply("web", time.Now(), status.Up)
		return s.server.Streams().Viewers() == 0
	})
}

func (s *site) until(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("not within ten seconds: %s", what)
		}
	}
}

func (s *site) dial() net.Conn {
	s.t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestHouseFullOfConnections fills the house with requests that are being answered, so that nobody can give way.
func TestHouseFullOfConnections(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	answer := make(chan struct{})
	s := newSite(t, func(o *Options) {
		o.Limits.Connections = 3
		o.Ready = func() ops.Readiness {
			if asked.Add(1) <= 3 {
				<-answer
			}
			return ops.Readiness{Ready: true}
		}
	})
	for range 3 {
		_, _ = io.WriteString(s.dial(), "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
	}
	s.until("all are being answered", func() bool { return asked.Load() == 3 })
	res, err := s.askSocket("/")
	if err != nil {
		t.Fatal(err)
	}
	full, err := io.ReadAll(res.Body)
	body := string(full)
	if err != nil || res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "10" || !strings.Contains(body, `http-equiv="refresh"`) || !strings.HasSuffix(body, "</html>\n") {
		t.Errorf("a full house answers %d %v %q", res.StatusCode, res.Header, body)
	}
	close(answer)
	s.until("there is room again", func() bool {
		res, err := s.askSocket("/healthz")
		return err == nil && res.StatusCode == http.StatusOK
	})
}

// askSocket asks on a connection of its own. A full house may answer before the question, which
// net/http's client would refuse.
func (s *site) askSocket(path string) (*http.Response, error) {
	conn := s.dial()
	_, _ = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
	return http.ReadResponse(bufio.NewReader(conn), nil)
}

// TestDearAnswersAreRationed lets an address have answers made that take long: others are served, and so is it with what is at hand.
func TestDearAnswersAreRationed(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) {
		o.Limits.Requests = gate.Limit{N: 1000, Everybody: true}
	})
	s.get("/")
	spent := s.server.server().limits
	for range 3 { // Each counts a second, of which half a processor gives two.
		spent.Worked(gate.AddressKey(netip.MustParseAddr("127.0.0.1")), time.Now().Add(-time.Hour))
	}
	for path, want := range map[string]int{"/": 200, "/healthz": 200, "/readyz": 200, "/x/../healthz": 429, "/history": 429, "/?q=x": 429} {
		if res, _ := s.get(path); res.StatusCode != want {
			t.Errorf("%s for an address that has had its share: %d, want %d", path, res.StatusCode, want)
		}
	}
}
