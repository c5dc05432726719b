package probe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"statuspage/internal/status"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// socketFails is what a resolver is told by a machine that lacks something.
func socketFails(errno syscall.Errno) error {
	return &net.OpError{Op: "dial", Net: "udp", Err: os.NewSyscallError("socket", errno)}
}

// noVerdict holds that a probe is told as a failure of ours, whose text has this.
func noVerdict(t *testing.T, name string, r Result, text string) {
	t.Helper()
	if r.Outcome != status.Unknown || r.Reason != status.None || r.Err == nil || !strings.Contains(r.Err.Error(), text) {
		t.Errorf("%s: %v %v (%v), want no verdict because of %q", name, r.Outcome, r.Reason, r.Err, text)
	}
}

// TestNoFileToAskWithIsNoVerdict has no descriptor for all look-ups of a name, and for one of the two.
func TestNoFileToAskWithIsNoVerdict(t *testing.T) {
	t.Parallel()
	nxdomain := resolver(t, func(_ string, _ dnsmessage.Type, m *dnsmessage.Message) bool {
		m.RCode = dnsmessage.RCodeNameError
		return true
	})
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.EPERM, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		for name, spared := range map[string]int64{"none": 0, "one": 1} {
			var asked atomic.Int64
			p := New(Options{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				if asked.Add(1) <= spared {
					return nxdomain.Dial(ctx, network, address)
				}
				return nil, socketFails(errno)
			}}})
			noVerdict(t, fmt.Sprint(errno, ", ", name, " asked"), p.asks(t.Context(), checkOf("http://target.example./")), errno.Error())
		}
	}
}

// TestHalfALookUpIsNoVerdict knows one family's address, where nobody listens, and had no descriptor for the other's.
func TestHalfALookUpIsNoVerdict(t *testing.T) {
	t.Parallel()
	web := serve(t, func(http.ResponseWriter, *http.Request) {})
	names := resolver(t, at("127.0.0.2"))
	var asked atomic.Int64
	p := New(Options{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if asked.Add(1) == 1 {
			return nil, socketFails(syscall.EMFILE)
		}
		return names.Dial(ctx, network, address)
	}}})
	noVerdict(t, "half a look-up", p.asks(t.Context(), checkOf(named(t, web, "target.example."))), "too many open files")
}

// TestNameServerThatNobodyReachesIsNoVerdict holds that a resolver of ours that is gone is no fault of who is looked up; one that
// answers has the last word, whatever another's socket met.
func TestNameServerThatNobodyReachesIsNoVerdict(t *testing.T) {
	t.Parallel()
	held, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = held.Close() })
	closed := strings.Replace(held.LocalAddr().String(), "127.0.0.1", "127.0.0.2", 1) // Nobody else gets that port.
	gone := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", closed)
	}
	p := New(Options{Resolver: &net.Resolver{PreferGo: true, Dial: gone}})
	noVerdict(t, "no server", p.asks(t.Context(), checkOf("http://target.example./")), "no name server answers")

	fails := resolver(t, func(_ string, _ dnsmessage.Type, m *dnsmessage.Message) bool {
		m.RCode = dnsmessage.RCodeServerFailure
		return true
	})
	var asked atomic.Int64
	p = New(Options{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		if asked.Add(1)%3 == 0 {
			return gone(ctx, network, address)
		}
		return fails.Dial(ctx, network, address)
	}}})
	if r := p.asks(t.Context(), checkOf("http://target.example./")); r.Outcome != status.Down || r.Reason != status.DNS {
		t.Errorf("%v %v (%v), want the answer of the server that there is", r.Outcome, r.Reason, r.Err)
	}
}

func TestErrorsOfOursInOthers(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"in the text of a look-up":  &net.DNSError{Err: "dial udp 192.0.2.1:53: socket: too many open files", Name: "a.example"},
		"an unreadable root store":  fmt.Errorf("tls: failed to verify certificate: %w", x509.SystemRootsError{Err: errors.New("permission denied")}),
		"no more ports of our own":  &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)},
		"no IPv6 here":              &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", syscall.EAFNOSUPPORT)},
		"no room to watch a socket": &net.OpError{Op: "dial", Err: os.NewSyscallError("epoll_ctl", syscall.ENOSPC)},
		"an interface that is down": &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ENETDOWN)},
	} {
		if r := judge(checkOf("http://x"), Result{Err: conceal(err, checkOf("http://x").whole())}); r.Outcome != status.Unknown {
			t.Errorf("%s is told as %v %v", name, r.Outcome, r.Reason)
		}
	}
	if r := judge(checkOf("http://x"), Result{Err: &net.DNSError{Err: "no such host", Name: "too many open files"}}); r.Reason != status.DNS {
		t.Errorf("a name with such words is told as %v %v", r.Outcome, r.Reason)
	}
}

// TestNoRootsIsNoVerdict runs itself once more on a machine that has no roots, which a process reads once.
func TestNoRootsIsNoVerdict(t *testing.T) {
	t.Parallel()
	const inside = "NO_ROOTS_INSIDE"
	if os.Getenv(inside) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestNoRootsIsNoVerdict$")
		cmd.Env = append(os.Environ(), inside+"=1", "SSL_CERT_FILE=/nonexistent", "SSL_CERT_DIR=/nonexistent")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	server, _ := pair(t)
	url, _ := target(t, hostile{behave: func(c *taken) { c.say(ok + "\r\n") }}, server)
	for _, keep := range []bool{false, true} {
		check := checkOf(url)
		check.KeepAlive = keep
		noVerdict(t, "no roots", HTTP(t.Context(), check), "root certificates")
		check = checkOf(serve(t, func(http.ResponseWriter, *http.Request) {}))
		check.KeepAlive = keep
		if r := HTTP(t.Context(), check); r.Outcome != status.Up {
			t.Errorf("plain HTTP needs no roots, and is %v (%v)", r.Outcome, r.Err)
		}
	}
}
