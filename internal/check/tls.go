package check

import (
	"slices"
	"statuspage/internal/status"
)

// certificateDays is for how long a certificate of a TLS check must be good, unless it says otherwise.
const certificateDays = 14 * status.Day

// TLS is the settings of a check that shakes hands over TLS.
type TLS struct {
	Security Security `json:"tls,omitzero"`
}

var tlsKind = Kind{
	Name:    "tls",
	About:   "connects, shakes hands over TLS, and hangs up; judged is the chain of certificates that was verified, which must be good for 14 days to come",
	Schemes: []Scheme{{"tls", "tls://host:port", true}},
	Keys: slices.Concat(
		withDefault(matchers(certificate, latency), "degraded_unless.certificate.valid_for", "14d"),
		[]Key{degradedAfter},
		securityKeys(func(c *Check) *Security { return &tlsOf(*c).Security }),
	),
	Example: `- name: Mail
  url: tls://mail.example.org:993
  expect: {certificate: {valid_for: 2d}}
  degraded_unless: {certificate: {valid_for: 21d}, latency: 1s}
  tls: {server_name: imap.example.org}
`,
	blank:   func() How { return new(TLS) },
	begin:   func() How { return new(TLS) },
	unless:  Conditions{ValidFor: Duration(certificateDays)},
	address: hostAndPort,
}

// tlsOf is the settings of a check of this kind: keys are given no other.
func tlsOf(c Check) *TLS { return c.How.(*TLS) } //nolint:forcetypeassert // See above.

func (*TLS) kind() string { return "tls" }

func (t *TLS) clone() How {
	c := *t
	return &c
}

func (t *TLS) valid() error    { return t.Security.whole() }
func (*TLS) secrets() []string { return nil } // No text ever has a key.
