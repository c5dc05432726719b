package handlers

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"statuspage/handlers/gate"
	"statuspage/internal/status"
	"statuspage/static"
	"strings"
	"testing"
	"time"
)

// short are limits that a test can wait for.
func short(o *Options) {
	o.Limits.Read, o.Limits.Write, o.Limits.Idle = 200*time.Millisecond, 200*time.Millisecond, 200*time.Millisecond
}

// tenth is the time between two bytes of a slow client: well within any limit for one read.
const tenth = 20 * time.Millisecond

// TestSlowSenders drips requests byte by byte: the limit is one for the whole of it.
func TestSlowSenders(t *testing.T) {
	t.Parallel()
	for name, request := range map[string]string{
		"request line": "GET /" + strings.Repeat("a", 200) + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"header":       "GET / HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 200),
		"body":         "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" + strings.Repeat("a", 200),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, short)
			begun := time.Now() // Before the server's clock begins to run.
			conn := s.dial()
			stop := make(chan struct{})
			defer close(stop)
			at := 0
			if name == "body" { // The header at once, so that it is the body that is slow.
				at = strings.Index(request, "\r\n\r\n") + 4
				_, _ = io.WriteString(conn, request[:at])
			}
			go func() {
				tick := time.NewTicker(tenth)
				defer tick.Stop()
				for ; at < len(request); at++ {
					select {
					case <-stop:
						return
					case <-tick.C:
						if _, err := conn.Write([]byte{request[at]}); err != nil {
							return
						}
					}
				}
			}()
			answer, _ := io.ReadAll(conn)
			if took := time.Since(begun); took < 150*time.Millisecond || took > 2*time.Second {
				t.Errorf("let go after %v, want 200ms", took)
			}
			if len(answer) > 0 && !strings.HasPrefix(string(answer), "HTTP/1.1 408") {
				t.Errorf("answer %.60q, want 408 or none", answer)
			}
		})
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	s := newSite(t, short)
	for name, first := range map[string]string{"never asked": "", "asked once": "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"} {
		conn := s.dial()
		begun := time.Now()
		_, _ = io.WriteString(conn, first)
		_, err := io.ReadAll(conn)
		if took := time.Since(begun); err != nil || took > 2*time.Second {
			t.Errorf("%s: open for %v, %v", name, took, err)
		}
	}
}

// TestSlowReaders asks for much and reads nothing.
func TestSlowReaders(t *testing.T) {
	t.Parallel()
	s := newSite(t, short)
	conn := s.dial()
	_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	ask := "GET " + static.Path("vendor/redoc-2.5.4.standalone.js") + " HTTP/1.1\r\nHost: x\r\n\r\n"
	_, _ = io.WriteString(conn, strings.Repeat(ask, 20))
	open := s.server.app.Server().GetOpenConnectionsCount
	s.until("it is served", func() bool { return open() > 0 })
	s.until("it is let go", func() bool { return open() == 0 })
}

// TestStreamsOutliveTheWriteLimit holds that a stream has limits of its own.
func TestStreamsOutliveTheWriteLimit(t *testing.T) {
	t.Parallel()
	s := newSite(t, short)
	events := s.events("/signals/stream")
	time.Sleep(3 * 200 * time.Millisecond) // The limits pass meanwhile.
	s.apply("web", time.Now(), status.Up)
	next(t, events, `"service":"web"`)
}

func TestSizesAndMethods(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	long := strings.Repeat("a", gate.MaxHeader)
	for name, c := range map[string]struct {
		raw  string
		code int
	}{
		"URL":            {"GET /" + long + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
		"query":          {"GET /?q=" + long + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
		"header":         {"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + long + "\r\n\r\n", 431},
		"many headers":   {"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("A: b\r\n", gate.MaxHeader/6) + "\r\n", 431},
		"body":           {fmt.Sprintf("GET / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", maxBody+1), 413},
		"body, chunked":  {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", maxBody+1, strings.Repeat("a", maxBody+1)), 413},
		"POST":           {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na", 405},
		"TRACE":          {"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		"CONNECT":        {"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		"OPTIONS":        {"OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		"unknown method": {"PROPFIND / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
		"POST to none":   {"POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405},
	} {
		conn := s.dial()
		_, _ = io.WriteString(conn, c.raw)
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if res.StatusCode != c.code || c.code == 405 && !strings.Contains(res.Header.Get("Allow"), "GET") {
			t.Errorf("%s: %d, Allow %q; want %d", name, res.StatusCode, res.Header.Get("Allow"), c.code)
		}
		if lacking := unprotected(res); lacking != "" {
			t.Errorf("%s: %s", name, lacking)
		}
	}
}

// unprotected says what an answer lacks of what all must have.
func unprotected(res *http.Response) string {
	h := res.Header
	csp := h.Get("Content-Security-Policy")
	switch {
	case !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors") || strings.Contains(csp, "unsafe"):
		return "policy " + csp
	case h.Get("Cross-Origin-Opener-Policy") != "same-origin":
		return "no Cross-Origin-Opener-Policy"
	case h.Get("Cross-Origin-Resource-Policy") == "":
		return "no Cross-Origin-Resource-Policy"
	case h.Get("Referrer-Policy") != "no-referrer":
		return "no Referrer-Policy"
	case h.Get("Permissions-Policy") == "":
		return "no Permissions-Policy"
	case h.Get("X-Content-Type-Options") != "nosniff":
		return "no X-Content-Type-Options"
	case h.Get("Set-Cookie") != "":
		return "a cookie"
	case h.Get("Server") != "" || h.Get("X-Powered-By") != "":
		return "tells of the server: " + h.Get("Server")
	}
	return ""
}
