package chaos

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"statuspage/e2e/harness"
	"strconv"
	"strings"
	"testing"
	"time"
)

// client asks the product; a page that takes longer is one that is not live.
var client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}

// product is one running process.
type product struct{ *harness.Launched }

// notable is the end of what it said, without the verdicts on targets that change all the time.
func (p *product) notable() string {
	var b strings.Builder
	for line := range strings.Lines(p.Log.String()) {
		if !strings.Contains(line, "service changed") {
			b.WriteString(line)
		}
	}
	return b.String()[max(0, b.Len()-3000):]
}

// said is how often it has said something.
func (p *product) said(text string) int { return strings.Count(p.Log.String(), text) }

// configure writes the configuration into dir.
func configure(t *testing.T, dir, yaml string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "statuspage.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
}

// launch runs the product in dir.
func launch(t *testing.T, dir string, args ...string) *product {
	t.Helper()
	p := &product{harness.Launch(t, dir, nil, append([]string{"serve"}, args...)...)}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("what process %d said:\n%s", p.Cmd.Process.Pid, p.notable())
		}
	})
	return p
}

// start runs the product in dir, and returns when its page can be seen.
func start(t *testing.T, dir string) (p *product, took time.Duration) {
	t.Helper()
	p = launch(t, dir)
	for deadline := p.Started.Add(patience); ; time.Sleep(2 * time.Millisecond) {
		if p.Listens() {
			if code, _ := p.get("/"); code == http.StatusOK {
				return p, time.Since(p.Started)
			}
		}
		if !p.Alive() || time.Now().After(deadline) {
			t.Fatalf("no page after %v (alive: %v):\n%s", time.Since(p.Started), p.Alive(), p.Log)
		}
	}
}

// stop ends it as an operator would, and returns how long that took.
func (p *product) stop() time.Duration {
	p.T.Helper()
	if n := p.metric(`statuspage_probes_skipped_total{cause="paused"}`); n > 0 {
		starved.Store(p.T.Name(), int(n))
	}
	return p.Stop(patience)
}

// get returns the status 0 when there was no answer.
func (p *product) get(path string) (int, string) {
	res, err := client.Get(p.URL + path)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, ""
	}
	return res.StatusCode, string(body)
}

// ready is what /readyz says.
type ready struct {
	Ready   bool   `json:"ready"`
	Board   string `json:"board"`
	Store   string `json:"store"`
	Outbox  int    `json:"outbox"`
	Unsaved int    `json:"unsaved"`
}

func (p *product) ready() (r ready) {
	_, body := p.get("/readyz")
	_ = json.Unmarshal([]byte(body), &r) // Without an answer it is not ready.
	return r
}

// awaitReady waits until /readyz says what is wanted.
func (p *product) awaitReady(what string, wanted func(ready) bool) {
	p.T.Helper()
	var r ready
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if r = p.ready(); wanted(r) {
			return
		}
		if !p.Alive() || time.Now().After(deadline) {
			p.T.Fatalf("not within %v: %s; /readyz says %+v, alive: %v", patience, what, r, p.Alive())
		}
	}
}

// metric returns the value of a metric without labels, or -1.
func (p *product) metric(name string) float64 {
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

// handOver ends the process when the store has taken what it had, and checks that nothing
// is left in its outbox.
func (p *product) handOver(outbox string) {
	p.T.Helper()
	p.awaitReady("the store is up and its history on the page", func(r ready) bool { return r.Store == "up" && r.Board == "filled" })
	p.stop()
	if n := waiting(p.T, outbox); n != 0 {
		p.T.Errorf("%d signals wait in the outbox after a stop with the store up", n)
	}
}
