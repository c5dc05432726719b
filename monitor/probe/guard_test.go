package probe

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"statuspage/internal/status"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestGuardKnowsWhatIsPublic(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"8.8.8.8": true, "1.1.1.1": true, "172.15.255.255": true, "172.32.0.1": true, "100.63.255.255": true, "100.128.0.1": true, "223.255.255.255": true,
		"2606:4700:4700::1111": true, "2a00:1450:4001::1": true, "::ffff:8.8.8.8": true, "64:ff9b::8.8.8.8": true,

		"0.0.0.0": false, "0.1.2.3": false, "10.0.0.1": false, "100.64.0.1": false, "100.100.100.200": false, "127.0.0.1": false, "127.9.9.9": false,
		"169.254.169.254": false, "168.63.129.16": false, "172.16.0.1": false, "172.31.255.255": false, "192.0.0.192": false, "192.168.1.1": false,
		"198.18.0.1": false, "224.0.0.1": false, "239.255.255.255": false, "240.0.0.1": false, "255.255.255.255": false,
		"::": false, "::1": false, "::127.0.0.1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "::ffff:169.254.169.254": false,
		"fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd00:ec2::254": false, "fec0::1": false, "ff02::1": false,
		"64:ff9b::127.0.0.1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b:1::1": false, "2002:7f00:1::": false, "2002:808:808::1": false,
		"2001::1": false, "2001:db8::1": false, "100::1": false, "3fff::1": false, "4000::1": false,
	} {
		if got := (&Guard{}).Permits(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: permitted %v, want %v", text, got, want)
		}
	}
	if (&Guard{}).Permits(netip.Addr{}) {
		t.Error("no address at all is permitted")
	}
}

func TestGuardLists(t *testing.T) {
	t.Parallel()
	g := &Guard{Allow: prefixes("10.1.0.0/16", "fd00::/8"), Deny: prefixes("10.1.2.0/24", "8.8.8.0/24")}
	for text, want := range map[string]bool{
		"10.1.0.1": true, "::ffff:10.1.0.1": true, "64:ff9b::10.1.0.1": true, "fd00::1": true, "9.9.9.9": true,
		"10.1.2.3": false, "10.2.0.1": false, "8.8.8.8": false, "::ffff:8.8.8.8": false, "64:ff9b::8.8.8.8": false,
	} {
		if got := g.Permits(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: permitted %v, want %v", text, got, want)
		}
	}
}

// refuses holds that a measurement gives no verdict, and that nothing reached the target.
func refuses(t *testing.T, name string, p *Prober, c httpCheck) {
	t.Helper()
	if r := p.asks(t.Context(), c); r.Outcome != status.Unknown || r.Reason != status.None || !errors.Is(r.Err, ErrGuarded) {
		t.Errorf("%s: %v %v (%v), want no verdict by the guard", name, r.Outcome, r.Reason, r.Err)
	}
}

func TestGuardRefusesEveryWayToLoopback(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	web := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	_, port, err := net.SplitHostPort(strings.TrimPrefix(web, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]", "target.example."} {
		for _, scheme := range []string{"http", "https"} {
			for _, keep := range []bool{false, true} {
				p := New(Options{Guard: &Guard{}, Resolver: resolver(t, at("127.0.0.1", "::1"))})
				c := checkOf(scheme + "://" + host + ":" + port)
				c.KeepAlive = keep
				refuses(t, scheme+" "+host, p, c)
			}
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d requests reached the target", n)
	}
}

// TestGuardAgainstRebinding resolves to an address that may be reached first, and to one that
// may not then.
func TestGuardAgainstRebinding(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	web := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	var asked atomic.Int64
	p := New(Options{Guard: &Guard{Allow: prefixes("127.0.0.1/32")}, Resolver: resolver(t, func(_ string, kind dnsmessage.Type, m *dnsmessage.Message) bool {
		if kind == dnsmessage.TypeA && asked.Add(1) > 1 {
			record(m, kind, "127.0.0.2")
			return true
		}
		record(m, kind, "127.0.0.1")
		return true
	})})
	c := checkOf(named(t, web, "target.example."))
	if r := p.asks(t.Context(), c); r.Outcome != status.Up || reached.Load() != 1 {
		t.Fatalf("first: %v %v (%v)", r.Outcome, r.Reason, r.Err)
	}
	refuses(t, "rebound", p, c)
}

func TestGuardLooksAtRedirects(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	inside := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	outside := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, named(t, inside, "127.0.0.2"), http.StatusFound)
	})
	p := New(Options{Guard: &Guard{Allow: prefixes("127.0.0.1/32")}})
	refuses(t, "redirect", p, checkOf(outside))
	c := checkOf(outside)
	if c.FollowRedirects = false; p.asks(t.Context(), c).Outcome != status.Up {
		t.Error("a redirect that is not followed is judged by where it leads")
	}
	if reached.Load() != 0 {
		t.Error("the guarded server was reached")
	}
}

// TestGuardedAddressAmongOthers holds that one which may be reached is enough, and that
// nobody is down by an address that was not tried.
func TestGuardedAddressAmongOthers(t *testing.T) {
	t.Parallel()
	web := serve(t, func(http.ResponseWriter, *http.Request) {})
	guard := &Guard{Allow: prefixes("127.0.0.1/32", "127.0.0.3/32")}
	c := checkOf(named(t, web, "target.example."))
	c.Timeout = time.Second
	if r := New(Options{Guard: guard, Resolver: resolver(t, at("127.0.0.2", "127.0.0.1"))}).asks(t.Context(), c); r.Outcome != status.Up {
		t.Errorf("one of two addresses may be reached: %v (%v), want up", r.Outcome, r.Err)
	}
	refuses(t, "the other is dead", New(Options{Guard: guard, Resolver: resolver(t, at("127.0.0.2", "127.0.0.3"))}), c)
}

// TestNoProxyIsAsked is not parallel, for the sake of the environment.
func TestNoProxyIsAsked(t *testing.T) {
	var asked atomic.Int64
	proxy := raw(t, func(c net.Conn) {
		asked.Add(1)
		answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(c)
	})
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, proxy)
	}
	p := New(Options{Guard: &Guard{}, Resolver: resolver(t, at("127.0.0.2"))})
	for _, scheme := range []string{"http", "https"} {
		refuses(t, scheme, p, checkOf(scheme+"://target.example."))
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d connections to the proxy of the environment", n)
	}
}
