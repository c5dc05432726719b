package metrics

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// library is what Metrics does, done with Prometheus's own library: what that writes, Metrics has to write.
type library struct {
	registry                                                 *prometheus.Registry
	probes, skipped                                          *prometheus.CounterVec
	success, at, duration, dns, status, phases, expiry, last *prometheus.GaugeVec
	services                                                 map[source]kept
	labels                                                   map[string]string
}

// kept is a service of the library: the values of its labels, and until when it holds.
type kept struct {
	labels []string
	until  time.Time
}

func newLibrary(version string) *library {
	labels := []string{"service", "instance", "job", "region"}
	vec := func(name, help string, more ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, slices.Concat(labels, more))
	}
	l := &library{
		services: map[source]kept{},
		registry: prometheus.NewRegistry(),
		probes:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "statuspage_probes_total", Help: "Probes that ended, by outcome."}, []string{"outcome"}),
		skipped:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "statuspage_probes_skipped_total", Help: "Runs that gave no signal, by cause: ours, never the target's."}, []string{"cause"}),
		success:  vec("probe_success", "1 when the last probe found the service available. No series while there is no data, as with all probe metrics."),
		at:       vec("probe_timestamp_seconds", "Unix time at which the last probe began."),
		duration: vec("probe_duration_seconds", "How long the last probe took."),
		dns:      vec("probe_dns_lookup_time_seconds", "How long the last probe looked its name up."),
		status:   vec("probe_http_status_code", "HTTP status of the last answer, 0 without one."),
		phases:   vec("probe_http_duration_seconds", "Phases of the last probe.", "phase"),
		expiry:   vec("probe_ssl_earliest_cert_expiry", "Unix time at which the first certificate of the chain runs out."),
		last:     vec("probe_ssl_last_chain_expiry_timestamp_seconds", "Unix time at which the chain that was verified runs out."),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{Name: "statuspage_build_info", Help: "Always 1.", ConstLabels: prometheus.Labels{"version": version}})
	build.Set(1)
	l.registry.MustRegister(l.probes, l.skipped, l.success, l.at, l.duration, l.dns, l.status, l.phases, l.expiry, l.last, build)
	return l
}

func (l *library) observe(p Probe) {
	l.probes.WithLabelValues(text(p.Outcome)).Inc()
	at := source{p.Service, p.Region}
	k, known := l.services[at]
	if !known {
		if instance, stays := l.labels[p.Service]; l.labels != nil && (!stays || instance != p.Instance) {
			return
		}
		k.labels = []string{text(p.Service), text(p.Instance), job, text(p.Region)}
	}
	k.until = p.Began.Add(p.Holds)
	l.services[at] = k
	success := 0.0
	if p.Success {
		success = 1
	}
	l.at.WithLabelValues(k.labels...).Set(float64(p.Began.UnixMilli()) / 1000)
	l.success.WithLabelValues(k.labels...).Set(success)
	l.duration.WithLabelValues(k.labels...).Set(p.Duration.Seconds())
	l.dns.WithLabelValues(k.labels...).Set(p.Phases[0].Seconds())
	l.status.WithLabelValues(k.labels...).Set(float64(max(0, p.HTTPStatus)))
	for i, name := range []string{"resolve", "connect", "tls", "processing"} {
		l.phases.WithLabelValues(append(slices.Clone(k.labels), name)...).Set(p.Phases[i].Seconds())
	}
	if !p.CertificateExpiry.IsZero() {
		l.expiry.WithLabelValues(k.labels...).Set(float64(p.CertificateExpiry.Unix()))
		l.last.WithLabelValues(k.labels...).Set(float64(p.CertificateExpiry.Unix()))
	}
}

// drop ends the series of the services for which it is told to.
func (l *library) drop(which func(source, kept) bool) {
	for at, k := range l.services {
		if !which(at, k) {
			continue
		}
		delete(l.services, at)
		for _, v := range []*prometheus.GaugeVec{l.success, l.at, l.duration, l.dns, l.status, l.phases, l.expiry, l.last} {
			v.DeletePartialMatch(prometheus.Labels{"service": k.labels[0], "instance": k.labels[1], "region": k.labels[3]})
		}
	}
}

func (l *library) only(labels map[string]string) {
	l.drop(func(at source, _ kept) bool {
		instance, stays := labels[at.service]
		return !stays || instance != l.labels[at.service]
	})
	l.labels = labels
}

// text is what it writes.
func (l *library) text(t *testing.T) string {
	t.Helper()
	now := time.Now()
	l.drop(func(_ source, k kept) bool { return now.After(k.until) })
	families, err := l.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, f := range families {
		for _, m := range f.GetMetric() {
			m.Label = slices.DeleteFunc(slices.Clone(m.GetLabel()), func(l *dto.LabelPair) bool { return l.GetName() == "region" && l.GetValue() == "" })
		}
		if _, err := expfmt.MetricFamilyToText(&out, f); err != nil {
			t.Fatal(err)
		}
	}
	return out.String()
}

