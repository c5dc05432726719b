package status

// Reason says why a measurement was not Up, in a fixed vocabulary that is safe to publish:
// it never carries an address, a header or the text of an error.
type Reason uint8

// The reasons: see Fits for what goes with what.
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
	CertificateExpiring
	CertificateExpired
	CertificateMismatch
	UnexpectedBody
	UnexpectedJSON
	UnexpectedHeader
	UnexpectedRecords
	PacketLoss
	Other
)

var reasons = [...]struct{ wire, text string }{
	None:                {"", ""},
	Slow:                {"slow", "slow"},
	Timeout:             {"timeout", "timeout"},
	DNS:                 {"dns", "DNS lookup failed"},
	ConnectionRefused:   {"connection_refused", "connection refused"},
	ConnectionReset:     {"connection_reset", "connection reset"},
	Unreachable:         {"unreachable", "unreachable"},
	TLS:                 {"tls", "TLS error"},
	TooManyRedirects:    {"too_many_redirects", "too many redirects"},
	Protocol:            {"protocol", "protocol error"},
	UnexpectedStatus:    {"unexpected_status", "unexpected status"},
	CertificateExpiring: {"certificate_expiring", "certificate expires soon"},
	CertificateExpired:  {"certificate_expired", "certificate expired"},
	CertificateMismatch: {"certificate_mismatch", "certificate of another host"},
	UnexpectedBody:      {"unexpected_body", "unexpected content"},
	UnexpectedJSON:      {"unexpected_json", "unexpected value"},
	UnexpectedHeader:    {"unexpected_header", "unexpected header"},
	UnexpectedRecords:   {"unexpected_records", "unexpected DNS records"},
	PacketLoss:          {"packet_loss", "packets lost"},
	Other:               {"other", "failed"},
}

// Fits tells whether a reason goes with an outcome. What the operator expects of an answer may be a condition of Up or of
// Available, so that those go with Degraded and Down; None goes with Up, and what let no answer come with Down.
func (r Reason) Fits(o Outcome) bool {
	switch r {
	case None:
		return o == Up
	case Slow, UnexpectedStatus, CertificateExpiring, UnexpectedBody, UnexpectedJSON, UnexpectedHeader, UnexpectedRecords, PacketLoss:
		return o == Degraded || o == Down
	default:
		return o == Down
	}
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
