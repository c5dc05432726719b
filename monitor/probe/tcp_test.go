package probe

import (
	"context"
	"io"
	"net"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func tcpCheck(address string) check.Check {
	return check.Check{
		Service: status.Service{ID: "x", URL: "tcp://" + address, Interval: 20 * time.Second, Timeout: 400 * time.Millisecond},
		Target:  "tcp://" + address, How: new(check.TCP),
	}
}

// accepting serves each connection with f.
func accepting(t *testing.T, f func(*net.TCPConn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go f(conn.(*net.TCPConn))
		}
	}()
	return ln.Addr().String()
}

// refusing is an address where nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	return ln.Addr().String()
}

// TestTCPJudgesTheConnectionAlone has servers that accept and then misbehave, which is none of this check's business, and
// addresses where nobody accepts.
func TestTCPJudgesTheConnectionAlone(t *testing.T) {
	t.Parallel()
	queue, err := net.Listen("tcp", "127.0.0.1:0") // The kernel accepts, and nobody ever looks.
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = queue.Close() })
	p := New(Options{})
	for name, c := range map[string]struct {
		address string
		outcome status.Outcome
		reason  status.Reason
	}{
		"silent":        {accepting(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }), status.Up, status.None},
		"never looks":   {queue.Addr().String(), status.Up, status.None},
		"resets":        {accepting(t, func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() }), status.Up, status.None},
		"hangs up":      {accepting(t, func(c *net.TCPConn) { _ = c.Close() }), status.Up, status.None},
		"talks on":      {accepting(t, func(c *net.TCPConn) { _, _ = io.CopyN(c, endless{}, 64<<20); _ = c.Close() }), status.Up, status.None},
		"half closed":   {accepting(t, func(c *net.TCPConn) { _ = c.CloseWrite() }), status.Up, status.None},
		"refuses":       {refusing(t), status.Down, status.ConnectionRefused},
		"says nothing":  {blackHole(t, "127.0.0.1"), status.Down, status.Timeout},
		"no such name":  {"target.invalid.:1", status.Down, status.DNS},
		"wrong address": {"127.0.0.1", status.Unknown, status.None}, // ParseURL lets none through without a port.
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := p
			if name == "no such name" {
				p = New(Options{Resolver: resolver(t, func(_ string, _ dnsmessage.Type, m *dnsmessage.Message) bool {
					m.RCode = dnsmessage.RCodeNameError
					return true
				})})
			}
			if name == "wrong address" {
				c.address = "%zz"
			}
			began := time.Now()
			r := p.TCP(t.Context(), tcpCheck(c.address))
			if r.Outcome != c.outcome || r.Reason != c.reason || r.HTTPStatus != status.NoHTTPStatus || (r.Err == nil) != (c.outcome == status.Up) {
				t.Errorf("%v %v %d (%v), want %v %v", r.Outcome, r.Reason, r.HTTPStatus, r.Err, c.outcome, c.reason)
			}
			if took := time.Since(began); took > 400*time.Millisecond+tolerance || r.Duration <= 0 || r.Phases.Total != r.Duration {
				t.Errorf("took %v, said %v %+v", took, r.Duration, r.Phases)
			}
		})
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// TestTCPConnectsByName holds that phases are told, that one address of several is enough, and that slow is degraded.
func TestTCPConnectsByName(t *testing.T) {
	t.Parallel()
	address := accepting(t, func(c *net.TCPConn) { _ = c.Close() })
	_, port, _ := net.SplitHostPort(address)
	c := tcpCheck("bücher.example:" + port)
	asked := make(chan string, 8)
	found := at("::1", "127.0.0.1") // Nobody listens on the first.
	p := New(Options{Resolver: resolver(t, func(name string, kind dnsmessage.Type, m *dnsmessage.Message) bool {
		select {
		case asked <- name:
		default:
		}
		return found(name, kind, m)
	})})
	if r := p.TCP(t.Context(), c); r.Outcome != status.Up || r.Phases.DNS <= 0 || r.Phases.Connect <= 0 || r.Phases.TLS != 0 || r.Phases.FirstByte != 0 {
		t.Errorf("%v %v (%v) %+v", r.Outcome, r.Reason, r.Err, r.Phases)
	}
	if name := <-asked; name != "xn--bcher-kva.example." {
		t.Errorf("asked for %s", name)
	}
	if c.DegradedAfter = 1; p.TCP(t.Context(), c).Outcome != status.Degraded {
		t.Error("slower than it may be, and not degraded")
	}
}

// TestTCPFailuresOfOurs holds that a guard, a lack of files and the end of the process are no failures of the target, and that
// nothing reaches what the guard refuses.
func TestTCPFailuresOfOurs(t *testing.T) {
	t.Parallel()
	var reached atomic.Int32
	address := accepting(t, func(c *net.TCPConn) { reached.Add(1); _ = c.Close() })
	if r := New(Options{Guard: &Guard{}}).TCP(t.Context(), tcpCheck(address)); r.Outcome != status.Unknown || !strings.Contains(r.Err.Error(), ErrGuarded.Error()) {
		t.Errorf("guarded: %v (%v)", r.Outcome, r.Err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if r := New(Options{}).TCP(stopped, tcpCheck(address)); r.Outcome != status.Unknown || r.Err == nil {
		t.Errorf("stopped: %v (%v)", r.Outcome, r.Err)
	}
	if reached.Load() != 0 {
		t.Error("the target was reached all the same")
	}
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.EADDRNOTAVAIL, syscall.EACCES} {
		r := once(t.Context(), tcpCheck(address), func(context.Context, *Result) error { return &net.OpError{Op: "dial", Err: errno} })
		if r.Outcome != status.Unknown || r.Reason != status.None {
			t.Errorf("%v: %v %v", errno, r.Outcome, r.Reason)
		}
	}
}

// BenchmarkTCP measures a whole probe of a server in the same process.
func BenchmarkTCP(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	p, c := New(Options{}), tcpCheck(ln.Addr().String())
	b.ReportAllocs()
	for b.Loop() {
		if r := p.TCP(b.Context(), c); r.Outcome != status.Up {
			b.Fatal(r.Err)
		}
	}
}
