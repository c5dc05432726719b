package outpost

import (
	"fmt"
	"math"
	"net/http"
	"statuspage/internal/app/probing"
	"statuspage/internal/check"
	"statuspage/monitor/probe"
	"strings"
	"time"
)

func (o *outpost) observe(c check.Check, began time.Time, r probe.Result) {
	if !r.CertificateExpiry.IsZero() {
		o.client.Certificate(c.ID, r.CertificateExpiry)
	}
	o.metrics.Observe(probing.Measured(c, "", began, r))
}

func (o *outpost) gauges() {
	m := o.metrics
	m.Flag("statuspage_agent_server_up", "1 when the server answers and knows us.", func() bool { return o.store.State().Up })
	m.Gauge("statuspage_agent_clock_skew_seconds", "By how much the server's clock is ahead of ours; NaN while it does not answer.", func() float64 {
		ahead, known := o.client.Skew()
		if !known {
			return math.NaN()
		}
		return ahead.Seconds()
	})
	m.Counter("statuspage_agent_handed_in_total", "Signals that the server has taken.", func() float64 { return float64(o.client.Handed()) })
	m.Counter("statuspage_agent_dropped_total", "Signals that the server refused for good.", func() float64 { return float64(o.client.Dropped()) })
	if len(o.Canary) > 0 {
		m.Flag("statuspage_network_up", "1 unless no canary answers.", func() bool { return !o.monitor.Stats().NetworkDown })
	}
	m.Gauge("statuspage_outbox_signals", "Signals on disk that the server does not have yet.", func() float64 { return probing.Waiting(o.store.State()) })
	m.Gauge("statuspage_signals_unsaved", "Signals in memory that no disk has.", func() float64 { return float64(o.monitor.Stats().Unsaved) })
	m.Gauge("statuspage_probes_in_flight", "Probes running.", func() float64 { return float64(o.monitor.Stats().InFlight) })
}

// handler answers what runs the agent asks of it.
func (o *outpost) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		state, server := o.store.State(), "away"
		if state.Up {
			server = "up"
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, "{\"ready\":true,\"server\":%q,\"outbox\":%d,\"unsaved\":%d}\n", server, state.Outbox, o.monitor.Stats().Unsaved)
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		var body strings.Builder
		kind, err := o.metrics.Write(&body)
		if err != nil {
			o.Log.Error("write metrics", "error", err)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write([]byte(body.String()))
	})
	return mux
}
