package channel

import (
	"crypto/x509"
	"time"
)

// Trust has a mail server's certificate judged by other roots, for tests.
func (s *Mail) Trust(roots *x509.CertPool) { s.roots = roots }

// Patience bounds how long a mail server may say nothing, for tests.
func (s *Mail) Patience(d time.Duration) { s.timeout = d }
