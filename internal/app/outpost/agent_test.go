package outpost

import (
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"statuspage/internal/agent"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestAgentMeasuresWhatItsServerWants is a whole life: it takes its checks, hands signals in, tells who runs it how it is, keeps the
// checks for a start without the server, and ends without an error.
func TestAgentMeasuresWhatItsServerWants(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer target.Close()
	checks, _, err := agent.EncodeChecks("eu", []check.Check{{
		Service: status.Service{ID: "web", Name: "Web", URL: target.URL, Interval: time.Second, Timeout: time.Second / 2, Regions: []string{"eu"}},
		Target:  target.URL, How: &check.HTTP{Method: http.MethodGet},
	}}, agent.Kinds())
	if err != nil {
		t.Fatal(err)
	}
	var handed atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "Bearer token":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == agent.ChecksPath:
			_, _ = w.Write(checks)
		case r.URL.Path == agent.SignalsPath:
			_, _ = io.Copy(io.Discard, r.Body)
			handed.Add(1)
			_, _ = io.WriteString(w, "{}")
		}
	}))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	box := filepath.Join(t.TempDir(), "o.db")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Server: u, Token: "token", Outbox: box, Listener: ln, Log: nobody, Version: "1.2.3"})
	}()
	until := time.Now().Add(30 * time.Second)
	for handed.Load() == 0 {
		if time.Now().After(until) {
			t.Fatal("nothing is handed in")
		}
		time.Sleep(5 * time.Millisecond)
	}
	for path, words := range map[string][]string{
		"/healthz": {"ok"},
		"/readyz":  {`"ready":true`, `"outbox":`, `"unsaved":0`},
		"/metrics": {`version="1.2.3"`, "statuspage_agent_server_up", "statuspage_agent_handed_in_total", "statuspage_outbox_signals", "statuspage_agent_clock_skew_seconds"},
	} {
		res, err := (&http.Client{Timeout: 10 * time.Second}).Get("http://" + ln.Addr().String() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		for _, word := range words {
			if err != nil || !strings.Contains(string(body), word) {
				t.Errorf("%s lacks %s: %s (%v)", path, word, body, err)
			}
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("it ends with %v", err)
	}
	o := &outpost{Options: Options{Outbox: box, Log: nobody}}
	if kept := o.remembered(); len(kept) != 1 || kept[0].ID != "web" {
		t.Errorf("remembered for a start without the server: %+v", kept)
	}
}

// TestRememberedChecksArePrivate holds that nobody else reads the secrets in them, whoever wrote the file, and that a file that
// can't be read keeps nobody from starting.
func TestRememberedChecksArePrivate(t *testing.T) {
	t.Parallel()
	o := &outpost{Options: Options{Outbox: filepath.Join(t.TempDir(), "o.db"), Log: nobody}}
	if got := o.remembered(); got != nil {
		t.Errorf("before the first: %+v", got)
	}
	mode := func() fs.FileMode {
		info, err := os.Stat(o.checksFile())
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode().Perm()
	}
	if err := writePrivate(o.checksFile(), []byte(`{"region":"eu","checks":[]}`)); err != nil || mode() != 0o600 {
		t.Errorf("written with %v, %v", mode(), err)
	}
	if err := os.Chmod(o.checksFile(), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := o.remembered(); len(got) != 0 || mode() != 0o600 {
		t.Errorf("%+v, with %v after it was left wider", got, mode())
	}
	if err := writePrivate(o.checksFile(), []byte("half of a fi")); err != nil {
		t.Fatal(err)
	}
	if got := o.remembered(); got != nil {
		t.Errorf("of a file that can't be read: %+v", got)
	}
	if err := writePrivate(filepath.Join(t.TempDir(), "none", "o.json"), nil); err == nil {
		t.Error("written into a folder that is not there")
	}
}
