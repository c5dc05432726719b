package channel_test

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"statuspage/internal/notify/channel"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const hostile = "Evil\r\nBcc: all@example.org\r\n\r\n<!channel> <script>alert(1)</script> *b* [x](http://y) @everyone & \u202e\"'`"

// message tells that n services are down.
func message(n int) channel.Message {
	m := channel.Message{ID: "0123456789abcdef0123456789abcdef", At: at, Page: "Acme\r\nX: y", URL: "https://status.example"}
	for i := range n {
		m.Lines = append(m.Lines, channel.Line{Service: fmt.Sprintf("s%d", i), Name: fmt.Sprintf("Service %d", i), Kind: channel.Down, State: channel.Begins, Reason: "timeout", Since: at.Add(-time.Minute), Batch: m.ID})
	}
	return m
}

func named(name string) channel.Message {
	m := message(1)
	m.Lines[0].Name = name
	return m
}

func ended(n int) channel.Message {
	m := message(n)
	for i := range m.Lines {
		m.Lines[i].State, m.Lines[i].Until = channel.Ends, at
	}
	m.Closes = []string{m.ID}
	return m
}

// open makes a channel of a kind; pairs are its settings.
func open(t *testing.T, kind string, pairs ...string) channel.Channel {
	t.Helper()
	for _, k := range channel.Kinds() {
		if k.Name != kind {
			continue
		}
		c := k.New("ops")
		for i := 0; i < len(pairs); i += 2 {
			for _, key := range k.Keys {
				if key.Name != pairs[i] {
					continue
				}
				if err := c.Set(key, pairs[i+1]); err != nil {
					t.Fatal(err)
				}
			}
		}
		return c
	}
	t.Fatalf("no kind %s", kind)
	return channel.Channel{}
}

func viaMail(s *sink, user string) *channel.Via {
	m := &channel.Mail{Server: "smtp://" + user + s.ln.Addr().String(), From: "Status <status@example.org>"}
	m.Patience(300 * time.Millisecond)
	return channel.NewVia(m)
}

// viaMailFor is viaMail with as much patience as a mail of 2,000 lines may want.
func viaMailFor(s *sink, patience time.Duration) *channel.Via {
	m := &channel.Mail{Server: "smtp://" + s.ln.Addr().String(), From: "Status <status@example.org>"}
	m.Patience(patience)
	return channel.NewVia(m)
}

// parts are the plain text and the HTML of a mail.
func parts(t *testing.T, data string) (head mail.Header, plain, html string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err, data)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextRawPart()
		if err != nil {
			break
		}
		body, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			html = string(body)
		} else {
			plain = string(body)
		}
	}
	return m.Header, plain, html
}

// TestMail: what a mail says, twice the same, and that nobody's name becomes a header or a tag.
func TestMail(t *testing.T) {
	t.Parallel()
	s := newSink(t, "")
	c := open(t, "email", "to", "a@example.org", "to", "B <b@example.org>")
	for range 2 {
		if err := c.Send(t.Context(), viaMail(s, ""), named(hostile)); err != nil {
			t.Fatal(err)
		}
	}
	all := s.got()
	if len(all) != 2 || len(all[0].to) != 2 || all[0].to[1] != "b@example.org" {
		t.Fatalf("taken: %+v", all)
	}
	var ids []string
	for _, l := range all {
		head, plain, html := parts(t, l.data)
		ids = append(ids, head.Get("Message-Id"))
		subject, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject"))
		if err != nil || strings.ContainsAny(subject, "\r\n\u202e") || !strings.HasPrefix(subject, "[Acme  X: y] Evil") || head.Get("Bcc") != "" || head.Get("X") != "" {
			t.Errorf("subject %q, Bcc %q: %v", subject, head.Get("Bcc"), err)
		}
		if head.Get("Auto-Submitted") != "auto-generated" || !strings.Contains(head.Get("References"), "0123456789abcdef") || !strings.Contains(plain, "https://status.example/services/s0") || !strings.Contains(plain, ": timeout") {
			t.Errorf("head %v, text %s", head, plain)
		}
		if strings.Contains(html, "<script") || !strings.Contains(html, "&lt;script&gt;") || !strings.Contains(html, `href="https://status.example/services/s0"`) {
			t.Errorf("html %s", html)
		}
	}
	if ids[0] != ids[1] || ids[0] != "<0123456789abcdef0123456789abcdef@example.org>" {
		t.Errorf("ids %v", ids)
	}
}

