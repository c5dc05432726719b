package gate

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"statuspage/handlers/answer"
	"statuspage/views/lang"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	turnedAway   = 64                    // Connections that are told of a full house at a time; others are closed.
	turnAwayWait = time.Second           // For one of them to say what it wants and to take the answer.
	acceptPause  = 20 * time.Millisecond // When the machine has no room for a connection.
	fullLogged   = time.Minute           // How often the log says so.
)

// fullHouse is what is told who finds no room: a page that comes back by itself, in every language, as nobody has
// read which the visitor's is.
var fullHouse = sync.OnceValue(func() string {
	var page strings.Builder
	page.WriteString(`<!DOCTYPE html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="10"><title>` + lang.Default().T("busy") + "</title>")
	for _, l := range lang.All() {
		page.WriteString(`<p lang="` + l.Code + `">` + l.T("busy.text") + "</p>")
	}
	page.WriteString("</html>\n")
	return "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nConnection: close\r\nCache-Control: no-store\r\n" +
		"Content-Type: text/html; charset=utf-8\r\nContent-Length: " + strconv.Itoa(page.Len()) + "\r\n" + answer.ProtectionLines() + "\r\n" + page.String()
})

// Listener is one that lets so many connections in at a time. It leaves the process room to
// open files and to measure, and goes on when the machine has none: the server behind it
// would take any error for its end. Who may stay when there is no room, connections.go says.
type Listener struct {
	net.Listener
	conns *Connections
	log   *slog.Logger
	away  chan struct{}
	said  atomic.Int64 // Unix nanoseconds of the last line in the log.
}

// Listen lets connections of a listener in.
func Listen(ln net.Listener, c *Connections, log *slog.Logger) *Listener {
	return &Listener{Listener: ln, conns: c, log: log, away: make(chan struct{}, turnedAway)}
}

// Accept waits for the next connection that there is room for.
func (d *Listener) Accept() (net.Conn, error) {
	for {
		conn, err := d.Listener.Accept()
		switch {
		case err != nil && passing(err):
			d.say("connections can't be accepted at the moment; raise the limit of open files (ulimit -n)", "error", err)
			time.Sleep(acceptPause)
		case err != nil:
			return nil, err
		case !d.conns.enter(conn):
			d.say("as many connections are open as may be, or as one address may have, and all are busy; more are told to come back",
				"connections", d.conns.limit, "of_an_address", d.conns.share)
			d.turnAway(conn)
		default:
			return conn, nil
		}
	}
}

// passing tells whether an error is of one connection, or of a moment without room.
func passing(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.ECONNRESET, syscall.EINTR, syscall.EPERM, syscall.EPROTO} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func (d *Listener) say(text string, args ...any) {
	now, last := time.Now().UnixNano(), d.said.Load()
	if now-last > int64(fullLogged) && d.said.CompareAndSwap(last, now) {
		d.log.Warn(text, args...)
	}
}

// turnAway says that the house is full, for as many as can be told at a time.
func (d *Listener) turnAway(conn net.Conn) {
	select {
	case d.away <- struct{}{}:
	default:
		_ = conn.Close()
		return
	}
	go func() {
		defer func() { <-d.away }()
		defer conn.Close() //nolint:errcheck // It is all over then.
		_ = conn.SetDeadline(time.Now().Add(turnAwayWait))
		if _, err := io.WriteString(conn, fullHouse()); err != nil {
			return
		}
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		// What it asks is read, since closing before that would take the answer back.
		_, _ = io.CopyN(io.Discard, conn, MaxHeader)
	}()
}
