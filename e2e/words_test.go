package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"statuspage/e2e/harness"
	"strings"
	"testing"
	"time"
)

const wordsToken = "spt_0123456789abcdef0123456789abcdef"

const wordsYAML = "page_id: abcdefghij12\ntokens:\n  - {name: ci, token: " + wordsToken + ", scopes: [incidents:read, incidents:write]}\n"

const wordsPath = "/v1/pages/abcdefghij12/incidents"

// post writes at a server, and returns the status and the answer.
func (p *product) post(method, path, body string) (code int, answer map[string]any, err error) {
	p.T.Helper()
	req, err := http.NewRequestWithContext(p.T.Context(), method, p.URL+path, strings.NewReader(body))
	if err != nil {
		p.T.Fatal(err)
	}
	req.Header.Set("Authorization", "OAuth "+wordsToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	err = json.NewDecoder(res.Body).Decode(&answer)
	return res.StatusCode, answer, err
}

// command runs the command line against a server.
func (p *product) command(args ...string) (out string, code int) {
	p.T.Helper()
	path, err := harness.Binary()
	harness.Must(p.T, err)
	verb := []string{args[0], args[1], "--to", p.URL}
	if rest := args[2:]; len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		verb = []string{args[0], args[1], rest[0], "--to", p.URL}
		args = args[1:]
	}
	run := exec.CommandContext(p.T.Context(), path, append(verb, args[2:]...)...)
	run.Env = append(os.Environ(), "STATUSPAGE_TOKEN="+wordsToken)
	said, err := run.CombinedOutput()
	if ended, is := errors.AsType[*exec.ExitError](err); is {
		return string(said), ended.ExitCode()
	}
	if err != nil {
		p.T.Fatal(err)
	}
	return string(said), 0
}

// TestWhatWasAnsweredOutlivesKill kills the product right behind each answer: what was taken is there, once.
func TestWhatWasAnsweredOutlivesKill(t *testing.T) {
	t.Parallel()
	x := newTarget(t)
	dir := t.TempDir()
	p := start(t, dir, "listen: 127.0.0.1:0\n"+wordsYAML+"services:\n"+service("web", x.url, ""), "serve")
	code, i, err := p.post(http.MethodPost, wordsPath, `{"incident":{"name":"Fault","body":"Words 0."}}`)
	if err != nil || code != http.StatusCreated {
		t.Fatalf("%d %v %v", code, i, err)
	}
	id := i["id"].(string)
	for n := 1; n <= 5; n++ {
		p.Kill()
		p = start(t, dir, "", "serve")
		p.wait("knows what was written", func() bool {
			_, page := p.get("/incidents/" + id)
			return strings.Contains(page, fmt.Sprintf("Words %d.", n-1))
		})
		code, i, err = p.post(http.MethodPatch, wordsPath+"/"+id+".json", fmt.Sprintf(`{"incident":{"body":"Words %d.","after":%q}}`, n, i["head"]))
		if err != nil || code != http.StatusOK {
			t.Fatalf("%d: %d %v %v", n, code, i, err)
		}
	}
	_, page := p.get("/incidents/" + id)
	for n := range 6 {
		if c := strings.Count(page, fmt.Sprintf("<p>Words %d.</p>", n)); c != 1 {
			t.Errorf("words %d are there %d times", n, c)
		}
	}
}

// TestAPostIsOnTheOtherServersBrowsers runs two page servers on a real Redis and a real QuestDB. A browser at one shows within a
// second what was written at the other. With Redis away both take words, and know them all when it is back; who writes at one without
// having seen what the other took, is told.
func TestAPostIsOnTheOtherServersBrowsers(t *testing.T) {
	t.Parallel()
	x, q, redis := newTarget(t), newQuestDB(t), harness.LaunchRedis(t)
	yaml := fmt.Sprintf("listen: 127.0.0.1:0\ndatabase: %q\nqueue: %s\noutbox: outbox.db\n%sservices:\n%s", q.URL(), redis.URL(), wordsYAML, service("web", x.url, ""))
	a, b := start(t, t.TempDir(), yaml, "serve", "--role", "web"), start(t, t.TempDir(), yaml, "serve", "--role", "web")
	for _, p := range []*product{a, b} {
		p.wait("is ready", func() bool { code, _ := p.get("/readyz"); return code == http.StatusOK })
	}
	code, i, err := a.post(http.MethodPost, wordsPath, `{"incident":{"name":"Fault","body":"Words 0."}}`)
	if err != nil || code != http.StatusCreated {
		t.Fatalf("%d %v %v", code, i, err)
	}
	id := i["id"].(string)
	b.wait("shows what the other took", func() bool { _, page := b.get("/incidents/" + id); return strings.Contains(page, "Words 0.") })

	w := &wanderer{shows: map[string]string{}}
	began := make(chan time.Time, 1)
	w.visit(t, b, func([]string) bool {
		if strings.Contains(w.shows["going"], "Words 1.") {
			if took := time.Since(<-began); took > time.Second {
				t.Errorf("a post took %v to the browsers of the other server", took)
			}
			return true
		}
		if len(began) == 0 && strings.Contains(w.shows["going"], "Words 0.") {
			began <- time.Now()
			if code, i, err = a.post(http.MethodPatch, wordsPath+"/"+id, `{"incident":{"body":"Words 1."}}`); err != nil || code != http.StatusOK {
				t.Errorf("%d %v %v", code, i, err)
				return true
			}
		}
		return false
	})

	seen := i["head"].(string)
	redis.Kill()
	for n, p := range []*product{a, b} {
		if code, got, err := p.post(http.MethodPatch, wordsPath+"/"+id, fmt.Sprintf(`{"incident":{"body":"Apart %d.","after":%q}}`, n, seen)); err != nil || code != http.StatusOK {
			t.Errorf("with Redis away: %d %v %v", code, got, err)
		}
	}
	harness.Must(t, redis.Start(t.Context()))
	for _, p := range []*product{a, b} {
		p.wait("knows what both took", func() bool {
			_, page := p.get("/incidents/" + id)
			return strings.Count(page, "<p>Apart 0.</p>") == 1 && strings.Count(page, "<p>Apart 1.</p>") == 1
		})
	}
	_, one, errOne := a.post(http.MethodGet, wordsPath+"/"+id, "")
	_, two, errTwo := b.post(http.MethodGet, wordsPath+"/"+id, "")
	if errOne != nil || errTwo != nil || one["forks"] == nil || fmt.Sprint(one["forks"], one["head"], one["incident_updates"]) != fmt.Sprint(two["forks"], two["head"], two["incident_updates"]) {
		t.Errorf("the servers say\n%v\nand\n%v\n(%v, %v)", one, two, errOne, errTwo)
	}
	if code, got, err := b.post(http.MethodPatch, wordsPath+"/"+id, fmt.Sprintf(`{"incident":{"body":"Late.","after":%q}}`, seen)); err != nil || code != http.StatusConflict || got["incident"] == nil {
		t.Errorf("who is behind: %d %v %v", code, got, err)
	}
}

