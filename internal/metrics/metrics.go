// Package metrics counts what the process does, for Prometheus. Names of probe metrics are
// those of the blackbox exporter where it has one, so that its dashboards work here.
package metrics

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Metrics is everything that the product counts.
type Metrics struct {
	mu       sync.Mutex // Guards what follows. Never held while something is written or a figure of others read.
	families []family   // By name. Replaced, never changed.
	probes   map[string]uint64
	skipped  map[string]uint64
	services map[source]*service
	labels   map[string]string // Instance by service; nil for any.
}

// source is where figures come from, as text.
type source struct{ service, region string }

// service is the figures of a service as its last probe left them.
type service struct {
	source
	instance      string
	before, after string // Its labels as they are written, before and after that of the phase.

	success, duration, status, at float64
	phases                        [len(phaseNames)]float64
	expiry                        float64
	expires                       bool      // There is an expiry.
	plain                         bool      // It is not asked over HTTP.
	kind                          string    // For figures that other kinds alone have.
	attempts                      float64   // 0 for a service that has one.
	answered                      float64   // A name server said something.
	until                         time.Time // From then on nobody knows how it is.
}

// state is what is written at one moment.
type state struct {
	services        []service // In the order of their labels.
	probes, skipped map[string]uint64
	own             own
}

// phaseNames are the blackbox exporter's for HTTP, in the order of Probe.Phases.
var phaseNames = [4]string{"resolve", "connect", "tls", "processing"}

// phase is a label, and where its figure stands in Probe.Phases.
type phase struct {
	name string
	at   int
}

// phasesOf are those of the blackbox exporter for other kinds, by name.
var phasesOf = map[string][]phase{
	"dns":  {{"connect", 1}, {"request", 3}, {"resolve", 0}},
	"icmp": {{"resolve", 0}, {"rtt", 3}, {"setup", 1}},
}

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
	Kind              string                         // Of the check, as the blackbox exporter's names have it.
	NoHTTP            bool                           // It was not asked over HTTP: there are no figures of that.
	Attempts          int                            // How many the probe took; 0 for a service that has one.
	Answered          bool                           // A name server has answered, whatever it said.
	HTTPStatus        int                            // Below 1 when no answer came.
	Phases            [len(phaseNames)]time.Duration // Name look-up, connecting, TLS, first byte.
	CertificateExpiry time.Time
}

// New returns an empty registry, with the process's and the Go runtime's own metrics.
func New(version string) *Metrics {
	m := &Metrics{probes: make(map[string]uint64), skipped: make(map[string]uint64), services: make(map[source]*service)}
	counts := func(name, help, label string, of func(*state) map[string]uint64) {
		m.register(family{name, help, counter, func(e *encoder, s *state) {
			for _, value := range slices.Sorted(maps.Keys(of(s))) {
				e.sample(float64(of(s)[value]), "{", pair(label, value), "}")
			}
		}})
	}
	counts("statuspage_probes_total", "Probes that ended, by outcome.", "outcome", func(s *state) map[string]uint64 { return s.probes })
	counts("statuspage_probes_skipped_total", "Runs that gave no signal, by cause: ours, never the target's.", "cause", func(s *state) map[string]uint64 { return s.skipped })
	some := func(name, help string, has func(*service) bool, of func(*service) float64) {
		m.register(family{name, help, gauge, func(e *encoder, s *state) {
			for i := range s.services {
				if has(&s.services[i]) {
					e.sample(of(&s.services[i]), s.services[i].before, s.services[i].after)
				}
			}
		}})
	}
	each := func(name, help string, of func(*service) float64) {
		some(name, help, func(*service) bool { return true }, of)
	}
	each("probe_success", "1 when the last probe found the service available. No series while there is no data, as with all probe metrics.", func(s *service) float64 { return s.success })
	each("probe_timestamp_seconds", "Unix time at which the last probe began.", func(s *service) float64 { return s.at })
	each("probe_duration_seconds", "How long the last probe took.", func(s *service) float64 { return s.duration })
	each("probe_dns_lookup_time_seconds", "How long the last probe looked its name up.", func(s *service) float64 { return s.phases[0] })
	some("probe_http_status_code", "HTTP status of the last answer, 0 without one.", func(s *service) bool { return !s.plain }, func(s *service) float64 { return s.status })
	m.register(family{"probe_http_duration_seconds", "Phases of the last probe.", gauge, func(e *encoder, s *state) {
		writePhases(e, s, phasesByName, func(s *service) bool { return !s.plain })
	}})
	for kind, phases := range phasesOf {
		m.register(family{"probe_" + kind + "_duration_seconds", "Phases of the last probe.", gauge, func(e *encoder, s *state) {
			writePhases(e, s, phases, func(s *service) bool { return s.kind == kind })
		}})
	}
	some("statuspage_probe_attempts", "How many attempts the last probe took, of services that have retries.", func(s *service) bool { return s.attempts > 0 }, func(s *service) float64 { return s.attempts })
	some("probe_dns_query_succeeded", "1 when the name server has answered the last probe, whatever it said.", func(s *service) bool { return s.kind == "dns" }, func(s *service) float64 { return s.answered })
	some("probe_ssl_earliest_cert_expiry", "Unix time at which the first certificate of the chain runs out.", func(s *service) bool { return s.expires }, func(s *service) float64 { return s.expiry })
	some("probe_ssl_last_chain_expiry_timestamp_seconds", "Unix time at which the chain that was verified runs out.", func(s *service) bool { return s.expires }, func(s *service) float64 { return s.expiry })
	build := "{" + pair("version", text(version)) + "}"
	m.register(family{"statuspage_build_info", "Always 1.", gauge, func(e *encoder, _ *state) { e.sample(1, build) }})
	for _, f := range ownFamilies() {
		m.register(f)
	}
	return m
}

