package probe

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"statuspage/internal/status"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// reply fills in the answer to a question; it returns false to say nothing at all.
type reply func(name string, kind dnsmessage.Type, answer *dnsmessage.Message) bool

// resolver asks a name server of our own on a loopback socket, and no other.
func resolver(t *testing.T, r reply) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		buffer := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			if !r(m.Questions[0].Name.String(), m.Questions[0].Type, &m) {
				continue
			}
			if packed, err := m.Pack(); err == nil {
				_, _ = server.WriteTo(packed, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// record adds an address to an answer, if it is of the kind asked for.
func record(m *dnsmessage.Message, kind dnsmessage.Type, address string) {
	a := netip.MustParseAddr(address)
	header := dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: kind, Class: dnsmessage.ClassINET, TTL: 0}
	switch {
	case a.Is4() && kind == dnsmessage.TypeA:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: a.As4()}})
	case a.Is6() && kind == dnsmessage.TypeAAAA:
		m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
	}
}

func at(addresses ...string) reply {
	return func(_ string, kind dnsmessage.Type, m *dnsmessage.Message) bool {
		for _, a := range addresses {
			record(m, kind, a)
		}
		return true
	}
}

// named is the address of a server with a name in the place of its IP.
func named(t testing.TB, address, name string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = net.JoinHostPort(name, u.Port())
	return u.String()
}

func TestHostileNameServers(t *testing.T) {
	t.Parallel()
	web := serve(t, func(http.ResponseWriter, *http.Request) {})
	code := func(c dnsmessage.RCode) reply {
		return func(_ string, _ dnsmessage.Type, m *dnsmessage.Message) bool {
			m.RCode = c
			return true
		}
	}
	for name, c := range map[string]struct {
		reply reply
		want  status.Reason
	}{
		"right":    {at("127.0.0.1"), status.None},
		"NXDOMAIN": {code(dnsmessage.RCodeNameError), status.DNS},
		"SERVFAIL": {code(dnsmessage.RCodeServerFailure), status.DNS},
		"REFUSED":  {code(dnsmessage.RCodeRefused), status.DNS},
		"nothing":  {at(), status.DNS},
		"silence":  {func(string, dnsmessage.Type, *dnsmessage.Message) bool { return false }, status.Timeout},
		"slow but in time": {func(_ string, kind dnsmessage.Type, m *dnsmessage.Message) bool {
			<-time.After(50 * time.Millisecond)
			record(m, kind, "127.0.0.1")
			return true
		}, status.None},
		"too slow": {func(_ string, kind dnsmessage.Type, m *dnsmessage.Message) bool {
			<-time.After(hostileTimeout)
			record(m, kind, "127.0.0.1")
			return true
		}, status.Timeout},
		"another question": {func(_ string, kind dnsmessage.Type, m *dnsmessage.Message) bool {
			m.Questions[0].Name = dnsmessage.MustNewName("other.example.")
			record(m, kind, "127.0.0.1")
			return true
		}, status.Timeout},
		"another id": {func(_ string, kind dnsmessage.Type, m *dnsmessage.Message) bool {
			m.ID++
			record(m, kind, "127.0.0.1")
			return true
		}, status.Timeout},
		"a circle of names": {func(name string, _ dnsmessage.Type, m *dnsmessage.Message) bool {
			self := dnsmessage.MustNewName(name)
			m.Answers = append(m.Answers, dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: self, Type: dnsmessage.TypeCNAME, Class: dnsmessage.ClassINET}, Body: &dnsmessage.CNAMEResource{CNAME: self},
			})
			return true
		}, status.DNS},
		"unspecified address": {at("127.0.0.2"), status.ConnectionRefused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(Options{Resolver: resolver(t, c.reply)})
			hostile{reasons: []status.Reason{c.want}, hangs: c.want == status.Timeout}.hit(t, name, p, named(t, web, "target.example."), new(atomic.Int64))
		})
	}
}

// TestNameThatMoves resolves to another server each time: each measurement sees the one of
// its own time.
func TestNameThatMoves(t *testing.T) {
	t.Parallel()
	web := serve(t, func(http.ResponseWriter, *http.Request) {})
	var asked atomic.Int64
	p := New(Options{Resolver: resolver(t, func(_ string, kind dnsmessage.Type, m *dnsmessage.Message) bool {
		if kind == dnsmessage.TypeA && asked.Add(1)%2 == 0 {
			record(m, kind, "127.0.0.2") // Where nobody listens.
		} else {
			record(m, kind, "127.0.0.1")
		}
		return true
	})})
	c := checkOf(named(t, web, "target.example."))
	for i := range 6 {
		want := []status.Reason{status.None, status.ConnectionRefused}[i%2]
		if r := p.asks(t.Context(), c); r.Reason != want {
			t.Errorf("measurement %d: %v (%v), want %v", i, r.Reason, r.Err, want)
		}
	}
}

// TestHappyEyeballs holds that a server which answers over IPv4 is up, whatever its IPv6.
func TestHappyEyeballs(t *testing.T) {
	t.Parallel()
	web := serve(t, func(http.ResponseWriter, *http.Request) {})
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		c := checkOf(named(t, web, "target.example."))
		c.Timeout = time.Second
		if r := New(Options{Resolver: resolver(t, at("::1", "127.0.0.1"))}).asks(t.Context(), c); r.Outcome != status.Up || r.Duration > tolerance {
			t.Errorf("%v %v (%v) after %v, want up at once", r.Outcome, r.Reason, r.Err, r.Duration)
		}
	})
	t.Run("localhost", func(t *testing.T) {
		t.Parallel()
		if r := HTTP(t.Context(), checkOf(named(t, web, "localhost"))); r.Outcome != status.Up {
			t.Errorf("%v %v (%v), want up", r.Outcome, r.Reason, r.Err)
		}
	})
	t.Run("black hole", func(t *testing.T) {
		t.Parallel()
		dead := blackHole(t, "::1")
		_, port, err := net.SplitHostPort(dead)
		if err != nil {
			t.Fatal(err)
		}
		alive, err := net.Listen("tcp4", "127.0.0.1:"+port)
		if err != nil {
			t.Skip("the port is taken over IPv4: ", err)
		}
		server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ReadHeaderTimeout: time.Second}
		t.Cleanup(func() { _ = server.Close() })
		go func() { _ = server.Serve(alive) }()
		c := checkOf("http://target.example.:" + port)
		c.Timeout = time.Second
		if r := New(Options{Resolver: resolver(t, at("::1", "127.0.0.1"))}).asks(t.Context(), c); r.Outcome != status.Up || r.Duration < 200*time.Millisecond {
			t.Errorf("%v %v (%v) after %v, want up by the other family", r.Outcome, r.Reason, r.Err, r.Duration)
		}
	})
}

func TestNamesBeyondASCII(t *testing.T) {
	t.Parallel()
	web := serve(t, func(http.ResponseWriter, *http.Request) {})
	var mu sync.Mutex
	asked := map[string]bool{}
	p := New(Options{Resolver: resolver(t, func(name string, kind dnsmessage.Type, m *dnsmessage.Message) bool {
		mu.Lock()
		asked[strings.ToLower(name)] = true
		mu.Unlock()
		record(m, kind, "127.0.0.1")
		return true
	})})
	r := p.asks(t.Context(), checkOf(named(t, web, "bücher.example")))
	mu.Lock()
	defer mu.Unlock()
	if r.Outcome != status.Up || !asked["xn--bcher-kva.example."] {
		t.Errorf("%v %v (%v), asked for %v", r.Outcome, r.Reason, r.Err, asked)
	}
}