// TestMailServersThatFail: what passes is tried again, what does not is told as final, no connection is left, and a mail that the
// server has said it has went.
func TestMailServersThatFail(t *testing.T) {
	t.Parallel()
	for fail, want := range map[string]string{
		"drop": "again", "stall": "again", "421": "again", "garbage": "again", "451": "again", "535": "again", "550": "final", "552": "final",
		"close after DATA": "again", "stall after DATA": "again", "close after all": "sent", "550 one": "sent",
	} {
		t.Run(fail, func(t *testing.T) {
			t.Parallel()
			s := newSink(t, fail)
			user := ""
			if fail == "535" {
				user = "me:s3cret%21@"
			}
			err := open(t, "email", "to", "a@example.org", "to", "gone@example.org").Send(t.Context(), viaMail(s, user), message(1))
			got := "sent"
			if why, is := errors.AsType[*channel.Error](err); is {
				if got = "again"; why.Final {
					got = "final"
				}
			}
			if got != want {
				t.Errorf("%s: %v, want %s", got, err, want)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("a secret is told: %v", err)
			}
			deadline := time.Now().Add(5 * time.Second)
			for s.mu.Lock(); s.open > 0 && time.Now().Before(deadline); s.mu.Lock() {
				s.mu.Unlock()
				time.Sleep(5 * time.Millisecond)
			}
			if s.open > 0 {
				t.Errorf("%d connections are left", s.open)
			}
			s.mu.Unlock()
		})
	}
}

// TestMailIsEncrypted where the server can, and its password is not shown before.
func TestMailIsEncrypted(t *testing.T) {
	t.Parallel()
	https := httptest.NewTLSServer(http.NotFoundHandler()) // For its certificate of 127.0.0.1.
	defer https.Close()
	roots := x509.NewCertPool()
	roots.AddCert(https.Certificate())
	s := newSink(t, "")
	s.tls = &tls.Config{Certificates: https.TLS.Certificates, MinVersion: tls.VersionTLS12}
	c := open(t, "email", "to", "a@example.org")
	via := viaMail(s, "me:s3cret@")
	if err := c.Send(t.Context(), via, message(1)); err == nil || len(s.got()) > 0 {
		t.Errorf("a certificate of nobody: %v", err)
	}
	via.Mail.Trust(roots)
	if err := c.Send(t.Context(), via, message(1)); err != nil || len(s.got()) != 1 || !s.got()[0].encrypted {
		t.Errorf("with STARTTLS: %v, %+v", err, s.got())
	}
	if s.mu.Lock(); !strings.Contains(strings.Join(s.said, "\n"), "STARTTLS\nEHLO example.org\nAUTH PLAIN") {
		t.Errorf("said %q", s.said)
	}
	s.mu.Unlock()
}

// TestMailIsSigned is DKIM, checked by another library.
func TestMailIsSigned(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(crypto.PublicKey(&key.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	s := newSink(t, "")
	via := viaMail(s, "")
	via.Mail.DKIM = &channel.DKIM{Domain: "example.org", Selector: "one", Key: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))}
	if err := channel.CheckDKIM(via.Mail.DKIM); err != nil {
		t.Fatal(err)
	}
	if err := open(t, "email", "to", "a@example.org").Send(t.Context(), via, named(hostile)); err != nil {
		t.Fatal(err)
	}
	found, err := dkim.VerifyWithOptions(strings.NewReader(s.got()[0].data), &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
		if name != "one._domainkey.example.org" {
			return nil, fmt.Errorf("asked for %s", name)
		}
		return []string{"v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)}, nil
	}})
	if err != nil || len(found) != 1 || found[0].Err != nil || !strings.Contains(strings.Join(found[0].HeaderKeys, " "), "Message-ID") {
		t.Errorf("signed: %+v, %v", *found[0], err)
	}
	if err := channel.CheckDKIM(&channel.DKIM{Key: "s3cret"}); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("no key: %v", err)
	}
}

// receiver keeps what is posted to it.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	all    []posted
}

type posted struct {
	path   string
	header http.Header
	body   []byte
}

func newReceiver(t *testing.T, status int) *receiver {
	r := &receiver{status: status}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.all = append(r.all, posted{req.URL.Path, req.Header, body})
		r.mu.Unlock()
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, req.URL.String()+req.Header.Get("Authorization"))
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) one(t *testing.T) posted {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.all) != 1 {
		t.Fatalf("%d requests, want one", len(r.all))
	}
	return r.all[0]
}

