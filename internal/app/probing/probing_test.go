package probing

import (
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"statuspage/db"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/metrics"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"strings"
	"testing"
	"time"
)

// TestProberKeepsToTheGuard measures a service of this machine: let through without a guard and by name, else refused, which is no outage.
func TestProberKeepsToTheGuard(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer target.Close()
	web := check.Check{Service: status.Service{ID: "web", Interval: time.Minute, Timeout: 10 * time.Second}, Target: target.URL, How: &check.HTTP{Method: http.MethodGet}}
	for name, c := range map[string]struct {
		guard *config.Guard
		want  status.Outcome
	}{
		"without a guard": {nil, status.Up},
		"with one":        {&config.Guard{}, status.Unknown},
		"let through":     {&config.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, status.Up},
	} {
		if r := Prober(c.guard).Kinds()["http"](context.Background(), web); r.Outcome != c.want {
			t.Errorf("%s: %v (%v), want %v", name, r.Outcome, r.Err, c.want)
		}
	}
}

func TestMetricsTellWhatWasMeasured(t *testing.T) {
	t.Parallel()
	began, expiry := time.Unix(1_000, 0), time.Unix(9_000, 0)
	c := check.Check{Service: status.Service{ID: "web", URL: "https://web.example", Interval: time.Minute, Timeout: time.Second}, How: new(check.HTTP)}
	r := probe.Result{Outcome: status.Degraded, HTTPStatus: 200, Duration: time.Second, CertificateExpiry: expiry, Phases: probe.Phases{DNS: 1, Connect: 2, TLS: 3, FirstByte: 4}}
	want := metrics.Probe{
		Began: began, Holds: c.Holds(), Service: "web", Region: "eu", Instance: c.Label(), Outcome: "degraded", Success: true,
		Duration: time.Second, Kind: "http", HTTPStatus: 200, CertificateExpiry: expiry, Phases: [...]time.Duration{1, 2, 3, 4},
	}
	if got := Measured(c, "eu", began, r); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	c.How, want.NoHTTP, want.Kind = new(check.TCP), true, "tcp"
	if got := Measured(c, "eu", began, r); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := Labels([]check.Check{c}); len(got) != 1 || got["web"] != c.Label() {
		t.Errorf("labels %v", got)
	}
}

func TestUnknownOutboxIsNoNumber(t *testing.T) {
	t.Parallel()
	if got := Waiting(db.State{Open: true, Outbox: 3}); got != 3 {
		t.Errorf("%v wait, want 3", got)
	}
	if got := Waiting(db.State{Outbox: 3}); !math.IsNaN(got) {
		t.Errorf("%v wait where nobody knows", got)
	}
}

func TestKeptConnectionsLeaveRoom(t *testing.T) {
	t.Parallel()
	for files, want := range map[uint64]int{0: 0, 1024: 256, 1 << 20: 1 << 18, math.MaxUint64: math.MaxInt32} {
		if got := keptConnections(files); got != want {
			t.Errorf("of %d files: %d, want %d", files, got, want)
		}
	}
	if OpenFiles() == 0 {
		t.Error("this machine says how many files there may be, and nobody hears it")
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	ping := check.Check{Service: status.Service{ID: "gateway"}, How: new(check.ICMP)}
	anyone := check.Check{Service: status.Service{ID: "mail"}, How: &check.TLS{Security: check.Security{Unverified: true}}}
	good := check.Check{Service: status.Service{ID: "web"}, How: new(check.HTTP)}
	refused := func() error { return probe.ErrNoPing }
	if got := warnings([]check.Check{good, ping, anyone, ping}, refused); len(got) != 2 || !strings.Contains(got[0], "mail: tls.verify") || !strings.Contains(got[1], "2 services, gateway first") || !strings.Contains(got[1], "ping_group_range") {
		t.Errorf("%q", got)
	}
	if got := warnings([]check.Check{good, ping}, func() error { return nil }); len(got) != 0 {
		t.Errorf("%q where it can be pinged", got)
	}
	if got := warnings([]check.Check{good}, refused); len(got) != 0 {
		t.Errorf("%q where nobody is", got)
	}
}
