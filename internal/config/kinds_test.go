package config

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io/fs"
	"math/big"
	"statuspage/internal/check"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// listOf is a configuration with the elements of a list of services.
func listOf(services string) string {
	return "services:\n  " + strings.ReplaceAll(strings.TrimSpace(services), "\n", "\n  ") + "\n"
}

// TestExamplesOfKinds holds that what documentation shows is accepted, printed without its secrets, and read as the same.
func TestExamplesOfKinds(t *testing.T) {
	t.Parallel()
	for _, k := range check.Kinds() {
		text := listOf(k.Example)
		first, err := Load(Overrides{}, env(), file(text))
		if err != nil {
			t.Fatalf("%s: %v", k.Name, err)
		}
		var printed, again bytes.Buffer
		if err := first.Print(&printed); err != nil {
			t.Fatal(err)
		}
		second, err := Load(Overrides{}, env(), file(printed.String()))
		if err != nil {
			t.Fatalf("%s is printed as\n%s\n%v", k.Name, printed.String(), err)
		}
		if err := second.Print(&again); err != nil || again.String() != printed.String() {
			t.Errorf("%s: %v\n%s", k.Name, err, cmp.Diff(printed.String(), again.String()))
		}
		for _, c := range first.Checks {
			if c.Kind() != k {
				t.Errorf("the example of %s is a check of %s", k.Name, c.Kind().Name)
			}
			for _, key := range k.Keys {
				if !key.Secret {
					continue
				}
				for _, secret := range c.Secrets() {
					if len(secret) > 0 && strings.Contains(printed.String(), secret) {
						t.Errorf("%s: a secret is printed:\n%s", k.Name, printed.String())
					}
				}
			}
		}
	}
}

// TestDefaultsOfEveryKind holds that a default of any kind is taken, and that what a service sets stays its own.
func TestDefaultsOfEveryKind(t *testing.T) {
	t.Parallel()
	c, err := Load(Overrides{}, env("SCHEME", "https"), file(`defaults: {method: GET, headers: {A: "1"}, expect: {status: 204}, degraded_after: 1s}
services:
  - {name: One, url: "HTTPS://one.example", method: HEAD, headers: {B: "2"}, expect: {status: 200}, keep_alive: true}
  - {name: Two, url: "${SCHEME}://two.example"}
`))
	if err != nil {
		t.Fatal(err)
	}
	one, two := c.Checks[0].How.(*check.HTTP), c.Checks[1].How.(*check.HTTP)
	if one.Method != "HEAD" || len(one.Headers) != 2 || !one.Expects(200) || one.Expects(204) || !one.KeepAlive ||
		two.Method != "GET" || len(two.Headers) != 1 || !two.Expects(204) || two.Expects(200) || two.KeepAlive || c.Checks[1].DegradedAfter == 0 {
		t.Errorf("%+v\n%+v", one, two)
	}
}

