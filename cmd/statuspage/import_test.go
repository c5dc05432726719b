package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const gatusFile = `endpoints:
  - {name: API, url: "https://api.example.org", headers: {X-Key: hunter2}, conditions: ["[STATUS] == 200"]}
  - {name: Shell, url: "ssh://api.example.org:22"}
`

func code(err error) int {
	if of, is := errors.AsType[exitError](err); is {
		return of.code
	}
	if err != nil {
		return 1
	}
	return 0
}

func TestAnImportIsAConfigurationAndItsSecretsAreApart(t *testing.T) {
	t.Parallel()
	from, dir := file(t, "config.yaml", gatusFile), filepath.Join(t.TempDir(), "new")
	out, told, err := runs(t, nil, "import", "gatus", from, "-o", dir)
	if err != nil || out != "" || !strings.Contains(told, "kept     API  "+from+":2\n") || !strings.Contains(told, "lost     Shell") || strings.Contains(told, "hunter2") {
		t.Fatalf("%v, stdout %q, stderr %q", err, out, told)
	}
	secrets := filepath.Join(dir, "secrets.env")
	info, err := os.Stat(secrets)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("secrets.env: %v, %v", info, err)
	}
	body, err := os.ReadFile(secrets)
	if err != nil || string(body) != "SECRET_API_X_KEY=hunter2\n" {
		t.Errorf("secrets.env is %q, %v", body, err)
	}
	name := filepath.Join(dir, "statuspage.yaml")
	out, _, err = runs(t, map[string]string{"SECRET_API_X_KEY": "hunter2"}, "config", "check", "--config", name)
	if err != nil || out != "ok: 1 services\n" {
		t.Errorf("config check: %q, %v", out, err)
	}
	if _, _, err := runs(t, nil, "import", "gatus", "-o", dir, from); err != nil {
		t.Errorf("a second import: %v", err)
	}
	if err := os.WriteFile(name, []byte("title: mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runs(t, nil, "import", "gatus", from, "-o", dir); code(err) != 2 {
		t.Errorf("a configuration that nobody imported is overwritten: %v", err)
	}
}

func TestAnImportToStdoutShowsNoSecret(t *testing.T) {
	t.Parallel()
	from := file(t, "config.yaml", gatusFile)
	out, told, err := runs(t, nil, "import", "gatus", from, "--strict", "--report", "json")
	if code(err) != 1 || !errors.Is(err, errReported) {
		t.Errorf("--strict ends with %v", err)
	}
	var report struct {
		Entries []struct {
			Name, Result, File, Reason string
			Line                       int
		}
	}
	if err := json.Unmarshal([]byte(told), &report); err != nil || len(report.Entries) != 2 || report.Entries[1].Result != "lost" || report.Entries[1].Line != 3 || report.Entries[1].Reason == "" {
		t.Errorf("report %q: %v", told, err)
	}
	if !strings.Contains(out, `X-Key: "${SECRET_API_X_KEY}"`) || strings.Contains(out+told, "hunter2") {
		t.Errorf("stdout:\n%s", out)
	}
}

func TestWhatCannotBeImportedExitsWithTwoAndOneLine(t *testing.T) {
	t.Parallel()
	other := file(t, "config.yaml", "a: 1\n")
	for _, line := range []string{
		"import", "import nobody " + other, "import gatus", "import gatus " + other, "import gatus " + other + ".not", "import gatus " + other + " --report xml",
		"import gatus " + other + " --slow no", "import gatus --wrong " + other, "import kuma " + other, "import upptime " + other, "import blackbox " + other, "import prometheus " + other,
	} {
		out, told, err := runs(t, nil, strings.Fields(line)...)
		if code(err) != 2 || out != "" || told != "" || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, stdout %q, stderr %q", line, err, out, told)
		}
	}
}

// What the source's conditions say of an answer, those that became of them say too, but for one thing: nobody is healthy who doesn't answer.
func TestImportedConditionsJudgeAsTheyWereMeant(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{"/j": `{"status":"UP","n":3,"items":[1],"name":"john doe"}`, "/e": "[]", "/h": "hello <h1>x</h1>"}
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/503" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = w.Write([]byte(bodies[r.URL.Path]))
	}))
	t.Cleanup(target.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	cases := []struct {
		name, url, conditions string
		up                    bool
	}{
		{"all", target.URL + "/j", `"[STATUS] == 200", "[BODY].status == UP", "[BODY].n == 3", "len([BODY].items) > 0", "[BODY].name == pat(john*)", "has([BODY].x) == false", "[BODY].n != 4"`, true},
		{"above", target.URL + "/j", `"[BODY].n > 3"`, false},
		{"swapped", target.URL + "/j", `"200 == [STATUS]", "[BODY].n <= 3"`, true},
		{"text", target.URL + "/h", `"[BODY] == pat(*<h1>*)", "len([BODY]) > 0", "[BODY] != pat(*error*)"`, true},
		{"glob", target.URL + "/h", `"[BODY] == pat(hello*/h1>)"`, true},
		{"not", target.URL + "/h", `"[BODY] != pat(*hello*)"`, false},
		{"empty list", target.URL + "/e", `"len([BODY]) > 0"`, false},
		{"none", target.URL + "/e", `"len([BODY]) == 0"`, true},
		{"connected", target.URL + "/503", `"[CONNECTED] == true"`, true},
		{"status", target.URL + "/503", `"[STATUS] < 300"`, false},
		{"port", strings.Replace(target.URL, "http", "tcp", 1), `"[CONNECTED] == true"`, true},
		{"dead", gone.URL, `"[STATUS] < 300"`, false},
	}
	var text strings.Builder
	text.WriteString("endpoints:\n")
	for _, c := range cases {
		text.WriteString("  - {name: " + c.name + ", url: \"" + c.url + "\", conditions: ['" + strings.ReplaceAll(strings.Trim(c.conditions, `"`), `", "`, `', '`) + "']}\n")
	}
	dir := t.TempDir()
	if _, told, err := runs(t, nil, "import", "gatus", file(t, "config.yaml", text.String()), "-o", dir, "--strict"); err != nil {
		t.Fatalf("%v\n%s", err, told)
	}
	for _, c := range cases {
		out, _, err := runs(t, nil, "probe", "--config", filepath.Join(dir, "statuspage.yaml"), c.name)
		if up := err == nil; up != c.up || !strings.Contains(out, "outcome") {
			t.Errorf("%s: up is %v, want %v\n%s", c.name, up, c.up, out)
		}
	}
}