// written is all that Write writes.
func written(t *testing.T, m *Metrics) string {
	t.Helper()
	var out bytes.Buffer
	if kind, err := m.Write(&out); err != nil || kind != string(expfmt.NewFormat(expfmt.TypeTextPlain)) {
		t.Fatalf("%q, %v", kind, err)
	}
	return out.String()
}

// parsed is what a real parser reads in a text.
func parsed(t *testing.T, s string) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(s))
	if err != nil {
		t.Fatalf("a parser refuses it: %v", err)
	}
	return families
}

// ofProduct leaves out the families that tell of the process and the runtime: they differ by the moment.
func ofProduct(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		name := strings.TrimPrefix(strings.TrimPrefix(line, "# HELP "), "# TYPE ")
		if !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// oddities are what texts are made of: what the format escapes, what others escape, what is no text at all.
var oddities = []string{
	`"`, `\`, "\n", `\n`, "\r", "\t", "\x00", "\x7f", "\u0085", "\u2028", "\ufeff", "\u202e", "\ufffd", "\xff", "\xc3", "\xed\xa0\x80", "\U0010ffff", "é", "e\u0301", "日本", "🟢", "{", "}", ",", "=", "#", " ", "a", "A", "0", "_", "",
}

// numbers are figures that are written in ways of their own.
var numbers = []float64{
	0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64, 1e6, 999999, 1e20, 1e21, 1e-4, 1e-5, 0.1, 1.0 / 3, math.MaxInt64, 1 << 53, 1700000000.123,
}

// TestTextIsTheLibrarys holds that any course of events is told in the bytes of Prometheus's own library, and is read by its parser.
func TestTextIsTheLibrarys(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 0))
			phrase := func() string {
				var b strings.Builder
				for range r.IntN(5) {
					b.WriteString(oddities[r.IntN(len(oddities))])
				}
				return b.String()
			}
			// Of texts that become the same one is taken: the library would let go of both services for one.
			texts := map[string]string{}
			for range 12 {
				p := phrase()
				if _, taken := texts[text(p)]; !taken {
					texts[text(p)] = p
				}
			}
			pool := slices.Sorted(maps.Values(texts))
			any := func() string { return pool[r.IntN(len(pool))] }
			figure := func() float64 {
				if r.IntN(2) == 0 {
					return numbers[r.IntN(len(numbers))]
				}
				return math.Float64frombits(r.Uint64())
			}
			m, l := New("test"), newLibrary("test")
			began := time.Now().Add(-90 * time.Minute)
			for i := range 80 {
				switch r.IntN(20) {
				case 0:
					value, help := figure(), phrase()
					name := fmt.Sprintf("%s_%d", []string{"a", "Z", "_", "probe_t", "statuspage:x", "zz"}[r.IntN(6)], i)
					m.Gauge(name, help, func() float64 { return value })
					l.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: text(help)}, func() float64 { return value }))
				case 1:
					value, help := figure(), phrase()
					name := fmt.Sprintf("count_%d_total", i)
					m.Counter(name, help, func() float64 { return value })
					l.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: text(help)}, func() float64 { return value }))
				case 2:
					cause := any()
					m.Skipped(cause)
					l.skipped.WithLabelValues(text(cause)).Inc()
				case 3:
					known := map[string]string{}
					for range r.IntN(2 * len(pool)) {
						known[any()] = any()
					}
					if r.IntN(4) == 0 {
						known = nil
					}
					m.Only(known)
					l.only(known)
				case 4:
					if diff := cmp.Diff(l.text(t), ofProduct(written(t, m))); diff != "" {
						t.Fatalf("in the midst (-library +ours):\n%s", diff)
					}
				default:
					p := Probe{
						Service: any(), Instance: any(), Region: any(), Outcome: any(), Success: r.IntN(2) == 0, HTTPStatus: r.IntN(600) - 2,
						Began: began.Add(time.Duration(r.IntN(1e9))), Holds: time.Duration(1+r.IntN(4)) * time.Hour, Duration: time.Duration(r.Int64N(1e12)),
					}
					for i := range p.Phases {
						p.Phases[i] = time.Duration(r.Int64N(1e10))
					}
					if r.IntN(2) == 0 {
						p.CertificateExpiry = time.Unix(r.Int64N(1e10), 0)
					}
					if instance, known := l.labels[p.Service]; known && r.IntN(4) > 0 {
						p.Instance = instance
					}
					m.Observe(p)
					l.observe(p)
				}
			}
			ours := written(t, m)
			if diff := cmp.Diff(l.text(t), ofProduct(ours)); diff != "" {
				t.Fatalf("(-library +ours):\n%s", diff)
			}
			parsed(t, ours)
		})
	}
}

// FuzzTextIsTheLibrarys holds the same for any text and any number.
func FuzzTextIsTheLibrarys(f *testing.F) {
	for i, o := range oddities {
		f.Add(o, "x"+o, o+o, o+"\"", numbers[i%len(numbers)], int64(i))
	}
	f.Fuzz(func(t *testing.T, service, instance, region, help string, value float64, nanoseconds int64) {
		m, l := New(text(help)), newLibrary(text(help))
		m.Gauge("x", help, func() float64 { return value })
		l.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "x", Help: text(help)}, func() float64 { return value }))
		p := Probe{Service: service, Instance: instance, Region: region, Outcome: help, Began: time.Now(), Holds: time.Hour, Duration: time.Duration(nanoseconds), CertificateExpiry: time.Unix(nanoseconds, 0)}
		m.Observe(p)
		l.observe(p)
		ours := written(t, m)
		if diff := cmp.Diff(l.text(t), ofProduct(ours)); diff != "" {
			t.Fatalf("(-library +ours):\n%s", diff)
		}
		parsed(t, ours)
	})
}

// TestWhatIsNoTextBecomesOneSeries holds that services whose names differ only in bytes that are no text never are two series
// of the same labels: Prometheus refuses the whole answer then.
func TestWhatIsNoTextBecomesOneSeries(t *testing.T) {
	t.Parallel()
	m := New("test")
	for _, service := range []string{"a\xff", "a\xfe", "a\ufffd"} {
		m.Observe(Probe{Service: service, Outcome: service, Began: time.Now(), Holds: time.Hour})
		m.Skipped(service)
	}
	families := parsed(t, written(t, m))
	for _, name := range []string{"probe_success", "statuspage_probes_total", "statuspage_probes_skipped_total"} {
		if n := len(families[name].GetMetric()); n != 1 {
			t.Errorf("%s has %d series, want 1", name, n)
		}
	}
}

// TestNameIsTakenOnce holds that a second family of one name is refused, and a name that is none, as the library does.
func TestNameIsTakenOnce(t *testing.T) {
	t.Parallel()
	zero := func() float64 { return 0 }
	for _, name := range []string{"mine", "probe_success", "statuspage_build_info", "go_goroutines", "process_open_fds", "go_info", "", "1a", "a b", "a-b", "é", "a\n"} {
		m := New("test")
		m.Gauge("mine", "", zero)
		before := len(m.families)
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q is taken a second time, or is no name, and nobody says so", name)
				}
			}()
			m.Counter(name, "", zero)
		}()
		if len(m.families) != before {
			t.Errorf("%q was refused and is there", name)
		}
		parsed(t, written(t, m))
	}
}

// broken takes some bytes and then none.
type broken struct{ left int }

func (b *broken) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// TestReaderThatGoesIsAnError holds that a text that is cut is never told as a whole one, wherever it is cut.
func TestReaderThatGoesIsAnError(t *testing.T) {
	t.Parallel()
	m := New("test")
	for i := range 500 {
		m.Observe(Probe{Service: strconv.Itoa(i), Began: time.Now(), Holds: time.Hour})
	}
	for _, left := range []int{0, 1, 100_000} {
		if _, err := m.Write(&broken{left}); err == nil {
			t.Errorf("cut after %d bytes there is no error", left)
		}
	}
}

// TestAllAtTheSameTime lets everything happen at once; each text must be whole.
func TestAllAtTheSameTime(t *testing.T) {
	t.Parallel()
	m := New("test")
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := range 50 {
				m.Observe(Probe{Service: strconv.Itoa(i % 7), Region: strconv.Itoa(worker), Outcome: "up", Began: time.Now(), Holds: time.Hour, CertificateExpiry: time.Unix(1, 0)})
				m.Skipped("x")
				// What is read may look at the metrics itself.
				m.Gauge(fmt.Sprintf("g_%d_%d", worker, i), "", func() float64 { m.Skipped("read"); return 0 })
				if i%10 == worker {
					m.Only(map[string]string{"1": "", "2": "", strconv.Itoa(worker): ""})
				}
				var out bytes.Buffer
				if _, err := m.Write(&out); err != nil {
					t.Error(err)
				}
				parser := expfmt.NewTextParser(model.UTF8Validation)
				if _, err := parser.TextToMetricFamilies(&out); err != nil {
					t.Errorf("a parser refuses it: %v", err)
				}
			}
		})
	}
	all.Wait()
	if got := parsed(t, written(t, m))["statuspage_probes_total"].GetMetric()[0].GetCounter().GetValue(); got != 200 {
		t.Errorf("counted are %v probes of 200", got)
	}
}

func BenchmarkWrite(b *testing.B) {
	m := New("test")
	for i := range 20_000 {
		id := strconv.Itoa(i)
		m.Observe(Probe{
			Service: id, Instance: "https://" + id + ".example", Outcome: "up", Success: true, Began: time.Now(), Holds: time.Hour,
			Duration: 123 * time.Millisecond, HTTPStatus: 200, CertificateExpiry: time.Now(),
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Write(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkObserve(b *testing.B) {
	m := New("test")
	p := Probe{Service: "a", Instance: "https://a.example", Outcome: "up", Success: true, Began: time.Now(), Holds: time.Hour, HTTPStatus: 200, CertificateExpiry: time.Now()}
	b.ReportAllocs()
	for b.Loop() {
		m.Observe(p)
	}
}
