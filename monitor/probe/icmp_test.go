package probe

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func icmpCheck(host string, count int) check.Check {
	c := check.Named("icmp").New()
	c.Service = status.Service{ID: "x", URL: "icmp://" + host, Interval: 20 * time.Second, Timeout: hostileTimeout}
	c.Target, c.How = "icmp://"+host, &check.ICMP{Count: count}
	return c
}

// pinging is a prober whose pings reach a host of our own: datagrams on loopback, as the kernel would hand them over.
func pinging(t *testing.T, raw bool, behave func(request []byte, say func([]byte))) *Prober {
	t.Helper()
	host, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	go func() {
		buffer := make([]byte, 2048)
		for {
			n, from, err := host.ReadFrom(buffer)
			if err != nil {
				return
			}
			behave(append([]byte(nil), buffer[:n]...), func(b []byte) { _, _ = host.WriteTo(b, from) })
		}
	}()
	p := New(Options{})
	p.openPing = func(netip.Addr) (*pingSocket, error) {
		conn, err := net.Dial("udp", host.LocalAddr().String())
		return &pingSocket{conn, raw}, err
	}
	return p
}

// echo makes the answer to a request: its type, and what else is changed.
func echo(request []byte, change ...func([]byte)) []byte {
	b := append([]byte(nil), request...)
	b[0] = map[byte]byte{8: 0, 128: 129}[b[0]]
	for _, f := range change {
		f(b)
	}
	return b
}

func set(at int, to byte) func([]byte) { return func(b []byte) { b[at] = to } }

// TestICMPHostile has hosts that answer well, wrongly, too often, too late and not at all.
func TestICMPHostile(t *testing.T) {
	t.Parallel()
	most := func(n int) *int { return &n }
	every := func(n int, f func(q []byte, say func([]byte))) func([]byte, func([]byte)) { // Each nth is lost.
		var seen atomic.Int32
		return func(q []byte, say func([]byte)) {
			if int(seen.Add(1))%n != 0 {
				f(q, say)
			}
		}
	}
	well := func(q []byte, say func([]byte)) { say(echo(q)) }
	wrong := func(change ...func([]byte)) func([]byte, func([]byte)) {
		return func(q []byte, say func([]byte)) { say(echo(q, change...)) }
	}
	header := func(b []byte) []byte { return append(append([]byte{0x45}, make([]byte, 19)...), b...) }
	for name, c := range map[string]struct {
		behave func([]byte, func([]byte))
		count  int
		raw    bool
		change func(*check.Check)
		want   status.Outcome
		reason status.Reason
	}{
		"answers":                {well, 1, false, nil, status.Up, status.None},
		"answers all":            {well, 20, false, nil, status.Up, status.None},
		"silent":                 {func([]byte, func([]byte)) {}, 1, false, nil, status.Down, status.Timeout},
		"silent five times":      {func([]byte, func([]byte)) {}, 5, false, nil, status.Down, status.Timeout},
		"sends the request back": {func(q []byte, say func([]byte)) { say(q) }, 1, false, nil, status.Down, status.Timeout},
		"garbage":                {func(_ []byte, say func([]byte)) { say([]byte("HTTP/1.1 200 OK\r\n\r\n")) }, 1, false, nil, status.Down, status.Timeout},
		"empty":                  {func(_ []byte, say func([]byte)) { say(nil) }, 1, false, nil, status.Down, status.Timeout},
		"cut short":              {func(q []byte, say func([]byte)) { say(echo(q)[:20]) }, 1, false, nil, status.Down, status.Timeout},
		"longer":                 {func(q []byte, say func([]byte)) { say(append(echo(q), 0)) }, 1, false, nil, status.Down, status.Timeout},
		"a code":                 {wrong(set(1, 1)), 1, false, nil, status.Down, status.Timeout},
		"another number":         {wrong(set(7, 9)), 1, false, nil, status.Down, status.Timeout},
		"number nought":          {wrong(set(7, 0)), 1, false, nil, status.Down, status.Timeout},
		"another's ping":         {wrong(set(12, 0), set(13, 0), set(14, 0), set(15, 0)), 1, false, nil, status.Down, status.Timeout},
		"another, then right":    {func(q []byte, say func([]byte)) { say(echo(q, set(7, 9))); say(echo(q)) }, 1, false, nil, status.Up, status.None},
		"many times each": {func(q []byte, say func([]byte)) {
			for range 5 {
				say(echo(q))
			}
		}, 2, false, nil, status.Up, status.None},
		"a flood": {func(_ []byte, say func([]byte)) {
			for range 2 * maxEchoes {
				say(make([]byte, 32))
			}
		}, 1, false, nil, status.Down, status.None},
		"a kernel's renumbering":  {wrong(set(4, 1), set(5, 2)), 1, false, nil, status.Up, status.None},
		"raw":                     {func(q []byte, say func([]byte)) { say(header(echo(q))) }, 1, true, nil, status.Up, status.None},
		"raw, of another process": {func(q []byte, say func([]byte)) { say(header(echo(q, set(4, 1), set(5, 2)))) }, 1, true, nil, status.Down, status.Timeout},
		"raw, header too long":    {func(q []byte, say func([]byte)) { b := header(echo(q)); b[0] = 0x4f; say(b[:30]) }, 1, true, nil, status.Down, status.Timeout},
		"one of four lost":        {every(4, well), 4, false, nil, status.Up, status.None},
		"loss allowed":            {every(4, well), 4, false, func(c *check.Check) { c.Expect.Loss = most(25) }, status.Up, status.None},
		"loss":                    {every(4, well), 4, false, func(c *check.Check) { c.Expect.Loss = most(24) }, status.Down, status.PacketLoss},
		"some loss":               {every(4, well), 4, false, func(c *check.Check) { c.Expect.Loss, c.Unless.Loss = most(50), most(0) }, status.Degraded, status.PacketLoss},
		"slow":                    {well, 1, false, func(c *check.Check) { c.DegradedAfter = 1 }, status.Degraded, status.Slow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := icmpCheck("192.0.2.1", c.count)
			if c.change != nil {
				c.change(&one)
			}
			if c.want != status.Down || c.reason == status.PacketLoss {
				one.Timeout = 4 * time.Second
			}
			began := time.Now()
			r := pinging(t, c.raw, c.behave).ICMP(t.Context(), one)
			if r.Outcome != c.want || c.reason != status.None && r.Reason != c.reason || !r.Reason.Fits(r.Outcome) || r.HTTPStatus != status.NoHTTPStatus {
				t.Errorf("%v %v (%v), want %v %v", r.Outcome, r.Reason, r.Err, c.want, c.reason)
			}
			if took := time.Since(began); took > one.Timeout+tolerance || r.Outcome.Available() && (r.Duration <= 0 || r.Duration > took) {
				t.Errorf("took %v, said %v", took, r.Duration)
			}
		})
	}
	t.Run("a router says that there is no way", func(t *testing.T) {
		t.Parallel()
		p := New(Options{})
		p.openPing = func(netip.Addr) (*pingSocket, error) { // Nobody listens: the kernel says so as it says that a host can't be reached.
			conn, err := net.Dial("udp", refusing(t))
			return &pingSocket{conn, false}, err
		}
		if r := p.ICMP(t.Context(), icmpCheck("192.0.2.1", 1)); r.Outcome != status.Down || r.Reason != status.ConnectionRefused {
			t.Errorf("%v %v (%v)", r.Outcome, r.Reason, r.Err)
		}
	})
}

