package main

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// runs is what a command line prints and how it ends, in a world with some environment.
func runs(t *testing.T, environment map[string]string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, told bytes.Buffer
	err = run(t.Context(), args, func(name string) string { return environment[name] }, &out, &told)
	return out.String(), told.String(), err
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMistakesOfTheCommandLineAreTold names what is wrong, and starts nothing.
func TestMistakesOfTheCommandLineAreTold(t *testing.T) {
	t.Parallel()
	config := file(t, "s.yaml", "services:\n  - name: Shop\n    url: https://example.com\n")
	token := file(t, "token", "short")
	for _, c := range []struct{ line, want string }{
		{"sevre", `unknown command "sevre"`},
		{"serve --port 80", "flag provided but not defined"},
		{"--port 80", "serve: flag provided but not defined"},
		{"serve --role page", `role "page"`},
		{"serve --role worker --config " + config, "STATUSPAGE_QUEUE_URL"},
		{"serve --config " + config + ".not", "does not exist"},
		{"config", "config check"},
		{"config show", "config check"},
		{"probe", "name one service or URL"},
		{"probe --config " + config + " nobody", `no service "nobody"`},
		{"healthcheck --config " + config + " --listen 8000", "not an address to listen on"},
		{"admin", "admin invite"},
		{"admin invite word", "more is said than flags"},
		{"admin invite --role root", "not a role"},
		{"admin token --scopes incidents:read", "--name deploy"},
		{"admin token --name ci", "no scope"},
		{"admin token --name ci --scopes all", "not a scope"},
		{"admin token --name ci --scopes incidents:read --expires soon", "such as 90d"},
		{"admin token --name ci --scopes incidents:read --expires 2020-01-01", "has passed"},
		{"incident", "open, update, resolve, list or show"},
		{"incident close", "none of open"},
		{"incident open", "needs --title"},
		{"incident open --title x --service api", "write its state too"},
		{"incident open --title x", "set STATUSPAGE_TOKEN"},
		{"incident open --title x --to ftp://x", "--to"},
		{"incident open --title x --to http://status.example", "--insecure"},
		{"incident update", "name one by its id"},
		{"incident update a/b --text x", "name one by its id"},
		{"incident update abc", "needs --text"},
		{"incident resolve", "name one by its id"},
		{"incident list --to status.example", "not the address of a server"},
		{"maintenance", "plan, list, end or cancel"},
		{"maintenance begin", "none of plan"},
		{"maintenance plan --title x", "needs --for"},
		{"maintenance plan --title x --for 1s --now", "at least 1m"},
		{"maintenance plan --title x --for 20m", "--at 2026-12-01T03:00 or --now"},
		{"maintenance plan --title x --for 20m --now --at 2026-12-01T03:00", "not both"},
		{"maintenance plan --title x --for 20m --now --rrule FREQ=DAILY", "does not come again"},
		{"maintenance plan --title x --for 20m --at 2026-12-01T03:00 -- make", "add --now"},
		{"maintenance plan --for 20m --now", "needs --title"},
		{"maintenance plan --for 20m --now make", "behind --"},
		{"maintenance end", "name one by its id"},
		{"agent", "--to https://status.example"},
		{"agent --to https://status.example word", "more is said than flags"},
		{"agent --to ftp://status.example", "agent: --to"},
		{"agent --to http://status.example", "--insecure"},
		{"agent --to https://status.example", "no token"},
		{"agent --to https://status.example --token a --token-file b", "both name a token"},
		{"agent --to https://status.example --token-file " + token, "--token-file"},
		{"agent --to https://status.example --token-file secret-that-is-no-file", "--token-file"},
		{"agent --to https://status.example --token 0123456789abcdef0123456789abcdef --ca " + token, "holds no certificate"},
		{"agent --to https://status.example --token 0123456789abcdef0123456789abcdef --canary ://", "--canary"},
		{"agent --to https://status.example --token 0123456789abcdef0123456789abcdef --allow here", "--allow"},
	} {
		out, _, err := runs(t, nil, strings.Fields(c.line)...)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret-that") || out != "" {
			t.Errorf("%s: %v, printed %q; want %q", c.line, err, out, c.want)
		}
	}
}

func TestCommandsThatOnlyTell(t *testing.T) {
	t.Parallel()
	config := file(t, "s.yaml", "database: questdb://admin:very-secret@127.0.0.1:8812/qdb\nservices:\n  - name: Shop\n    url: https://example.com\n")
	for _, c := range []struct {
		line, want string
		err        error
	}{
		{"help", "statuspage serve", nil},
		{"version", "statuspage ", nil},
		{"config check --config " + config, "ok: 1 services", nil},
		{"config print --config " + config, "https://example.com", nil},
		{"serve -h", "statuspage serve", errReported},
	} {
		out, _, err := runs(t, nil, strings.Fields(c.line)...)
		if !errors.Is(err, c.err) || !strings.Contains(out, c.want) || strings.Contains(out, "very-secret") {
			t.Errorf("%s: %v\n%s", c.line, err, out)
		}
	}
}

