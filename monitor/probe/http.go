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
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxBody   = 1 << 20   // Bytes of an answer that are read.
	maxHeader = 256 << 10 // Bytes of an answer's header, as in Chromium (curl: 300 KiB); more is a protocol error.
	maxWindow = 256 << 10 // Bytes of a body that a server of HTTP/2 may send ahead of our reading.
	userAgent = "statuspage"
)

var (
	errTooManyRedirects = errors.New("too many redirects")
	errRedirectScheme   = errors.New("redirect to what is neither http nor https")
)

// httpCheck is a check of this kind with its settings.
type httpCheck struct {
	check.Check
	*check.HTTP
}

// HTTP measures with HEAD or GET. Unless the check keeps its connection, DNS, TCP and TLS
// are part of every measurement.
func (p *Prober) HTTP(ctx context.Context, whole check.Check) Result {
	c := httpCheck{whole, whole.How.(*check.HTTP)} //nolint:forcetypeassert // So the table of kinds has it.
	start := time.Now()
	limited, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	limited, err := withSecurity(limited, c)
	if err != nil {
		return Result{Err: &ourError{errors.New("the address is no URL")}, HTTPStatus: status.NoHTTPStatus}
	}
	over, done := p.transportFor(c)
	defer done()
	r := p.measure(limited, cancel, c, over)
	if r.Err != nil {
		r.Duration = time.Since(start)
	}
	r.Phases.Total = r.Duration
	if ctx.Err() != nil { // Stopped by us: whatever came of it says nothing of the target.
		return Result{Err: ctx.Err(), HTTPStatus: status.NoHTTPStatus, Duration: r.Duration}
	}
	return judge(c, r)
}

// measure asks with GET where HEAD gets no good answer, as many servers, firewalls and signed links have
// it: what counts is what visitors get. A HEAD that hangs is given half of the time, and more only while GET does
// no better. stop ends ctx.
func (p *Prober) measure(ctx context.Context, stop context.CancelFunc, c httpCheck, over *transport) Result {
	if c.NeedsBody() {
		return p.ask(ctx, c, over, http.MethodGet)
	}
	if c.Method != http.MethodHead {
		return p.ask(ctx, c, over, c.Method)
	}
	if p.refusesHead(c) {
		return p.ask(ctx, c, over, http.MethodGet)
	}
	var (
		watch             stopwatch
		heading, stopHead = context.WithCancel(ctx)
		got               = make(chan Result, 1) // One that nobody asked for has no HTTP status, not even none.
	)
	defer stopHead()
	second := time.AfterFunc(c.Timeout/2, func() {
		if !watch.asked() { // Another method would hang in the same place.
			got <- Result{}
			return
		}
		get := p.ask(ctx, c, over, http.MethodGet)
		if well(c, get) {
			stopHead()
		}
		got <- get
	})
	head := p.hear(heading, c, over, http.MethodHead, &watch)
	given := heading.Err() != nil && ctx.Err() == nil // GET has answered.
	if !given && (well(c, head) || head.Err != nil && ours(head.Err) || !watch.asked()) {
		if !second.Stop() {
			stop()
			<-got
		}
		return head
	}
	var get Result
	if !second.Stop() {
		get = <-got
	}
	if get.HTTPStatus == 0 {
		if ctx.Err() != nil {
			return head
		}
		get = p.ask(ctx, c, over, http.MethodGet)
	}
	if well(c, get) {
		p.headRefused(c)
		why := "no answer in half of the time"
		if !given {
			why = judge(c, head).Err.Error()
		}
		get.overlooked = append(get.overlooked, "HEAD: "+why+"; asked with GET for a day")
	}
	return get
}

// ask asks once with a method, and again where the answer is none by the letter but visitors may get through.
func (p *Prober) ask(ctx context.Context, c httpCheck, over *transport, method string) (r Result) {
	defer func() { // A goroutine of ours may run it, where nobody else would.
		if cause := recover(); cause != nil {
			r = Result{Err: &ourError{fmt.Errorf("probe panicked: %v", cause)}, HTTPStatus: status.NoHTTPStatus}
		}
	}()
	var watch stopwatch
	strict := p.hear(ctx, c, over, method, &watch)
	if !malformed(strict.Err) || ctx.Err() != nil {
		return strict
	}
	lenient := exchange(ctx, c, p.lenient, method, new(stopwatch))
	if !well(c, lenient) {
		return strict
	}
	lenient.overlooked = append(lenient.overlooked, strict.Err.Error())
	return lenient
}

