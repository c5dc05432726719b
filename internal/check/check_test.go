package check

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"reflect"
	"slices"
	"statuspage/internal/status"
	"strings"
	"sync"
	"testing"
	"time"
)

// sample is a check of a kind with every setting of it set.
func sample(t *testing.T, k *Kind) Check {
	t.Helper()
	c := k.New()
	c.Service = status.Service{ID: "a", Name: "A", URL: k.Schemes[0].Name + "://a:1", Interval: time.Minute, Timeout: time.Second}
	c.Retries, c.RetryAfter = 2, 50*time.Millisecond
	c.Target, c.DegradedAfter = k.Schemes[0].Name+"://a:1", 1500*time.Millisecond
	for _, b := range []block{expect, unless} {
		*b.of(&c) = Conditions{Latency: Duration(time.Second), ValidFor: Duration(status.Day)}
		switch k {
		case &tcpKind:
			b.of(&c).ValidFor = 0
		case &httpKind:
			n := json.Number("1.50")
			b.of(&c).Body = []Match{{"contains", []any{"ok", "<fine>"}}, {"size.below", []any{json.Number("100")}}}
			b.of(&c).Header = map[string][]Match{"location": {{"matches", []any{"^https://"}}}}
			b.of(&c).JSON = map[string][]Match{"a.b[0]": {{"equals", []any{"up", n, true}}}, "$..x": {{"present", []any{false}}, {"length.equals", []any{json.Number("2")}}}}
		case &icmpKind:
			most := 20
			b.of(&c).ValidFor, b.of(&c).Loss = 0, &most
		case &dnsKind:
			*b.of(&c) = Conditions{Latency: Duration(time.Second), RCode: []string{"NOERROR", "NXDOMAIN"}, Records: Records{Any: []string{"a"}, Exactly: []string{"b", "c"}, None: true}}
		}
	}
	if k == &httpKind {
		c.Unless.Status = []StatusRange{{200, 204}}
	}
	both := pairOfPEM(t)
	switch h := c.How.(type) {
	case *ICMP:
		h.Count = 5
	case *DNS:
		h.Transport = "tls"
		h.Security = securityOf(both)
	case *TLS:
		h.Security = securityOf(both)
	case *HTTP:
		*h = HTTP{Method: "GET", Headers: map[string]string{"X-Key": "<k3y>"}, ExpectStatus: []StatusRange{{200, 204}, {301, 301}}, FollowRedirects: true, KeepAlive: true, Security: securityOf(both)}
	}
	return c
}

func securityOf(pair string) Security {
	return Security{Unverified: true, ServerName: "a.example", CA: PEM{"ca.pem", pair}, Certificate: PEM{"cert.pem", pair}, Key: PEM{"key.pem", pair}}
}

// securityIn is what a check of any kind has, nil for one that speaks no TLS.
func securityIn(c Check) *Security {
	switch h := c.How.(type) {
	case *HTTP:
		return &h.Security
	case *TLS:
		return &h.Security
	case *DNS:
		return &h.Security
	}
	return nil
}

// pairOfPEM is a certificate with its key, in one file.
var pairOfPEM = func() func(t *testing.T) string {
	made := sync.OnceValues(func() (string, error) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return "", err
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
		cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
		if err != nil {
			return "", err
		}
		raw, err := x509.MarshalPKCS8PrivateKey(key)
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})) + string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})), err
	})
	return func(t *testing.T) string {
		t.Helper()
		text, err := made()
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
}()

