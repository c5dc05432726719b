package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"statuspage/internal/status"
	"testing"
	"time"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// sign makes a certificate for the key of who, good until then; a nil signer signs itself.
func sign(t *testing.T, signer *authority, name string, key *ecdsa.PrivateKey, ca bool, until time.Time) *authority {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(until.UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: until.AddDate(-10, 0, 0), NotAfter: until,
		IsCA: ca, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if signer == nil {
		signer = &authority{template, key}
	}
	made, err := x509.CreateCertificate(rand.Reader, template, signer.cert, &key.PublicKey, signer.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(made)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert, key}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestCertificateNobodyNeedsDoesNotExpire has a server send an old cross-signature that has run out, beside a chain that is good.
func TestCertificateNobodyNeedsDoesNotExpire(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	past, soon, later := now.AddDate(0, -2, 0), now.AddDate(0, 1, 0), now.AddDate(0, 3, 0)
	rootKey := newKey(t)
	root := sign(t, nil, "New Root", rootKey, true, now.AddDate(9, 0, 0))
	old := sign(t, nil, "Old Root", newKey(t), true, now.AddDate(9, 0, 0))
	between := newKey(t)
	intermediate := sign(t, root, "Between", between, true, now.AddDate(2, 0, 0))
	leaf := sign(t, intermediate, "leaf", newKey(t), false, later)
	roots := x509.NewCertPool()
	roots.AddCert(root.cert)
	roots.AddCert(old.cert)
	for name, c := range map[string]struct {
		also *authority
		want time.Time
	}{
		"nothing else":                       {nil, later},
		"a cross-signature that has run out": {sign(t, old, "New Root", rootKey, true, past), later},
		"another chain that runs out sooner": {sign(t, old, "Between", between, true, soon), later},
	} {
		chain := tls.Certificate{Certificate: [][]byte{leaf.cert.Raw, intermediate.cert.Raw}, PrivateKey: leaf.key}
		if c.also != nil {
			chain.Certificate = append(chain.Certificate, c.also.cert.Raw)
		}
		url, _ := target(t, hostile{behave: func(c *taken) { c.say(well200) }}, &tls.Config{Certificates: []tls.Certificate{chain}, MinVersion: tls.VersionTLS12})
		if r := trusting(roots).asks(t.Context(), checkOf(url)); r.Outcome != status.Up || !r.CertificateExpiry.Equal(c.want) {
			t.Errorf("%s: %v (%v), until %v, want up until %v", name, r.Outcome, r.Err, r.CertificateExpiry, c.want)
		}
	}
}
