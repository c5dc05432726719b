package check

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"statuspage/internal/status"
	"strings"
)

// maxPEM is how many bytes a file of certificates may have: each check that has one takes it along.
const maxPEM = 64 << 10

// Security is how a check speaks TLS, whatever its kind. The zero value trusts whom this machine trusts, and nobody else.
type Security struct {
	Unverified  bool   `json:"unverified,omitempty"` // Whose certificate it is, and until when, is not asked.
	ServerName  string `json:"server_name,omitempty"`
	CA          PEM    `json:"ca,omitzero"`          // Whom to trust, in the place of whom this machine does.
	Certificate PEM    `json:"certificate,omitzero"` // Of ours, to be shown where the target asks for one,
	Key         PEM    `json:"key,omitzero"`         // and its key.
}

// PEM is what a file holds. Agents are told that, and not the name.
type PEM struct{ Name, Body string }

// MarshalText implements encoding.TextMarshaler.
func (p PEM) MarshalText() ([]byte, error) { return []byte(p.Body), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *PEM) UnmarshalText(text []byte) error {
	*p = PEM{Body: string(text)}
	return nil
}

// Roots is whom to trust; nil for whom this machine does.
func (s *Security) Roots() *x509.CertPool {
	if s.CA.Body == "" {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(s.CA.Body))
	return pool
}

// Own is the certificate to be shown, none for who has none.
func (s *Security) Own() ([]tls.Certificate, error) {
	if s.Certificate.Body == "" && s.Key.Body == "" {
		return nil, nil
	}
	pair, err := tls.X509KeyPair([]byte(s.Certificate.Body), []byte(s.Key.Body))
	if err != nil { // Its texts name types of blocks and no content.
		return nil, err
	}
	return []tls.Certificate{pair}, nil
}

// whole refuses a certificate without its key, and what came over a wire as no certificate.
func (s *Security) whole() error {
	if (s.Certificate.Body == "") != (s.Key.Body == "") {
		return errors.New("tls.cert_file and tls.key_file go together: give both, or neither")
	}
	if _, err := s.Own(); err != nil {
		return fmt.Errorf("tls.cert_file and tls.key_file are no pair: %w", err)
	}
	if s.CA.Body != "" && s.Roots().Equal(x509.NewCertPool()) {
		return errors.New("tls.ca_file has no certificate")
	}
	return nil
}

// securityKeys are the settings of a kind that speaks TLS.
func securityKeys(of func(c *Check) *Security) []Key {
	file := func(name, about string, part func(*Security) *PEM, right func(body []byte) error) Key {
		return Key{
			Name: "tls." + name, Form: File, About: about, Begin: nothing,
			Load: func(c *Check, file string, body []byte) error {
				switch {
				case len(body) > maxPEM:
					return fmt.Errorf("longer than %d bytes", maxPEM)
				case right(body) != nil:
					return right(body)
				}
				*part(of(c)) = PEM{file, string(body)}
				return nil
			},
			Show: func(c Check) any {
				if file := part(of(&c)); file.Body != "" {
					return file.Name
				}
				return nil
			},
		}
	}
	block := func(word string) func([]byte) error {
		return func(body []byte) error { return hasBlock(body, word) }
	}
	return []Key{
		{
			Name: "tls.verify", Default: "true", Begin: nothing, About: "`false` takes any certificate, whoever's it is: whoever stands in between is measured in the target's place, and `config check` warns",
			Set: func(c *Check, text string) error {
				verify, err := ParseBool(text)
				of(c).Unverified = !verify
				return err
			},
			Show: func(c Check) any {
				if of(&c).Unverified {
					return false
				}
				return nil
			},
		},
		{
			Name: "tls.server_name", Begin: nothing, About: "the name that is asked for and that the certificate must have, when it isn't that of the address",
			Set: parsed(func(c *Check) *string { return &of(c).ServerName }, parseServerName),
			Show: func(c Check) any {
				if name := of(&c).ServerName; name != "" {
					return name
				}
				return nil
			},
		},
		file("ca_file", "certificates (PEM) to trust in the place of this machine's", func(s *Security) *PEM { return &s.CA }, func(body []byte) error {
			if !x509.NewCertPool().AppendCertsFromPEM(body) {
				return errors.New("no certificate (PEM)")
			}
			return nil
		}),
		file("cert_file", "certificate (PEM) to show where the target asks for one", func(s *Security) *PEM { return &s.Certificate }, block("CERTIFICATE")),
		file("key_file", "its key", func(s *Security) *PEM { return &s.Key }, block("PRIVATE KEY")),
	}
}

func parseServerName(text string) (string, error) {
	if text == "" || len(text) > 253 || status.HasControl(text) || strings.ContainsAny(text, " /:@") {
		return "", errors.New("not a name of a host: write mail.example.org")
	}
	return text, nil
}

func hasBlock(body []byte, word string) error {
	for rest := body; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return errors.New("no " + strings.ToLower(word) + " (PEM)")
		}
		if strings.HasSuffix(block.Type, word) {
			return nil
		}
	}
}
