package probe

import (
	"context"
	"io"
	"net"
	"net/http"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"testing"
	"time"
)

// tape is a connection whose other side sends these bytes and ends, or sends them over and
// over again.
type tape struct {
	text    []byte
	at      int
	endless bool
	read    *int
}

func (c *tape) Read(into []byte) (int, error) {
	if c.at == len(c.text) {
		if !c.endless || c.at == 0 {
			return 0, io.EOF
		}
		c.at = 0
	}
	n := copy(into, c.text[c.at:])
	c.at += n
	*c.read += n
	return n, nil
}

func (*tape) Write(b []byte) (int, error)      { return len(b), nil }
func (*tape) Close() error                     { return nil }
func (*tape) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*tape) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*tape) SetDeadline(time.Time) error      { return nil }
func (*tape) SetReadDeadline(time.Time) error  { return nil }
func (*tape) SetWriteDeadline(time.Time) error { return nil }

// FuzzAnswer holds that no answer makes a probe panic, read without bound, or fail for a
// reason that is none.
func FuzzAnswer(f *testing.F) {
	for _, text := range []string{
		"", "\r\n", "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n", "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: gopher://[::1%25]:99999/\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "HTTP/1.0 999 \r\n: \r\n\r\n", "http/1 200OK\nX@: \x01\nContent-Length: +2, 2 bytes\n\nhi", "HTTP/1.1 200 OK\nno colon\nTransfer-Encoding: identity, chunked\n\n2;a\nhi\n0\nb\n\n", "HTTP/1.1 302Found\r\nLocation: http:/[%%zz\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x00\x01",
	} {
		for _, endless := range []bool{false, true} {
			f.Add([]byte(text), endless, false)
			f.Add([]byte(text), endless, true)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte, endless, get bool) {
		read := 0
		p := New(Options{})
		p.fresh.dial = func(context.Context, string, string) (net.Conn, error) {
			return &tape{text: text, endless: endless, read: &read}, nil
		}
		p.lenient.dial = p.fresh.dial
		c := checkOf("http://127.0.0.1:1")
		c.Timeout = time.Minute
		if c.Method = http.MethodHead; get {
			c.Method = http.MethodGet
		}
		// TLS and names are not what is looked at here, and no fuzzer shall go out.
		deny := prefixes("0.0.0.0/0", "::/0")
		p.o.Guard = &Guard{Deny: deny}
		p.o.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, ErrGuarded }}
		r := p.asks(t.Context(), c)
		switch r.Outcome {
		case status.Up:
			if r.Reason != status.None || r.HTTPStatus < 100 {
				t.Errorf("up with %v and %d", r.Reason, r.HTTPStatus)
			}
		case status.Down:
			if r.Reason == status.None || r.Reason == status.Other || r.Err == nil {
				t.Errorf("down for %v: %v", r.Reason, r.Err)
			}
		case status.Degraded:
			t.Error("slow, though nobody asked")
		case status.Unknown: // A redirect to what the guard refuses.
		}
		if most := 4 * (check.MaxRedirects + 1) * (maxHeader + maxBody + bufferSize); read > most {
			t.Errorf("%d bytes were read, want %d at most", read, most)
		}
	})
}
