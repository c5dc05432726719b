package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/net/idna"
)

const (
	bufferSize  = 4 << 10
	idleTimeout = 5 * time.Minute                                  // A connection that was idle for longer is not trusted any more.
	max1xx      = 5                                                // As many interim answers as net/http takes.
	broken      = "net/http: HTTP/1.x transport connection broken" // Its words; classify knows them.
)

var errHeaderTooLong = fmt.Errorf("server response headers exceeded %d bytes", maxHeader)

// plain is HTTP/1.1 without TLS in the goroutine of who asks: net/http's transport has two
// more for each connection, and the handing back and forth costs more than the exchange. What
// is sent and how the answer is read is net/http's all the same, as are redirects: this is
// a http.RoundTripper under its client. With hold, a connection is kept for the next exchange
// with its host; without, each has its own.
type plain struct {
	hold bool
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu   sync.Mutex
	idle map[string]idleConn // By address; one for each host of a check's redirects.
}

type idleConn struct {
	net.Conn
	since time.Time
}

func (p *Prober) newPlain(hold bool) *plain {
	keepAlive := time.Duration(-1) // Four system calls for a connection of one exchange.
	if hold {
		keepAlive = 0
	}
	return &plain{hold: hold, dial: p.dialer(keepAlive).DialContext}
}

var (
	readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, bufferSize) }}
	writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, bufferSize) }}
)

// RoundTrip asks once. A kept connection that the server has closed meanwhile, which shows
// before the first byte of an answer, is replaced by a new one, as net/http does: HEAD and
// GET may be repeated.
func (p *plain) RoundTrip(req *http.Request) (*http.Response, error) {
	address := addressOf(req.URL)
	if conn := p.take(address); conn != nil {
		res, begun, err := p.exchange(req, conn, address)
		if err == nil || begun || req.Context().Err() != nil {
			return res, err
		}
	}
	conn, err := p.dial(req.Context(), "tcp", address)
	if err != nil {
		return nil, ended(req.Context(), err)
	}
	res, _, err := p.exchange(req, conn, address)
	return res, err
}

// addressOf is host:port as a resolver takes it: names beyond ASCII in the form of DNS.
func addressOf(u *url.URL) string {
	host, port := u.Hostname(), u.Port()
	if port == "" {
		port = "80"
	}
	if !isASCII(host) {
		if ascii, err := idna.Lookup.ToASCII(host); err == nil {
			host = ascii // Else the look-up fails, and says so.
		}
	}
	return net.JoinHostPort(host, port)
}

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

// take takes the kept connection to an address, nil without one.
func (p *plain) take(address string) net.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept, found := p.idle[address]
	if !found {
		return nil
	}
	delete(p.idle, address)
	if time.Since(kept.since) > idleTimeout {
		_ = kept.Close()
		return nil
	}
	return kept.Conn
}

func (p *plain) give(address string, conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle == nil {
		p.idle = make(map[string]idleConn)
	}
	if other, found := p.idle[address]; found {
		_ = other.Close()
	}
	p.idle[address] = idleConn{conn, time.Now()}
}

// exchange writes the request and reads the header of the answer; the body follows as it
// is read. It tells whether an answer had begun.
func (p *plain) exchange(req *http.Request, conn net.Conn, address string) (res *http.Response, begun bool, err error) {
	ctx := req.Context()
	// The end of ctx is the deadline of all reads and writes; a timer of the connection's
	// own would be a second one.
	release := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	b := &answerBody{plain: p, conn: conn, address: address, release: release, ctx: ctx}
	b.limit.R, b.limit.N = conn, maxHeader
	b.reader = readers.Get().(*bufio.Reader) //nolint:forcetypeassert // Nothing else is put in.
	b.reader.Reset(&b.limit)
	if res, err = b.ask(req); err != nil {
		begun = b.limit.N < maxHeader
		b.end(false)
		return nil, begun, ended(ctx, err)
	}
	b.body, b.whole = res.Body, req.Method == http.MethodHead || res.ContentLength == 0
	b.hold = p.hold && !res.Close && !req.Close
	res.Body = b
	return res, true, nil
}

// ended prefers the error of a context that has ended: what it did to the connection is
// not what went wrong.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// answerBody is the body of an answer, which owns the connection until it is closed.
type answerBody struct {
	plain   *plain
	conn    net.Conn
	address string
	ctx     context.Context //nolint:containedctx // That of the request, for as long as the body is read.
	release func() bool     // Takes the end of ctx off the connection.
	limit   io.LimitedReader
	reader  *bufio.Reader
	body    io.ReadCloser
	whole   bool // All of the body was read.
	hold    bool // The connection may be used again when it was.
}

// ask writes the request and reads headers until one is the answer's.
func (b *answerBody) ask(req *http.Request) (*http.Response, error) {
	trace := httptrace.ContextClientTrace(b.ctx)
	w := writers.Get().(*bufio.Writer) //nolint:forcetypeassert // Nothing else is put in.
	defer writers.Put(w)
	w.Reset(b.conn)
	err := req.Write(w)
	if err == nil {
		err = w.Flush()
	}
	w.Reset(nil)
	if err != nil {
		return nil, err
	}
	if trace != nil && trace.WroteRequest != nil {
		trace.WroteRequest(httptrace.WroteRequestInfo{})
	}
	if _, err := b.reader.Peek(1); err != nil {
		return nil, err
	}
	if trace != nil && trace.GotFirstResponseByte != nil {
		trace.GotFirstResponseByte()
	}
	for range max1xx + 1 {
		res, err := http.ReadResponse(b.reader, req)
		switch {
		case err != nil && b.limit.N <= 0:
			return nil, errHeaderTooLong
		case err != nil:
			return nil, fmt.Errorf("%s: %w", broken, err)
		case res.StatusCode >= 200 || res.StatusCode == http.StatusSwitchingProtocols:
			b.limit.N = 1 << 62 // The body has a limit of its own.
			return res, nil
		}
	}
	return nil, errors.New(broken + ": too many 1xx informational responses")
}

// Read reads from the body.
func (b *answerBody) Read(into []byte) (n int, err error) {
	if n, err = b.body.Read(into); err == io.EOF { //nolint:errorlint // Readers give the bare value.
		b.whole = true
	} else if err != nil {
		err = ended(b.ctx, fmt.Errorf("%s: %w", broken, err))
	}
	return n, err
}

// Close keeps the connection when the answer was read to its end, and closes it else.
func (b *answerBody) Close() error {
	if b.reader != nil {
		b.end(b.whole && b.hold && b.reader.Buffered() == 0)
	}
	return nil
}

func (b *answerBody) end(keep bool) {
	b.reader.Reset(nil)
	readers.Put(b.reader)
	b.reader = nil
	if b.release() && keep { // Else ctx has ended, and the deadline is set or about to be.
		b.plain.give(b.address, b.conn)
		return
	}
	_ = b.conn.Close()
}
