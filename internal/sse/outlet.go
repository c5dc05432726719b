package sse

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// outlet is where a viewer's bytes go.
type outlet interface {
	// write takes what it can at once, possibly nothing, and never waits.
	write(b []byte) (int, error)
	close()
}

// socket writes to a connection's descriptor directly: it is not blocking, since Go keeps
// all of its sockets that way, and only the viewer's worker touches it.
type socket struct {
	conn net.Conn
	fd   int
}

// open takes a connection over. Behind TLS there is no socket to write to: the product
// stands behind a proxy there.
func open(conn net.Conn) (outlet, error) {
	if wrapped, ok := conn.(interface{ UnsafeConn() net.Conn }); ok { // As fasthttp hands it over.
		conn = wrapped.UnsafeConn()
	}
	sys, ok := conn.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("stream over a %T: %w", conn, errors.ErrUnsupported)
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("take the connection over: %w", err)
	}
	s := &socket{conn: conn}
	if err := raw.Control(func(fd uintptr) { s.fd = int(fd) }); err != nil {
		return nil, fmt.Errorf("take the connection over: %w", err)
	}
	if tcp, ok := conn.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // If it refuses, its own limit holds.
	}
	return s, nil
}

func (s *socket) write(b []byte) (int, error) {
	for {
		n, err := syscall.Write(s.fd, b)
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, syscall.EAGAIN):
			return 0, nil
		case !errors.Is(err, syscall.EINTR):
			return 0, err
		}
	}
}

func (s *socket) close() { _ = s.conn.Close() }