const signing = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// to are the channels that post, all to one receiver, with secrets in their settings.
func to(t *testing.T, base string) map[string]channel.Channel {
	return map[string]channel.Channel{
		"webhook":      open(t, "webhook", "url", base+"/s3cret", "secret", signing),
		"slack":        open(t, "slack", "url", base+"/services/s3cret"),
		"discord":      open(t, "discord", "url", base+"/api/s3cret"),
		"telegram":     open(t, "telegram", "url", base, "token", "12:s3cret", "chat", "-100"),
		"ntfy":         open(t, "ntfy", "url", base+"/s3cret", "token", "tk_s3cret"),
		"pagerduty":    open(t, "pagerduty", "url", base+"/v2/enqueue", "key", "s3cretkey"),
		"alertmanager": open(t, "alertmanager", "url", strings.Replace(base, "http://", "http://me:s3cret@", 1)),
	}
}

// TestEveryKindIsHere so that none is left out below.
func TestEveryKindIsHere(t *testing.T) {
	t.Parallel()
	here := to(t, "http://127.0.0.1")
	for _, k := range channel.Kinds() {
		if _, is := here[k.Name]; !is && k.Name != "email" {
			t.Errorf("%s is not tested", k.Name)
		}
	}
}

// TestHostileNames become neither markup nor mentions in any format, and one line.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	for kind := range to(t, "http://127.0.0.1") {
		r := newReceiver(t, 200)
		if err := to(t, r.URL)[kind].Send(t.Context(), channel.NewVia(nil), named(hostile)); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		body := r.one(t).body
		var any map[string]any
		if kind == "alertmanager" {
			body = bytes.Trim(body, "[]\n")
		}
		if err := json.Unmarshal(body, &any); err != nil {
			t.Errorf("%s: %v: %s", kind, err, body)
			continue
		}
		text := fmt.Sprint(any)
		if strings.ContainsAny(text, "\r\u202e") || strings.Contains(text, "\nBcc") || strings.Contains(text, "\nX:") {
			t.Errorf("%s breaks a line: %q", kind, text)
		}
		switch kind {
		case "slack":
			if strings.ContainsAny(text, "<>") || any["mrkdwn"] != false {
				t.Errorf("slack: %q", text)
			}
		case "discord":
			if !strings.Contains(text, `\@everyone`) || !strings.Contains(text, `\<\!channel`) && !strings.Contains(text, `\<!channel\>`) || !strings.Contains(text, "map[parse:[]]") {
				t.Errorf("discord: %q", text)
			}
		case "telegram":
			if any["parse_mode"] != nil {
				t.Errorf("telegram: %q", text)
			}
		}
	}
}

// TestManyServices: the webhook names them all, chats those that fit and how many more there are.
func TestManyServices(t *testing.T) {
	t.Parallel()
	limits := map[string]int{"slack": 40_000, "discord": 2000, "telegram": 4096, "ntfy": 4096}
	for kind := range to(t, "http://127.0.0.1") {
		r := newReceiver(t, 200)
		if err := to(t, r.URL)[kind].Send(t.Context(), channel.NewVia(nil), message(2000)); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		body := string(r.one(t).body)
		limit, has := limits[kind]
		switch {
		case has && (len(body) > limit+200 || !strings.Contains(body, "more") || !strings.Contains(body, "2000 services down")):
			t.Errorf("%s: %d bytes: %.200s", kind, len(body), body)
		case !has && kind != "pagerduty" && !strings.Contains(body, "Service 1999"):
			t.Errorf("%s leaves the last out", kind)
		}
	}
	s := newSink(t, "")
	if err := open(t, "email", "to", "a@example.org").Send(t.Context(), viaMailFor(s, 10*time.Second), message(2000)); err != nil {
		t.Fatal(err)
	}
	if _, plain, html := parts(t, s.got()[0].data); !strings.Contains(plain, "Service 1999 is down") || !strings.Contains(html, "Service 1999 is down") {
		t.Error("the mail leaves the last out")
	}
}

