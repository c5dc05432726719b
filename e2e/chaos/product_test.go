package chaos

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// client asks the product; a page that takes longer is one that is not live.
var client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}

// product is one running process.
type product struct {
	t       *testing.T
	cmd     *exec.Cmd
	url     string
	log     *output
	dead    chan struct{}
	err     error
	started time.Time
}

// output is what a process says.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// notable is the end of what it said, without the verdicts on targets that change all the time.
func (o *output) notable() string {
	var b strings.Builder
	for line := range strings.Lines(o.String()) {
		if !strings.Contains(line, "service changed") {
			b.WriteString(line)
		}
	}
	return b.String()[max(0, b.Len()-3000):]
}

// count is how often it has said something.
func (o *output) count(text string) int { return strings.Count(o.String(), text) }

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
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &product{t: t, cmd: exec.Command(path, append([]string{"serve"}, args...)...), log: &output{}, dead: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, p.log, p.log
	p.cmd.Env = append(os.Environ(), "STATUSPAGE_CONFIG=", "STATUSPAGE_DATABASE_URL=")
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.dead)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("what process %d said:\n%s", p.cmd.Process.Pid, p.log.notable())
		}
	})
	return p
}

var listening = regexp.MustCompile(`url=(http://\S+)`)

// start runs the product in dir, and returns when its page can be seen.
func start(t *testing.T, dir string) (p *product, took time.Duration) {
	t.Helper()
	p = launch(t, dir)
	for deadline := p.started.Add(patience); ; time.Sleep(2 * time.Millisecond) {
		if m := listening.FindStringSubmatch(p.log.String()); m != nil {
			p.url = m[1]
			if code, _ := p.get("/"); code == http.StatusOK {
				return p, time.Since(p.started)
			}
		}
		if !p.alive() || time.Now().After(deadline) {
			t.Fatalf("no page after %v (alive: %v):\n%s", time.Since(p.started), p.alive(), p.log)
		}
	}
}

func (p *product) alive() bool {
	select {
	case <-p.dead:
		return false
	default:
		return true
	}
}

// kill ends the process as a power cut would, as far as it can see.
func (p *product) kill() {
	_ = p.cmd.Process.Kill()
	<-p.dead
}

// stop ends it as an operator would, and returns how long that took.
func (p *product) stop() time.Duration {
	p.t.Helper()
	if n := p.metric(`statuspage_probes_skipped_total{cause="paused"}`); n > 0 {
		starved.Store(p.t.Name(), int(n))
	}
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.dead:
	case <-time.After(patience):
		p.t.Fatal("does not stop on SIGTERM")
	}
	if p.err != nil {
		p.t.Errorf("after SIGTERM: %v", p.err)
	}
	return time.Since(began)
}

// get returns the status 0 when there was no answer.
func (p *product) get(path string) (int, string) {
	res, err := client.Get(p.url + path)
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
	p.t.Helper()
	var r ready
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if r = p.ready(); wanted(r) {
			return
		}
		if !p.alive() || time.Now().After(deadline) {
			p.t.Fatalf("not within %v: %s; /readyz says %+v, alive: %v", patience, what, r, p.alive())
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
	p.t.Helper()
	p.awaitReady("the store is up and its history on the page", func(r ready) bool { return r.Store == "up" && r.Board == "filled" })
	p.stop()
	if n := waiting(p.t, outbox); n != 0 {
		p.t.Errorf("%d signals wait in the outbox after a stop with the store up", n)
	}
}
