package gate

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"statuspage/views/lang"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/valyala/fasthttp"
)

var errNoFiles = syscall.EMFILE

// TestListenerWaitsForRoom holds that a machine without descriptors does not end the server, and that the
// log says it once.
func TestListenerWaitsForRoom(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var log lines
	c := NewConnections(10, func(netip.Addr) uint64 { return 0 }, func() int { return 0 })
	d := Listen(&full{ln, 3}, c, slog.New(slog.NewTextHandler(&log, nil)))
	go func() {
		if conn, err := net.Dial("tcp", ln.Addr().String()); err == nil {
			_ = conn.Close()
		}
	}()
	conn, err := d.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, whole := conn.(*net.TCPConn); !whole || c.Len() != 1 {
		t.Errorf("let in a %T, %d connections open", conn, c.Len())
	}
	_ = conn.Close()
	c.Follow(conn, fasthttp.StateClosed)
	if n := strings.Count(log.String(), "ulimit -n"); n != 1 || c.Len() != 0 {
		t.Errorf("told %d times, %d connections open:\n%s", n, c.Len(), log.String())
	}
	_ = ln.Close()
	if _, err := d.Accept(); err == nil {
		t.Error("a closed listener goes on")
	}
}

// lines is a log that several goroutines write.
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

func TestFullHouseIsToldInEveryLanguage(t *testing.T) {
	t.Parallel()
	for _, l := range lang.All() {
		if !strings.Contains(fullHouse(), `<p lang="`+l.Code+`">`+l.T("busy.text")) {
			t.Errorf("%s: a full house lacks %q", l.Code, l.T("busy.text"))
		}
	}
	for _, line := range []string{"HTTP/1.1 503 ", "\r\nRetry-After: 10\r\n", "\r\nContent-Security-Policy: ", "\r\nCross-Origin-Resource-Policy: same-origin\r\n\r\n<!DOCTYPE"} {
		if !strings.Contains(fullHouse(), line) {
			t.Errorf("a full house lacks %q", line)
		}
	}
}