// TestWebhook: Statuspage's body, signed so that another implementation of Standard Webhooks takes it.
func TestWebhook(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, 204)
	c := open(t, "webhook", "url", r.URL+"/hook", "secret", signing, "secret", "whsec_"+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32)))
	if err := c.Send(t.Context(), channel.NewVia(nil), named("API")); err != nil {
		t.Fatal(err)
	}
	p := r.one(t)
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signing, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", p.header.Get("webhook-id"), p.header.Get("webhook-timestamp"), p.body)
	signatures := strings.Fields(p.header.Get("webhook-signature"))
	if len(signatures) != 2 || signatures[0] != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) || p.header.Get("webhook-id") != message(1).ID {
		t.Errorf("signed %v, id %s", signatures, p.header.Get("webhook-id"))
	}
	var body struct {
		Meta struct {
			Generated string `json:"generated_at"`
		} `json:"meta"`
		Page struct {
			Indicator, Description string
		} `json:"page"`
		Component struct{ ID, Name, Status string } `json:"component"`
		Update    struct {
			Old string `json:"old_status"`
			New string `json:"new_status"`
		} `json:"component_update"`
	}
	if err := json.Unmarshal(p.body, &body); err != nil || body.Meta.Generated != "2026-03-01T12:00:00.000Z" || body.Component.Name != "API" || body.Update.Old != "operational" || body.Update.New != "major_outage" {
		t.Errorf("%+v, %v: %s", body, err, p.body)
	}
	many := newReceiver(t, 200)
	if err := open(t, "webhook", "url", many.URL).Send(t.Context(), channel.NewVia(nil), ended(3)); err != nil {
		t.Fatal(err)
	}
	if text := string(many.one(t).body); !strings.Contains(text, `"incident":{`) || !strings.Contains(text, `"status":"resolved"`) || !strings.Contains(text, "Service 2 has recovered") || many.one(t).header.Get("webhook-signature") != "" {
		t.Errorf("of several: %s", text)
	}
}

// TestPagerDuty: what has opened an incident resolves it when nothing is left of it.
func TestPagerDuty(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, 202)
	c := to(t, r.URL)["pagerduty"]
	some := ended(2)
	some.ID, some.Closes, some.Lines[1].State = "other", nil, channel.Lasts
	for _, m := range []channel.Message{message(2), some, ended(2)} {
		if err := c.Send(t.Context(), channel.NewVia(nil), m); err != nil {
			t.Fatal(err)
		}
	}
	var did []string
	for _, p := range r.all {
		var e struct {
			Action string `json:"event_action"`
			Dedup  string `json:"dedup_key"`
		}
		if err := json.Unmarshal(p.body, &e); err != nil {
			t.Fatal(err)
		}
		did = append(did, e.Action+" "+e.Dedup[:4])
	}
	if got := strings.Join(did, ", "); got != "trigger 0123, trigger 0123, resolve 0123" {
		t.Errorf("did %s", got)
	}
}

// TestAnswers: which mean that it is tried again, and that no error shows a secret.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for status, final := range map[int]bool{301: false, 400: true, 401: false, 404: false, 410: false, 413: true, 422: true, 429: false, 500: false, 503: false} {
		for kind := range to(t, "http://127.0.0.1") {
			r := newReceiver(t, status)
			err := to(t, r.URL)[kind].Send(t.Context(), channel.NewVia(nil), message(1))
			why, is := errors.AsType[*channel.Error](err)
			if !is || why.Final != final || status >= 400 && why.After != 7*time.Second || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s at %d: %v", kind, status, err)
			}
			if n := len(r.all); n != 1 {
				t.Errorf("%s at %d: %d requests", kind, status, n)
			}
		}
	}
	gone := newReceiver(t, 200)
	gone.Close()
	for kind, c := range to(t, gone.URL) {
		if err := c.Send(t.Context(), channel.NewVia(nil), message(1)); err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), signing) {
			t.Errorf("%s, nobody there: %v", kind, err)
		}
	}
}

// TestMerge: of several that are late one is sent, with the newest of each service.
func TestMerge(t *testing.T) {
	t.Parallel()
	later := ended(1)
	later.ID = "later"
	m := channel.Merge([]channel.Message{message(2), later})
	if m.ID != "later" || len(m.Lines) != 2 || m.Lines[0].Service != "s1" || m.Lines[1].State != channel.Ends || len(m.Closes) != 1 {
		t.Errorf("merged: %+v", m)
	}
}

// TestTestMessages say so on every channel.
func TestTestMessages(t *testing.T) {
	t.Parallel()
	for kind := range to(t, "http://127.0.0.1") {
		r := newReceiver(t, 200)
		if err := to(t, r.URL)[kind].Send(t.Context(), channel.NewVia(nil), channel.Test("abc", "Acme", "", at)); err != nil || len(r.all) == 0 || !strings.Contains(string(r.all[0].body), "est") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
