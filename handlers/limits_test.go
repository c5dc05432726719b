package handlers

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"statuspage/internal/status"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

func TestAnAddressAsksAtItsRate(t *testing.T) {
	t.Parallel()
	r := newRates(10)
	const second = int64(time.Second)
	for i := range 20 {
		if _, ok := r.take(1, 0); !ok {
			t.Fatalf("request %d of the burst is refused", i)
		}
	}
	wait, ok := r.take(1, 0)
	if ok || wait != 100*time.Millisecond {
		t.Errorf("one above the burst: %v, wait %v; want 100ms", ok, wait)
	}
	if _, ok := r.take(2, 0); !ok {
		t.Error("another address is refused for it")
	}
	if _, ok := r.take(1, second/10); !ok {
		t.Error("what wore off is not given back")
	}
	passed := 0
	for now := second; now < 11*second; now += second / 100 {
		if _, ok := r.take(1, now); ok {
			passed++
		}
	}
	if passed < 100 || passed > 110 {
		t.Errorf("%d requests in ten seconds, want 10 a second and what was left of the burst", passed)
	}
}

// TestRatesForgetTheOldest asks from ever new addresses, and holds that one which goes on
// asking too often is not forgotten for them.
func TestRatesForgetTheOldest(t *testing.T) {
	t.Parallel()
	r := newRates(10)
	refused := 0
	for i := range uint64(500_000) {
		now := int64(i) * 20_000 // Ten seconds in all.
		r.take(i+10, now)
		if i%100 == 0 { // 500 a second.
			if _, ok := r.take(1, now); !ok {
				refused++
			}
		}
	}
	if refused < 4700 || refused > 4900 {
		t.Errorf("%d of 5000 requests refused, want all but some 120", refused)
	}
}

func TestAddressesAreCounted(t *testing.T) {
	t.Parallel()
	key := func(s string) uint64 { return addressKey(netip.MustParseAddr(s).Unmap()) }
	if key("2001:db8::1") != key("2001:db8::ffff:1") || key("2001:db8::1") == key("2001:db8:0:1::1") {
		t.Error("IPv6 is not counted by /64")
	}
	if key("10.0.0.1") == key("10.0.0.2") || key("::ffff:10.0.0.1") != key("10.0.0.1") || key("::1") == 0 || key("0.0.0.0") == 0 {
		t.Error("IPv4 is not counted by address")
	}
}