// hear asks once, and anew when what came over a kept connection may not have been said to this request: an
// answer to its idleness, or one that was broken off.
func (p *Prober) hear(ctx context.Context, c httpCheck, over *transport, method string, watch *stopwatch) Result {
	r := exchange(ctx, c, over, method, watch)
	if watch.reused() && (r.Err != nil && !ours(r.Err) || r.HTTPStatus == http.StatusRequestTimeout) && ctx.Err() == nil {
		over.closeIdle()
		watch.reset()
		r = exchange(ctx, c, over, method, watch)
	}
	return r
}

// well tells whether an exchange went as the check expects.
func well(c httpCheck, r Result) bool {
	return r.Err == nil && c.Expects(r.HTTPStatus)
}

// judge turns what came of the exchange into a verdict.
func judge(c httpCheck, r Result) Result {
	if r.Err == nil && !c.Expects(r.HTTPStatus) {
		r.Outcome, r.Reason, r.page = status.Down, status.UnexpectedStatus, nil
		r.Err = fmt.Errorf("unexpected status %d", r.HTTPStatus)
	} else {
		r = verdict(c.Check, r)
	}
	if r.Outcome.Available() && len(r.overlooked) > 0 {
		overlooked := "overlooked: " + strings.Join(r.overlooked, "; ")
		if r.Err != nil {
			overlooked = r.Err.Error() + "; " + overlooked
		}
		r.Err = errors.New(overlooked)
	}
	return r
}

// exchange asks once, following redirects, and reads the body up to its limit.
func exchange(ctx context.Context, c httpCheck, over http.RoundTripper, method string, watch *stopwatch) (r Result) {
	start := time.Now()
	r.HTTPStatus = status.NoHTTPStatus
	defer func() { r.Phases, r.Duration = watch.read(), time.Since(start) }()
	req, err := http.NewRequestWithContext(watch.trace(ctx), method, c.Target, nil)
	if err != nil {
		r.Err = &ourError{conceal(err, c.Check)}
		return r
	}
	req.URL.RawQuery = strings.ReplaceAll(req.URL.RawQuery, " ", "%20")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "*/*") // Some servers want one; all clients send one.
	for name, value := range c.Headers {
		if strings.EqualFold(name, "Host") {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	client := &http.Client{Transport: over, CheckRedirect: redirects(c, req.URL, watch)}
	if c.FollowRedirects {
		client.Jar = new(cookies)
	}
	res, err := client.Do(req)
	if err != nil {
		r.Err = conceal(err, c.Check)
		return r
	}
	defer res.Body.Close() //nolint:errcheck // Read as far as we want.
	r.HTTPStatus = res.StatusCode
	r.CertificateExpiry = expiry(res.TLS)
	if c.NeedsBody() {
		r.page, err = readPage(res)
	} else {
		_, err = io.Copy(io.Discard, io.LimitReader(res.Body, maxBody))
	}
	if err != nil {
		r.Err = conceal(err, c.Check)
	}
	return r
}

// redirects follows as far as the check allows; secrets go to the configured host only.
func redirects(c httpCheck, first *url.URL, watch *stopwatch) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		watch.dials.Store(0)
		if !c.FollowRedirects {
			return http.ErrUseLastResponse
		}
		if len(via) > check.MaxRedirects {
			return errTooManyRedirects
		}
		if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
			return errRedirectScheme
		}
		req.URL.RawQuery = strings.ReplaceAll(req.URL.RawQuery, " ", "%20") // net/http sends it as it came.
		req.Header.Del("Referer")                                           // It has the query.
		if req.URL.Host != first.Host || req.URL.Scheme != first.Scheme && req.URL.Scheme != "https" {
			for name := range c.Headers {
				req.Header.Del(name)
			}
		}
		return nil
	}
}

// stopwatch times the phases of the last connection. Dialling goes on in goroutines of its
// own, two address families at once, and after the deadline too: hence the lock, and a copy
// for who reads.
type stopwatch struct {
	mu                             sync.Mutex
	phases                         Phases
	dns, connect, handshake, wrote time.Time
	again                          bool         // The last connection had been used before.
	dials                          atomic.Int32 // Connections for the present request.
}

type watchKey struct{}

// asked tells whether a request was written.
func (w *stopwatch) asked() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.wrote.IsZero()
}

func (w *stopwatch) reset() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.phases, w.dns, w.connect, w.handshake, w.wrote, w.again = Phases{}, time.Time{}, time.Time{}, time.Time{}, time.Time{}, false
}

func (w *stopwatch) reused() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.again
}

func (w *stopwatch) connected(by httptrace.GotConnInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.again = by.Reused
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
	return httptrace.WithClientTrace(context.WithValue(ctx, watchKey{}, w), &httptrace.ClientTrace{
		GotConn:              w.connected,
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
