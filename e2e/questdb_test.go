package e2e

import (
	"context"
	"fmt"
	"net/http"
	"statuspage/e2e/harness"
	"strings"
	"syscall"
	"testing"
	"time"
)

// questdb is a real server in a folder of its own, on one port for all its lives.
type questdb struct {
	*harness.QuestDB
	T *testing.T
}

func newQuestDB(t *testing.T) *questdb {
	t.Helper()
	return &questdb{harness.LaunchQuestDB(t), t}
}

// exec runs a statement, or returns the first column of the first row.
func (q *questdb) exec(sql string) (int64, error) {
	ctx, cancel := context.WithTimeout(q.T.Context(), 10*time.Second)
	defer cancel()
	conn, err := q.Connect(ctx)
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
	p := start(t, dir, fmt.Sprintf("database: %q\nservices:\n%s", q.URL(), service("web", x.url, "")))
	p.wait("upgrades the table and stores signals in it", func() bool { return q.count("service = 'web'") > 2 })
	if got := q.count("service IS NULL"); got != 2 {
		t.Errorf("%d rows of the tutorial kept, want 2", got)
	}
	p.wait("shows the tutorial's rows", func() bool {
		all := p.records("web")
		return len(all) > 2 && all[0].Outcome == "down" && all[1].Outcome == "up"
	})

	harness.Must(t, q.Signal(syscall.SIGKILL))
	p.wait("notices", func() bool { _, body := p.get("/readyz"); return strings.Contains(body, `"store":"away"`) })
	before := len(p.records("web"))
	x.answer(http.StatusBadGateway)
	p.wait("goes on without its store", func() bool { return len(p.records("web")) > before+2 })
	if code, page := p.get("/"); code != http.StatusOK || !strings.Contains(page, "HTTP 502") {
		t.Errorf("the page without its store: %d", code)
	}
	if code, _ := p.get("/readyz"); code != http.StatusOK {
		t.Errorf("/readyz without the store = %d, want 200: the page can be served", code)
	}
	p.Kill() // With the store away, so that what follows comes from the outbox.
	p = start(t, dir, "", "serve", "--listen", "127.0.0.1:0")
	p.newest("web", func(record) bool { return true })
	harness.Must(t, q.Start(t.Context()))
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
	if n := strings.Count(p.Log.String(), "level=WARN") + strings.Count(p.Log.String(), "level=ERROR"); n > 4 {
		t.Errorf("%d complaints about one outage:\n%s", n, p.Log)
	}
}
