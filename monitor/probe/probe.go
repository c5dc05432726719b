// Package probe measures a service once. A probe that fails is a result, not an error: an
// error is what we did wrong, and then the outcome is Unknown and nobody records a signal.
package probe

import (
	"context"
	"crypto/x509"
	"net"
	"statuspage/internal/status"
	"sync"
	"sync/atomic"
	"time"
)

// Func measures once. It returns by the check's timeout, and sooner when ctx ends.
type Func func(ctx context.Context, check status.Check) Result

// Options say how a Prober connects.
type Options struct {
	Guard    *Guard        // Nil lets every address through.
	Resolver *net.Resolver // Nil for that of the machine.
	Keep     int           // Checks whose connections are kept at most, those that ask first; 0 for all that want it.
}

// Prober measures; it is safe for concurrent use.
type Prober struct {
	o     Options
	fresh *plain         // Plain HTTP for checks that don't keep their connection; it keeps nothing.
	kept  sync.Map       // The transports of those that do, by id and target.
	keeps atomic.Int64   // How many they are.
	roots *x509.CertPool // Nil for those of the machine.
}

// New returns a Prober.
func New(o Options) *Prober {
	p := &Prober{o: o}
	p.fresh = p.newPlain(false)
	return p
}

// Kinds names every kind of check that the Prober measures.
func (p *Prober) Kinds() map[string]Func {
	return map[string]Func{"http": p.HTTP}
}

// dialer returns one whose connections have this keep-alive, as net.Dialer has it.
func (p *Prober) dialer(keepAlive time.Duration) *dialer {
	return &dialer{Dialer: net.Dialer{Resolver: p.o.Resolver, KeepAlive: keepAlive}, guard: p.o.Guard}
}

// Phases tell where the time of the last exchange went; what did not happen is zero.
type Phases struct {
	DNS, Connect, TLS time.Duration
	FirstByte         time.Duration // From the request written to the first byte of the answer.
	Total             time.Duration
}

// Result is what a probe found out.
type Result struct {
	Outcome           status.Outcome // Unknown when we could not measure; then Err says why.
	HTTPStatus        int            // status.NoHTTPStatus without an answer.
	Reason            status.Reason
	Duration          time.Duration
	Phases            Phases
	CertificateExpiry time.Time // Of the first certificate in the chain to run out; zero without TLS.
	Err               error     // Full text, free of credentials; for the log and the store.
}
