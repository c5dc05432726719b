package probe

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"statuspage/internal/status"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

const (
	hostileTimeout = 400 * time.Millisecond
	tolerance      = 100 * time.Millisecond
	// mostTaken is what a target gets rid of at most: what we read, and the socket buffers.
	mostTaken = maxBody + maxHeader + 8<<20
)

// hostile is a target that misbehaves on each connection once it has read the request.
type hostile struct {
	behave  func(w *taken)
	reasons []status.Reason // Any of them is right.
	method  string          // GET where empty.
	hangs   bool            // Only the timeout ends it.
	keep    bool            // The check keeps its connection.
}

// taken counts what the prober took. Writes fail when it has left.
type taken struct {
	net.Conn
	bytes *atomic.Int64
	gone  <-chan struct{} // The test is over.
	start []byte          // What the prober said first.
}

func (c *taken) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.bytes.Add(int64(n))
	return n, err
}

func (c *taken) say(text string) bool {
	_, err := io.WriteString(c, text)
	return err == nil
}

// request waits for the request in HTTP/2: what comes about a stream before the prober has
// opened it means nothing to it.
func (c *taken) request() {
	said := io.MultiReader(bytes.NewReader(c.start), c.Conn)
	if _, err := io.CopyN(io.Discard, said, int64(len(http2.ClientPreface))); err != nil {
		return
	}
	frames := http2.NewFramer(io.Discard, said)
	for {
		frame, err := frames.ReadFrame()
		if _, opened := frame.(*http2.HeadersFrame); opened || err != nil {
			return
		}
	}
}

// hold waits until the prober has left.
func (c *taken) hold() { _, _ = io.Copy(io.Discard, c.Conn) }

// drip sends a byte each 50 ms, which no idle timeout notices.
func (c *taken) drip(text string) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for i := range len(text) {
		if !c.say(text[i : i+1]) {
			return
		}
		select {
		case <-tick.C:
		case <-c.gone:
			return
		}
	}
}

// flood sends the block until nobody takes it, a gigabyte at most.
func (c *taken) flood(block []byte) {
	for sent := 0; sent < 1<<30; sent += len(block) {
		if _, err := c.Write(block); err != nil {
			return
		}
	}
}

// rst ends the connection with a reset.
func (c *taken) rst() {
	if t, ok := c.Conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	} else if t, ok := c.Conn.(*tls.Conn); ok {
		_ = t.NetConn().(*net.TCPConn).SetLinger(0) //nolint:forcetypeassert // All here are TCP.
		_ = t.NetConn().Close()
	}
	_ = c.Close()
}

const ok = "HTTP/1.1 200 OK\r\n"

