// Package e2e tests the product from outside: the real binary as a process, real targets on
// loopback, real HTTP, a real browser and a real QuestDB.
package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"statuspage/e2e/harness"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait; nothing here takes that long on an idle machine.
const patience = 30 * time.Second

func TestMain(m *testing.M) {
	code := m.Run()
	harness.Remove()
	os.Exit(code)
}

// target is something to watch, on a real socket; what it answers can be changed.
type target struct {
	url  string
	mu   sync.Mutex
	code int
	hang bool
	hits int
}

func newTarget(t *testing.T) *target {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &target{url: "http://" + ln.Addr().String(), code: http.StatusOK}
	server := &http.Server{ReadHeaderTimeout: patience, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x.mu.Lock()
		code, hang := x.code, x.hang
		x.hits++
		x.mu.Unlock()
		if hang {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(code)
	})}
	go server.Serve(ln)
	t.Cleanup(func() { _ = server.Close() })
	return x
}

func (x *target) answer(code int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.code, x.hang = code, code == 0
}

// product is one running process.
type product struct{ *harness.Launched }

// start runs the product in dir with a configuration, and waits until it listens.
func start(t *testing.T, dir, yaml string, args ...string) *product {
	t.Helper()
	if yaml != "" {
		if err := os.WriteFile(filepath.Join(dir, "statuspage.yaml"), []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(args) == 0 {
		args = []string{"serve", "--listen", "127.0.0.1:0"}
	}
	return launch(t, dir, nil, args...)
}

// launch runs the binary in dir until it says where it listens.
func launch(t *testing.T, dir string, env []string, args ...string) *product {
	t.Helper()
	p := &product{harness.Launch(t, dir, env, args...)}
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("log of the process:\n%s", p.Log)
		}
	})
	p.wait("listens", p.Listens)
	return p
}

// wait polls until something holds.
func (p *product) wait(what string, holds func() bool) {
	p.T.Helper()
	waitFor(p.T, what, func() bool {
		if !p.Alive() {
			p.T.Fatalf("the process ended (%v) before it %s:\n%s", p.Err, what, p.Log)
		}
		return holds()
	})
}

func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	harness.WaitFor(t, patience, what, holds)
}

// stop ends it as an operator would.
func (p *product) stop() { p.Stop(patience) }

