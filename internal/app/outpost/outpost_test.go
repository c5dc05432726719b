package outpost

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"statuspage/internal/agent"
	"statuspage/internal/check"
	"statuspage/internal/metrics"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

var nobody = slog.New(slog.DiscardHandler)

// TestAgentThatCannotStartEnds has checks come in while the start fails.
func TestAgentThatCannotStartEnds(t *testing.T) {
	t.Parallel()
	server := standIn(t)
	o := &outpost{Options: Options{Server: server, Token: "token", Outbox: filepath.Join(t.TempDir(), "o.db"), Log: nobody}, metrics: metrics.New("test")}
	if err := writePrivate(o.checksFile(), []byte(`{"region":"eu","checks":[`+
		`{"id":"web","name":"Web","url":"http://a","kind":"http","target":"http://127.0.0.1:1","interval":"1s","timeout":"2s","method":"HEAD"}]}`)); err != nil {
		t.Fatal(err)
	}
	err := o.run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "do not fit") {
		t.Errorf("the agent ends with %v, want what it can't measure", err)
	}
}

// standIn is a server that has checks for agents.
func standIn(t *testing.T) *url.URL {
	t.Helper()
	body, _, err := agent.EncodeChecks("eu", []check.Check{{
		Service: status.Service{ID: "other", Interval: time.Minute, Timeout: time.Second, Regions: []string{"eu"}}, Target: "http://127.0.0.1:1", How: &check.HTTP{Method: "HEAD"},
	}}, agent.Kinds())
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(body) }))
	t.Cleanup(s.Close)
	u, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
