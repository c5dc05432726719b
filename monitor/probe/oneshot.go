package probe

import (
	"bufio"
	"context"
	"crypto/tls"
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
	bufferSize = 4 << 10
	broken     = "net/http: HTTP/1.x transport connection broken" // Its words; classify knows them.
)

var (
	errHeaderTooLong = fmt.Errorf("server response headers exceeded %d bytes", maxHeader)
	errNoHost        = errors.New("http: no Host in request URL")
)

// oneShot is HTTP/1.1 over a connection for each exchange, in the goroutine of who asks: net/http's transport
// has two more for each, and the handing back and forth costs more than the exchange (docs/adr/0013). What is sent
// is net/http's own, as are redirects: this is a http.RoundTripper under its client.
type oneShot struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
	tls  func(ctx context.Context, address string) (*tls.Config, error)
	read readFunc
}

// readFunc reads the header of an answer, and returns its body to be read.
type readFunc func(*bufio.Reader, *http.Request) (*http.Response, error)

func (p *Prober) oneShot(read readFunc) *oneShot {
	return &oneShot{
		dial: p.dialer(-1).DialContext, // Keep-alive is four system calls for a connection of one exchange.
		tls:  p.tlsFor,
		read: read,
	}
}

var (
	readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, bufferSize) }}
	writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, bufferSize) }}
)

// RoundTrip asks once.
func (o *oneShot) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == "" {
		return nil, errNoHost // A port of this machine, to who dials.
	}
	ctx := req.Context()
	conn, err := o.dial(ctx, "tcp", addressOf(req.URL))
	if err != nil {
		return nil, ended(ctx, err)
	}
	var secured *tls.ConnectionState
	if req.URL.Scheme == "https" {
		if conn, err = o.secure(ctx, conn, addressOf(req.URL)); err != nil {
			return nil, ended(ctx, err)
		}
		state := conn.(*tls.Conn).ConnectionState() //nolint:forcetypeassert // So secure has it.
		secured = &state
	}
	return o.exchange(req, conn, secured)
}

// secure speaks TLS, and HTTP/1.1 above it.
func (o *oneShot) secure(ctx context.Context, conn net.Conn, address string) (net.Conn, error) {
	config, err := o.tls(ctx, address)
	if err == nil {
		config.NextProtos = []string{"http/1.1"}
		over := tls.Client(conn, config)
		if err = over.HandshakeContext(ctx); err == nil {
			return over, nil
		}
	}
	_ = conn.Close()
	return nil, err
}

// addressOf is host:port as a resolver takes it.
func addressOf(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(asciiHost(u.Hostname()), port)
}

// asciiHost has names beyond ASCII in the form of DNS.
func asciiHost(host string) string {
	if !strings.ContainsFunc(host, func(r rune) bool { return r > unicode.MaxASCII }) {
		return host
	}
	if ascii, err := idna.Lookup.ToASCII(host); err == nil {
		return ascii
	}
	return host // The look-up fails, and says so.
}

// exchange writes the request and reads the header of the answer; the body follows as it is read.
func (o *oneShot) exchange(req *http.Request, conn net.Conn, secured *tls.ConnectionState) (*http.Response, error) {
	ctx := req.Context()
	// The end of ctx is the deadline of all reads and writes; a timer of the connection's
	// own would be a second one.
	release := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	b := &answerBody{conn: conn, release: release, ctx: ctx}
	b.limit.R, b.limit.N = conn, maxHeader
	b.reader = readers.Get().(*bufio.Reader) //nolint:forcetypeassert // Nothing else is put in.
	b.reader.Reset(&b.limit)
	res, err := b.ask(req, o.read)
	if err != nil {
		_ = b.Close()
		return nil, ended(ctx, err)
	}
	b.body, res.Body, res.TLS = res.Body, b, secured
	return res, nil
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
	conn    net.Conn
	ctx     context.Context //nolint:containedctx // That of the request, for as long as the body is read.
	release func() bool     // Takes the end of ctx off the connection.
	limit   io.LimitedReader
	reader  *bufio.Reader
	body    io.ReadCloser
}

// ask writes the request and reads headers until one is the answer's.
func (b *answerBody) ask(req *http.Request, read readFunc) (*http.Response, error) {
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
	for {
		res, err := read(b.reader, req) // Interim answers share the limit of a header.
		switch {
		case err != nil && b.limit.N <= 0:
			return nil, errHeaderTooLong
		case err != nil:
			return nil, fmt.Errorf("%s: %w", broken, err)
		case res.StatusCode/100 != 1 || res.StatusCode == http.StatusSwitchingProtocols:
			b.limit.N = 1 << 62 // The body has a limit of its own.
			return res, nil
		}
	}
}

// Read reads from the body.
func (b *answerBody) Read(into []byte) (n int, err error) {
	if n, err = b.body.Read(into); err != nil && err != io.EOF { //nolint:errorlint // Readers give the bare value.
		err = ended(b.ctx, fmt.Errorf("%s: %w", broken, err))
	}
	return n, err
}

// Close closes the connection.
func (b *answerBody) Close() error {
	if b.reader == nil {
		return nil
	}
	b.reader.Reset(nil)
	readers.Put(b.reader)
	b.reader = nil
	b.release()
	return b.conn.Close()
}
