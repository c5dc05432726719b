package e2e

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"statuspage/e2e/harness"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// front is a proxy that speaks TLS with a certificate of its own, before a server.
type front struct {
	url, ca string        // ca is a file.
	asked   atomic.Uint64 // Requests that came through.
	ahead   atomic.Int64  // By how much the clock of who hands signals in is ahead, as the server sees it.
}

func newFront(t *testing.T, server string) *front {
	t.Helper()
	certificate := selfSigned(t)
	f := &front{ca: filepath.Join(t.TempDir(), "ca.pem")}
	if err := os.WriteFile(f.ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}), 0o600); err != nil {
		t.Fatal(err)
	}
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}})
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{ReadHeaderTimeout: patience, ErrorLog: log.New(io.Discard, "", 0), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.asked.Add(1)
		if ahead := time.Duration(f.ahead.Load()); ahead != 0 && r.Method == http.MethodPost {
			f.shift(t, r, ahead)
		}
		proxy.ServeHTTP(w, r)
	})}
	proxy.ErrorLog = s.ErrorLog
	proxy.ModifyResponse = func(res *http.Response) error {
		if at, err := time.Parse(time.RFC3339Nano, res.Header.Get("Statuspage-Time")); err == nil {
			res.Header.Set("Statuspage-Time", at.Add(-time.Duration(f.ahead.Load())).Format(time.RFC3339Nano))
		}
		return nil
	}
	go s.Serve(ln)
	t.Cleanup(func() { _ = s.Close() })
	f.url = "https://" + ln.Addr().String()
	return f
}

// shift moves the instants of a batch, as if its sender's clock were ahead.
func (f *front) shift(t *testing.T, r *http.Request, ahead time.Duration) {
	var batch []map[string]any
	body, err := gzip.NewReader(r.Body)
	if err == nil {
		err = json.NewDecoder(body).Decode(&batch)
	}
	if err != nil {
		t.Error(err)
		return
	}
	for _, s := range batch {
		text, _ := s["received"].(string)
		at, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Error(err)
		}
		s["received"] = at.Add(ahead)
	}
	shifted, err := json.Marshal(batch)
	if err != nil {
		t.Error(err)
	}
	r.Header.Del("Content-Encoding")
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(shifted)), int64(len(shifted))
}

// TestAgentOverTLS trusts the server of its own CA and no other, outlasts a cut, and says when its clock is off.
func TestAgentOverTLS(t *testing.T) {
	t.Parallel()
	serverDir, agentDir, x := t.TempDir(), t.TempDir(), newTarget(t)
	server := start(t, serverDir, "agents:\n  - {region: office, token: "+agentToken+"}\nservices:\n"+service("web", x.url, ", regions: [office]"))
	f := newFront(t, server.URL)
	between := newNetwork(t, strings.TrimPrefix(f.url, "https://"))
	to := "https://" + between.Address
	args := []string{"agent", "--to", to, "--outbox", filepath.Join(agentDir, "outbox.db"), "--listen", "127.0.0.1:0"}
	env := []string{"STATUSPAGE_AGENT_TOKEN=" + agentToken}

	stranger := launch(t, agentDir, env, args...)
	stranger.says("unknown authority")
	stranger.stop()
	if n := f.asked.Load(); n > 0 {
		t.Fatalf("%d requests went to a server that nobody vouches for", n)
	}

	a := launch(t, agentDir, env, append(args, "--ca", f.ca)...)
	records := func(n int) func() bool {
		return func() bool { return len(server.recordsOf("web", "office")) >= n }
	}
	server.wait("shows what the agent measures", records(2))

	cut := 3 * time.Second
	if os.Getenv("CHAOS") == "full" {
		cut = time.Minute
	}
	between.Close()
	began := time.Now()
	harness.WaitFor(t, cut+patience, "the agent keeps what it measures", func() bool {
		_, body := a.get("/metrics")
		return metric(body, "statuspage_outbox_signals") >= cut.Seconds()-1
	})
	harness.Must(t, between.Open())
	a.handedOver()
	if took := time.Since(began); took > cut+patience {
		t.Errorf("handed in %v after the cut began", took)
	}

	// Its clock runs ahead: what it measures is refused and counted, and said once.
	f.ahead.Store(int64(10 * time.Minute))
	a.wait("says that the clocks differ", func() bool {
		_, body := a.get("/metrics")
		return metric(body, "statuspage_agent_dropped_total") >= 3 && metric(body, "statuspage_agent_clock_skew_seconds") < -590
	})
	for _, text := range []string{"clocks of this machine and of the server differ", "set the agent's clock"} {
		if n := strings.Count(a.Log.String(), text); n != 1 {
			t.Errorf("%q is said %d times", text, n)
		}
	}
	f.ahead.Store(0)
	a.says("agree again")
	had := len(server.recordsOf("web", "office"))
	server.wait("shows what the agent measures again", records(had+2))
	a.handedOver()
	a.stop()
	server.stop()
	slots := stored(t, serverDir, "web", "office")
	for i := 1; i < len(slots); i++ {
		if slots[i].Before(began.Add(cut)) && slots[i-1].After(began) && slots[i].Sub(slots[i-1]) != time.Second {
			t.Errorf("during the cut %v comes after %v", slots[i], slots[i-1])
		}
		if slots[i].After(time.Now()) {
			t.Errorf("%v is of the future", slots[i])
		}
	}
	if text := a.Log.String() + stranger.Log.String() + server.Log.String(); strings.Contains(text, agentToken) {
		t.Error("the token is in a log")
	}
}
