package e2e

import (
	"bufio"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"statuspage/e2e/harness"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// replace puts another configuration in its place as careful editors and tools do.
func (p *product) replace(yaml string) {
	p.T.Helper()
	path := filepath.Join(p.Cmd.Dir, "statuspage.yaml")
	if err := os.WriteFile(path+".new", []byte(yaml), 0o600); err != nil {
		p.T.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		p.T.Fatal(err)
	}
}

// says waits for a line of the log.
func (p *product) says(text string) {
	p.T.Helper()
	p.wait("says "+text, func() bool { return strings.Contains(p.Log.String(), text) })
}

// follow reads a stream into a buffer until the test ends.
func (p *product) follow(path string) *harness.Output {
	p.T.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p.T.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+path, nil)
	if err != nil {
		p.T.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.T.Fatal(err)
	}
	var all harness.Output
	go func() {
		defer res.Body.Close()
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			_, _ = all.Write(append(lines.Bytes(), '\n'))
		}
	}()
	return &all
}

// metric is the value of a metric without labels, or -1.
func (p *product) metric(name string) float64 {
	p.T.Helper()
	_, body := p.get("/metrics")
	for line := range strings.Lines(body) {
		if value, found := strings.CutPrefix(line, name+" "); found {
			if n, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil {
				return n
			}
		}
	}
	return -1
}

// gapless expects one signal a second from the first to the last.
func (p *product) gapless(service string) {
	p.T.Helper()
	all := p.records(service)
	slots := all[1:] // The first run at the start is on no slot.
	for i := 1; i < len(slots); i++ {
		a, errA := time.Parse(time.RFC3339Nano, slots[i-1].Received)
		b, errB := time.Parse(time.RFC3339Nano, slots[i].Received)
		if errA != nil || errB != nil || b.Sub(a) != time.Second {
			p.T.Errorf("%s: %s comes after %s", service, slots[i].Received, slots[i-1].Received)
		}
	}
	if len(slots) < 5 {
		p.T.Errorf("only %d signals of %s", len(slots), service)
	}
}

func TestConfigurationEditedWhileRunning(t *testing.T) {
	t.Parallel()
	x := newTarget(t)
	stays, gone, added := service("stays", x.url, ""), service("gone", x.url, ""), service("added", x.url, "")
	p := start(t, t.TempDir(), "title: First\nservices:\n"+stays+gone)
	up := func(r record) bool { return r.Available }
	p.newest("stays", up)
	was := p.newest("gone", up)
	page, signals := p.follow("/events"), p.follow("/signals/stream")

	begin := time.Now()
	p.replace("title: Second\nmax_viewers: 50\nservices:\n" + added + stays)
	p.says("added=1 removed=1 changed=0")
	p.wait("tells open pages", func() bool { return strings.Contains(page.String(), "event: renew") })
	p.newest("added", up)
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("an added service is measured after %v", took)
	}
	p.wait("streams the signals of the added service", func() bool { return strings.Contains(signals.String(), `"service":"added"`) })
	if _, html := p.get("/"); !strings.Contains(html, "Second") || !strings.Contains(html, `id="s-added"`) || strings.Contains(html, `id="s-gone"`) {
		t.Errorf("the page after a change:\n%s", html)
	}
	if code, _ := p.get("/services/gone"); code != http.StatusNotFound {
		t.Errorf("the page of a removed service is %d, want 404", code)
	}
	p.says("settings=max_viewers")
	if _, text := p.get("/metrics"); strings.Contains(text, `service="gone"`) || !strings.Contains(text, "statuspage_config_last_reload_successful 1") {
		t.Error("metrics still tell of a removed service, or not of the change")
	}

	p.replace("title: Third\nservices:\n" + stays + "  - {name: bad, url: \"http://127.0.0.1\", interval: soon}\n")
	p.says("statuspage.yaml:4:")
	p.wait("tells its trouble", func() bool {
		_, text := p.get("/metrics")
		return strings.Contains(text, "statuspage_config_last_reload_successful 0")
	})
	if code, body := p.get("/readyz"); code != http.StatusOK || !strings.Contains(body, `"config":"refused"`) {
		t.Errorf("/readyz with a bad file = %d %s", code, body)
	}
	if err := p.Cmd.Process.Signal(syscall.SIGHUP); err != nil { // Says it again, since it was asked.
		t.Fatal(err)
	}
	p.wait("says it again", func() bool { return strings.Count(p.Log.String(), "the one before goes on") == 2 })
	if _, html := p.get("/"); !strings.Contains(html, "Second") || !strings.Contains(html, `id="s-added"`) {
		t.Error("a bad file changed the page")
	}

	// What was there before gets its past back.
	before := len(p.records("stays"))
	taken := p.metric("statuspage_config_last_reload_success_timestamp_seconds")
	p.replace("title: Fourth\nservices:\n" + stays + gone)
	p.wait("has the past of a service that came back", func() bool {
		_, body := p.get("/signals?limit=1440&service=gone")
		return strings.Contains(body, was.Received)
	})
	if _, body := p.get("/readyz"); !strings.Contains(body, `"config":"current"`) {
		t.Errorf("/readyz with a file that is right again: %s", body)
	}
	if at := p.metric("statuspage_config_last_reload_success_timestamp_seconds"); p.metric("statuspage_config_last_reload_successful") != 1 || at < taken || time.Since(time.Unix(int64(at), 0)) > patience {
		t.Errorf("the metrics of a file that is right again: taken %v, before %v", at, taken)
	}
	if err := p.Cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	p.says("added=0 removed=0 changed=0 page=false")
	p.wait("goes on", func() bool { return len(p.records("stays")) > before+5 })
	p.gapless("stays")
	p.stop()
}
