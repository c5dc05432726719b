package e2e

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"statuspage/e2e/harness"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// secrets are in the configuration wherever it may hold one. None has a form in common with another.
var secrets = map[string]string{
	"userinfo":       `uSerS3cret+/=&"x1`,
	"lone user":      `lOneS3cret+/=&"x2`,
	"bearer":         `bEarerS3cret+/=x3`,
	"header":         `hEaderS3cret+/=&"x4`,
	"query":          `qUeryS3cret+/=&"x5`,
	"hidden query":   `hIddenS3cret+/=&"x6`,
	"database":       `dAtabaseS3cret+/=&"x7`,
	"redis":          `rEdisS3cret+/=&"x8`,
	"agent":          `aGentS3cret0123456789+/=&"x9`,
	"agent's file":   `fIleS3cret01234567890+/=&"xA`,
	"foreign agent":  `oTherS3cret0123456789+/=&"xB`,
	"wrong database": `wRongS3cret+/=&"xC`,
}

// forms are how a text may appear.
func forms(secret string) []string {
	quoted := strconv.Quote(secret)
	inJSON, _ := json.Marshal(secret) // Strings always encode.
	all := []string{
		secret, url.QueryEscape(secret), url.PathEscape(secret), url.UserPassword("", secret).String()[1:], html.EscapeString(secret),
		quoted[1 : len(quoted)-1], string(inJSON[1 : len(inJSON)-1]), hex.EncodeToString([]byte(secret)),
	}
	for _, coding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		for _, before := range []string{"", "x", "xx"} { // Where it begins among groups of three bytes.
			text := coding.EncodeToString([]byte(before + secret))
			all = append(all, text[min(4, 4*len(before)):len(text)-4])
		}
	}
	return all
}

// search complains of each secret in what the product gave away.
func search(t *testing.T, where, text string) {
	t.Helper()
	for name, secret := range secrets {
		for _, form := range forms(secret) {
			if at := strings.Index(text, form); at >= 0 {
				t.Errorf("%s has the secret %q as %q: …%s…", where, name, form, text[max(0, at-200):min(len(text), at+len(form)+40)])
				break
			}
		}
	}
}

// newMirror is a target that answers with what it was asked, where an error may quote it.
func newMirror(t *testing.T) (address string) {
	t.Helper()
	asked := func(r *http.Request) string {
		return r.RequestURI + " " + r.Header.Get("Authorization") + " " + r.Header.Get("X-Api-Key")
	}
	return newEcho(t, asked, map[string]string{
		"/status":   "HTTP/1.1 %s\r\n\r\n",
		"/version":  "%s\r\n\r\n",
		"/header":   "HTTP/1.1 200 OK\r\n%s\r\n\r\n",
		"/length":   "HTTP/1.1 200 OK\r\nContent-Length: %s\r\n\r\n",
		"/coding":   "HTTP/1.1 200 OK\r\nTransfer-Encoding: %s\r\n\r\n",
		"/location": "HTTP/1.1 302 Found\r\nLocation: http://[%s\r\n\r\n",
		"/scheme":   "HTTP/1.1 302 Found\r\nLocation: ftp://x/%s\r\n\r\n",
		"/host":     "HTTP/1.1 302 Found\r\nLocation: http://nowhere.invalid%s\r\n\r\n",
		"/late":     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 %s\r\n\r\n",
		"/refused":  "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1%s\r\n\r\n",
	})
}

// overlooked tells whether a service is up although it says back what it was asked: where browsers don't look.
func overlooked(id string) bool {
	return strings.HasSuffix(id, "-header") || strings.HasSuffix(id, "-late")
}