// phasesByName are phaseNames in the order of the names.
var phasesByName = func() (order []phase) {
	for i, name := range phaseNames {
		order = append(order, phase{name, i})
	}
	slices.SortFunc(order, func(a, b phase) int { return strings.Compare(a.name, b.name) })
	return order
}()

// writePhases writes the phases of all services that have them. Their label comes after the instance's and before the region's, and so in
// the order.
func writePhases(e *encoder, s *state, phases []phase, has func(*service) bool) {
	for rest := s.services; len(rest) > 0; {
		same := 1
		for same < len(rest) && rest[same].instance == rest[0].instance {
			same++
		}
		for _, phase := range phases {
			for i := range rest[:same] {
				if !has(&rest[i]) {
					continue
				}
				e.sample(rest[i].phases[phase.at], rest[i].before, `,phase="`, phase.name, `"`, rest[i].after)
			}
		}
		rest = rest[same:]
	}
}

// Observe counts one probe.
func (m *Metrics) Observe(p Probe) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.probes[text(p.Outcome)]++
	s := m.of(p)
	if s == nil {
		return
	}
	s.until = p.Began.Add(p.Holds)
	s.at = float64(p.Began.UnixMilli()) / 1000
	s.success, s.plain, s.kind, s.answered = number(p.Success), p.NoHTTP, p.Kind, number(p.Answered)
	s.duration, s.attempts = p.Duration.Seconds(), float64(p.Attempts)
	s.status = float64(max(0, p.HTTPStatus))
	for i, d := range p.Phases {
		s.phases[i] = d.Seconds()
	}
	if !p.CertificateExpiry.IsZero() { // A service that is down still has the one that it had.
		s.expiry, s.expires = float64(p.CertificateExpiry.Unix()), true
	}
}

// number is 1 for what holds.
func number(holds bool) float64 {
	if holds {
		return 1
	}
	return 0
}

// forget lets go of what was measured too long ago, for whatever reason nothing was since: a gauge has no age, and
// would go on saying that all is well.
func (m *Metrics) forget(now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.services, func(_ source, s *service) bool { return now.After(s.until) })
}