// TestConfigCheckWarns holds that what is right and unwise is said, and that the check passes.
func TestConfigCheckWarns(t *testing.T) {
	t.Parallel()
	config := file(t, "s.yaml", "services:\n  - {name: Mail, url: \"tls://mail.example:993\", tls: {verify: false}}\n")
	if out, warned, err := runs(t, nil, "config", "check", "--config", config); err != nil || !strings.Contains(out, "ok: 1 services") || !strings.Contains(warned, "warning: mail: tls.verify is off") {
		t.Errorf("%v\n%s\n%s", err, out, warned)
	}
}

// TestProbeTellsByItsStatus probes a service and an address, and shows what a target wrote without letting it move the cursor.
func TestProbeTellsByItsStatus(t *testing.T) {
	t.Parallel()
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/broken" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer target.Close()
	config := file(t, "s.yaml", "services:\n  - name: Shop\n    url: "+target.URL+"\n")
	for _, c := range []struct {
		what, want string
		err        error
	}{
		{"shop", "outcome     up", nil},
		{"SHOP", "status      200", nil},
		{target.URL, "outcome     up", nil},
		{target.URL + "/broken", "status      503", errReported},
	} {
		if out, _, err := runs(t, nil, "probe", "--config", config, c.what); !errors.Is(err, c.err) || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v\n%s", c.what, err, out)
		}
	}
	if got, want := visible("a\x1b[2Jb\nü\xff"), `a\x1b[2Jb\nü`+"\uFFFD"; got != want {
		t.Errorf("a target's words on the terminal: %q, want %q", got, want)
	}
}

// TestHealthcheckAsksTheProcess asks the operator's listener where there is one, which visitors can't fill.
func TestHealthcheckAsksTheProcess(t *testing.T) {
	t.Parallel()
	process := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer process.Close()
	address := strings.TrimPrefix(process.URL, "http://")
	sick := httptest.NewServer(http.NotFoundHandler())
	defer sick.Close()
	config := file(t, "s.yaml", "listen: 127.0.0.1:1\nlisten_ops: "+address+"\nservices:\n  - name: Shop\n    url: https://example.com\n")
	if _, _, err := runs(t, nil, "healthcheck", "--config", config); err != nil {
		t.Errorf("the operator's listener: %v", err)
	}
	if _, _, err := runs(t, nil, "healthcheck", "--config", config, "--listen", ":"+address[strings.LastIndexByte(address, ':')+1:]); err != nil {
		t.Errorf("an address of all of the machine's: %v", err)
	}
	if _, _, err := runs(t, nil, "healthcheck", "--config", config, "--listen", strings.TrimPrefix(sick.URL, "http://")); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a process that is not well: %v", err)
	}
	if _, _, err := runs(t, map[string]string{"STATUSPAGE_LISTEN": "127.0.0.1:1"}, "healthcheck", "--config", config, "--listen", "127.0.0.1:1"); err == nil {
		t.Error("nobody answers, and it is well")
	}
}

// TestCommandsLetPeopleAndProgramsIn prints what is given on to standard output, alone, and each once.
func TestCommandsLetPeopleAndProgramsIn(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"listen: \":8123\"\n": "http://127.0.0.1:8123/admin/invite/spi_",
		"listen: 10.0.0.5:80\nbase_url: https://status.example/board\n":          "https://status.example/board/admin/invite/spi_",
		"base_url: https://status.example\nadmin: {listen: \"10.0.0.5:9000\"}\n": "http://10.0.0.5:9000/admin/invite/spi_",
	} {
		path := file(t, "s.yaml", "")
		store := filepath.Join(filepath.Dir(path), "control.db")
		if err := os.WriteFile(path, []byte(base+"control: sqlite:///"+store+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		out, told, err := runs(t, nil, "admin", "invite", "--config", path, "--role", "author")
		if err != nil || !strings.HasPrefix(out, want) || strings.Count(out, "\n") != 1 || !strings.Contains(told, "as author") || !strings.Contains(told, store) || strings.Contains(told, "spi_") {
			t.Errorf("%s: %q %q %v", base, out, told, err)
		}
		token := func() (string, string, error) {
			return runs(t, nil, "admin", "token", "--config", path, "--name", "ci", "--scopes", "incidents:write,incidents:read", "--expires", "90d")
		}
		out, told, err = token()
		if err != nil || !strings.HasPrefix(out, "spt_") || strings.Count(out, "\n") != 1 || !strings.Contains(told, "incidents:read incidents:write, until") || strings.Contains(told, "spt_") {
			t.Errorf("%s: %q %q %v", base, out, told, err)
		}
		if out, _, err = token(); err == nil || !strings.Contains(err.Error(), "--name: a token of this name") || out != "" {
			t.Errorf("the same name again: %q %v", out, err)
		}
		kept, err := os.ReadFile(store)
		if err != nil || bytes.Contains(kept, []byte("spt_")) || bytes.Contains(kept, []byte("spi_")) {
			t.Errorf("a secret is kept, or nothing (%v)", err)
		}
	}
	closed := file(t, "s.yaml", "admin: false\n")
	if out, _, err := runs(t, nil, "admin", "invite", "--config", closed); err == nil || !strings.Contains(err.Error(), "admin: false") || out != "" {
		t.Errorf("where nobody signs in: %q %v", out, err)
	}
}