// TestSecretSettingsAreNotQuoted holds that no mistake shows the line of one, nor of what stands below it.
func TestSecretSettingsAreNotQuoted(t *testing.T) {
	t.Parallel()
	for _, name := range check.Secrets() {
		_, err := Load(Overrides{}, env(), file("services:\n  - name: A\n    url: https://a\n    "+name+": [s3cret]\n    "+name+"s:\n      X: [s3cret]\n"))
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAddressesOfKinds holds the one form in which an address is stored, and what each other is told.
func TestAddressesOfKinds(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"tcp://DB.example:05432": "tcp://db.example:5432", "TCP://[::1]:22/": "tcp://[::1]:22", "tcp://192.0.2.1:25#x": "tcp://192.0.2.1:25",
		"tcp://db.example": "no port: write tcp://host:port", "tcp://:22": "no host: write tcp://host:port", "tcp://a:0": "between 1 and 65535", "tcp://a:65536": "between 1 and 65535",
		"dns://NS.example/Example.org.": "dns://ns.example:53/example.org?type=A", "DNS://[::1]:5353/_sip._tcp.example.org?type=srv": "dns://[::1]:5353/_sip._tcp.example.org?type=SRV",
		"dns://192.0.2.53/.?type=NS": "dns://192.0.2.53:53/.?type=NS", "dns://a/192.0.2.1?type=PTR": "dns://a:53/192.0.2.1?type=PTR", "dns://a/b%C3%BCcher.example": "dns://a:53/b%C3%BCcher.example?type=A",
		"dns://a": "no name to ask for: write dns://server/name?type=A", "dns:///example.org": "no host", "dns://u:s3cret@a/b": "has a user", "dns://a/b?x=s3cret": "more than a type in its query",
		"dns://a/b?type=s3cret": "must be one of A, AAAA", "dns://a/b..c": "no name of a domain", "dns://a/b%0ac": "no name of a domain", "dns://a/b/c": "no name of a domain",
		"ICMP://Gate.example/": "icmp://gate.example", "icmp://[::1]": "icmp://[::1]", "icmp://a:7": "more than a host: write icmp://host", "icmp://a/b": "more than a host", "icmp://u:s3cret@a": "more than a host",
		"tls://Mail.example:0993/": "tls://mail.example:993", "tls://mail.example": "no port: write tls://host:port",
		"tcp://user:s3cret@a:22": "has a user", "tcp://a:22/x": "has a path or a query", "tcp://a:22?x=s3cret": "has a path or a query", "tcp:a:22": "no host: write tcp://host:port",
		"smoke://a:53": "can be measured: write http://host/path, https://host/path, tcp://host:port",
	} {
		c, err := Load(Overrides{URLs: []string{address}}, env(), file(""))
		switch {
		case err == nil && (c.Checks[0].URL != want || c.Checks[0].Target != want):
			t.Errorf("%s is %s, asked at %s", address, c.Checks[0].URL, c.Checks[0].Target)
		case err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret")):
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestFilesOfAKind holds that files stand beside the configuration, are named and not shown, and that what is wrong with one is said.
func TestFilesOfAKind(t *testing.T) {
	t.Parallel()
	pair := certificatePEM(t)
	load := func(tls string) (*Config, error) {
		return Load(Overrides{File: "/etc/statuspage/statuspage.yaml"}, env(), func(name string) ([]byte, error) {
			files := map[string]string{
				"/etc/statuspage/statuspage.yaml": "services:\n  - name: A\n    url: tls://a:1\n    tls: " + tls + "\n",
				"/etc/statuspage/pair.pem":        pair, "/etc/ca.pem": pair, "/etc/statuspage/s3cret.pem": "s3cret", "/etc/statuspage/long.pem": strings.Repeat("x", 1<<20),
			}
			if body, ok := files[name]; ok {
				return []byte(body), nil
			}
			return nil, fs.ErrNotExist
		})
	}
	c, err := load("{ca_file: /etc/ca.pem, cert_file: pair.pem, key_file: pair.pem, server_name: b.example}")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Checks[0].How.(*check.TLS).Security; got.CA.Body != pair || got.Key.Name != "pair.pem" || got.Unverified {
		t.Errorf("%+v", got)
	}
	var printed bytes.Buffer
	if err := c.Print(&printed); err != nil || !strings.Contains(printed.String(), "key_file: pair.pem") || strings.Contains(printed.String(), "BEGIN") {
		t.Errorf("%v\n%s", err, printed.String())
	}
	for tls, want := range map[string]string{
		"{ca_file: none.pem}": "4:20: services[0].tls.ca_file: the file can't be read", "{ca_file: s3cret.pem}": "in the file: no certificate (PEM)",
		"{key_file: s3cret.pem}": "in the file: no private key (PEM)", "{cert_file: long.pem}": "longer than 65536 bytes", "{cert_file: pair.pem}": "2:5: services[0]: tls.cert_file and tls.key_file go together",
		"{verify: no}": "must be true or false", "{server_name: 'a b'}": "not a name of a host", "{verfy: true}": "did you mean verify?", "true": "must be a mapping",
	} {
		if _, err := load(tls); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret\n") {
			t.Errorf("%s: %v, want %s", tls, err, want)
		}
	}
}

// certificatePEM is a certificate with its key, in one file.
func certificatePEM(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}))
}

// TestRetriesFitBelowTheInterval holds that all attempts of a slot are over before the next, whoever says how long each may take.
func TestRetriesFitBelowTheInterval(t *testing.T) {
	t.Parallel()
	load := func(defaults, service string) (*Config, error) {
		return Load(Overrides{}, env(), file("defaults: {"+defaults+"}\nservices:\n  - {name: A, url: \"tcp://a:1\", "+service+"}\n"))
	}
	for _, c := range []struct {
		defaults, service string
		total, each       time.Duration
		mistake           string
	}{
		{"", "retries: 2, retry_after: 5s", 40 * time.Second, 10 * time.Second, ""},
		{"retries: 2, retry_after: 5s", "interval: 21s", 10*time.Second + 500*time.Millisecond, 500 * time.Millisecond / 3, ""},
		{"retries: 2", "retries: 0", 10 * time.Second, 10 * time.Second, ""},
		{"", "timeout: 1s, retries: 2, retry_after: 20s", 43 * time.Second, time.Second, ""},
		{"", "timeout: 20s, retries: 2", 0, 0, "3:5: services[0].retries: 3 attempts of 20s with 1s between them come to 1m2s, which is not below the interval of 1m0s"},
		{"", "retries: 2, retry_after: 30s", 0, 0, "services[0].retries: 3 attempts"},
		{"", "retries: 11", 0, 0, "must be a number from 0 to 10"},
		{"", "retry_after: 1us", 0, 0, "whole milliseconds"},
		{"retries: 10, retry_after: 10s", "retries: 0", 0, 0, "defaults.retries"},
	} {
		got, err := load(c.defaults, c.service)
		switch {
		case err != nil && (c.mistake == "" || !strings.Contains(err.Error(), c.mistake)), err == nil && c.mistake != "":
			t.Errorf("%s, %s: %v, want %s", c.defaults, c.service, err, c.mistake)
		case err == nil && (got.Checks[0].Timeout-c.total > 2 || c.total-got.Checks[0].Timeout > 2 || got.Checks[0].Attempt().Timeout != c.each):
			t.Errorf("%s, %s: %v in all, %v each", c.defaults, c.service, got.Checks[0].Timeout, got.Checks[0].Attempt().Timeout)
		}
	}
	if _, err := Load(Overrides{URLs: []string{"tcp://a:1"}}, env(envFrequency, "1"), file("defaults: {interval: 10m, retries: 4, retry_after: 20s}\n")); err == nil || !strings.Contains(err.Error(), "defaults.retries") {
		t.Errorf("by address: %v", err)
	}
}
