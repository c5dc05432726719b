package gate

import (
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

type visitor struct {
	net.Conn
	from   netip.Addr
	closed bool
}

func (v *visitor) Close() error         { v.closed = true; return nil }
func (v *visitor) RemoteAddr() net.Addr { return &net.TCPAddr{IP: v.from.AsSlice(), Port: 1} }

func from(address string) *visitor { return &visitor{from: netip.MustParseAddr(address)} }

func newTestCrowd(limit int) *Connections {
	l := NewLimiter(Limits{Requests: Limit{N: 1}, Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.7/32")}}.Filled(), nil)
	return NewConnections(limit, l.Counted, func() int { return 0 })
}

func (c *Connections) asks(v *visitor, busy bool) {
	c.Serving(v, time.Now())
	if !busy {
		c.Follow(v, fasthttp.StateIdle)
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
	c.Serving(busy, time.Now())
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
	c.Follow(silent, fasthttp.StateClosed) // The server hears of it later.
	c.Follow(busy, fasthttp.StateClosed)
	if c.Len() != 3 || len(c.parties) != 3 {
		t.Errorf("%d connections of %d addresses are counted, want 3 of 3", c.Len(), len(c.parties))
	}
}

func TestAnAddressHasAShareOfTheConnections(t *testing.T) {
	t.Parallel()
	const limit = 320
	for name, c := range map[string]struct {
		address func(n int) string
		most    int
	}{
		"an address":           {func(int) string { return "198.51.100.1" }, limit / AddressShare},
		"a network of IPv6":    {func(n int) string { return "2001:db8:0:1::" + strconv.Itoa(n%1000+1) }, limit / AddressShare},
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
		if got := crowd.Len(); got != c.most {
			t.Errorf("%s has %d of %d connections, want %d", name, got, limit, c.most)
		}
	}
}

func TestLastPlacesAreForNewAddresses(t *testing.T) {
	t.Parallel()
	const limit = 320
	c := newTestCrowd(limit)
	for n := range 2 * limit {
		v := from("198.51.100." + strconv.Itoa(n%8))
		c.enter(v)
		c.asks(v, true)
	}
	if got, want := c.Len(), limit-limit/ReservedShare; got != want {
		t.Errorf("eight addresses have %d connections, want %d", got, want)
	}
	if !c.enter(from("203.0.113.1")) {
		t.Error("another address finds no place")
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
		c.Serving(conn, at)
		c.Follow(conn, fasthttp.StateIdle)
	}
}