// TestTableOfKinds holds what everything that walks the table counts on.
func TestTableOfKinds(t *testing.T) {
	t.Parallel()
	names, schemes := map[string]bool{}, map[string]bool{}
	for _, k := range Kinds() {
		if k.Name == "" || names[k.Name] || k.About == "" || k.Example == "" || len(k.Schemes) == 0 {
			t.Errorf("%q: twice, or without what is to be said of it", k.Name)
		}
		names[k.Name] = true
		for _, s := range k.Schemes {
			if schemes[s.Name] || s.Name != strings.ToLower(s.Name) || !strings.HasPrefix(s.Form, s.Name+"://") {
				t.Errorf("%s: scheme %q is another's, or written otherwise: %s", k.Name, s.Name, s.Form)
			}
			schemes[s.Name] = true
			if OfScheme(s.Name) != k || OfAddress(s.Name+"://x") != k {
				t.Errorf("%s is not found by its scheme %s", k.Name, s.Name)
			}
		}
		c := k.New()
		if c.Kind() != k || Named(k.Name) != k || reflect.TypeOf(k.blank()) != reflect.TypeOf(c.How) || reflect.TypeOf(c.How.clone()) != reflect.TypeOf(c.How) {
			t.Errorf("%s: its struct says that it is %s", k.Name, c.Kind().Name)
		}
		if err := c.How.valid(); err != nil {
			t.Errorf("%s: its defaults are no check: %v", k.Name, err)
		}
		seen := map[string]bool{}
		for _, key := range k.Keys {
			if seen[key.Name] || key.About == "" || key.Show == nil || key.Begin == nil ||
				(key.Form == Map) != (key.Put != nil) || (key.Form == Map || key.Form == Matchers) != (key.Names != nil) ||
				(key.Form == Matcher || key.Form == Matchers) != (key.Match != nil && len(key.Ops) > 0) || (key.Form == Matchers) != (key.Clear != nil) || (key.Form == One || key.Form == List) != (key.Set != nil) || (key.Form == File) != (key.Load != nil) || (key.Form == List) != (key.Element != "") {
				t.Errorf("%s.%s: twice, or not as its form wants it", k.Name, key.Name)
			}
			seen[key.Name] = true
		}
		// What is set in a copy is no setting of the original.
		whole := sample(t, k)
		copied := whole.Clone()
		for _, key := range k.Keys {
			key.Begin(&copied)
			if key.Form == Matchers {
				if err := key.Clear(&copied, "a.b[0]"); err != nil {
					t.Errorf("%s.%s: %v", k.Name, key.Name, err)
				}
			}
			if key.Form == Map {
				if err := key.Put(&copied, "Other", "x"); err != nil {
					t.Errorf("%s.%s: %v", k.Name, key.Name, err)
				}
			}
		}
		if want := sample(t, k); !reflect.DeepEqual(whole, want) {
			t.Errorf("%s: a copy has changed %+v", k.Name, whole)
		}
	}
	if Named("smoke") != nil || OfScheme("") != nil || OfAddress("smoke://x") != nil || (Check{}).Kind().Name != "" || !slices.Equal((Check{}).Needs(), []string{""}) {
		t.Error("what no kind is, is one")
	}
}

// TestKeysShowWhatTheyRead holds that a configuration which is printed and read again is the same.
func TestKeysShowWhatTheyRead(t *testing.T) {
	t.Parallel()
	for _, k := range Kinds() {
		whole := sample(t, k)
		read := k.New()
		for _, key := range k.Keys {
			value := key.Show(whole)
			if value == nil {
				t.Errorf("%s.%s: set, and not shown", k.Name, key.Name)
			}
			key.Begin(&read)
			var err error
			switch v := value.(type) {
			case string:
				if key.Form == File {
					err = key.Load(&read, v, []byte(pairOfPEM(t)))
					break
				}
				err = key.Set(&read, v)
			case bool:
				err = key.Set(&read, map[bool]string{true: "true", false: "false"}[v])
			case []string:
				for _, one := range v {
					err = errors.Join(err, key.Set(&read, one))
				}
			case []Match:
				err = readMatches(&read, key, "", v)
			case map[string][]Match:
				for name, one := range v {
					err = errors.Join(err, key.Names(name), key.Clear(&read, name), readMatches(&read, key, name, one))
				}
			case map[string]string:
				for name, one := range v {
					err = errors.Join(err, key.Names(name), key.Put(&read, name, one))
				}
			}
			if err != nil {
				t.Errorf("%s.%s: %v is refused: %v", k.Name, key.Name, value, err)
			}
		}
		read.Service, read.Target, read.Retries, read.RetryAfter = whole.Service, whole.Target, whole.Retries, whole.RetryAfter
		if !reflect.DeepEqual(read, whole) {
			t.Errorf("%s\n got %+v %+v\nwant %+v %+v", k.Name, read, read.How, whole, whole.How)
		}
	}
}

