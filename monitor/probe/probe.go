// Package probe measures a service once. A probe that fails is a result, not an error: an
// error is what we did wrong, and then the outcome is Unknown and nobody records a signal.
package probe

import (
	"context"
	"statuspage/internal/status"
	"time"
)

// Func measures once. It returns by the check's timeout, and sooner when ctx ends.
type Func func(ctx context.Context, check status.Check) Result

// Kinds names every kind of check there is.
var Kinds = map[string]Func{
	"http": HTTP,
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
