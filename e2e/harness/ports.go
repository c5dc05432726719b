package harness

import (
	"fmt"
	"net"
)

// FreeAddress is an address on loopback that nobody listens on now.
func FreeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("a free port: %w", err)
	}
	return ln.Addr().String(), ln.Close()
}
