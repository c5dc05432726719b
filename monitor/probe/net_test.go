package probe

import (
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// blackHole returns an address on which connections are neither accepted nor refused: a
// listener that accepts none, with its queue full.
func blackHole(t *testing.T, host string) string {
	t.Helper()
	family, at := syscall.AF_INET, syscall.Sockaddr(&syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if host == "::1" {
		family, at = syscall.AF_INET6, &syscall.SockaddrInet6{Addr: [16]byte{15: 1}}
	}
	fd, err := syscall.Socket(family, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Skip("no such sockets here: ", err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := syscall.Bind(fd, at); err != nil {
		t.Skip("no such address here: ", err)
	}
	if err := syscall.Listen(fd, 0); err != nil {
		t.Fatal(os.NewSyscallError("listen", err))
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := 0
	switch b := bound.(type) {
	case *syscall.SockaddrInet4:
		port = b.Port
	case *syscall.SockaddrInet6:
		port = b.Port
	}
	address := net.JoinHostPort(host, strconv.Itoa(port))
	for range 64 { // Until one is not answered.
		conn, err := net.DialTimeout("tcp", address, 50*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Skip("a full queue goes on accepting here")
	return ""
}
