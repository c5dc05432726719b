package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// questdb is a real server in a folder of its own, on one port for all its lives.
type questdb struct {
	t    *testing.T
	dir  string
	port string
	url  string
	pid  int
}

// scriptMissing is the exit status with which scripts/questdb says that nothing here can run one.
const scriptMissing = 3

func newQuestDB(t *testing.T) *questdb {
	t.Helper()
	q := &questdb{t: t, dir: t.TempDir()}
	q.start()
	t.Cleanup(func() { _ = exec.Command("../scripts/questdb", "stop", q.dir).Run() })
	return q
}

func (q *questdb) start() {
	q.t.Helper()
	cmd := exec.Command("../scripts/questdb", "start", q.dir)
	cmd.Env = append(os.Environ(), "QUESTDB_PG_PORT="+q.port)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() == scriptMissing {
			missing(q.t, "QuestDB", string(exit.Stderr))
		}
		q.t.Fatalf("scripts/questdb: %v\n%s", err, exit.Stderr)
	}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "QUESTDB_URL":
			q.url = value
		case "QUESTDB_PID":
			q.pid, _ = strconv.Atoi(value)
		}
	}
	if q.url == "" || q.pid == 0 {
		q.t.Fatalf("scripts/questdb says %s", out)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(q.url, "questdb://admin:quest@"), ":")
	q.port, _, _ = strings.Cut(port, "/")
}

func (q *questdb) kill() {
	q.t.Helper()
	if err := syscall.Kill(q.pid, syscall.SIGKILL); err != nil {
		q.t.Fatal(err)
	}
}

// exec runs a statement, or returns the first column of the first row.
func (q *questdb) exec(sql string) (int64, error) {
	ctx, cancel := context.WithTimeout(q.t.Context(), 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, strings.Replace(q.url, "questdb://", "postgresql://", 1)+"?sslmode=disable")
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	if !strings.HasPrefix(sql, "SELECT") {
		_, err = conn.Exec(ctx, sql)
		return 0, err
	}
	var n int64
	err = conn.QueryRow(ctx, sql).Scan(&n)
	return n, err
}

func (q *questdb) count(where string) int64 {
	n, err := q.exec("SELECT count() FROM signals WHERE " + where)
	if err != nil {
		return -1
	}
	return n
}

// TestQuestDBDiesAndComesBack begins with a tutorial's table, loses the server twice, and
// compares what QuestDB holds in the end with what the page has shown.
func TestQuestDBDiesAndComesBack(t *testing.T) {
	t.Parallel()
	x, q := newTarget(t), newQuestDB(t)
	for _, sql := range []string{
		"CREATE TABLE signals(url STRING, http_status INT, received TIMESTAMP, available BOOLEAN) timestamp(received)",
		fmt.Sprintf("INSERT INTO signals VALUES('%s', 500, dateadd('m', -20, now()), false)", x.url),
		fmt.Sprintf("INSERT INTO signals VALUES('%s', 200, dateadd('m', -10, now()), true)", x.url),
	} {
		if _, err := q.exec(sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	dir := t.TempDir()
	p := start(t, dir, fmt.Sprintf("database: %q\nservices:\n%s", q.url, service("web", x.url, "")))
	p.wait("upgrades the table and stores signals in it", func() bool { return q.count("service = 'web'") > 2 })
	if got := q.count("service IS NULL"); got != 2 {
		t.Errorf("%d rows of the tutorial kept, want 2", got)
	}
	p.wait("shows the tutorial's rows", func() bool {
		all := p.records("web")
		return len(all) > 2 && all[0].Outcome == "down" && all[1].Outcome == "up"
	})

	q.kill()
	p.wait("notices", func() bool { _, body := p.get("/readyz"); return strings.Contains(body, `"store":"away"`) })
	before := len(p.records("web"))
	x.answer(http.StatusBadGateway)
	p.wait("goes on without its store", func() bool { return len(p.records("web")) > before+2 })
	if code, page := p.get("/"); code != http.StatusOK || !strings.Contains(page, "unexpected status 502") {
		t.Errorf("the page without its store: %d", code)
	}
	if code, _ := p.get("/readyz"); code != http.StatusOK {
		t.Errorf("/readyz without the store = %d, want 200: the page can be served", code)
	}
	p.kill() // With the store away, so that what follows comes from the outbox.
	p = start(t, dir, "", "serve", "--listen", "127.0.0.1:0")
	p.newest("web", func(record) bool { return true })
	q.start()
	p.wait("hands everything over", func() bool {
		_, body := p.get("/readyz")
		return strings.Contains(body, `"store":"up"`) && strings.Contains(body, `"outbox":0`) && strings.Contains(body, `"board":"filled"`)
	})
	shown := p.records("web")
	p.stop()
	for _, r := range shown {
		at := strings.TrimSuffix(r.Received, "Z")
		waitFor(t, "one row of "+at+" in QuestDB", func() bool { return q.count("received = '"+at+"'") == 1 })
	}
	distinct, err := q.exec("SELECT count_distinct(received) FROM signals WHERE service = 'web'")
	if rows := q.count("service = 'web'"); err != nil || rows != distinct || rows < int64(len(shown)-2) {
		t.Errorf("%d rows, %d distinct (%v), %d shown with 2 of the tutorial", rows, distinct, err, len(shown))
	}
	if n := strings.Count(p.log.String(), "level=WARN") + strings.Count(p.log.String(), "level=ERROR"); n > 4 {
		t.Errorf("%d complaints about one outage:\n%s", n, p.log)
	}
}
