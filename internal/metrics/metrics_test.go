package metrics

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func TestOnlyServicesWithRegionsHaveTheLabel(t *testing.T) {
	t.Parallel()
	m := New("test")
	m.Observe(Probe{Service: "a", Instance: "https://a.example", Began: time.Now(), Holds: time.Hour, Outcome: "up", Success: true})
	m.Observe(Probe{Service: "b", Instance: "https://b.example", Region: "eu-west", Began: time.Now(), Holds: time.Hour, Outcome: "up", Success: true})
	m.Observe(Probe{Service: "b", Instance: "https://b.example", Region: "us-east", Began: time.Now(), Holds: time.Hour, Outcome: "down"})
	for range 2 { // The second must not find what the first left away.
		var out bytes.Buffer
		if _, err := m.Write(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`probe_success{instance="https://a.example",job="statuspage",service="a"} 1`,
			`probe_success{instance="https://b.example",job="statuspage",region="eu-west",service="b"} 1`,
			`probe_success{instance="https://b.example",job="statuspage",region="us-east",service="b"} 0`,
			`probe_http_duration_seconds{instance="https://a.example",job="statuspage",phase="tls",service="a"} 0`,
		} {
			if !strings.Contains(out.String(), want+"\n") {
				t.Errorf("lacks %s", want)
			}
		}
		if strings.Contains(out.String(), `region=""`) {
			t.Error("an empty region is written")
		}
	}
}

// TestFiguresOfOtherKinds holds the blackbox exporter's names, each for its kind alone.
func TestFiguresOfOtherKinds(t *testing.T) {
	t.Parallel()
	m := New("test")
	for _, kind := range []string{"dns", "icmp", "tcp"} {
		m.Observe(Probe{
			Service: kind, Instance: kind, Kind: kind, NoHTTP: true, Answered: true, Began: time.Now(), Holds: time.Hour, Outcome: "up", Success: true,
			Phases: [4]time.Duration{time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second},
		})
	}
	var out bytes.Buffer
	if _, err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	for want, n := range map[string]int{
		`probe_dns_duration_seconds{instance="dns",job="statuspage",phase="request",service="dns"} 4`: 1, `probe_icmp_duration_seconds{instance="icmp",job="statuspage",phase="rtt",service="icmp"} 4`: 1,
		`probe_icmp_duration_seconds{instance="icmp",job="statuspage",phase="setup",service="icmp"} 2`: 1, "probe_dns_query_succeeded{": 1, "probe_dns_duration_seconds{": 3, "probe_icmp_duration_seconds{": 3,
	} {
		if got := strings.Count(out.String(), want); got != n {
			t.Errorf("%s stands there %d times, want %d", want, got, n)
		}
	}
}

// TestOnlyHTTPHasFiguresOfHTTP holds that a check of another kind has no series that would say 0 of what it never asks.
func TestOnlyHTTPHasFiguresOfHTTP(t *testing.T) {
	t.Parallel()
	m := New("test")
	for range 2 {
		m.Observe(Probe{Service: "db", Instance: "tcp://db:5432", Began: time.Now(), Holds: time.Hour, Outcome: "up", Success: true, NoHTTP: true, HTTPStatus: -1, Phases: [4]time.Duration{time.Second, time.Second}})
	}
	var out bytes.Buffer
	if _, err := m.Write(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"probe_success", "probe_duration_seconds", "probe_timestamp_seconds", "probe_dns_lookup_time_seconds"} {
		if !strings.Contains(out.String(), want+`{instance="tcp://db:5432",`) {
			t.Errorf("lacks %s", want)
		}
	}
	if strings.Contains(out.String(), "probe_http_duration_seconds{") || strings.Contains(out.String(), "probe_http_status_code{") {
		t.Errorf("figures of HTTP:\n%s", out.String())
	}
}