var (
	// hostiles misbehave in HTTP/1.1, over plain TCP and over TLS.
	hostiles = map[string]hostile{
		"hang before an answer":   {behave: (*taken).hold, hangs: true},
		"hang in the status line": {behave: func(c *taken) { c.say("HTTP/1.1 20"); c.hold() }, hangs: true},
		"hang in the header":      {behave: func(c *taken) { c.say(ok + "A: b\r\n"); c.hold() }, hangs: true},
		"hang after the header":   {behave: func(c *taken) { c.say(ok + "Content-Length: 9\r\n\r\n"); c.hold() }, hangs: true},
		"hang in the body":        {behave: func(c *taken) { c.say(ok + "Content-Length: 9\r\n\r\nab"); c.hold() }, hangs: true},
		"hang in a chunk":         {behave: func(c *taken) { c.say(ok + "Transfer-Encoding: chunked\r\n\r\nff\r\nab"); c.hold() }, hangs: true},
		"hang in a redirect":      {behave: func(c *taken) { c.say("HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 9\r\n\r\nab"); c.hold() }, hangs: true},
		"drip the status line":    {behave: func(c *taken) { c.drip(ok + strings.Repeat("x", 100)) }, hangs: true},
		"drip the header":         {behave: func(c *taken) { c.say(ok); c.drip("A: " + strings.Repeat("x", 100)) }, hangs: true},
		"drip the body":           {behave: func(c *taken) { c.say(ok + "\r\n"); c.drip(strings.Repeat("x", 100)) }, hangs: true},
		"drip 1xx":                {behave: func(c *taken) { c.drip(strings.Repeat("HTTP/1.1 103 E\r\n\r\n", 9)) }, hangs: true},
		"endless body":            {behave: func(c *taken) { c.say(ok + "\r\n"); c.flood(make([]byte, 64<<10)) }, reasons: []status.Reason{status.None}},
		"endless chunks": {behave: func(c *taken) {
			c.say(ok + "Transfer-Encoding: chunked\r\n\r\n")
			c.flood(bytes.Repeat([]byte("400\r\n"+strings.Repeat("x", 1024)+"\r\n"), 60))
		}, reasons: []status.Reason{status.None}},
		"tiny chunks": {behave: func(c *taken) {
			c.say(ok + "Transfer-Encoding: chunked\r\n\r\n")
			c.flood(bytes.Repeat([]byte("1;"+strings.Repeat("e", 200)+"\r\nx\r\n"), 300))
		}, reasons: []status.Reason{status.Protocol}},
		"endless chunk header": {behave: func(c *taken) {
			c.say(ok + "Transfer-Encoding: chunked\r\n\r\n")
			c.flood(bytes.Repeat([]byte("1"), 64<<10))
		}, reasons: []status.Reason{status.Protocol}},
		"endless trailer": {behave: func(c *taken) {
			c.say(ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n")
			c.flood(bytes.Repeat([]byte("A: b\r\n"), 10_000))
		}, reasons: []status.Reason{status.Protocol}},
		"gzip bomb": {behave: bomb, reasons: []status.Reason{status.None}},
		"100 MB of headers": {behave: func(c *taken) {
			c.say(ok)
			c.flood(bytes.Repeat([]byte("X-Header: "+strings.Repeat("x", 100)+"\r\n"), 600))
		}, reasons: []status.Reason{status.Protocol, status.ConnectionReset}},
		"one endless header line": {behave: func(c *taken) { c.say(ok + "A: "); c.flood(bytes.Repeat([]byte("x"), 64<<10)) }, reasons: []status.Reason{status.Protocol, status.ConnectionReset}},
		"endless status line":     {behave: func(c *taken) { c.flood(bytes.Repeat([]byte("HTTP/1.1 "), 7000)) }, reasons: []status.Reason{status.Protocol, status.ConnectionReset}},
		"endless spaces":          {behave: func(c *taken) { c.flood(bytes.Repeat([]byte("\r\n"), 32<<10)) }, reasons: []status.Reason{status.Protocol, status.ConnectionReset}},
		"1xx flood":               {behave: func(c *taken) { c.flood(bytes.Repeat([]byte("HTTP/1.1 102 Processing\r\n\r\n"), 2000)) }, reasons: []status.Reason{status.Protocol, status.ConnectionReset}},
		"reset before an answer":  {behave: (*taken).rst, reasons: []status.Reason{status.ConnectionReset}},
		"reset in the header":     {behave: func(c *taken) { c.say(ok + "A: b"); c.rst() }, reasons: []status.Reason{status.ConnectionReset}},
		"reset in the body":       {behave: func(c *taken) { c.say(ok + "Content-Length: 9\r\n\r\nab"); c.rst() }, reasons: []status.Reason{status.ConnectionReset}},
		"close without an answer": {behave: func(c *taken) { _ = c.Close() }, reasons: []status.Reason{status.ConnectionReset}},
		"close in the header":     {behave: func(c *taken) { c.say(ok + "A: b") }, reasons: []status.Reason{status.ConnectionReset}},
		"close in the body":       {behave: func(c *taken) { c.say(ok + "Content-Length: 9\r\n\r\nab") }, reasons: []status.Reason{status.ConnectionReset}},
		"garbage":                 {behave: func(c *taken) { c.say("\x00\xff\x16\x03\x01garbage\r\n\r\n") }, reasons: []status.Reason{status.Protocol}},
		"preface of HTTP/2":       {behave: func(c *taken) { c.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") }, reasons: []status.Reason{status.Protocol}},
		"settings of HTTP/2":      {behave: func(c *taken) { c.say("\x00\x00\x00\x04\x00\x00\x00\x00\x00") }, reasons: []status.Reason{status.Protocol, status.ConnectionReset}},
		"HTTP/2 in HTTP/1":        {behave: func(c *taken) { c.say("HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n") }, reasons: []status.Reason{status.None, status.Protocol}},
		"negative length":         {behave: func(c *taken) { c.say(ok + "Content-Length: -9\r\n\r\nab") }, reasons: []status.Reason{status.Protocol}},
		"huge length":             {behave: func(c *taken) { c.say(ok + "Content-Length: 99999999999999999999\r\n\r\nab") }, reasons: []status.Reason{status.None}},
		"length and nothing":      {behave: func(c *taken) { c.say(ok + "Content-Length: 9223372036854775807\r\n\r\n"); c.hold() }, hangs: true},
		"huge length to HEAD":     {behave: func(c *taken) { c.say(ok + "Content-Length: 9223372036854775807\r\n\r\n") }, method: http.MethodHead, reasons: []status.Reason{status.None}},
		"body after HEAD":         {behave: func(c *taken) { c.say(ok + "\r\n"); c.flood(make([]byte, 64<<10)) }, method: http.MethodHead, reasons: []status.Reason{status.None}},
		"redirect to a file":      {behave: func(c *taken) { c.say("HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n") }, reasons: []status.Reason{status.Protocol}},
		"redirect to gopher":      {behave: func(c *taken) { c.say("HTTP/1.1 302 Found\r\nLocation: gopher://127.0.0.1:70/1\r\n\r\n") }, reasons: []status.Reason{status.Protocol}},
		"redirect to no host":     {behave: func(c *taken) { c.say("HTTP/1.1 302 Found\r\nLocation: http:///a\r\n\r\n") }, reasons: []status.Reason{status.Protocol}},
		"redirect to no port":     {behave: func(c *taken) { c.say("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:99999/\r\n\r\n") }, reasons: []status.Reason{status.Protocol}},
		"redirect with a break":   {behave: func(c *taken) { c.say("HTTP/1.1 302 Found\r\nLocation: /a%0d%0aX: y\r\n\r\n") }, reasons: []status.Reason{status.TooManyRedirects}},
		"endless percents": {behave: func(c *taken) {
			c.say("HTTP/1.1 302 Found\r\nLocation: http://[" + strings.Repeat("%", 200<<10) + "\r\n\r\n")
		}, reasons: []status.Reason{status.Protocol}},
		"redirects without end": {behave: redirectOn, reasons: []status.Reason{status.TooManyRedirects}},
		"redirect loop":         {behave: func(c *taken) { c.say("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n") }, reasons: []status.Reason{status.TooManyRedirects}},
	}
	redirected atomic.Int64
	zeros      = packedZeros()
)

// redirectOn never sends anybody to the same place twice.
func redirectOn(c *taken) {
	c.say(fmt.Sprintf("HTTP/1.1 302 Found\r\nLocation: /%d\r\nContent-Length: 0\r\n\r\n", redirected.Add(1)))
}

// packedZeros is 1 GB as gzip packs it.
func packedZeros() []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	block := make([]byte, 1<<20)
	for range 64 {
		_, _ = w.Write(block)
	}
	_ = w.Close()
	return bytes.Repeat(b.Bytes(), 16) // A file of gzip may have many parts.
}

func bomb(c *taken) {
	c.say(fmt.Sprintf("%sContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", ok, len(zeros)))
	_, _ = c.Write(zeros)
}

// target opens h on a port of its own, over TLS where config is not nil.
func target(t testing.TB, h hostile, config *tls.Config) (url string, sent *atomic.Int64) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	scheme := "http://"
	if config != nil {
		ln, scheme = tls.NewListener(ln, config), "https://"
	}
	sent, gone := new(atomic.Int64), make(chan struct{})
	t.Cleanup(func() {
		close(gone)
		_ = ln.Close()
	})
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				start := make([]byte, 4096)
				if n, err := conn.Read(start); err == nil {
					h.behave(&taken{conn, sent, gone, start[:n]})
				}
			}()
		}
	}()
	return scheme + ln.Addr().String(), sent
}

