package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http/httptrace"
	"net/url"
	"statuspage/internal/check"
	"time"
)

var errExpired = errors.New("the certificate has run out")

// TLS shakes hands and hangs up. Up is who shows a certificate that is believed, and that has not run out even where nobody asks whose it is.
func (p *Prober) TLS(ctx context.Context, c check.Check) Result {
	how := c.How.(*check.TLS) //nolint:forcetypeassert // So the table of kinds has it.
	return once(ctx, c, func(ctx context.Context, r *Result) error {
		u, err := url.Parse(c.Target)
		if err != nil {
			return &ourError{errors.New("the address is no URL")}
		}
		config, err := p.security(&how.Security, asciiHost(u.Hostname()))
		if err != nil {
			return err
		}
		conn, err := p.dialer(-1).DialContext(ctx, "tcp", addressOf(u))
		if err != nil {
			return ended(ctx, err)
		}
		over := tls.Client(conn, config)
		defer over.Close() //nolint:errcheck // The handshake is what was asked for.
		if err := handshake(ctx, over); err != nil {
			_ = conn.Close() // Without a word of goodbye, which it may not take.
			return ended(ctx, err)
		}
		state := over.ConnectionState()
		r.CertificateExpiry = expiry(&state)
		if how.Security.Unverified && time.Now().After(r.CertificateExpiry) {
			return fmt.Errorf("%w: it was good until %v", errExpired, r.CertificateExpiry.UTC())
		}
		return nil
	})
}

// handshake shakes hands, and has the time of it taken.
func handshake(ctx context.Context, conn *tls.Conn) error {
	trace := httptrace.ContextClientTrace(ctx)
	trace.TLSHandshakeStart()
	err := conn.HandshakeContext(ctx)
	trace.TLSHandshakeDone(conn.ConnectionState(), err)
	return err
}
