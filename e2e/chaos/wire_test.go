package chaos

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"statuspage/e2e/harness"
	"strings"
	"testing"
	"time"
)

// newCertificate makes one for localhost that signs itself, and a file with it.
func newCertificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "root.crt")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: private}, file
}

// newTLSFront stands before QuestDB and speaks TLS, as the wire protocol asks for it.
func newTLSFront(t *testing.T, target string, certificate tls.Certificate) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer in.Close()
				const sslRequest = 8 // Bytes: the length and a number that asks for TLS.
				if _, err := io.CopyN(io.Discard, in, sslRequest); err != nil {
					return
				}
				if _, err := in.Write([]byte("S")); err != nil {
					return
				}
				out, err := net.Dial("tcp", target)
				if err != nil {
					return
				}
				defer out.Close()
				secure := tls.Server(in, &tls.Config{Certificates: []tls.Certificate{certificate}})
				go func() {
					_, _ = io.Copy(out, secure)
					_ = out.Close()
				}()
				_, _ = io.Copy(secure, out)
			}()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port
}

// TestTLSToQuestDB: the URL's sslmode means what it means everywhere.
func TestTLSToQuestDB(t *testing.T) {
	t.Parallel()
	q := sharedQuestDB(t)
	certificate, root := newCertificate(t)
	_, other := newCertificate(t)
	front := "localhost:" + newTLSFront(t, q.Address(), certificate)
	for name, c := range map[string]struct{ address, query, wrong string }{
		"plain":  {q.Address(), "?sslmode=require", "server refused TLS connection"},
		"tls":    {front, "?sslmode=require", ""},
		"full":   {front, "?sslmode=verify-full&sslrootcert=" + root, ""},
		"other":  {front, "?sslmode=verify-full&sslrootcert=" + other, "certificate"},
		"naming": {strings.Replace(front, "localhost", "127.0.0.1", 1), "?sslmode=verify-full&sslrootcert=" + root, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, dir := "wire"+name, t.TempDir()
			x, w := newTargets(t, id, 2), newWitness(t)
			box := filepath.Join(dir, "outbox.db")
			configure(t, dir, x.yaml(harness.StoreURL(c.address)+c.query, box))
			p, _ := start(t, dir)
			leave := w.watch(p)
			waitFor(t, "signals are shown", func() bool { return w.count() > 2 })
			leave()
			if c.wrong == "" {
				p.handOver(box)
				balance(t, x, w, q.records(id), nil)
				return
			}
			waitFor(t, "the log says what is wrong", func() bool { return p.said("store is away") == 1 })
			if p.ready().Store != "away" || !strings.Contains(p.Log.String(), c.wrong) || p.said("quest@") > 0 {
				t.Errorf("/readyz says %+v, the log: %s", p.ready(), p.notable())
			}
			p.stop()
			if waiting(t, box) < w.count() {
				t.Errorf("%d signals wait, %d were shown", waiting(t, box), w.count())
			}
		})
	}
}

// TestReadOnlyUser: a user who may not write is told as what it is, once.
func TestReadOnlyUser(t *testing.T) {
	t.Parallel()
	q := sharedQuestDB(t)
	dir, x, w := t.TempDir(), newTargets(t, "readonly", 2), newWitness(t)
	box := filepath.Join(dir, "outbox.db")
	configure(t, dir, x.yaml("questdb://viewer:looks@"+q.Address()+"/qdb", box))
	p, _ := start(t, dir)
	leave := w.watch(p)
	waitFor(t, "signals are shown", func() bool { return w.count() > 20 }) // Ten seconds of trying again.
	leave()
	if p.ready().Store != "away" || p.said("store is away") != 1 || p.said("permission denied") == 0 || p.said("looks") > 0 {
		t.Errorf("/readyz says %+v, the log: %s", p.ready(), p.notable())
	}
	p.stop()
	if waiting(t, box) < w.count() {
		t.Errorf("%d signals wait, %d were shown", waiting(t, box), w.count())
	}
}
