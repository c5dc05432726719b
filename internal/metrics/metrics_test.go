package metrics

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

func TestOnlyServicesWithRegionsHaveTheLabel(t *testing.T) {
	t.Parallel()
	m := New("test")
	m.Observe(Probe{Service: "a", Instance: "https://a.example", Outcome: "up", Success: true})
	m.Observe(Probe{Service: "b", Instance: "https://b.example", Region: "eu-west", Outcome: "up", Success: true})
	m.Observe(Probe{Service: "b", Instance: "https://b.example", Region: "us-east", Outcome: "down"})
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
		m.Observe(Probe{Service: text, Instance: text, Region: text, Outcome: text, Success: true, CertificateExpiry: time.Unix(1, 0)})
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