// pair is a certificate for loopback, and who trusts it.
func pair(t testing.TB) (server *tls.Config, roots *x509.CertPool) {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	roots = x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates, MinVersion: tls.VersionTLS12}, roots
}

func trusting(roots *x509.CertPool) *Prober {
	p := New(Options{})
	p.trust.roots = roots
	return p
}

// hit measures once and holds what every probe must keep to.
func (h hostile) hit(t *testing.T, name string, p *Prober, url string, sent *atomic.Int64) {
	t.Helper()
	c := checkOf(url)
	c.KeepAlive = h.keep
	if c.Method = h.method; c.Method == "" {
		c.Method = http.MethodGet
	}
	reasons := h.reasons
	if h.hangs {
		c.Timeout, reasons = hostileTimeout, []status.Reason{status.Timeout}
	}
	began := time.Now()
	machine := make(chan time.Duration, 1) // What a bare timer takes: a busy machine is no fault of the prober.
	time.AfterFunc(hostileTimeout, func() { machine <- time.Since(began) })
	r := p.asks(t.Context(), c)
	took := time.Since(began)
	if !slices.Contains(reasons, r.Reason) || r.Outcome == status.Unknown || (r.Outcome == status.Up) != (r.Reason == status.None) {
		t.Errorf("%s: %v %v (%v), want one of %v", name, r.Outcome, r.Reason, r.Err, reasons)
	}
	if h.hangs && (took > <-machine+tolerance || took < hostileTimeout-tolerance) {
		t.Errorf("%s: took %v with a timeout of %v", name, took, hostileTimeout)
	}
	most := int64(mostTaken)
	if h.keep {
		most *= 2 // Over the kept connection, and over a new one.
	}
	if n := sent.Load(); n > most {
		t.Errorf("%s: took %d bytes, want %d at most", name, n, most)
	}
}

