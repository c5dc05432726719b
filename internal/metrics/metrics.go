// Package metrics counts what the process does, for Prometheus. Names of probe metrics are
// those of the blackbox exporter where it has one, so that its dashboards work here.
package metrics

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// Metrics is one registry with everything that the product counts.
type Metrics struct {
	registry *prometheus.Registry
	probes   *prometheus.CounterVec
	skipped  *prometheus.CounterVec
	success  *prometheus.GaugeVec
	duration *prometheus.GaugeVec
	status   *prometheus.GaugeVec
	phases   *prometheus.GaugeVec
	expiry   *prometheus.GaugeVec
	at       *prometheus.GaugeVec

	mu       sync.Mutex // Guards what follows.
	services map[source]*service
	labels   map[string]string // Instance by service; nil for any.
}

// source is where figures come from.
type source struct{ service, region string }

// service is the gauges of a service, looked up once: finding one by its labels costs more
// than setting it.
type service struct {
	success, duration, status, at prometheus.Gauge
	phases                        [len(phaseNames)]prometheus.Gauge
	expiry                        prometheus.Gauge // Nil until there is one.
	until                         time.Time        // From then on nobody knows how it is.
	labels                        []string
}

// phaseNames are the blackbox exporter's, in the order of Probe.Phases.
var phaseNames = [4]string{"resolve", "connect", "tls", "processing"}

const job = "statuspage"

// Probe is one measurement as Prometheus sees it.
type Probe struct {
	Service, Instance string // Instance is the public label of the target.
	Region            string // Empty for a service without regions: then there is no such label.
	Outcome           string
	Success           bool
	Began             time.Time
	Holds             time.Duration // For how long after that it tells the service's state.
	Duration          time.Duration
	HTTPStatus        int                            // Below 1 when no answer came.
	Phases            [len(phaseNames)]time.Duration // Name look-up, connecting, TLS, first byte.
	CertificateExpiry time.Time
}

// labels are the values of service, instance, job and region.
func (p Probe) labels() []string {
	return []string{text(p.Service), text(p.Instance), job, text(p.Region)}
}

// text is what Prometheus takes for one: it panics at other bytes.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// New returns an empty registry, with the Go runtime's own metrics.
func New(version string) *Metrics {
	labels := []string{"service", "instance", "job", "region"}
	gauge := func(name, help string, more ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, append(labels, more...))
	}
	m := &Metrics{
		services: make(map[source]*service),
		registry: prometheus.NewRegistry(),
		probes:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "statuspage_probes_total", Help: "Probes that ended, by outcome."}, []string{"outcome"}),
		skipped:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "statuspage_probes_skipped_total", Help: "Runs that gave no signal, by cause: ours, never the target's."}, []string{"cause"}),
		success:  gauge("probe_success", "1 when the last probe found the service available. No series while there is no data, as with all probe metrics."),
		at:       gauge("probe_timestamp_seconds", "Unix time at which the last probe began."),
		duration: gauge("probe_duration_seconds", "How long the last probe took."),
		status:   gauge("probe_http_status_code", "HTTP status of the last answer, 0 without one."),
		phases:   gauge("probe_http_duration_seconds", "Phases of the last probe.", "phase"),
		expiry:   gauge("probe_ssl_earliest_cert_expiry", "Unix time at which the first certificate of the chain runs out."),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "statuspage_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	m.registry.MustRegister(m.probes, m.skipped, m.success, m.duration, m.status, m.phases, m.expiry, m.at, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe counts one probe.
