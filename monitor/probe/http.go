package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"statuspage/internal/status"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxBody   = 1 << 20   // Bytes of an answer that are read, and thrown away.
	maxHeader = 64 << 10  // Bytes of an answer's header; more is a protocol error.
	maxWindow = 256 << 10 // Bytes of a body that a server of HTTP/2 may send ahead of our reading.
	userAgent = "statuspage"
)

var (
	errTooManyRedirects = errors.New("too many redirects")
	errRedirectScheme   = errors.New("redirect to what is neither http nor https")
)

// HTTP measures with HEAD or GET. Unless the check keeps its connection, DNS, TCP and TLS
// are part of every measurement. A server that does not know HEAD is asked again with GET.
func (p *Prober) HTTP(ctx context.Context, check status.Check) Result {
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, check.Timeout)
	defer cancel()
	transport, done := p.transportFor(check)
	defer done()
	r := exchange(limited, check, transport, check.Method)
	if check.Method == http.MethodHead && (r.HTTPStatus == http.StatusMethodNotAllowed || r.HTTPStatus == http.StatusNotImplemented) && !check.Expects(r.HTTPStatus) {
		r = exchange(limited, check, transport, http.MethodGet)
	}
	r.Duration = time.Since(start)
	r.Phases.Total = r.Duration
	if ctx.Err() != nil { // Stopped by us: whatever came of it says nothing of the target.
		return Result{Err: ctx.Err(), HTTPStatus: status.NoHTTPStatus, Duration: r.Duration}
	}
	return judge(check, r)
}

// judge turns what came of the exchange into a verdict.
func judge(check status.Check, r Result) Result {
	switch {
	case r.Err != nil && ours(r.Err):
		r.Outcome = status.Unknown
	case r.Err != nil:
		r.Outcome, r.Reason, r.HTTPStatus = status.Down, classify(r.Err), status.NoHTTPStatus
	case !check.Expects(r.HTTPStatus):
		r.Outcome, r.Reason = status.Down, status.UnexpectedStatus
		r.Err = fmt.Errorf("unexpected status %d", r.HTTPStatus)
	case check.DegradedAfter > 0 && r.Duration > check.DegradedAfter:
		r.Outcome, r.Reason = status.Degraded, status.Slow
	default:
		r.Outcome = status.Up
	}
	return r
}

// transport speaks plain HTTP by itself and leaves TLS, with HTTP/2, to net/http. That of a
// check without a kept connection lives for one probe: net/http might hand a connection of
// HTTP/2 to another probe of the same host.
type transport struct {
	plain  *plain
	newTLS func(hold bool) *http.Transport
	tls    atomic.Pointer[http.Transport] // Nil until it is asked for.
}

// RoundTrip is one exchange, without redirects.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" && req.URL.Host != "" {
		return t.plain.RoundTrip(req)
	}
	over := t.tls.Load()
	if over == nil { // A check asks one at a time.
		over = t.newTLS(t.plain.hold)
		t.tls.Store(over)
	}
	return over.RoundTrip(req)
}

func (t *transport) close() {
	if over := t.tls.Load(); over != nil {
		over.CloseIdleConnections()
	}
}

// newTLS returns a transport that asks nobody's leave but ours: no proxy of the environment,
// which would dial where the guard forbids.
func (p *Prober) newTLS(hold bool) *http.Transport {
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            p.dialer(0).DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: p.roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: maxWindow, MaxReceiveBufferPerConnection: maxWindow},
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // Nobody reads the body, so nobody unpacks a bomb.
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    1,
		DisableKeepAlives:      !hold,
	}
}

func (p *Prober) transportFor(check status.Check) (t *transport, done func()) {
	if check.KeepAlive {
		if t := p.keptBy(check.ID + " " + check.Target); t != nil {
			return t, func() {}
		}
	}
	t = &transport{plain: p.fresh, newTLS: p.newTLS}
	return t, t.close
}

