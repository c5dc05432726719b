package handlers

import (
	"log/slog"
	"net"
	"statuspage/internal/sse"
	"strings"
	"syscall"
	"testing"
	"time"

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
	hall := sse.NewHall(1, 1, time.Now)
	defer hall.Close()
	d := newDoor(&full{ln, 3}, 10, hall, slog.New(slog.NewTextHandler(&log, nil)))
	go func() {
		if conn, err := net.Dial("tcp", ln.Addr().String()); err == nil {
			_ = conn.Close()
		}
	}()
	conn, err := d.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, whole := conn.(*net.TCPConn); !whole || d.open.Load() != 1 {
		t.Errorf("let in a %T, %d connections open", conn, d.open.Load())
	}
	_ = conn.Close()
	d.follow(conn, fasthttp.StateClosed)
	if n := strings.Count(log.String(), "ulimit -n"); n != 1 || d.open.Load() != 0 {
		t.Errorf("told %d times, %d connections open:\n%s", n, d.open.Load(), log.String())
	}
	_ = ln.Close()
	if _, err := d.Accept(); err == nil {
		t.Error("a closed listener goes on")
	}
}