func (m *Metrics) Observe(p Probe) {
	m.probes.WithLabelValues(text(p.Outcome)).Inc()
	success := 0.0
	if p.Success {
		success = 1
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.of(p)
	if s == nil {
		return
	}
	s.until = p.Began.Add(p.Holds)
	s.at.Set(float64(p.Began.UnixMilli()) / 1000)
	s.success.Set(success)
	s.duration.Set(p.Duration.Seconds())
	s.status.Set(float64(max(0, p.HTTPStatus)))
	for i, d := range p.Phases {
		s.phases[i].Set(d.Seconds())
	}
	if p.CertificateExpiry.IsZero() {
		return // A service that is down still has the one that it had.
	}
	if s.expiry == nil {
		s.expiry = m.expiry.WithLabelValues(p.labels()...)
	}
	s.expiry.Set(float64(p.CertificateExpiry.Unix()))
}

// forget lets go of what was measured too long ago, for whatever reason nothing was since: a gauge has no age, and
// would go on saying that all is well.
func (m *Metrics) forget(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, s := range m.services {
		if now.After(s.until) {
			m.drop(at, s)
		}
	}
}

// drop ends the series of a service. By all their labels: looking for them by some would take a look at those of all
// services for each. mu must be held.
func (m *Metrics) drop(at source, s *service) {
	delete(m.services, at)
	for _, gauges := range []*prometheus.GaugeVec{m.success, m.duration, m.status, m.expiry, m.at} {
		gauges.DeleteLabelValues(s.labels...)
	}
	for _, name := range phaseNames {
		m.phases.DeleteLabelValues(append(slices.Clone(s.labels), name)...)
	}
}

// Only keeps the gauges of these services, by id with their instances; those of others go,
// and a probe of them that ends later brings none.
func (m *Metrics) Only(labels map[string]string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, s := range m.services {
		if instance, stays := labels[at.service]; !stays || instance != m.labels[at.service] {
			m.drop(at, s)
		}
	}
	m.labels = labels
}

// of finds the gauges of the probe's service, nil for one that Only has left out. mu must be held.
func (m *Metrics) of(p Probe) *service {
	at := source{p.Service, p.Region}
	if s := m.services[at]; s != nil {
		return s
	}
	if instance, known := m.labels[p.Service]; m.labels != nil && (!known || instance != p.Instance) {
		return nil
	}
	s := &service{
		labels:   p.labels(),
		at:       m.at.WithLabelValues(p.labels()...),
		success:  m.success.WithLabelValues(p.labels()...),
		duration: m.duration.WithLabelValues(p.labels()...),
		status:   m.status.WithLabelValues(p.labels()...),
	}
	for i, name := range phaseNames {
		s.phases[i] = m.phases.WithLabelValues(append(p.labels(), name)...)
	}
	m.services[at] = s
	return s
}

// Skipped counts a run that gave no signal.
func (m *Metrics) Skipped(cause string) { m.skipped.WithLabelValues(text(cause)).Inc() }

// Gauge adds a figure that is read when Prometheus asks: NaN while nobody knows it.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Flag adds a gauge that is 1 while something holds, and 0 else.
func (m *Metrics) Flag(name, help string, holds func() bool) {
	m.Gauge(name, help, func() float64 {
		if holds() {
			return 1
		}
		return 0
	})
}

// Counter adds a count that is read when Prometheus asks.
func (m *Metrics) Counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read))
}

// Write writes all metrics in the text format and returns its media type.
func (m *Metrics) Write(w io.Writer) (contentType string, err error) {
	m.forget(time.Now())
	families, err := m.registry.Gather()
	if err != nil {
		return "", fmt.Errorf("gather: %w", err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for i, l := range m.GetLabel() {
				if l.GetName() == "region" && l.GetValue() == "" { // To Prometheus that is no label, but not to everybody who reads the text.
					m.Label = append(slices.Clone(m.Label[:i]), m.Label[i+1:]...) // The slice is the registry's.
					break
				}
			}
		}
		// Not expfmt.NewEncoder, which brings the encoders of five other formats into the binary.
		if _, err := expfmt.MetricFamilyToText(w, f); err != nil {
			return "", fmt.Errorf("encode: %w", err)
		}
	}
	return string(expfmt.NewFormat(expfmt.TypeTextPlain)), nil
}