func (p *product) get(path string) (int, string) {
	p.T.Helper()
	res, err := http.Get(p.URL + path)
	if err != nil {
		return 0, ""
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

type record = harness.Record

func (p *product) records(service string) []record {
	p.T.Helper()
	code, body := p.get("/signals?limit=1440&service=" + service)
	var groups []struct {
		URL     string   `json:"url"`
		Records []record `json:"records"`
	}
	if code == 0 {
		return nil // Not up yet.
	}
	if err := json.Unmarshal([]byte(body), &groups); err != nil || len(groups) != 1 {
		p.T.Fatalf("/signals of %s: %v: %d %s", service, err, code, body)
	}
	return groups[0].Records
}

// newest waits for a signal of a service that is as wanted.
func (p *product) newest(service string, wanted func(record) bool) record {
	p.T.Helper()
	var r record
	p.wait("has the expected signal of "+service, func() bool {
		all := p.records(service)
		if len(all) > 0 {
			r = all[len(all)-1]
		}
		return len(all) > 0 && wanted(r)
	})
	return r
}

func service(id, url, more string) string {
	return fmt.Sprintf("  - {name: %s, id: %s, url: %q, interval: 1s, timeout: 500ms%s}\n", id, id, url, more)
}

func TestVerdictsOnRealTargets(t *testing.T) {
	t.Parallel()
	up, broken, hanging := newTarget(t), newTarget(t), newTarget(t)
	broken.answer(http.StatusInternalServerError)
	hanging.answer(0)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = gone.Close()
	secure := newSelfSigned(t)
	yaml := "title: Acme\nservices:\n" + service("up", up.url, "") + service("broken", broken.url, ", hide_url: true") + service("hanging", hanging.url, "") +
		service("refused", "http://"+gone.Addr().String(), "") + service("unresolved", "http://nowhere.invalid", "") + service("badcert", secure, "")
	p := start(t, t.TempDir(), yaml)
	for id, want := range map[string]record{
		"up":         {HTTPStatus: 200, Available: true, Outcome: "up"},
		"broken":     {HTTPStatus: 500, Outcome: "down", Reason: "unexpected_status"},
		"hanging":    {HTTPStatus: -1, Outcome: "down", Reason: "timeout"},
		"refused":    {HTTPStatus: -1, Outcome: "down", Reason: "connection_refused"},
		"unresolved": {HTTPStatus: -1, Outcome: "down", Reason: "dns"},
		"badcert":    {HTTPStatus: -1, Outcome: "down", Reason: "tls"},
	} {
		// The first measurement of a busy machine may have run into the timeout of half a second.
		got := p.newest(id, func(r record) bool { return r.Reason == want.Reason })
		if got.HTTPStatus != want.HTTPStatus || got.Available != want.Available || got.Outcome != want.Outcome || got.Reason != want.Reason {
			t.Errorf("%s: %+v, want %+v", id, got, want)
		}
	}
	p.wait("shows all verdicts on the page", func() bool {
		_, page := p.get("/")
		return strings.Contains(page, "5 of 6 services are down") && strings.Contains(page, "HTTP 500")
	})
	_, page := p.get("/")
	_, signals := p.get("/signals")
	if strings.Contains(page, broken.url) || strings.Contains(signals, broken.url) {
		t.Error("a hidden address is told")
	}
	up.answer(http.StatusServiceUnavailable)
	p.newest("up", func(r record) bool { return r.HTTPStatus == 503 })
	up.answer(http.StatusNoContent)
	p.newest("up", func(r record) bool { return r.Available })
	if code, body := p.get("/readyz"); code != http.StatusOK || !strings.Contains(body, `"store":"up"`) {
		t.Errorf("/readyz: %d %s", code, body)
	}
	if _, metrics := p.get("/metrics"); !strings.Contains(metrics, `probe_success{instance="`+up.url+`",job="statuspage",service="up"} 1`) || strings.Contains(metrics, broken.url) {
		t.Error("/metrics lacks probe_success, or tells a hidden address")
	}
	p.stop()
}

func TestNothingShownIsLostByAKill(t *testing.T) {
	t.Parallel()
	dir, x := t.TempDir(), newTarget(t)
	yaml := "services:\n" + service("web", x.url, "")
	shown := map[string]bool{}
	for range 4 {
		p := start(t, dir, yaml)
		before := len(shown)
		p.wait("shows more signals", func() bool {
			for _, r := range p.records("web") {
				shown[r.Received] = true
			}
			return len(shown) > before+1
		})
		p.Kill()
	}
	p := start(t, dir, yaml)
	p.newest("web", func(record) bool { return true })
	p.wait("shows the past", func() bool { return len(p.records("web")) >= len(shown) })
	after := map[string]bool{}
	for _, r := range p.records("web") {
		if after[r.Received] {
			t.Errorf("signal of %s is there twice", r.Received)
		}
		after[r.Received] = true
	}
	for received := range shown {
		if !after[received] {
			t.Errorf("signal of %s was shown and is lost", received)
		}
	}
}

func TestSignalStreamIsLive(t *testing.T) {
	t.Parallel()
	x := newTarget(t)
	p := start(t, t.TempDir(), "services:\n"+service("web", x.url, ""))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/signals/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	lines, seen := bufio.NewScanner(res.Body), 0
	for seen < 2 && lines.Scan() {
		data, is := strings.CutPrefix(lines.Text(), `data: {`)
		if !is {
			continue
		}
		var r record
		if err := json.Unmarshal([]byte("{"+data), &r); err != nil || r.Service != "web" {
			t.Fatalf("%v: %s", err, data)
		}
		seen++
	}
	if seen < 2 {
		t.Fatalf("the stream ended: %v", lines.Err())
	}
}

// refuses runs the product and expects one line on standard error and exit status 1.
func refuses(t *testing.T, dir string, want string, args ...string) {
	t.Helper()
	path, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%v: %v, want exit status 1\n%s", args, err, out)
	}
	if !strings.Contains(string(out), want) || strings.Contains(string(out), "goroutine") {
		t.Errorf("%v says %q, want %q and no stack", args, out, want)
	}
}

func TestStartFailsWithOneClearLine(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	refuses(t, dir, "is taken; choose another with --listen", "serve", "--listen", taken.Addr().String())
	refuses(t, dir, "nowhere.yaml", "serve", "--config", "nowhere.yaml")
	refuses(t, dir, "unknown command", "frobnicate")
	refuses(t, dir, "flag", "serve", "--nope")
	if err := os.WriteFile(filepath.Join(dir, "bad.yaml"), []byte("services:\n  - {name: x, url: 'ftp://x', intervall: 3s}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	refuses(t, dir, "bad.yaml:2:", "config", "check", "--config", "bad.yaml")
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refuses(t, dir, "choose another path", "serve", "--listen", "127.0.0.1:0", "--database", "sqlite:///file/x.db")
}

func TestCommands(t *testing.T) {
	t.Parallel()
	x := newTarget(t)
	dir := t.TempDir()
	p := start(t, dir, "services:\n"+service("web", x.url, ""))
	path, _ := harness.Binary()
	run := func(args ...string) (string, int) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		return string(out), cmd.ProcessState.ExitCode()
	}
	if out, code := run("probe", "web"); code != 0 || !strings.Contains(out, "outcome     up") {
		t.Errorf("probe web: %d %s", code, out)
	}
	x.answer(http.StatusTeapot)
	if out, code := run("probe", x.url); code != 1 || !strings.Contains(out, "unexpected status") {
		t.Errorf("probe of a broken target: %d %s", code, out)
	}
	if out, code := run("healthcheck", "--listen", strings.TrimPrefix(p.URL, "http://")); code != 0 {
		t.Errorf("healthcheck: %d %s", code, out)
	}
	if out, code := run("config", "check"); code != 0 || !strings.Contains(out, "ok: 1 services") {
		t.Errorf("config check: %d %s", code, out)
	}
	if out, code := run("config", "print"); code != 0 || !strings.Contains(out, x.url) {
		t.Errorf("config print: %d %s", code, out)
	}
	if out, code := run("version"); code != 0 || !strings.HasPrefix(out, "statuspage ") {
		t.Errorf("version: %d %s", code, out)
	}
	p.stop()
	if out, code := run("healthcheck", "--listen", strings.TrimPrefix(p.URL, "http://")); code != 1 {
		t.Errorf("healthcheck of a stopped process: %d %s", code, out)
	}
}

func TestDemo(t *testing.T) {
	t.Parallel()
	p := start(t, t.TempDir(), "", "demo", "--listen", "127.0.0.1:0")
	p.wait("shows its targets", func() bool {
		_, page := p.get("/")
		return strings.Contains(page, "This is a demo") && strings.Contains(page, "HTTP 500") && strings.Contains(page, `<svg class="u"`)
	})
	p.stop()
}

// TestTutorialUsersFindTheirWay runs with the tutorial's environment names only.
func TestTutorialUsersFindTheirWay(t *testing.T) {
	x := newTarget(t)
	t.Setenv("STATUSPAGE_WEBSITE_URL", x.url)
	t.Setenv("STATUSPAGE_FREQUENCY", "2")
	p := start(t, t.TempDir(), "")
	p.wait("measures", func() bool {
		_, body := p.get("/signals?limit=60")
		return strings.Contains(body, `"http_status":200,"available":true`) && strings.Contains(body, `[{"url":"`+x.url+`","records":[{`)
	})
}
