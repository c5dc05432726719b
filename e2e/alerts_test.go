package e2e

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"statuspage/e2e/harness"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// hooks is a receiver of alerts that may refuse.
type hooks struct {
	*httptest.Server
	refuse atomic.Bool

	mu  sync.Mutex
	all []hook
}

type hook struct {
	id, text string
	at       time.Time
	taken    bool
}

func newHooks(t *testing.T) *hooks {
	h := &hooks{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		refuse := h.refuse.Load()
		h.mu.Lock()
		h.all = append(h.all, hook{r.Header.Get("webhook-id"), string(body), time.Now(), !refuse})
		h.mu.Unlock()
		if refuse {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(h.Close)
	return h
}

// taken are those that were not refused and say something.
func (h *hooks) taken(text string) (all []hook) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, one := range h.all {
		if one.taken && strings.Contains(one.text, text) {
			all = append(all, one)
		}
	}
	return all
}

func (h *hooks) tried() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.all)
}

// breakable answers as it is told to.
func breakable(t *testing.T) (s *httptest.Server, down *atomic.Bool) {
	down = &atomic.Bool{}
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(s.Close)
	return s, down
}

// TestAlertReachesItsReceiver within a second of being confirmed, and so does its end; the command and the metrics tell of it, and
// nothing shows where it went.
func TestAlertReachesItsReceiver(t *testing.T) {
	t.Parallel()
	h := newHooks(t)
	up, down := breakable(t)
	beats := newHooks(t)
	yaml := "database: sqlite:///data/s.db\nheartbeat: " + beats.URL + "/s3cret-beat\nchannels: {hook: {webhook: {url: \"" + h.URL + "/s3cret\"}}}\nalerts: [{services: \"*\", after: 2, recover: 1, gather: 0s, to: hook}]\n" +
		"services: [{name: Web, url: \"" + up.URL + "\", interval: 1s, timeout: 500ms}]\n"
	p := start(t, t.TempDir(), yaml)
	p.wait("the page shows it up", func() bool { _, body := p.get("/status?service=web"); return strings.Contains(body, "up") })
	p.wait("the heartbeat", func() bool { return beats.tried() > 0 })
	down.Store(true)
	p.wait("it is told", func() bool { return len(h.taken("major_outage")) == 1 })
	var records []struct {
		Records []struct {
			Received, Outcome string
		}
	}
	_, body := p.get("/signals?service=web")
	if err := json.Unmarshal([]byte(body), &records); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, r := range records[0].Records {
		if r.Outcome != "down" {
			continue
		}
		if failed++; failed == 2 {
			slot, err := time.Parse(time.RFC3339Nano, r.Received)
			if late := h.taken("major_outage")[0].at.Sub(slot); err != nil || late > 1500*time.Millisecond {
				t.Errorf("told %v after the slot that confirmed it, %v", late, err)
			}
		}
	}
	down.Store(false)
	p.wait("its end is told", func() bool { return len(h.taken(`"old_status":"major_outage","new_status":"operational"`)) == 1 })
	p.wait("metrics", func() bool {
		_, body := p.get("/metrics")
		return strings.Contains(body, `statuspage_notifications_told_total{channel="hook"} 2`) && strings.Contains(body, `statuspage_notifications_pending{channel="hook"} 0`)
	})
	path, err := harness.Binary()
	harness.Must(t, err)
	for _, args := range [][]string{{"alert", "test", "hook"}, {"alert", "explain", "web"}, {"config", "print"}} {
		cmd := exec.CommandContext(t.Context(), path, args...)
		cmd.Dir = p.Cmd.Dir
		out, err := cmd.CombinedOutput()
		if err != nil || strings.Contains(string(out), "s3cret") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		if args[1] == "explain" && (strings.Count(string(out), ": sent after 1 attempts") != 2 || !strings.Contains(string(out), "rule 1    down after 2")) {
			t.Errorf("explained:\n%s", out)
		}
	}
	if n := len(h.taken("This is a test")); n != 1 {
		t.Errorf("%d tests", n)
	}
	for _, page := range []string{"/", "/metrics", "/readyz"} {
		if _, body := p.get(page); strings.Contains(body, "s3cret") {
			t.Errorf("%s shows a secret", page)
		}
	}
	if strings.Contains(p.Log.String(), "s3cret") {
		t.Error("the log shows a secret")
	}
}