// Only keeps the gauges of these services, by id with their instances; those of others go,
// and a probe of them that ends later brings none.
func (m *Metrics) Only(labels map[string]string) {
	var known map[string]string
	if labels != nil {
		known = make(map[string]string, len(labels))
		for service, instance := range labels {
			known[text(service)] = text(instance)
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.services, func(at source, s *service) bool {
		instance, stays := known[at.service]
		return !stays || instance != m.labels[at.service]
	})
	m.labels = known
}

// of finds the figures of the probe's service, nil for one that Only has left out. mu must be held.
func (m *Metrics) of(p Probe) *service {
	at := source{text(p.Service), text(p.Region)}
	if s := m.services[at]; s != nil {
		return s
	}
	instance := text(p.Instance)
	if kept, known := m.labels[at.service]; m.labels != nil && (!known || kept != instance) {
		return nil
	}
	s := &service{source: at, instance: instance, before: "{" + pair("instance", instance) + "," + pair("job", job)}
	if at.region != "" { // To Prometheus an empty one is no label, but not to everybody who reads the text.
		s.after = "," + pair("region", at.region)
	}
	s.after += "," + pair("service", at.service) + "}"
	m.services[at] = s
	return s
}

// Skipped counts a run that gave no signal.
func (m *Metrics) Skipped(cause string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.skipped[text(cause)]++
}

// register adds a family. It panics at a name that is none, or that is taken: names stand in the code.
func (m *Metrics) register(f family) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, taken := slices.BinarySearchFunc(m.families, f.name, func(f family, name string) int { return strings.Compare(f.name, name) })
	if taken || !legalName.MatchString(f.name) {
		panic(fmt.Sprintf("metrics: %q is taken or no name", f.name))
	}
	m.families = slices.Insert(slices.Clip(m.families), at, f)
}

// read adds a figure that is read when Prometheus asks.
func (m *Metrics) read(name, help string, k kind, read func() float64) {
	m.register(family{name, help, k, func(e *encoder, _ *state) { e.sample(read()) }})
}

// Gauge adds a figure that is read when Prometheus asks: NaN while nobody knows it.
func (m *Metrics) Gauge(name, help string, read func() float64) { m.read(name, help, gauge, read) }

// Flag adds a gauge that is 1 while something holds, and 0 else.
func (m *Metrics) Flag(name, help string, holds func() bool) {
	m.Gauge(name, help, func() float64 { return number(holds()) })
}

// Counter adds a count that is read when Prometheus asks.
func (m *Metrics) Counter(name, help string, read func() float64) { m.read(name, help, counter, read) }

// GaugeBy adds a figure for each value of a label; each yields them when Prometheus asks.
func (m *Metrics) GaugeBy(name, help, label string, each func(yield func(value string, v float64))) {
	m.readBy(name, help, gauge, label, each)
}

// CounterBy is GaugeBy for counts.
func (m *Metrics) CounterBy(name, help, label string, each func(yield func(value string, v float64))) {
	m.readBy(name, help, counter, label, each)
}

func (m *Metrics) readBy(name, help string, k kind, label string, each func(yield func(value string, v float64))) {
	m.register(family{name, help, k, func(e *encoder, _ *state) {
		all := map[string]float64{}
		each(func(value string, v float64) { all[value] = v })
		for _, value := range slices.Sorted(maps.Keys(all)) {
			e.sample(all[value], "{", pair(label, value), "}")
		}
	}})
}

// Write writes all metrics in the text format and returns its media type.
func (m *Metrics) Write(w io.Writer) (mediaType string, err error) {
	m.forget(time.Now())
	families, s := m.state()
	e := newEncoder(w)
	for _, f := range families {
		e.write(f, s)
	}
	if err := e.w.Flush(); err != nil {
		return "", fmt.Errorf("encode: %w", err)
	}
	return contentType, nil
}

// state copies what there is to write, so that no probe waits for whoever reads it.
func (m *Metrics) state() ([]family, *state) {
	s := &state{own: readOwn()}
	m.mu.Lock()
	families := m.families
	s.probes, s.skipped = maps.Clone(m.probes), maps.Clone(m.skipped)
	s.services = make([]service, 0, len(m.services))
	for _, one := range m.services {
		s.services = append(s.services, *one)
	}
	m.mu.Unlock()
	slices.SortFunc(s.services, func(a, b service) int {
		return cmp.Or(strings.Compare(a.instance, b.instance), strings.Compare(a.region, b.region), strings.Compare(a.service, b.service))
	})
	return families, s
}