func TestHostileTargets(t *testing.T) {
	t.Parallel()
	server, roots := pair(t)
	var hanging sync.WaitGroup // Some at once: they cost nothing but the time.
	places := make(chan struct{}, 8)
	for name, h := range hostiles {
		for scheme, config := range map[string]*tls.Config{"http": nil, "https": server} {
			name, p := name+" over "+scheme, trusting(roots)
			url, sent := target(t, h, config)
			if h.hangs {
				hanging.Go(func() {
					places <- struct{}{}
					defer func() { <-places }()
					h.hit(t, name, p, url, sent)
				})
				continue
			}
			t.Run(name, func(t *testing.T) {
				h.hit(t, name, p, url, sent)
			})
		}
	}
	hanging.Wait()
}

// TestHostileMemory is not parallel, so that what is allocated is this test's own.
func TestHostileMemory(t *testing.T) {
	const most = 4 << 20
	server, roots := pair(t)
	for _, name := range []string{"endless body", "endless chunks", "gzip bomb", "100 MB of headers", "one endless header line", "endless trailer", "1xx flood", "redirects without end", "body after HEAD"} {
		for scheme, config := range map[string]*tls.Config{"http": nil, "https": server} {
			h := hostiles[name]
			url, sent := target(t, h, config)
			p := trusting(roots)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			h.hit(t, name+" over "+scheme, p, url, sent)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > most {
				t.Errorf("%s over %s: %d bytes allocated, want %d at most", name, scheme, n, most)
			}
		}
	}
}

func TestHostileConnections(t *testing.T) {
	t.Parallel()
	server, _ := pair(t)
	expect := func(name string, want status.Reason, url string, p *Prober) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hostile{reasons: []status.Reason{want}, hangs: want == status.Timeout}.hit(t, name, p, url, new(atomic.Int64))
		})
	}
	secure := func(f func(net.Conn)) string { return strings.Replace(raw(t, f), "http:", "https:", 1) }
	p := New(Options{})
	expect("reset when accepted", status.ConnectionReset, raw(t, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0); _ = c.Close() }), p)
	expect("never accepted", status.Timeout, full(t, "127.0.0.1"), p)
	expect("TLS that stalls", status.Timeout, secure(func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }), p)
	expect("TLS that drips", status.Timeout, secure(func(c net.Conn) {
		for _, b := range []byte("\x16\x03\x03\x10\x00" + strings.Repeat("x", 100)) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			<-time.After(30 * time.Millisecond)
		}
	}), p)
	expect("TLS reset in the handshake", status.ConnectionReset, secure(reset), p)
	expect("TLS closed in the handshake", status.ConnectionReset, secure(answer("")), p)
	expect("garbage for TLS", status.TLS, secure(answer("HTTP/1.1 400 Bad Request\r\n\r\n")), p)
	expect("alert in the handshake", status.TLS, secure(answer("\x15\x03\x03\x00\x02\x02\x28")), p)
	stranger, _ := target(t, hostile{behave: (*taken).hold}, server)
	expect("certificate of a stranger", status.TLS, stranger, p)
}

// full is the address of a listener whose queue of connections is full, so that it answers
// none: what a host behind a silent firewall looks like.
func full(t *testing.T, host string) string {
	t.Helper()
	return "http://" + blackHole(t, host)
}