// TestAlertsOutliveAKill: what was decided and not sent is sent by the next life, under its id; what was told is not told again, and
// an end that came while nobody lived is told.
func TestAlertsOutliveAKill(t *testing.T) {
	t.Parallel()
	h := newHooks(t)
	up, down := breakable(t)
	yaml := "database: sqlite:///data/s.db\nchannels: {hook: {webhook: {url: \"" + h.URL + "\"}}}\nalerts: [{services: \"*\", after: 1, recover: 1, gather: 0s, to: hook}]\n" +
		"services: [{name: Web, url: \"" + up.URL + "\", interval: 1s, timeout: 500ms}]\n"
	dir := t.TempDir()
	h.refuse.Store(true)
	down.Store(true)
	p := start(t, dir, yaml)
	p.wait("it is tried", func() bool { return h.tried() > 0 })
	_ = p.Signal(syscall.SIGKILL)
	<-p.Ended
	h.refuse.Store(false)
	p = start(t, dir, "")
	p.wait("it is told", func() bool { return len(h.taken("major_outage")) == 1 })
	h.mu.Lock()
	if first, last := h.all[0].id, h.all[len(h.all)-1].id; first != last || first == "" {
		t.Errorf("tried as %s, told as %s", first, last)
	}
	h.mu.Unlock()
	_ = p.Signal(syscall.SIGKILL)
	<-p.Ended
	down.Store(false)
	p = start(t, dir, "")
	p.wait("its end is told", func() bool { return len(h.taken("operational")) > 0 && len(h.taken("recovered")) == 1 })
	if n := len(h.taken("")); n != 2 {
		t.Errorf("%d messages were taken, want 2", n)
	}
	// Rules and channels of a running process change; a mistake changes nothing.
	other := newHooks(t)
	p.replace(strings.Replace(yaml, h.URL, other.URL, 1))
	p.says("configuration read again")
	down.Store(true)
	p.wait("the other is told", func() bool { return len(other.taken("major_outage")) == 1 })
}

// mailServer takes every mail, and says how many.
func mailServer(t *testing.T, address string) (taken *atomic.Int64) {
	t.Helper()
	ln, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	taken = &atomic.Int64{}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.WriteString(c, "220 here\r\n")
				inData := false
				for lines := bufio.NewScanner(c); lines.Scan(); {
					answer := "250 ok"
					switch line := lines.Text(); {
					case inData && line == ".":
						inData = false
						taken.Add(1)
					case inData:
						continue
					case strings.HasPrefix(line, "DATA"):
						inData, answer = true, "354 go on"
					case strings.HasPrefix(line, "QUIT"):
						answer = "221 bye"
					}
					_, _ = io.WriteString(c, answer+"\r\n")
				}
			}()
		}
	}()
	return taken
}

// TestMailAwayIsTold by readiness, which stays; another channel is told all the same, and the mail comes when there is a server.
func TestMailAwayIsTold(t *testing.T) {
	t.Parallel()
	h := newHooks(t)
	up, down := breakable(t)
	down.Store(true)
	address, err := harness.FreeAddress()
	harness.Must(t, err)
	p := start(t, t.TempDir(), "database: sqlite:///data/s.db\nmail: {server: \"smtp://"+address+"\", from: status@example.org}\n"+
		"channels: {hook: {webhook: {url: \""+h.URL+"\"}}, team: {email: {to: ops@example.org}}}\n"+
		"alerts: [{services: \"*\", after: 1, gather: 0s, to: [team, hook]}]\nservices: [{name: Web, url: \""+up.URL+"\", interval: 1s, timeout: 500ms}]\n")
	p.wait("the hook is told", func() bool { return len(h.taken("major_outage")) == 1 })
	p.wait("mail is away", func() bool {
		status, body := p.get("/readyz")
		return status == http.StatusOK && strings.Contains(body, `"mail":"away"`)
	})
	if n := strings.Count(p.Log.String(), "an alert can't be sent"); n != 1 {
		t.Errorf("told %d times in the log", n)
	}
	taken := mailServer(t, address)
	harness.WaitFor(t, 30*time.Second, "the mail is there", func() bool { return taken.Load() == 1 })
	p.wait("mail is up", func() bool { _, body := p.get("/readyz"); return strings.Contains(body, `"mail":"up"`) })
}
