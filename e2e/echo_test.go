package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"testing"
)

// newEcho is a target below HTTP: to each path it sends the answer of that path, with what
// words makes of the request put into it.
func newEcho(t *testing.T, words func(*http.Request) string, answers map[string]string) (address string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				_, _ = fmt.Fprintf(c, answers[req.URL.Path], words(req))
			}()
		}
	}()
	return ln.Addr().String()
}