func readMatches(c *Check, key Key, name string, all []Match) (err error) {
	for _, m := range all {
		for _, v := range m.Values {
			_, quoted := v.(string)
			err = errors.Join(err, key.Match(c, name, m.Op, fmt.Sprint(v), quoted))
		}
	}
	return err
}

// TestWireForm holds that a check comes over as it is, and that no kind's members are those of all.
func TestWireForm(t *testing.T) {
	t.Parallel()
	for _, k := range Kinds() {
		whole := sample(t, k)
		body, err := Encode(whole)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(body)
		if s := securityIn(got); s != nil { // The names of files are not told.
			s.CA.Name, s.Certificate.Name, s.Key.Name = "ca.pem", "cert.pem", "key.pem"
		}
		if err != nil || !reflect.DeepEqual(got, whole) {
			t.Errorf("%s comes over %s as %+v (%v)", k.Name, body, got, err)
		}
		var common, own map[string]any
		one, _ := json.Marshal(wire{DegradedAfter: "1s", HideURL: true, Expect: whole.Expect, Unless: whole.Unless})
		two, _ := json.Marshal(whole.How)
		if err := errors.Join(json.Unmarshal(one, &common), json.Unmarshal(two, &own)); err != nil {
			t.Fatal(err)
		}
		for name := range own {
			if _, twice := common[name]; twice {
				t.Errorf("%s: its member %s is one of all kinds", k.Name, name)
			}
		}
	}
}

// TestWireFormOfHTTP holds the bytes that agents of any version read.
func TestWireFormOfHTTP(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		check Check
		want  string
	}{
		{bare(sample(t, &httpKind)), `{"id":"a","name":"A","url":"http://a:1","kind":"http","target":"http://a:1","interval":"1m0s","timeout":"1s","degraded_after":"1.5s",` +
			`"method":"GET","headers":{"X-Key":"\u003ck3y\u003e"},"expect":["200-204","301"],"follow_redirects":true,"keep_alive":true}`},
		{
			Check{Service: status.Service{ID: "b", Name: "B", URL: "https://b", HideURL: true, Interval: time.Second, Timeout: time.Millisecond}, Target: "https://b", How: &HTTP{Method: "HEAD"}},
			`{"id":"b","name":"B","url":"https://b","hide_url":true,"kind":"http","target":"https://b","interval":"1s","timeout":"1ms","method":"HEAD","follow_redirects":false,"keep_alive":false}`,
		},
	} {
		if got, err := Encode(c.check); err != nil || string(got) != c.want {
			t.Errorf("%v\n got %s\nwant %s", err, got, c.want)
		}
	}
}

// bare is a check without conditions.
func bare(c Check) Check {
	c.Expect, c.Unless, c.Retries, c.RetryAfter = Conditions{}, Conditions{}, 0, 0
	*securityIn(c) = Security{}
	return c
}

