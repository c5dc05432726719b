package handlers

import (
	"io"
	"net"
	"net/http"
	"statuspage/handlers/gate"
	"strings"
	"sync/atomic"
	"testing"
)

func metricsOf(calls *atomic.Int32) func(io.Writer) (string, error) {
	return func(w io.Writer) (string, error) {
		calls.Add(1)
		_, err := io.WriteString(w, "x 1\n")
		return "text/plain", err
	}
}

// TestMetricsAreLimited holds that an address can't ask for what is dear without end, where it is public.
func TestMetricsAreLimited(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	s := newSite(t, func(o *Options) {
		o.Limits.Requests = gate.Limit{N: 1, Everybody: true}
		o.Metrics = metricsOf(&calls)
	})
	answers := map[int]int{}
	for range 20 {
		res, _ := s.get("/metrics")
		answers[res.StatusCode]++
	}
	if answers[http.StatusOK] == 0 || answers[http.StatusTooManyRequests] < 10 || answers[http.StatusOK]+answers[http.StatusTooManyRequests] != 20 {
		t.Errorf("one a second is allowed, 20 at once are answered by %v", answers)
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if res, _ := s.get(path); res.StatusCode != http.StatusOK {
			t.Errorf("%s above the limit: %d", path, res.StatusCode)
		}
	}
}

// TestOperatorHasAListener holds that metrics are on the operator's listener only, which answers whatever visitors do.
func TestOperatorHasAListener(t *testing.T) {
	t.Parallel()
	for _, bare := range []bool{false, true} {
		var calls atomic.Int32
		s := newSite(t, func(o *Options) {
			o.OwnOps, o.Bare = true, bare
			o.Metrics = metricsOf(&calls)
			o.Limits.Requests = gate.Limit{N: 1, Everybody: true}
			o.Limits.Connections = 8
		})
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- s.server.ServeOps(ln) }()
		ops := &site{t: t, url: "http://" + ln.Addr().String(), http: s.http}
		t.Cleanup(s.http.CloseIdleConnections)
		if res, _ := s.get("/metrics"); res.StatusCode != http.StatusNotFound {
			t.Errorf("bare %v: visitors get metrics: %d", bare, res.StatusCode)
		}
		if res, _ := s.get("/healthz"); res.StatusCode != http.StatusOK {
			t.Errorf("bare %v: visitors get no /healthz: %d", bare, res.StatusCode)
		}
		var silent []net.Conn // Which there doesn't matter either.
		for range 2 * opsConnections {
			silent = append(silent, s.dial(), ops.dial())
		}
		for range 20 {
			for path, want := range map[string]string{"/metrics": "x 1", "/healthz": "ok", "/readyz": `"ready":true`} {
				if res, body := ops.get(path); res.StatusCode != http.StatusOK || !strings.Contains(body, want) || res.Header.Get("Content-Security-Policy") == "" {
					t.Errorf("bare %v: %s for the operator: %d %q", bare, path, res.StatusCode, body)
				}
			}
		}
		for _, path := range []string{"/", "/events", "/signals"} {
			if res, _ := ops.get(path); res.StatusCode != http.StatusNotFound {
				t.Errorf("bare %v: %s on the operator's listener: %d", bare, path, res.StatusCode)
			}
		}
		s.http.CloseIdleConnections()
		for _, conn := range silent {
			_ = conn.Close()
		}
		if err := s.server.Shutdown(); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-done; err != nil {
			t.Errorf("serve: %v", err)
		}
	}
}