// TestICMPOfThisMachine pings loopback by both families, or holds that nobody is blamed where the kernel does not let us.
func TestICMPOfThisMachine(t *testing.T) {
	t.Parallel()
	can := CanPing()
	if can != nil && !errors.Is(can, ErrNoPing) {
		t.Fatal(can)
	}
	for _, host := range []string{"127.0.0.1", "[::1]"} {
		c := icmpCheck(host, 3)
		c.Timeout = 3 * time.Second
		r := New(Options{}).ICMP(t.Context(), c)
		six := strings.HasPrefix(host, "[") && r.Outcome == status.Unknown && errors.Is(r.Err, syscall.EADDRNOTAVAIL) // No IPv6 here.
		if want := map[bool]status.Outcome{true: status.Up, false: status.Unknown}[can == nil]; r.Outcome != want && !six || r.Outcome == status.Up && (r.Duration <= 0 || r.Phases.FirstByte <= 0) {
			t.Errorf("%s: %v %v (%v) %+v, can: %v", host, r.Outcome, r.Reason, r.Err, r.Phases, can)
		}
		raw, err := icmpSocket(netip.MustParseAddr(strings.Trim(host, "[]")), syscall.SOCK_RAW)
		if err != nil {
			continue // Refused, as above.
		}
		e, err := newEchoes(&pingSocket{raw, true}, host == "[::1]", 2)
		if err != nil {
			t.Fatal(err)
		}
		limited, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		if err := e.exchange(new(stopwatch).trace(limited), 3*time.Second); err != nil || e.got != 2 {
			t.Errorf("%s: %d answers over a raw socket: %v", host, e.got, err)
		}
		cancel()
		_ = raw.Close()
	}
}

// TestICMPFailuresOfOurs holds that what the kernel, the guard or the end of the process keeps us from is no failure of the host.
func TestICMPFailuresOfOurs(t *testing.T) {
	t.Parallel()
	p := New(Options{})
	p.openPing = func(netip.Addr) (*pingSocket, error) { return nil, ErrNoPing }
	if r := p.ICMP(t.Context(), icmpCheck("127.0.0.1", 1)); r.Outcome != status.Unknown || !errors.Is(r.Err, ErrNoPing) || !strings.Contains(r.Err.Error(), "net.ipv4.ping_group_range") {
		t.Errorf("no permission: %v (%v)", r.Outcome, r.Err)
	}
	p.openPing = func(netip.Addr) (*pingSocket, error) { return nil, syscall.EMFILE }
	if r := p.ICMP(t.Context(), icmpCheck("127.0.0.1", 1)); r.Outcome != status.Unknown {
		t.Errorf("no file: %v (%v)", r.Outcome, r.Err)
	}
	guarded := New(Options{Guard: &Guard{}})
	guarded.openPing = func(netip.Addr) (*pingSocket, error) { t.Error("a socket for what is guarded"); return nil, ErrNoPing }
	if r := guarded.ICMP(t.Context(), icmpCheck("127.0.0.1", 1)); r.Outcome != status.Unknown || !errors.Is(r.Err, ErrGuarded) {
		t.Errorf("guarded: %v (%v)", r.Outcome, r.Err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if r := New(Options{}).ICMP(stopped, icmpCheck("127.0.0.1", 1)); r.Outcome != status.Unknown || r.Err == nil {
		t.Errorf("stopped: %v (%v)", r.Outcome, r.Err)
	}
}

// TestRequestsAreWholeMessages holds the checksum of RFC 1071: over all of a message it is nought.
func TestRequestsAreWholeMessages(t *testing.T) {
	t.Parallel()
	e, err := newEchoes(&pingSocket{}, false, 3)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if b := e.request(n); checksum(b) != 0 || b[0] != 8 || len(b) != echoHeader+echoPayload {
			t.Errorf("%x", b)
		}
	}
}