// secretServices fail in every way that may quote what was asked, or are up with a remark on it; one is well.
func secretServices(t *testing.T) (yaml string, ids []string) {
	t.Helper()
	mirror, up := newMirror(t), newTarget(t)
	user := url.UserPassword("probe", secrets["userinfo"]).String() + "@"
	query := "?access_token=" + url.QueryEscape(secrets["query"])
	hidden := "?id=" + url.QueryEscape(secrets["hidden query"])
	headers := fmt.Sprintf(", headers: {Authorization: %q, X-Api-Key: %q}", "Bearer "+secrets["bearer"], secrets["header"])
	var b strings.Builder
	add := func(id, address, more string) {
		b.WriteString(service(id, address, more))
		ids = append(ids, id)
	}
	for id, address := range map[string]string{
		"refused": "http://%s127.0.0.1:1/", "dns": "http://%snowhere.invalid/", "tls": strings.Replace(newSelfSigned(t), "https://", "https://%s", 1) + "/",
		"plain": "https://%s" + mirror + "/status",
	} {
		add(id, fmt.Sprintf(address, user)+query, headers)
		add(id+"-hidden", fmt.Sprintf(address, user)+hidden, headers+", hide_url: true")
		add(id+"-lone", fmt.Sprintf(address, url.User(secrets["lone user"]).String()+"@")+query, "")
	}
	for _, path := range []string{"status", "version", "header", "length", "coding", "location", "scheme", "host", "refused", "late"} {
		add("mirror-"+path, "http://"+user+mirror+"/"+path+query, "")
		add("headers-"+path, "http://"+mirror+"/"+path+query, headers+", method: GET, keep_alive: true")
		add("hidden-"+path, "http://"+mirror+"/"+path+hidden, headers+", hide_url: true")
	}
	add("up", strings.Replace(up.url, "http://", "http://"+user, 1)+"/"+query, headers)
	return b.String(), ids
}

// TestSecretsStayInside lets everything fail that quotes what it was given, and searches all that comes out.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	for name, stores := range map[string]func(*testing.T) (database, queue string){
		"SQLite": func(*testing.T) (string, string) { return "sqlite:///data/statuspage.db", "" },
		"away": func(*testing.T) (string, string) {
			return "questdb://" + url.UserPassword("admin", secrets["database"]).String() + "@127.0.0.1:1/qdb?password=" + url.QueryEscape(secrets["wrong database"]),
				"redis://:" + url.QueryEscape(secrets["redis"]) + "@127.0.0.1:1/0"
		},
		"refused": func(t *testing.T) (string, string) {
			q, r := newQuestDB(t), harness.LaunchRedis(t, "--requirepass", "another")
			return "questdb://" + url.UserPassword("admin", secrets["database"]).String() + "@" + q.Address() + "/qdb",
				strings.Replace(r.URL(), "redis://", "redis://:"+url.QueryEscape(secrets["redis"])+"@", 1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "token"), []byte(secrets["agent's file"]+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			services, ids := secretServices(t)
			database, queue := stores(t)
			yaml := fmt.Sprintf("database: %q\nagents:\n  - {region: east, token: %q}\n  - {region: west, token_file: token}\nservices:\n%s", database, secrets["agent"], services)
			if queue != "" {
				yaml = fmt.Sprintf("queue: %q\n", queue) + yaml
			}
			if err := os.WriteFile(filepath.Join(dir, "statuspage.yaml"), []byte(yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			p := launch(t, dir, []string{"GOTRACEBACK=all"}, "serve", "--listen", "127.0.0.1:0")
			for _, id := range ids {
				p.newest(id, func(r record) bool { return (r.Outcome == "up") == (id == "up" || overlooked(id)) })
			}
			if queue != "" {
				p.wait("says what is away", func() bool {
					return strings.Contains(p.Log.String(), "store is away") && strings.Contains(p.Log.String(), "redis is away")
				})
			}
			searchAll(t, p, ids)
			search(t, "config print", say(t, dir, nil, "config", "print"))
			search(t, "config check", say(t, dir, nil, "config", "check"))
			for _, id := range ids {
				search(t, "probe "+id, say(t, dir, nil, "probe", id))
			}
			spoilConfiguration(t, p, dir, yaml)
			searchFiles(t, dir)
			// What a crash would say.
			_ = p.Cmd.Process.Signal(syscall.SIGQUIT)
			<-p.Ended
			search(t, "the log with stacks", p.Log.String())
			if !strings.Contains(p.Log.String(), "goroutine 1 ") {
				t.Error("the log has no stacks")
			}
		})
	}
}

