package handlers

import (
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/valyala/fasthttp"
)

var errNoFiles = syscall.EMFILE

// TestDoorWaitsForRoom holds that a machine without descriptors does not end the server, and that the
// log says it once.
func TestDoorWaitsForRoom(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var log lines
	c := newCrowd(10, func(netip.Addr) uint64 { return 0 }, func() int { return 0 })
	d := newDoor(&full{ln, 3}, c, slog.New(slog.NewTextHandler(&log, nil)))
	go func() {
		if conn, err := net.Dial("tcp", ln.Addr().String()); err == nil {
			_ = conn.Close()
		}
	}()
	conn, err := d.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, whole := conn.(*net.TCPConn); !whole || c.len() != 1 {
		t.Errorf("let in a %T, %d connections open", conn, c.len())
	}
	_ = conn.Close()
	c.follow(conn, fasthttp.StateClosed)
	if n := strings.Count(log.String(), "ulimit -n"); n != 1 || c.len() != 0 {
		t.Errorf("told %d times, %d connections open:\n%s", n, c.len(), log.String())
	}
	_ = ln.Close()
	if _, err := d.Accept(); err == nil {
		t.Error("a closed listener goes on")
	}
}