// TestWhatNobodyMeasuresAnyMoreIsNotTold holds that no figure outlives its measurement, whatever has ended the measuring:
// a state that nobody knows is no series, one that is known goes on.
func TestWhatNobodyMeasuresAnyMoreIsNotTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := New("test")
		observe := func(service, region string) {
			m.Observe(Probe{
				Service: service, Instance: "https://" + service, Region: region, Outcome: "up", Success: true, Began: time.Now(), Holds: time.Minute,
				HTTPStatus: 200, CertificateExpiry: time.Now().AddDate(0, 1, 0),
			})
		}
		told := func(service, region string) (names []string) {
			var out bytes.Buffer
			if _, err := m.Write(&out); err != nil {
				t.Fatal(err)
			}
			label := `service="` + service + `"`
			if region != "" {
				label = `region="` + region + `",` + label
			}
			for line := range strings.Lines(out.String()) {
				if name, rest, _ := strings.Cut(line, "{"); strings.Contains(rest, label) && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
			return names
		}
		observe("gone", "")
		observe("stays", "")
		observe("regions", "eu")
		observe("regions", "us")
		if got := told("gone", ""); len(got) != 8 {
			t.Fatalf("told are %v, want eight figures", got)
		}
		for range 4 {
			time.Sleep(30 * time.Second)
			observe("stays", "")
			observe("regions", "us")
		}
		for _, c := range []struct {
			service, region string
			want            int
		}{{"gone", "", 0}, {"stays", "", 8}, {"regions", "eu", 0}, {"regions", "us", 8}} {
			if got := told(c.service, c.region); len(got) != c.want {
				t.Errorf("of %s %s, measured two minutes ago or now, %v are told; want %d", c.service, c.region, got, c.want)
			}
		}
		observe("gone", "")
		if got := told("gone", ""); len(got) != 8 {
			t.Errorf("measured again it tells %v, want eight figures", got)
		}
	})
}

// TestManyServicesAreForgottenAtOnce is the end of the network of a large page.
func TestManyServicesAreForgottenAtOnce(t *testing.T) {
	t.Parallel()
	m := New("test")
	const n = 5000
	for i := range n {
		m.Observe(Probe{Service: strconv.Itoa(i), Outcome: "up", Began: time.Now(), Holds: time.Minute})
	}
	began := time.Now()
	m.forget(began.Add(time.Hour))
	if took := time.Since(began); len(m.services) > 0 || took > 3*time.Second {
		t.Errorf("%d are left after %v", len(m.services), took)
	}
}

// hostile are texts that would end a label or a line.
var hostile = []string{
	`a"b`, `a\b`, `a\`, `"} 1`, "a\nprobe_success 1", "a\r\nb", "# HELP x", "a\x00b", "\x1b[2J", "\x7f", "\u202eevil\u2066", "\xff\xfe", "a\xc3", "{}=,", "", strings.Repeat("x", 10_000),
}

// TestHostileLabelsAreRead holds that a real parser reads each text as it was meant, in one family, and that services can be
// let go of by them.
func TestHostileLabelsAreRead(t *testing.T) {
	t.Parallel()
	m := New("test\"\\\n")
	m.Skipped("x\n\"\\\xff")
	known := map[string]string{}
	for _, text := range hostile {
		known[text] = text
	}
	m.Only(known)
	for _, text := range hostile {
		m.Observe(Probe{Service: text, Instance: text, Region: text, Began: time.Now(), Holds: time.Hour, Outcome: text, Success: true, CertificateExpiry: time.Unix(1, 0)})
	}
	parse := func() map[string]bool {
		var out bytes.Buffer
		if _, err := m.Write(&out); err != nil {
			t.Fatal(err)
		}
		parser := expfmt.NewTextParser(model.UTF8Validation)
		families, err := parser.TextToMetricFamilies(&out)
		if err != nil {
			t.Fatalf("a parser refuses it: %v", err)
		}
		seen := map[string]bool{}
		for _, name := range []string{"probe_success", "probe_ssl_earliest_cert_expiry"} {
			for _, one := range families[name].GetMetric() {
				for _, l := range one.GetLabel() {
					if l.GetName() == "instance" {
						seen[l.GetValue()] = true
					}
				}
			}
		}
		return seen
	}
	seen := parse()
	for _, text := range hostile {
		if want := strings.ToValidUTF8(text, "\uFFFD"); !seen[want] {
			t.Errorf("%.40q is not read back", want)
		}
	}
	m.Only(known)
	if n := len(parse()); n != len(seen) {
		t.Errorf("%d of %d are left of services that stay", n, len(seen))
	}
	m.Only(map[string]string{})
	if left := parse(); len(left) > 0 {
		t.Errorf("services that are gone are still told: %v", left)
	}
}
