package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"statuspage/internal/check"
	"strings"
)

// ownSecurity is how a check over HTTP speaks TLS with the host of its address, and with no other: a redirect may lead anywhere.
type ownSecurity struct {
	address  string
	security *check.Security
}

type securityKey struct{}

// withSecurity has the connections of a check secured as it wants it.
func withSecurity(ctx context.Context, c httpCheck) (context.Context, error) {
	if (c.Security == check.Security{}) {
		return ctx, nil
	}
	u, err := url.Parse(c.Target)
	if err != nil {
		return ctx, err
	}
	return context.WithValue(ctx, securityKey{}, &ownSecurity{addressOf(u), &c.Security}), nil
}

// tlsFor is how TLS is spoken with host:port. An error is ours.
func (p *Prober) tlsFor(ctx context.Context, address string) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, &ourError{err}
	}
	if own, _ := ctx.Value(securityKey{}).(*ownSecurity); own != nil && strings.EqualFold(own.address, address) {
		return p.security(own.security, host)
	}
	return p.security(new(check.Security), host)
}

// dialTLS connects for net/http, which shakes hands then, and takes the time of it.
func (p *Prober) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	config, err := p.tlsFor(ctx, address)
	if err != nil {
		return nil, err
	}
	conn, err := p.dialer(0).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config.NextProtos = []string{"h2", "http/1.1"}
	return tls.Client(conn, config), nil
}

// security is how a check speaks TLS with a host. An error is ours.
func (p *Prober) security(s *check.Security, host string) (*tls.Config, error) {
	roots := s.Roots()
	if roots == nil && !s.Unverified {
		var err error
		if roots, err = p.trust.pool(); err != nil {
			return nil, err
		}
	}
	own, err := s.Own()
	if err != nil {
		return nil, &ourError{fmt.Errorf("our certificate: %w", err)}
	}
	config := tlsConfig(roots)
	config.ServerName, config.Certificates, config.InsecureSkipVerify = host, own, s.Unverified
	if s.ServerName != "" {
		config.ServerName = s.ServerName
	}
	return config, nil
}
