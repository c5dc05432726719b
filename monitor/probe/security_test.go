package probe

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestSecurityOfHTTP holds that https is spoken as the check wants it with its own host, over HTTP/1.1, HTTP/2 and kept connections, and with
// no other that it is sent to.
func TestSecurityOfHTTP(t *testing.T) {
	t.Parallel()
	until := time.Now().AddDate(0, 0, 90)
	root := sign(t, nil, "Root", newKey(t), true, until)
	client := sign(t, root, "client", newKey(t), false, until)
	pool := x509.NewCertPool()
	pool.AddCert(root.cert)
	var shown atomic.Int32 // Certificates of ours that another host was shown.
	serveTLS := func(h http.HandlerFunc, h2 bool, auth tls.ClientAuthType, watch bool) string {
		s := httptest.NewUnstartedServer(h)
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.EnableHTTP2 = h2
		s.TLS = &tls.Config{Certificates: []tls.Certificate{chain(sign(t, root, "leaf", newKey(t), false, until))}, ClientAuth: auth, ClientCAs: pool}
		if watch {
			s.TLS.VerifyConnection = func(state tls.ConnectionState) error {
				shown.Add(int32(len(state.PeerCertificates)))
				return nil
			}
		}
		s.StartTLS()
		t.Cleanup(s.Close)
		return s.URL
	}
	ours := check.Security{CA: pemOf(root), Certificate: pemOf(client), Key: keyOf(t, client.key)}
	fine := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }
	other := serveTLS(fine, false, tls.RequestClientCert, true)
	for name, c := range map[string]struct {
		url      string
		security check.Security
		want     status.Outcome
		reason   status.Reason
	}{
		"of a stranger":       {serveTLS(fine, false, tls.NoClientCert, false), check.Security{}, status.Down, status.TLS},
		"trusted":             {serveTLS(fine, false, tls.NoClientCert, false), check.Security{CA: pemOf(root)}, status.Up, status.None},
		"unverified":          {serveTLS(fine, false, tls.NoClientCert, false), check.Security{Unverified: true}, status.Up, status.None},
		"another name":        {serveTLS(fine, false, tls.NoClientCert, false), check.Security{CA: pemOf(root), ServerName: "b.example"}, status.Down, status.CertificateMismatch},
		"over HTTP/2":         {serveTLS(fine, true, tls.NoClientCert, false), check.Security{CA: pemOf(root)}, status.Up, status.None},
		"our certificate":     {serveTLS(fine, true, tls.RequireAndVerifyClientCert, false), ours, status.Up, status.None},
		"without it":          {serveTLS(fine, false, tls.RequireAndVerifyClientCert, false), check.Security{CA: pemOf(root)}, status.Down, status.TLS},
		"sent to a stranger":  {serveTLS(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusFound) }, false, tls.NoClientCert, false), ours, status.Down, status.TLS},
		"sent on, unverified": {serveTLS(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusFound) }, false, tls.NoClientCert, false), check.Security{Unverified: true}, status.Down, status.TLS},
		"an answer by no letter": {serveTLS(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nA B: c\r\nContent-Length: 2\r\n\r\nok")
			_ = conn.Close()
		}, false, tls.NoClientCert, false), check.Security{CA: pemOf(root)}, status.Up, status.None},
	} {
		for _, keep := range []bool{false, true} {
			k := checkOf(c.url)
			k.Method, k.FollowRedirects, k.KeepAlive, k.Security, k.Timeout = http.MethodGet, true, keep, c.security, 5*time.Second
			p := New(Options{})
			for range 2 {
				r := p.asks(t.Context(), k)
				if r.Outcome != c.want || r.Reason != c.reason {
					t.Errorf("%s, kept %v: %v %v (%v), want %v %v", name, keep, r.Outcome, r.Reason, r.Err, c.want, c.reason)
				}
				if c.want == status.Up && !strings.Contains(name, "letter") && (r.CertificateExpiry.Unix() != until.Unix() || !keep && r.Phases.TLS <= 0) {
					t.Errorf("%s, kept %v: until %v, %+v", name, keep, r.CertificateExpiry, r.Phases)
				}
			}
			if k.Security.CA.Body == "" {
				continue
			}
			k.Security = check.Security{} // What was trusted is so no more, kept connection or not.
			if r := p.asks(t.Context(), k); r.Outcome != status.Down || r.Reason != status.TLS {
				t.Errorf("%s, kept %v, without: %v %v (%v)", name, keep, r.Outcome, r.Reason, r.Err)
			}
		}
	}
	// A host that this machine trusts, and that asks for a certificate: it is shown ours at its own check, and not when others send us there.
	p := trusting(pool)
	k := checkOf(serveTLS(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other, http.StatusFound) }, false, tls.NoClientCert, false))
	k.Method, k.FollowRedirects, k.Security, k.Timeout = http.MethodGet, true, ours, 5*time.Second
	if r := p.asks(t.Context(), k); r.Outcome != status.Up || shown.Load() != 0 {
		t.Errorf("sent on: %v (%v), %d certificates shown to another host", r.Outcome, r.Err, shown.Load())
	}
	k.ID, k.Target = "other", other
	if r := p.asks(t.Context(), k); r.Outcome != status.Up || shown.Load() == 0 {
		t.Errorf("its own: %v (%v), %d certificates shown", r.Outcome, r.Err, shown.Load())
	}
}