// TestHTTP2 misbehaves after HTTP/2 was agreed on.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	server, roots := pair(t)
	server.NextProtos = []string{"h2"}
	const (
		settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
		headers  = "\x00\x00\x01\x01\x04\x00\x00\x00\x01\x88" // :status 200, more to come.
	)
	frame := func(kind, flags byte, stream uint32, payload string) string {
		n := len(payload)
		return string([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, byte(stream >> 24), byte(stream >> 16), byte(stream >> 8), byte(stream)}) + payload
	}
	for name, h := range map[string]hostile{
		"hang":                {behave: func(c *taken) { c.say(settings); c.hold() }, hangs: true},
		"hang after headers":  {behave: func(c *taken) { c.say(settings); c.request(); c.say(headers); c.hold() }, hangs: true},
		"HTTP/1 instead":      {behave: func(c *taken) { c.say(ok + "\r\n") }, reasons: []status.Reason{status.Protocol, status.ConnectionReset}},
		"garbage":             {behave: func(c *taken) { c.say(strings.Repeat("\xff", 64)) }, reasons: []status.Reason{status.Protocol}},
		"close":               {behave: func(c *taken) { c.say(settings) }, reasons: []status.Reason{status.ConnectionReset, status.Protocol}},
		"reset of the stream": {behave: func(c *taken) { c.say(settings); c.request(); c.say(frame(3, 0, 1, "\x00\x00\x00\x02")); c.hold() }, reasons: []status.Reason{status.Protocol}},
		"goaway":              {behave: func(c *taken) { c.say(settings + frame(7, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x02")) }, reasons: []status.Reason{status.Protocol, status.ConnectionReset}},
		"endless continuation": {behave: func(c *taken) {
			c.say(settings)
			c.request()
			c.say(frame(1, 0, 1, "\x88"))
			c.flood([]byte(strings.Repeat(frame(9, 0, 1, strings.Repeat("\x00\x01a\x01b", 200)), 60)))
		}, reasons: []status.Reason{status.Protocol}},
		"header bomb": {behave: func(c *taken) {
			c.say(settings)
			c.request()
			c.say(frame(1, 4, 1, "\x88\x40\x01a\x7f\x81\x1e"+strings.Repeat("x", 286)+strings.Repeat("\xbe", 12_000)))
			c.hold()
		}, reasons: []status.Reason{status.Protocol}},
		"endless data": {behave: func(c *taken) {
			c.say(settings)
			c.request()
			c.say(headers)
			// Past what it may send, or past what is read of a body, whichever is first.
			c.flood([]byte(strings.Repeat(frame(0, 0, 1, strings.Repeat("x", 1000)), 60)))
		}, reasons: []status.Reason{status.None, status.Protocol, status.ConnectionReset}},
		"empty data": {behave: func(c *taken) {
			c.say(settings)
			c.request()
			c.say(headers)
			c.flood([]byte(strings.Repeat(frame(0, 0, 1, ""), 6000)))
		}, hangs: true},
		"1xx flood": {behave: func(c *taken) {
			c.say(settings)
			c.request()
			c.flood([]byte(strings.Repeat(frame(1, 4, 1, "\x08\x03103"), 4000)))
		}, reasons: []status.Reason{status.Protocol}},
		"push": {behave: func(c *taken) { c.say(settings); c.request(); c.say(frame(5, 4, 1, "\x00\x00\x00\x02\x82")); c.hold() }, reasons: []status.Reason{status.Protocol}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, sent := target(t, h, server)
			if name == "empty data" {
				sent = new(atomic.Int64) // Nothing to keep, however many come.
			}
			h.hit(t, name, trusting(roots), url, sent)
		})
	}
}

// TestKeptConnectionTurnsHostile measures twice over a connection that stays open and
// turns hostile after the first answer.
func TestKeptConnectionTurnsHostile(t *testing.T) {
	t.Parallel()
	for name, h := range hostiles {
		if h.method == http.MethodHead || h.hangs && name != "hang in the body" {
			continue // A hang over a kept connection is a hang.
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := ok + "Content-Length: 0\r\n\r\n"
			var first atomic.Bool
			url, sent := target(t, hostile{behave: func(c *taken) {
				if first.CompareAndSwap(false, true) {
					c.say(good)
					if _, err := c.Read(make([]byte, 4096)); err != nil {
						return
					}
				}
				h.behave(c)
			}}, nil)
			p := New(Options{})
			c := checkOf(url)
			c.KeepAlive, c.Method = true, http.MethodGet
			if r := p.asks(t.Context(), c); r.Outcome != status.Up {
				t.Fatalf("first: %v %v", r.Outcome, r.Err)
			}
			kept := h
			kept.keep = true
			kept.hit(t, name, p, url, sent)
		})
	}
}
