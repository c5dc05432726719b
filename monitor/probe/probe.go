// Package probe measures a service once. A probe that fails is a result, not an error: an
// error is what we did wrong, and then the outcome is Unknown and nobody records a signal.
package probe

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"sync"
	"time"
)

// Func measures once. It returns by the check's timeout, and sooner when ctx ends.
type Func func(ctx context.Context, check check.Check) Result

// Options say how a Prober connects.
type Options struct {
	Guard    *Guard        // Nil lets every address through.
	Resolver *net.Resolver // Nil for that of the machine.
	Keep     int           // Checks whose connections are kept at most, those that ask first; 0 for all that want it.
}

// Prober measures; it is safe for concurrent use.
type Prober struct {
	o        Options
	fresh    *oneShot // Plain HTTP for checks that don't keep their connection.
	lenient  *oneShot // For answers that are none by the letter.
	openPing func(netip.Addr) (*pingSocket, error)
	trust    trust

	mu    sync.Mutex // Guards what follows.
	known map[string]*known
	keeps int       // How many of them have a transport.
	swept time.Time // When those whose check is gone were looked for last.
}

// New returns a Prober.
func New(o Options) *Prober {
	p := &Prober{o: o, known: make(map[string]*known), openPing: openPing}
	p.fresh, p.lenient = p.oneShot(http.ReadResponse), p.oneShot(readLeniently)
	return p
}

// Kinds names every kind of check that the Prober measures.
func (p *Prober) Kinds() map[string]Func {
	return map[string]Func{
		"http": p.HTTP,
		"tcp":  p.TCP,
		"tls":  p.TLS,
		"dns":  p.DNS,
		"icmp": p.ICMP,
	}
}

// Phases tell where the time of the last exchange went; what did not happen is zero.
type Phases struct {
	DNS, Connect, TLS time.Duration
	FirstByte         time.Duration // From the request written to the first byte of the answer.
	Total             time.Duration
}

// Result is what a probe found out.
type Result struct {
	Outcome    status.Outcome // Unknown when we could not measure; then Err says why.
	HTTPStatus int            // status.NoHTTPStatus without an answer.
	Reason     status.Reason
	Duration   time.Duration // Of the exchange that answered; of the whole probe when none did.
	Phases     Phases
	// CertificateExpiry is when the chain that was verified runs out, by its first certificate to do so; zero without TLS.
	CertificateExpiry time.Time
	// Err is the full text, free of credentials, for the log and the store. An available target may have one too: what
	// was overlooked for its sake.
	Err error

	Attempts int  // How many it took in its slot; of a single probe nobody says.
	Answered bool // A name server has said something, whatever it was.

	overlooked []string
	dns        *dnsAnswer // Of a name server.
	page       *page      // Over HTTP, where it is looked at.
	lost       int        // Percent of echo requests.
}

// once gives a measurement the time of its check, and makes a verdict of the error that it ends with.
func once(ctx context.Context, c check.Check, measure func(ctx context.Context, r *Result) error) Result {
	var (
		watch stopwatch
		start = time.Now()
		r     = Result{HTTPStatus: status.NoHTTPStatus}
	)
	limited, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	r.Err = conceal(measure(watch.trace(limited), &r), c)
	if r.Duration == 0 || r.Err != nil {
		r.Duration = time.Since(start)
	}
	r.Phases = watch.read()
	r.Phases.Total = r.Duration
	if ctx.Err() != nil { // Stopped by us: whatever came of it says nothing of the target.
		return Result{Err: ctx.Err(), HTTPStatus: status.NoHTTPStatus, Duration: r.Duration}
	}
	return verdict(c, r)
}