func TestClientBehindProxies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		peer, forwarded, want string
		named                 bool
	}{
		"direct":                {"198.51.100.1", "", "198.51.100.1", false},
		"direct, made up":       {"198.51.100.1", "203.0.113.9", "198.51.100.1", false},
		"proxy":                 {"10.0.0.7", "203.0.113.9", "203.0.113.9", true},
		"proxy, made up before": {"10.0.0.7", "1.1.1.1, 203.0.113.9", "203.0.113.9", true},
		"two proxies":           {"10.0.0.7", "1.1.1.1,203.0.113.9, 10.0.0.8", "203.0.113.9", true},
		"two headers":           {"10.0.0.7", "1.1.1.1, 203.0.113.9\n10.0.0.8", "203.0.113.9", true},
		"proxies only":          {"10.0.0.7", "10.0.0.9, 10.0.0.8", "10.0.0.9", true},
		"nothing said":          {"10.0.0.7", "", "10.0.0.7", false},
		"rubbish":               {"10.0.0.7", "203.0.113.9, unknown", "10.0.0.7", false},
		"rubbish behind one":    {"10.0.0.7", "<script>, 10.0.0.8", "10.0.0.8", true},
		"with a port":           {"10.0.0.7", "203.0.113.9:4711", "203.0.113.9", true},
		"IPv6 with a port":      {"10.0.0.7", "[2001:db8::9]:4711", "2001:db8::9", true},
		"mapped":                {"::ffff:10.0.0.7", "::ffff:203.0.113.9", "203.0.113.9", true},
		"too many hops":         {"10.0.0.7", "203.0.113.9" + strings.Repeat(",10.0.0.8", maxHops+5), "10.0.0.8", true},
	} {
		l := newLimits(Limits{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/24")}}.filled(), slog.New(slog.DiscardHandler))
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.ParseIP(c.peer), Port: 1}, nil)
		for _, h := range strings.Split(c.forwarded, "\n") {
			if h != "" {
				ctx.Request.Header.Add("X-Forwarded-For", h)
			}
		}
		if who, named := l.client(&ctx); who.String() != c.want || named != c.named {
			t.Errorf("%s: %v, %v; want %s, %v", name, who, named, c.want, c.named)
		}
	}
}

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
		o.Limits = Limits{Requests: Limit{N: 1}, Proxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
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
			o.Limits = Limits{Requests: Limit{1, everybody}}
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
	s := newSite(t, func(o *Options) { o.Limits.Streams = Limit{2, true} })
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
		o.Ready = func() Readiness {
			if asked.Add(1) <= 3 {
				<-answer
			}
			return Readiness{Ready: true}
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

// full is a listener of a machine that has no descriptors left, for a while.
type full struct {
	net.Listener
	left int
}

func (f *full) Accept() (net.Conn, error) {
	if f.left > 0 {
		f.left--
		return nil, &net.OpError{Op: "accept", Net: "tcp", Err: fmt.Errorf("accept4: %w", errNoFiles)}
	}
	return f.Listener.Accept()
}

func BenchmarkAllow(b *testing.B) {
	l := newLimits(Limits{Requests: Limit{N: 1_000_000_000, Everybody: true}}.filled(), slog.New(slog.DiscardHandler))
	proxied := newLimits(Limits{Requests: Limit{N: 1_000_000_000}, Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}.filled(), slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		name      string
		l         *limits
		forwarded string
	}{{"direct", l, ""}, {"proxied", proxied, "203.0.113.9"}} {
		b.Run(c.name, func(b *testing.B) {
			var ctx fasthttp.RequestCtx
			ctx.Init(&fasthttp.Request{}, &net.TCPAddr{IP: net.IPv4(10, 0, 0, 7), Port: 1}, nil)
			for _, h := range []string{"Host", "User-Agent", "Accept", "Accept-Language", "Accept-Encoding", "Sec-Fetch-Mode", "Sec-Fetch-Dest", "If-None-Match"} {
				ctx.Request.Header.Set(h, "something")
			}
			if c.forwarded != "" {
				ctx.Request.Header.Set("X-Forwarded-For", c.forwarded)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := c.l.allow(&ctx); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}

// TestDearAnswersAreRationed lets an address have answers made that take long: others are served, and so is it with what is at hand.
func TestDearAnswersAreRationed(t *testing.T) {
	t.Parallel()
	l := newLimits(Limits{}.filled(), nil)
	const dear, second = uint64(1), int64(time.Second)
	made := 0
	for now := int64(0); now < 20*second; now += second / 5 {
		if _, ok := l.work.free(dear, now); ok {
			made++
			l.work.charge(dear, now, workShare*second/2) // Each takes half a second.
		}
		if _, ok := l.work.free(2, now); !ok {
			t.Fatal("another address is refused for it")
		}
	}
	if made < 20 || made > 24 {
		t.Errorf("%d answers of half a second were made in 20 s, want 20 and what may come at once", made)
	}
	l.worked(3, time.Now().Add(-time.Hour))
	if wait, _ := l.work.use(3, l.clock(time.Now()), 0, 0); wait > dearest*workShare {
		t.Errorf("one answer counts %v, want %v at most", wait, dearest*workShare)
	}
	s := newSite(t, func(o *Options) {
		o.Limits.Requests = Limit{N: 1000, Everybody: true}
	})
	s.get("/")
	spent := s.server.server().limits
	for range 3 {
		spent.work.charge(addressKey(netip.MustParseAddr("127.0.0.1")), spent.clock(time.Now()), 2*second)
	}
	for path, want := range map[string]int{"/": 200, "/healthz": 200, "/readyz": 200, "/history": 429, "/?q=x": 429} {
		if res, _ := s.get(path); res.StatusCode != want {
			t.Errorf("%s for an address that has had its share: %d, want %d", path, res.StatusCode, want)
		}
	}
}

// TestMakingAnswersIsCounted holds that it is the time of the handlers that counts.
func TestMakingAnswersIsCounted(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) {
		o.Limits.Requests = Limit{N: 1000, Everybody: true}
		o.Metrics = func(io.Writer) (string, error) {
			time.Sleep(5 * cheapest)
			return "text/plain", nil
		}
	})
	s.get("/metrics")
	limits := s.server.server().limits
	if owes, _ := limits.work.use(addressKey(netip.MustParseAddr("127.0.0.1")), 0, 0, 0); owes < 5*cheapest {
		t.Errorf("an answer that took five milliseconds counts %v", owes)
	}
}
