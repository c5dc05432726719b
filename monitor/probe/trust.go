package probe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"
)

var errNoRoots = errors.New("this machine has no root certificates to judge others by (ca-certificates, SSL_CERT_FILE)")

// trust is whom this machine believes. crypto/x509 reads its roots once and tells a failure, or that
// there are none, as an unknown authority of the target's for as long as the process lives.
type trust struct {
	mu    sync.Mutex
	roots *x509.CertPool // Nil until they could be read.
}

// pool returns the roots; an error is ours.
func (t *trust) pool() (*x509.CertPool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.roots != nil {
		return t.roots, nil
	}
	read, err := x509.SystemCertPool()
	switch {
	case err != nil:
		return nil, &ourError{fmt.Errorf("root certificates: %w", err)}
	case read.Equal(x509.NewCertPool()):
		return nil, &ourError{errNoRoots}
	}
	t.roots = read
	return read, nil
}

// forwardSecretLacks are the ciphers that curl and Chromium still take of a server that has no better, though
// crypto/tls offers them to nobody who does not ask.
var forwardSecretLacks = []uint16{
	tls.TLS_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_RSA_WITH_AES_128_CBC_SHA, tls.TLS_RSA_WITH_AES_256_CBC_SHA,
}

// ciphers are those of crypto/tls and the above; it has an order of its own.
var ciphers = func() (all []uint16) {
	for _, c := range tls.CipherSuites() {
		all = append(all, c.ID)
	}
	return append(all, forwardSecretLacks...)
}()

func tlsConfig(roots *x509.CertPool) *tls.Config {
	return &tls.Config{
		RootCAs: roots, MinVersion: tls.VersionTLS12, CipherSuites: ciphers,
		Renegotiation: tls.RenegotiateOnceAsClient, // Servers that ask for a certificate of some paths only.
	}
}

// expiry is when the certificates that the target was believed for run out: of the chains that
// verify, browsers need only one, so the one that lives longest. What else a server sends does not count.
func expiry(state *tls.ConnectionState) (latest time.Time) {
	if state == nil {
		return latest
	}
	if len(state.VerifiedChains) == 0 && len(state.PeerCertificates) > 0 { // Nobody has asked whose it is.
		return state.PeerCertificates[0].NotAfter
	}
	for _, chain := range state.VerifiedChains {
		var first time.Time
		for _, c := range chain {
			if first.IsZero() || c.NotAfter.Before(first) {
				first = c.NotAfter
			}
		}
		if first.After(latest) {
			latest = first
		}
	}
	return latest
}
