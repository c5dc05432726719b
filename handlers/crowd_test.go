package handlers

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// visitor is a connection that is none: it says where it comes from, and remembers its end.
type visitor struct {
	net.Conn
	from   netip.Addr
	closed bool
}

func (v *visitor) Close() error         { v.closed = true; return nil }
func (v *visitor) RemoteAddr() net.Addr { return &net.TCPAddr{IP: v.from.AsSlice(), Port: 1} }

func from(address string) *visitor { return &visitor{from: netip.MustParseAddr(address)} }

func newTestCrowd(limit int) *crowd {
	l := newLimits(Limits{Requests: Limit{N: 1}, Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.7/32")}}.filled(), nil)
	return newCrowd(limit, l.counted, func() int { return 0 })
}

// asks lets a visitor ask, and be answered unless it is busy.
func (c *crowd) asks(v *visitor, busy bool) {
	c.serving(v, time.Now())
	if !busy {
		c.follow(v, fasthttp.StateIdle)
	}
}

func TestNewcomersTakeThePlaceOfTheIdlest(t *testing.T) {
	t.Parallel()
	c := newTestCrowd(4)
	silent, idle, busy, stuck := from("198.51.100.1"), from("198.51.100.2"), from("198.51.100.3"), from("198.51.100.4")
	for _, v := range []*visitor{stuck, busy, idle, silent} { // Silence has waited least, and goes first all the same.
		if !c.enter(v) {
			t.Fatal("there is room")
		}
	}
	c.asks(idle, false)
	c.asks(busy, true)
	c.asks(stuck, true)
	c.started = c.started.Add(-2 * stuckAfter) // They asked that long ago.
	c.serving(busy, time.Now())
	for n, next := range []*visitor{silent, idle, stuck} {
		newcomer := from("203.0.113." + strconv.Itoa(n))
		if !c.enter(newcomer) || !next.closed {
			t.Fatalf("newcomer %d does not get the place it should", n)
		}
		c.asks(newcomer, true)
	}
	if c.enter(from("203.0.113.9")) || busy.closed {
		t.Error("a connection whose request is being answered gave way")
	}
	c.follow(silent, fasthttp.StateClosed) // The server hears of it later.
	c.follow(busy, fasthttp.StateClosed)
	if c.len() != 3 || len(c.parties) != 3 {
		t.Errorf("%d connections of %d addresses are counted, want 3 of 3", c.len(), len(c.parties))
	}
}

func TestAnAddressHasAShareOfTheConnections(t *testing.T) {
	t.Parallel()
	const limit = 320
	for name, c := range map[string]struct {
		address func(n int) string
		most    int
	}{
		"an address":           {func(int) string { return "198.51.100.1" }, limit / addressShare},
		"a network of IPv6":    {func(n int) string { return "2001:db8:0:1::" + strconv.Itoa(n%1000+1) }, limit / addressShare},
		"a proxy that we know": {func(int) string { return "10.0.0.7" }, limit},
		"this machine":         {func(int) string { return "127.0.0.1" }, limit},
		"many addresses":       {func(n int) string { return "198.51." + strconv.Itoa(n/250) + "." + strconv.Itoa(n%250+1) }, limit},
	} {
		crowd := newTestCrowd(limit)
		for n := range 2 * limit {
			v := from(c.address(n))
			crowd.enter(v)
			crowd.asks(v, true) // Nothing gives way.
		}
		if got := crowd.len(); got != c.most {
			t.Errorf("%s has %d of %d connections, want %d", name, got, limit, c.most)
		}
	}
}

// TestLastPlacesAreForNewAddresses lets eight addresses take all they can.
func TestLastPlacesAreForNewAddresses(t *testing.T) {
	t.Parallel()
	const limit = 320
	c := newTestCrowd(limit)
	for n := range 2 * limit {
		v := from("198.51.100." + strconv.Itoa(n%8))
		c.enter(v)
		c.asks(v, true)
	}
	if got, want := c.len(), limit-limit/reservedShare; got != want {
		t.Errorf("eight addresses have %d connections, want %d", got, want)
	}
	if !c.enter(from("203.0.113.1")) {
		t.Error("another address finds no place")
	}
}

// TestSilenceKeepsNobodyOut opens as many silent connections as there may be, and as many with half of a header, from one address.
func TestSilenceKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) {
		o.Limits.Connections = 50
		o.Limits.Requests = Limit{N: 5, Everybody: true}
	})
	for range 50 {
		s.dial()
		_, _ = io.WriteString(s.dial(), "GET / HTTP/1.1\r\nHos")
	}
	for _, path := range []string{"/healthz", "/"} {
		res, err := s.askSocket(path)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %v %v", path, res, err)
		}
	}
	if got := s.server.crowd.len(); got > minShare {
		t.Errorf("one address has %d connections of 50, want at most %d", got, minShare)
	}
}

// TestWhoGivesWayLosesNoAnswer asks on connections that are kept, while others come and go.
func TestWhoGivesWayLosesNoAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.Limits.Connections = 4 })
	for range 50 {
		conn := s.dial()
		r := bufio.NewReader(conn)
		for range 3 {
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
			res, err := http.ReadResponse(r, nil)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("%v %v", res, err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
		}
	}
	if got := s.server.crowd.len(); got > 4 {
		t.Errorf("%d connections of 4", got)
	}
}

func TestViewersLeaveConnectionsForThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.MaxViewers, o.Limits.Connections = 1000, 64 })
	refused := 0
	for range 64 {
		conn := s.dial()
		_, _ = io.WriteString(conn, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
		if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != http.StatusOK {
			refused++
		}
	}
	if _, body := s.get("/healthz"); refused == 0 || !strings.Contains(body, "ok") {
		t.Errorf("%d of 64 viewers refused, and the house answers %q", refused, body)
	}
}

// TestSilenceDoesNotDelayTheStop holds that the server doesn't wait for requests that never come.
func TestSilenceDoesNotDelayTheStop(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for range 10 {
		s.dial()
		_, _ = io.WriteString(s.dial(), "GET / HTTP/1.1\r\nHos")
	}
	s.until("all are there", func() bool { return s.server.crowd.len() == 20 })
	begun := time.Now()
	if err := s.server.Shutdown(); err != nil || time.Since(begun) > shutdownWait/2 {
		t.Errorf("stopped after %v: %v", time.Since(begun), err)
	}
}

// BenchmarkConnectionAsks is what knowing who is busy adds to a request.
func BenchmarkConnectionAsks(b *testing.B) {
	c := newTestCrowd(1 << 16)
	var all []net.Conn
	for n := range 4096 {
		all = append(all, from("198.51."+strconv.Itoa(n/200)+"."+strconv.Itoa(n%200)))
		c.enter(all[n])
	}
	at, n := time.Now(), 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		conn := all[n%len(all)]
		c.serving(conn, at)
		c.follow(conn, fasthttp.StateIdle)
	}
}
