package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"statuspage/e2e/harness"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// evil would clear a terminal, turn its text, begin a line of the log or a metric of its own.
const evil = "\x1b[2J\x1b]0;x\x07\u202eevil\u2066\x9b2J\xff\xfe\\\"'=\t\x00\x7f\u2028time=1 level=ERROR msg=forged"

// newEvilTarget answers with evil where an error may quote it.
func newEvilTarget(t *testing.T) (address string) {
	t.Helper()
	return newEcho(t, func(*http.Request) string { return evil }, map[string]string{
		"/status":   "HTTP/1.1 2%s\r\n\r\n",
		"/words":    "HTTP/1.1 500 %s\r\n\r\n",
		"/version":  "%s HTTP/1.1\r\n\r\n",
		"/header":   "HTTP/1.1 200 OK\r\n%s\r\n\r\n",
		"/length":   "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n",
		"/coding":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n",
		"/location": "HTTP/1.1 302 Found\r\nLocation: http://[%s\r\n\r\n",
		"/host":     "HTTP/1.1 302 Found\r\nLocation: http://%s.invalid/\r\n\r\n",
		"/scheme":   "HTTP/1.1 302 Found\r\nLocation: %s://x/\r\n\r\n",
	})
}

// oddRune finds a rune that no line of a log or of a command may have.
func oddRune(line string) (string, bool) {
	if !utf8.ValidString(line) {
		return "bytes that are no UTF-8", true
	}
	for _, r := range line {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == 0x2028 || r == 0x2029 {
			return fmt.Sprintf("%U", r), true
		}
	}
	return "", false
}

// TestHostileTextsInLogsAndMetrics has targets and visitors send what would forge a line, and names that would end a
// label.
func TestHostileTextsInLogsAndMetrics(t *testing.T) {
	t.Parallel()
	x, paths := newEvilTarget(t), []string{"status", "words", "version", "header", "length", "coding", "location", "host", "scheme"}
	const name = `a"b\c\n{d="e"} 1 # HELP é`
	var yaml strings.Builder
	fmt.Fprintf(&yaml, "services:\n%s  - {name: '%s', id: named, url: 'http://127.0.0.1:1', hide_url: true, interval: 1s, timeout: 500ms}\n", service("long", "http://"+x+"/?q="+strings.Repeat("%22", 500), ""), name)
	for _, path := range paths {
		yaml.WriteString(service(path, "http://"+x+"/"+path, ""))
	}
	dir := t.TempDir()
	p := start(t, dir, yaml.String())
	for _, path := range append(paths, "named") {
		p.newest(path, func(r record) bool { return r.Outcome == "down" })
	}
	forge(t, p)
	for _, path := range paths {
		said := harness.Launch(t, dir, nil, "probe", path)
		<-said.Ended
		for line := range strings.Lines(said.Log.String()) {
			if what, odd := oddRune(strings.TrimSuffix(line, "\n")); odd {
				t.Errorf("probe %s says %s: %q", path, what, line)
			}
		}
	}
	_, metrics := p.get("/metrics")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(metrics))
	if err != nil {
		t.Fatalf("Prometheus refuses the metrics: %v", err)
	}
	found := false
	for _, m := range families["probe_success"].GetMetric() {
		for _, l := range m.GetLabel() {
			found = found || l.GetName() == "instance" && l.GetValue() == name
		}
	}
	if !found {
		t.Errorf("the metrics lack the instance %q", name)
	}
	p.stop()
	for line := range strings.Lines(p.Log.String()) {
		if what, odd := oddRune(strings.TrimSuffix(line, "\n")); odd {
			t.Errorf("the log has %s: %q", what, line)
		}
		if !strings.HasPrefix(line, "time=") || strings.HasPrefix(line, "time=1 ") {
			t.Errorf("a line of the log that is none of ours: %q", line)
		}
	}
}

// forge sends evil in every part of a request.
func forge(t *testing.T, p *product) {
	t.Helper()
	for _, request := range []string{
		"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET /services/%s HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n",
		"GET /signals?service=%s HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: %s\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: %s\r\nUser-Agent: %[1]s\r\nX-Request-ID: %[1]s\r\n\r\n",
		"GET /events HTTP/1.1\r\nHost: x\r\nLast-Event-ID: %s\r\n\r\n",
		"%s / HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST /agent/signals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 2\r\n\r\n{}",
		"GET / %s\r\nHost: x\r\n\r\n",
	} {
		c, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetDeadline(time.Now().Add(patience))
		_, _ = fmt.Fprintf(c, request, evil)
		line, _ := bufio.NewReader(c).ReadString('\n') // Some are not answered.
		if strings.Contains(line, " 500 ") {
			t.Errorf("%q is answered with %q", request, line)
		}
		_ = c.Close()
	}
}
