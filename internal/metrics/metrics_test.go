package metrics

import (
	"bytes"
	"strings"
	"testing"
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
