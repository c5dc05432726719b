package probe

import (
	"crypto/x509"
	"net/http"
	"statuspage/internal/check"
	"sync"
	"time"
)

const (
	idleTimeout = 5 * time.Minute  // A connection that was idle for longer is not trusted any more.
	maxAge      = 10 * time.Minute // A kept connection is opened anew after that, so that DNS counts at times.
	maxIdle     = 2                // Kept connections of a check: with its host, and with where that sends it.
	sweepEvery  = 10 * time.Second
	headAgain   = 24 * time.Hour // A server that would not answer HEAD is asked with it again after that.
)

// transport speaks plain HTTP over fresh connections by itself and leaves the rest, TLS, HTTP/2 and
// kept connections, to net/http. That of a check without a kept connection lives for one probe: net/http
// might hand a connection of HTTP/2 to another probe of the same host.
type transport struct {
	prober *Prober
	keep   bool
	own    check.Security // Zero where TLS is spoken as always.
	since  time.Time      // When its connections were renewed; guarded by the Prober's mu.

	mu  sync.Mutex
	std *http.Transport // Nil until it is asked for.
}

// RoundTrip is one exchange, without redirects.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" && !t.keep {
		return t.prober.fresh.RoundTrip(req)
	}
	over, err := t.over(req.URL.Scheme == "https" && t.own == check.Security{})
	if err != nil {
		return nil, err
	}
	return over.RoundTrip(req)
}

// over returns net/http's transport. Roots are read when TLS is asked for: plain HTTP goes on without.
func (t *transport) over(secure bool) (*http.Transport, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.std != nil && (!secure || t.std.TLSClientConfig.RootCAs != nil) {
		return t.std, nil
	}
	var roots *x509.CertPool
	if secure {
		var err error
		if roots, err = t.prober.trust.pool(); err != nil {
			return nil, err
		}
	}
	if t.std != nil {
		t.std.CloseIdleConnections()
	}
	t.std = t.prober.netHTTP(t.keep, roots)
	if (t.own != check.Security{}) {
		t.std.DialTLSContext = t.prober.dialTLS
	}
	return t.std, nil
}

func (t *transport) closeIdle() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.std != nil {
		t.std.CloseIdleConnections()
	}
}

// netHTTP returns a transport that asks nobody's leave but ours: no proxy of the environment,
// which would dial where the guard forbids.
func (p *Prober) netHTTP(keep bool, roots *x509.CertPool) *http.Transport {
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            p.dialer(0).DialContext,
		TLSClientConfig:        tlsConfig(roots),
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{MaxReceiveBufferPerStream: maxWindow, MaxReceiveBufferPerConnection: maxWindow},
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true, // Nobody reads the body, so nobody unpacks a bomb.
		IdleConnTimeout:        idleTimeout,
		MaxIdleConns:           maxIdle,
		MaxIdleConnsPerHost:    1,
		DisableKeepAlives:      !keep,
	}
}

// known is what a probe leaves behind for the next one of its check.
type known struct {
	target    string
	seen      time.Time     // When the check was measured last.
	gone      time.Duration // Not seen for so long, it is a check no more.
	transport *transport    // Nil unless its connections are kept.
	refused   time.Time     // When HEAD was refused and GET was not; zero for never.
}

// transportFor returns what a check is asked over, and what to do with it in the end.
func (p *Prober) transportFor(c httpCheck) (t *transport, done func()) {
	p.mu.Lock()
	k := p.look(c, time.Now())
	if k != nil && k.transport != nil {
		t = k.transport
	}
	p.mu.Unlock()
	if t != nil {
		return t, func() {}
	}
	t = &transport{prober: p, own: c.Security}
	return t, t.closeIdle
}

// look returns what is known of a check, nil for nothing, and sees to its kept connection. It wants mu.
func (p *Prober) look(c httpCheck, now time.Time) *known {
	if now.Sub(p.swept) >= sweepEvery {
		p.sweep(now)
	}
	k := p.known[c.ID]
	if k != nil && (k.target != c.Target || k.transport != nil && (!c.KeepAlive || k.transport.own != c.Security)) {
		p.forget(c.ID, k)
		k = nil
	}
	if c.KeepAlive && (k == nil || k.transport == nil) && (p.o.Keep == 0 || p.keeps < p.o.Keep) {
		k = p.note(c, k)
		k.transport = &transport{prober: p, keep: true, own: c.Security, since: now}
		p.keeps++
	}
	if k == nil {
		return nil
	}
	k.seen, k.gone = now, 2*c.Interval+c.Timeout
	if t := k.transport; t != nil && now.Sub(t.since) >= maxAge {
		t.since = now
		t.closeIdle()
	}
	return k
}

func (p *Prober) note(c httpCheck, k *known) *known {
	if k == nil {
		k = &known{target: c.Target}
		p.known[c.ID] = k
	}
	return k
}

// sweep forgets checks that nobody measures any more: nobody tells the prober which there are.
func (p *Prober) sweep(now time.Time) {
	p.swept = now
	for id, k := range p.known {
		if now.Sub(k.seen) > k.gone {
			p.forget(id, k)
		}
	}
}

func (p *Prober) forget(id string, k *known) {
	delete(p.known, id)
	if k.transport != nil {
		p.keeps--
		k.transport.closeIdle()
	}
}

// refusesHead tells whether a check's server answered GET where it had not answered HEAD.
func (p *Prober) refusesHead(c httpCheck) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.known[c.ID]
	return k != nil && k.target == c.Target && !k.refused.IsZero() && time.Since(k.refused) < headAgain
}

// headRefused has the check asked with GET from now on, for a day.
func (p *Prober) headRefused(c httpCheck) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	k := p.note(c, p.look(c, now))
	k.seen, k.gone, k.refused = now, 2*c.Interval+c.Timeout, now
}