// keptBy returns the transport that is kept for a check, nil when too many are.
func (p *Prober) keptBy(check string) *transport {
	shared, found := p.kept.Load(check)
	if !found {
		if n := p.keeps.Add(1); p.o.Keep > 0 && n > int64(p.o.Keep) {
			p.keeps.Add(-1)
			return nil
		}
		if shared, found = p.kept.LoadOrStore(check, &transport{plain: p.newPlain(true), newTLS: p.newTLS}); found {
			p.keeps.Add(-1)
		}
	}
	return shared.(*transport) //nolint:forcetypeassert // Nothing else is stored.
}

// exchange asks once, following redirects, and reads the body up to its limit.
func exchange(ctx context.Context, check status.Check, transport http.RoundTripper, method string) (r Result) {
	r.HTTPStatus = status.NoHTTPStatus
	var watch stopwatch
	defer func() { r.Phases = watch.read() }()
	req, err := http.NewRequestWithContext(watch.trace(ctx), method, check.Target, nil)
	if err != nil {
		r.Err = &ourError{conceal(err, check)}
		return r
	}
	req.Header.Set("User-Agent", userAgent)
	for name, value := range check.Headers {
		if strings.EqualFold(name, "Host") {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	client := &http.Client{Transport: transport, CheckRedirect: redirects(check, req.URL)}
	res, err := client.Do(req)
	if err != nil {
		r.Err = conceal(err, check)
		return r
	}
	defer res.Body.Close() //nolint:errcheck // Read as far as we want.
	r.HTTPStatus = res.StatusCode
	r.CertificateExpiry = earliestExpiry(res.TLS)
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, maxBody)); err != nil {
		r.Err = conceal(err, check)
	}
	return r
}

// redirects follows as far as the check allows; secrets go to the configured host only.
func redirects(check status.Check, first *url.URL) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		if !check.FollowRedirects {
			return http.ErrUseLastResponse
		}
		if len(via) > status.MaxRedirects {
			return errTooManyRedirects
		}
		if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
			return errRedirectScheme
		}
		req.Header.Del("Referer") // It has the query.
		if req.URL.Host != first.Host || req.URL.Scheme != first.Scheme && req.URL.Scheme != "https" {
			for name := range check.Headers {
				req.Header.Del(name)
			}
		}
		return nil
	}
}

func earliestExpiry(state *tls.ConnectionState) (earliest time.Time) {
	if state == nil {
		return earliest
	}
	for _, c := range state.PeerCertificates {
		if earliest.IsZero() || c.NotAfter.Before(earliest) {
			earliest = c.NotAfter
		}
	}
	return earliest
}

// stopwatch times the phases of the last connection. Dialling goes on in goroutines of its
// own, two address families at once, and after the deadline too: hence the lock, and a copy
// for who reads.
type stopwatch struct {
	mu                             sync.Mutex
	phases                         Phases
	dns, connect, handshake, wrote time.Time
}

func (w *stopwatch) read() Phases {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.phases
}

func (w *stopwatch) note(at *time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	*at = time.Now()
}

func (w *stopwatch) end(since *time.Time, took *time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !since.IsZero() {
		*took = time.Since(*since)
	}
}

func (w *stopwatch) trace(ctx context.Context) context.Context {
	p := &w.phases
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:             func(httptrace.DNSStartInfo) { w.note(&w.dns) },
		DNSDone:              func(httptrace.DNSDoneInfo) { w.end(&w.dns, &p.DNS) },
		ConnectStart:         func(string, string) { w.note(&w.connect) },
		ConnectDone:          func(string, string, error) { w.end(&w.connect, &p.Connect) },
		TLSHandshakeStart:    func() { w.note(&w.handshake) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { w.end(&w.handshake, &p.TLS) },
		WroteRequest:         func(httptrace.WroteRequestInfo) { w.note(&w.wrote) },
		GotFirstResponseByte: func() { w.end(&w.wrote, &p.FirstByte) },
	})
}