// TestWordsOfTheCommandLine writes as scripts and pipelines do.
func TestWordsOfTheCommandLine(t *testing.T) {
	t.Parallel()
	x := newTarget(t)
	p := start(t, t.TempDir(), "listen: 127.0.0.1:0\n"+wordsYAML+"services:\n"+service("web", x.url, ""), "serve")
	out, code := p.command("incident", "open", "--title", "Fault; \x1b[2J", "--service", "web=partial_outage")
	if code != 1 || !strings.Contains(out, "name can't be read") || strings.Contains(out, "\x1b") {
		t.Errorf("a title that is none: %d %q", code, out)
	}
	out, code = p.command("incident", "open", "--title", "Fault", "--text", "It **fails**.", "--service", "web=partial_outage")
	id := strings.TrimSpace(out)
	if code != 0 || len(id) != 12 {
		t.Fatalf("%d %q", code, out)
	}
	if out, code = p.command("incident", "update", id, "--status", "identified", "--text", "A cable."); code != 0 || out != "" {
		t.Errorf("%d %q", code, out)
	}
	if out, code = p.command("incident", "list"); code != 0 || !strings.HasPrefix(out, id+"\tidentified\tmajor\t") {
		t.Errorf("%d %q", code, out)
	}
	if out, code = p.command("incident", "show", id); code != 0 || !strings.Contains(out, "A cable.") || !strings.Contains(out, "web: partial_outage") {
		t.Errorf("%d %q", code, out)
	}
	if out, code = p.command("incident", "resolve", id); code != 0 {
		t.Errorf("%d %q", code, out)
	}
	if out, code = p.command("incident", "list"); code != 0 || out != "" {
		t.Errorf("what is over goes on: %d %q", code, out)
	}
	if out, code = p.command("incident", "show", "nobody"); code != 1 || !strings.Contains(out, "404") {
		t.Errorf("%d %q", code, out)
	}

	out, code = p.command("maintenance", "plan", "--at", "2030-12-01T03:00", "--zone", "Europe/Berlin", "--for", "30m", "--service", "web", "--title", "Disks")
	planned := strings.TrimSpace(out)
	if code != 0 || len(planned) != 12 {
		t.Fatalf("%d %q", code, out)
	}
	if out, code = p.command("maintenance", "list", "--all"); code != 0 || !strings.HasPrefix(out, planned+"\tscheduled\tmaintenance\t2030-12-01T02:00:00.000Z/2030-12-01T02:30:00.000Z\tDisks") {
		t.Errorf("%d %q", code, out)
	}
	if out, code = p.command("maintenance", "cancel", planned); code != 0 {
		t.Errorf("%d %q", code, out)
	}

	mark := filepath.Join(t.TempDir(), "mark")
	ended := make(chan int, 1)
	go func() {
		_, code := p.command("maintenance", "plan", "--now", "--for", "20m", "--service", "web", "--", "sh", "-c", "while [ ! -e "+mark+" ]; do sleep 0.05; done; exit 7")
		ended <- code
	}()
	p.wait("is under maintenance", func() bool {
		_, badge := p.get("/badge/web/status.txt")
		return strings.TrimSpace(badge) == "maintenance"
	})
	harness.Must(t, os.WriteFile(mark, nil, 0o600))
	if code := <-ended; code != 7 {
		t.Errorf("the command ended with 7, and we with %d", code)
	}
	p.wait("is over with the command", func() bool { _, badge := p.get("/badge/web/status.txt"); return strings.TrimSpace(badge) == "up" })
	_, all := p.get("/history")
	if strings.Contains(all, "declared afterwards") || !strings.Contains(all, "Completed") {
		t.Error("a maintenance that began when it was said counts as declared afterwards, or is not there")
	}
	if _, code := p.command("maintenance", "plan", "--now", "--for", "20m", "--", "/nonexistent"); code != 127 {
		t.Errorf("a command that is not there: %d", code)
	}
}
