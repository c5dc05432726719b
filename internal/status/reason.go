package status

// Reason says why a measurement was not Up, in a fixed vocabulary that is safe to publish:
// it never carries an address, a header or the text of an error.
type Reason uint8

// The reasons. None goes with Up; Slow with Degraded; every other with Down.
const (
	None Reason = iota
	Slow
	Timeout
	DNS
	ConnectionRefused
	ConnectionReset
	Unreachable
	TLS
	TooManyRedirects
	Protocol
	UnexpectedStatus
	Other
)

var reasons = [...]struct{ wire, text string }{
	None:              {"", ""},
	Slow:              {"slow", "slow"},
	Timeout:           {"timeout", "timeout"},
	DNS:               {"dns", "DNS lookup failed"},
	ConnectionRefused: {"connection_refused", "connection refused"},
	ConnectionReset:   {"connection_reset", "connection reset"},
	Unreachable:       {"unreachable", "unreachable"},
	TLS:               {"tls", "TLS error"},
	TooManyRedirects:  {"too_many_redirects", "too many redirects"},
	Protocol:          {"protocol", "protocol error"},
	UnexpectedStatus:  {"unexpected_status", "unexpected status"},
	Other:             {"other", "failed"},
}

// String returns the wire form, such as connection_refused; None is the empty string.
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r].wire
	}
	return reasons[Other].wire
}

// Text returns the words for people, such as "connection refused".
func (r Reason) Text() string {
	if int(r) < len(reasons) {
		return reasons[r].text
	}
	return reasons[Other].text
}

// MarshalText implements encoding.TextMarshaler with the wire form.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// ParseReason reads the wire form; a word it does not know is Other, since some writer
// gave a reason that we cannot publish.
func ParseReason(wire string) Reason {
	for i, r := range reasons {
		if r.wire == wire {
			return Reason(i)
		}
	}
	return Other
}
