package probe

import (
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

func tlsCheck(address string, s check.Security) check.Check {
	c := check.Named("tls").New()
	c.Service = status.Service{ID: "x", URL: "tls://" + address, Interval: 20 * time.Second, Timeout: hostileTimeout}
	c.Target, c.How = "tls://"+address, &check.TLS{Security: s}
	return c
}

// chain is a certificate as a server shows it.
func chain(of *authority, above ...*authority) tls.Certificate {
	pair := tls.Certificate{PrivateKey: of.key}
	for _, a := range append([]*authority{of}, above...) {
		pair.Certificate = append(pair.Certificate, a.cert.Raw)
	}
	return pair
}

func pemOf(a *authority) check.PEM {
	return check.PEM{Body: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))}
}

func keyOf(t *testing.T, key *ecdsa.PrivateKey) check.PEM {
	t.Helper()
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return check.PEM{Body: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))}
}

// shaking shakes hands over TLS with everybody.
func shaking(t *testing.T, config *tls.Config) string {
	t.Helper()
	return accepting(t, func(c *net.TCPConn) {
		over := tls.Server(c, config)
		_, _ = io.Copy(io.Discard, over)
		_ = over.Close()
	})
}

// TestTLSJudgesTheChain has certificates that are good for long, for a while and no more, of this host and of others.
func TestTLSJudgesTheChain(t *testing.T) {
	t.Parallel()
	now := time.Now().Truncate(time.Second)
	days := func(n int) time.Time { return now.AddDate(0, 0, n) }
	root := sign(t, nil, "Root", newKey(t), true, days(3000))
	stranger := sign(t, nil, "Stranger", newKey(t), true, days(3000))
	leaf := func(until time.Time) tls.Certificate { return chain(sign(t, root, "leaf", newKey(t), false, until)) }
	brief := sign(t, root, "Between", newKey(t), true, days(5))
	trusted := check.Security{CA: pemOf(root)}
	client := sign(t, root, "client", newKey(t), false, days(90))
	type found struct {
		outcome status.Outcome
		reason  status.Reason
	}
	for name, c := range map[string]struct {
		server   *tls.Config
		security check.Security
		change   func(*check.Check)
		want     found
		expiry   time.Time
	}{
		"good":               {&tls.Config{Certificates: []tls.Certificate{leaf(days(90))}}, trusted, nil, found{status.Up, status.None}, days(90)},
		"soon over":          {&tls.Config{Certificates: []tls.Certificate{leaf(days(13))}}, trusted, nil, found{status.Degraded, status.CertificateExpiring}, days(13)},
		"soon enough":        {&tls.Config{Certificates: []tls.Certificate{leaf(days(13))}}, trusted, func(c *check.Check) { c.Unless.ValidFor = check.Duration(7 * status.Day) }, found{status.Up, status.None}, days(13)},
		"too soon":           {&tls.Config{Certificates: []tls.Certificate{leaf(days(13))}}, trusted, func(c *check.Check) { c.Expect.ValidFor = check.Duration(20 * status.Day) }, found{status.Down, status.CertificateExpiring}, days(13)},
		"no matter":          {&tls.Config{Certificates: []tls.Certificate{leaf(days(1))}}, trusted, func(c *check.Check) { c.Unless.ValidFor = 0 }, found{status.Up, status.None}, days(1)},
		"brief in between":   {&tls.Config{Certificates: []tls.Certificate{chain(sign(t, brief, "leaf", newKey(t), false, days(90)), brief)}}, trusted, nil, found{status.Degraded, status.CertificateExpiring}, days(5)},
		"over":               {&tls.Config{Certificates: []tls.Certificate{leaf(days(-1))}}, trusted, nil, found{status.Down, status.CertificateExpired}, time.Time{}},
		"over, unverified":   {&tls.Config{Certificates: []tls.Certificate{leaf(days(-1))}}, check.Security{Unverified: true}, nil, found{status.Down, status.CertificateExpired}, days(-1)},
		"of a stranger":      {&tls.Config{Certificates: []tls.Certificate{chain(sign(t, stranger, "leaf", newKey(t), false, days(90)))}}, trusted, nil, found{status.Down, status.TLS}, time.Time{}},
		"unverified":         {&tls.Config{Certificates: []tls.Certificate{chain(sign(t, stranger, "leaf", newKey(t), false, days(90)))}}, check.Security{Unverified: true}, nil, found{status.Up, status.None}, days(90)},
		"another name":       {&tls.Config{Certificates: []tls.Certificate{leaf(days(90))}}, check.Security{CA: pemOf(root), ServerName: "mail.example"}, nil, found{status.Down, status.CertificateMismatch}, time.Time{}},
		"slower than agreed": {&tls.Config{Certificates: []tls.Certificate{leaf(days(90))}}, trusted, func(c *check.Check) { c.Expect.Latency = 1 }, found{status.Down, status.Slow}, days(90)},
		"our certificate": {
			&tls.Config{Certificates: []tls.Certificate{leaf(days(90))}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12},
			check.Security{CA: pemOf(root), Certificate: pemOf(client), Key: keyOf(t, client.key)},
			nil,
			found{status.Up, status.None},
			days(90),
		},
		"without our certificate": {
			&tls.Config{Certificates: []tls.Certificate{leaf(days(90))}, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, trusted, nil, found{status.Down, status.TLS}, time.Time{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := tlsCheck(shaking(t, c.server), c.security)
			one.Timeout = 5 * time.Second
			if c.change != nil {
				c.change(&one)
			}
			r := New(Options{}).TLS(t.Context(), one)
			if got := (found{r.Outcome, r.Reason}); got != c.want || !r.CertificateExpiry.Equal(c.expiry) || r.HTTPStatus != status.NoHTTPStatus || (r.Err == nil) != (r.Reason == status.None) {
				t.Errorf("%+v until %v (%v), want %+v until %v", got, r.CertificateExpiry, r.Err, c.want, c.expiry)
			}
			if !r.Reason.Fits(r.Outcome) || r.Phases.Connect <= 0 || r.Outcome.Available() && r.Phases.TLS <= 0 {
				t.Errorf("%v does not go with %v, or %+v", r.Reason, r.Outcome, r.Phases)
			}
		})
	}
}

// TestTLSHostile has servers that misbehave at each stage.
func TestTLSHostile(t *testing.T) {
	t.Parallel()
	hello := func(c *net.TCPConn) { _, _ = c.Read(make([]byte, 4096)) }
	record := func(length int) string { return "\x16\x03\x03" + string([]byte{byte(length >> 8), byte(length)}) }
	for name, c := range map[string]struct {
		address string
		reason  status.Reason
	}{
		"never accepts":             {blackHole(t, "127.0.0.1"), status.Timeout},
		"refuses":                   {refusing(t), status.ConnectionRefused},
		"silent":                    {accepting(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }), status.Timeout},
		"resets when accepted":      {accepting(t, func(c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() }), status.ConnectionReset},
		"resets after the greeting": {accepting(t, func(c *net.TCPConn) { hello(c); _ = c.SetLinger(0); _ = c.Close() }), status.ConnectionReset},
		"hangs up":                  {accepting(t, func(c *net.TCPConn) { hello(c); _ = c.Close() }), status.ConnectionReset},
		"hangs up in a record":      {accepting(t, func(c *net.TCPConn) { hello(c); _, _ = c.Write([]byte(record(99) + "xx")); _ = c.Close() }), status.ConnectionReset},
		"half closed":               {accepting(t, func(c *net.TCPConn) { hello(c); _ = c.CloseWrite(); _, _ = io.Copy(io.Discard, c) }), status.ConnectionReset},
		"speaks something else": {accepting(t, func(c *net.TCPConn) {
			_, _ = c.Write([]byte("220 mail.example ESMTP\r\n"))
			_, _ = io.Copy(io.Discard, c)
		}), status.TLS},
		"an alert": {accepting(t, func(c *net.TCPConn) {
			hello(c)
			_, _ = c.Write([]byte("\x15\x03\x03\x00\x02\x02\x28"))
			_, _ = io.Copy(io.Discard, c)
		}), status.TLS},
		"endless": {accepting(t, func(c *net.TCPConn) { hello(c); _, _ = io.CopyN(c, endless{}, 1<<30); _ = c.Close() }), status.TLS},
		"a message without end": {accepting(t, func(c *net.TCPConn) {
			hello(c)
			for first := "\x0b\xff\xff\xff"; ; first = "" { // A certificate of 16 MiB, in records that are right.
				if _, err := c.Write([]byte(record(1<<14) + first + strings.Repeat("x", 1<<14-len(first)))); err != nil {
					return
				}
			}
		}), status.TLS},
		"drips": {accepting(t, func(c *net.TCPConn) {
			hello(c)
			for _, b := range []byte(record(1<<12) + strings.Repeat("x", 100)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				<-time.After(30 * time.Millisecond)
			}
		}), status.Timeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			r := New(Options{}).TLS(t.Context(), tlsCheck(c.address, check.Security{Unverified: true}))
			if r.Outcome != status.Down || r.Reason != c.reason || r.Err == nil {
				t.Errorf("%v %v (%v), want %v", r.Outcome, r.Reason, r.Err, c.reason)
			}
			if took := time.Since(began); took > hostileTimeout+tolerance {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestTLSFailuresOfOurs holds that a guard and a key that is none are no failures of the target.
func TestTLSFailuresOfOurs(t *testing.T) {
	t.Parallel()
	server, _ := pair(t)
	address := shaking(t, server)
	for name, c := range map[string]struct {
		p *Prober
		s check.Security
	}{
		"guarded": {New(Options{Guard: &Guard{}}), check.Security{Unverified: true}},
		"no pair": {New(Options{}), check.Security{Unverified: true, Certificate: check.PEM{Body: "x"}, Key: check.PEM{Body: "s3cret"}}},
	} {
		if r := c.p.TLS(t.Context(), tlsCheck(address, c.s)); r.Outcome != status.Unknown || r.Err == nil || strings.Contains(r.Err.Error(), "s3cret") {
			t.Errorf("%s: %v %v (%v)", name, r.Outcome, r.Reason, r.Err)
		}
	}
}