func TestDecodeTrustsNobody(t *testing.T) {
	t.Parallel()
	const good = `{"id":"a","name":"A","kind":"http","target":"http://a","interval":"1m","timeout":"1s","method":"HEAD"}`
	if _, err := Decode([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{
		`"http://a"`: `"ftp://a"`, `//a"`: `//"`, `"HEAD"`: `"head"`, `"1m"`: `"soon"`, `"1s"`: `""`, `"method"`: `"degraded_after":"x","method"`,
		`:"HEAD"}`: `:"HEAD","expect":["x"]}`, `"kind"`: `"retries":99,"kind"`, `"name"`: `"retry_after":"x","name"`, `"id"`: `"conditions":{"json":{"a..b..c":[]}},"id"`,
		`"target"`: `"degraded_unless":{"body":[{"op":"contains","values":[[]]}]},"target"`, `"interval"`: `"conditions":{"body":[{"op":"shouts","values":["x"]}]},"interval"`, `"target":"http://a"`: `"target":"http://user:s3cret@%"`, `{`: `[`,
	} {
		_, err := Decode([]byte(strings.Replace(good, from, to, 1)))
		if err == nil || errors.Is(err, ErrUnknownKind) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s in the place of %s: %v", to, from, err)
		}
	}
	c, err := Decode([]byte(strings.Replace(good, `"kind":"http"`, `"kind":"smoke","expect":{"colour":"white"}`, 1)))
	if !errors.Is(err, ErrUnknownKind) || c.ID != "a" || !strings.Contains(err.Error(), "smoke") {
		t.Errorf("of a kind that is not known: %+v, %v", c, err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, k := range Kinds() {
		body, err := Encode(k.New())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := Decode(body)
		if err != nil {
			return
		}
		again, err := Encode(c)
		if err != nil {
			t.Fatalf("%s is read and can't be written: %v", body, err)
		}
		if twice, err := Decode(again); err != nil || !reflect.DeepEqual(c, twice) {
			t.Errorf("%s\nis read as %+v,\nand then as %+v (%v)", body, c, twice, err)
		}
	})
}

func FuzzParseURL(f *testing.F) {
	for _, k := range Kinds() {
		for _, s := range k.Schemes {
			f.Add(s.Form)
		}
	}
	f.Add("HTTP://User:s3cret@[::1]:080/%zz?a=b#c")
	f.Fuzz(func(t *testing.T, text string) {
		u, k, err := ParseURL(text)
		if err != nil {
			return
		}
		// It is part of the stored key, so a printed one must be read as the same.
		again, kind, err := ParseURL(u.String())
		if err != nil || kind != k || again.String() != u.String() || status.HasControl(u.String()) || k.scheme(u.Scheme) == nil {
			t.Errorf("%q is read as %q, and then as %v (%v)", text, u, again, err)
		}
	})
}

func TestSecretsOfAnAddress(t *testing.T) {
	t.Parallel()
	c := Check{Target: "https://token@a/?x=" + url.QueryEscape("a b"), How: &HTTP{Headers: map[string]string{"Host": "h", "X": "one two"}}}
	got := c.Secrets()
	for _, want := range []string{"token", "a b", "a+b", "one two", "one", "two"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is none of the secrets %q", want, got)
		}
	}
	if slices.Contains(got, "h") || !slices.Equal(Secrets(), []string{"headers"}) {
		t.Errorf("%q, %q", got, Secrets())
	}
}

func TestStatusRange(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"200", "200-399"} {
		r, err := ParseStatusRange(good)
		if err != nil || r.String() != good {
			t.Errorf("ParseStatusRange(%q) = %v, %v", good, r, err)
		}
	}
	for _, bad := range []string{"", "99", "600", "300-200", "2xx", "-", "200-"} {
		if _, err := ParseStatusRange(bad); !errors.Is(err, status.ErrInvalid) {
			t.Errorf("ParseStatusRange(%q): error %v, want ErrInvalid", bad, err)
		}
	}
	h := HTTP{}
	if !h.Expects(399) || h.Expects(400) {
		t.Error("without expectations 399 is available and 400 is not")
	}
	h.ExpectStatus = []StatusRange{{404, 404}}
	if !h.Expects(404) || h.Expects(200) {
		t.Error("an expectation replaces the default")
	}
}

// TestAttemptsShareTheTimeout holds that what a slot may take is made of attempts and what is between them, and back.
func TestAttemptsShareTheTimeout(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		attempt, after time.Duration
		retries        int
		total          time.Duration
	}{{10 * time.Second, time.Second, 0, 10 * time.Second}, {10 * time.Second, 5 * time.Second, 2, 40 * time.Second}, {7 * time.Millisecond, 0, 10, 77 * time.Millisecond}} {
		one := Check{Service: status.Service{Timeout: Total(c.attempt, c.retries, c.after)}, Retries: c.retries, RetryAfter: c.after}
		if one.Timeout != c.total || one.Attempt().Timeout != c.attempt {
			t.Errorf("%+v: %v in all, %v each", c, one.Timeout, one.Attempt().Timeout)
		}
	}
	if needs := sample(t, &tcpKind).Needs(); !slices.Contains(needs, "retries") || !slices.Contains(Knows(), "retries") {
		t.Errorf("%q", needs)
	}
}