// searchAll reads every address.
func searchAll(t *testing.T, p *product, ids []string) {
	t.Helper()
	paths := []string{
		"/", "/?window=24h", "/?window=90d", "/?view=tv", "/history", "/how", "/badges", "/embed", "/embed.js", "/redoc", "/docs", "/openapi.json", "/summary.json", "/card.png",
		"/status", "/status?format=json", "/signals", "/history.atom", "/history.rss", "/history.json", "/badge/page.svg", "/badge/page.json", "/api/v1/endpoints/statuses", "/api/v1/config",
		"/sitemap.xml", "/robots.txt", "/nope", "/readyz", "/healthz", "/metrics", "/agent/checks", "/health", "/favicon.ico",
	}
	for _, id := range ids {
		for _, path := range []string{"/services/ID", "/services/ID/history.json", "/badges?of=ID", "/badge/ID.svg", "/badge/ID.json", "/badge/ID.shields", "/badge/ID/hours.svg"} {
			paths = append(paths, strings.Replace(path, "ID", id, 1))
		}
	}
	for _, path := range paths {
		req, err := http.NewRequest(http.MethodGet, p.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if res.Body.Close(); err != nil {
			t.Fatal(err)
		}
		search(t, path, fmt.Sprint(res.Header, string(body)))
	}
	for _, path := range []string{"/events?since=x", "/signals/stream"} {
		res, err := http.Get(p.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		var seen strings.Builder
		events := bufio.NewScanner(res.Body)
		events.Buffer(nil, 1<<20)
		for n := 0; n < 20 && events.Scan(); n++ {
			seen.WriteString(events.Text() + "\n")
		}
		_ = res.Body.Close()
		if search(t, path, seen.String()); !strings.Contains(seen.String(), "data:") {
			t.Errorf("%s brings nothing", path)
		}
	}
}

// searchFiles reads what was written beside the configuration: files of signals are for the operator, but they
// are copied, sent to others and asked by dashboards.
func searchFiles(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "data", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		search(t, file, string(body))
	}
}

// say runs a command and returns all that it says.
func say(t *testing.T, dir string, env []string, args ...string) string {
	t.Helper()
	p := harness.Launch(t, dir, env, args...)
	<-p.Ended
	if p.Log.String() == "" {
		t.Errorf("%v says nothing", args)
	}
	return p.Log.String()
}

// spoilConfiguration makes mistakes beside each secret, in a file that is read while the product runs and by
// commands.
func spoilConfiguration(t *testing.T, p *product, dir, yaml string) {
	t.Helper()
	for name, bad := range map[string]string{
		"unknown keys":     strings.ReplaceAll(yaml, "timeout:", "timeuot:"),
		"wrong scheme":     strings.ReplaceAll(strings.ReplaceAll(yaml, `"http://`, `"gopher://`), "questdb://", "quest://"),
		"no port":          strings.ReplaceAll(yaml, "127.0.0.1:", "127.0.0.1:x"),
		"control":          strings.ReplaceAll(yaml, "Bearer ", `Bearer \n`),
		"alias":            strings.ReplaceAll(yaml, `token: "`, `token: *`),
		"tag":              strings.ReplaceAll(yaml, `token: "`, `token: !x "`),
		"anchor":           strings.ReplaceAll(yaml, `token: "`, `token: &`),
		"list":             strings.ReplaceAll(yaml, `token: "`, `token: [ "`),
		"unclosed":         strings.ReplaceAll(yaml, `Api-Key: "`, `Api-Key: "\q`),
		"colon":            strings.ReplaceAll(yaml, `token: "`, `token: a: "`),
		"token for a file": strings.ReplaceAll(yaml, "token: ", "token_file: "),
		"twice":            yaml + yaml,
		"file as database": strings.ReplaceAll(yaml, "database: \"", "database: \"sqlite://x:"+url.QueryEscape(secrets["database"])+"@y/z?x="),
		"percent":          strings.ReplaceAll(yaml, "%", "%%"),
		"keys for values":  strings.ReplaceAll(yaml, "X-Api-Key: ", `X: y, "X Y": `),
	} {
		if bad == yaml {
			continue // This one has no such setting.
		}
		before := strings.Count(p.Log.String(), "the configuration is refused")
		if err := os.WriteFile(filepath.Join(dir, "statuspage.yaml"), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		said := say(t, dir, nil, "config", "check")
		if search(t, "config check with "+name, said); strings.HasPrefix(said, "ok") {
			t.Errorf("%s is taken", name)
		}
		search(t, "serve with "+name, say(t, dir, nil, "serve", "--listen", "127.0.0.1:0"))
		_ = p.Cmd.Process.Signal(syscall.SIGHUP)
		p.wait("refuses a file with "+name, func() bool { return strings.Count(p.Log.String(), "the configuration is refused") > before })
	}
}

// TestSecretsOfAgents searches what an agent says that its server refuses, and one whose command is wrong.
func TestSecretsOfAgents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server := start(t, t.TempDir(), fmt.Sprintf("agents:\n  - {region: east, token: %q}\nservices:\n%s", secrets["agent"], service("a", "http://127.0.0.1:1", ", regions: [east]")))
	p := launch(t, dir, []string{"GOTRACEBACK=all", "STATUSPAGE_AGENT_TOKEN=" + secrets["foreign agent"]}, "agent", "--to", server.URL, "--listen", "127.0.0.1:0")
	p.wait("is refused", func() bool { return strings.Contains(p.Log.String(), "REFUSES THE TOKEN") })
	for _, path := range []string{"/readyz", "/healthz", "/metrics"} {
		_, body := p.get(path)
		search(t, path, body)
	}
	_ = p.Cmd.Process.Signal(syscall.SIGQUIT)
	<-p.Ended
	search(t, "the log of the agent", p.Log.String())
	search(t, "the log of its server", server.Log.String())
	token := secrets["agent"]
	for _, args := range [][]string{
		{"agent", "--to", server.URL, "--token-file", token},
		{"agent", "--to", server.URL, token},
		{"agent", "--to", "http://x:" + url.QueryEscape(token) + "@127.0.0.1"},
		{"agent", "--to", "http://127.0.0.1/?token=" + url.QueryEscape(token)},
		{"agent", "--to", server.URL, "--token", "x " + token},
		{"agent", "--to", server.URL, "--tokn=" + token},
		{"serve", "--database", "quest://admin:" + token + "@x:1/qdb"},
		{"serve", "--database", "sqlite://" + url.UserPassword("x", token).String() + "@y/z"},
		{"serve", "--role", "web", "http://x:" + url.QueryEscape(token) + "@127.0.0.1:1"},
		{"serve", "http://x:" + token + "@127.0.0.1:y/"},
		{"probe", "http://x:" + url.QueryEscape(token) + "@127.0.0.1:1/?token=" + url.QueryEscape(token)},
		{"probe", "gopher://x:" + url.QueryEscape(token) + "@127.0.0.1:1/"},
	} {
		search(t, strings.Join(args[:2], " ")+" …", say(t, dir, nil, args...))
	}
	for _, name := range []string{"STATUSPAGE_DATABASE_URL", "STATUSPAGE_QUEUE_URL", "STATUSPAGE_WEBSITE_URL", "STATUSPAGE_LISTEN"} {
		for _, value := range []string{"x://y:" + token + "@127.0.0.1:z", token} {
			search(t, name, say(t, dir, []string{name + "=" + value}, "config", "check"))
		}
	}
}

// TestNoCoreIsDumped holds that a crash does not write memory to a file, whatever the shell allows.
func TestNoCoreIsDumped(t *testing.T) {
	t.Parallel()
	p := launch(t, t.TempDir(), []string{"GOTRACEBACK=crash"}, "serve", "--listen", "127.0.0.1:0")
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.Cmd.Process.Pid))
	if err != nil {
		harness.Missing(t, "/proc", "the limits of a process are read there")
	}
	for line := range strings.Lines(string(limits)) {
		if size, is := strings.CutPrefix(line, "Max core file size"); is && strings.Fields(size)[1] != "1" {
			t.Errorf("a core may be %s", size)
		}
	}
	_ = p.Cmd.Process.Signal(syscall.SIGQUIT)
	<-p.Ended
	if s, is := p.Cmd.ProcessState.Sys().(syscall.WaitStatus); !is || s.CoreDump() {
		t.Errorf("ended with %v", p.Cmd.ProcessState)
	}
}
