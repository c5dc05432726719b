package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
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
	pid  int
	env  []string
}

// scriptMissing is the exit status with which scripts/questdb says that nothing here can run one.
const scriptMissing = 3

// room is for one server that is broken, beside the one that is shared: each takes most of a
// gigabyte.
var room = make(chan struct{}, 1)

// shared is a server that no test breaks; their services tell the tests apart.
var shared struct {
	once sync.Once
	q    questdb
}

func sharedQuestDB(t *testing.T) *questdb {
	t.Helper()
	shared.once.Do(func() {
		dir, err := os.MkdirTemp("", "statuspage-chaos-questdb-")
		if err != nil {
			t.Fatal(err)
		}
		shared.q = questdb{t: t, dir: dir, env: []string{"QDB_PG_READONLY_USER_ENABLED=true", "QDB_PG_READONLY_USER=viewer", "QDB_PG_READONLY_PASSWORD=looks"}}
		shared.q.start()
	})
	if shared.q.pid == 0 {
		missing(t, "QuestDB", "see the first test that wanted it")
	}
	q := shared.q
	q.t = t
	return &q
}

func stopShared() {
	if shared.q.dir != "" {
		_ = exec.Command(script, "stop", shared.q.dir).Run()
		_ = os.RemoveAll(shared.q.dir)
	}
}

var script = filepath.Join("..", "..", "scripts", "questdb")

// newQuestDB starts a server whose files are in dir, with env in its environment.
func newQuestDB(t *testing.T, dir string, env ...string) *questdb {
	t.Helper()
	room <- struct{}{}
	q := &questdb{t: t, dir: dir, env: env}
	t.Cleanup(func() {
		if q.pid != 0 {
			_ = syscall.Kill(q.pid, syscall.SIGCONT)
		}
		_ = exec.Command(script, "stop", q.dir).Run()
		<-room
	})
	q.start()
	return q
}

func (q *questdb) start() {
	q.t.Helper()
	cmd := exec.Command(script, "start", q.dir)
	cmd.Env = append(append(os.Environ(), "QUESTDB_PG_PORT="+q.port, "QUESTDB_OWNER="+strconv.Itoa(os.Getpid())), q.env...)
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
			_, port, _ := strings.Cut(strings.TrimPrefix(value, "questdb://admin:quest@"), ":")
			q.port, _, _ = strings.Cut(port, "/")
		case "QUESTDB_PID":
			q.pid, _ = strconv.Atoi(value)
		}
	}
	if q.port == "" || q.pid == 0 {
		q.t.Fatalf("scripts/questdb says %s", out)
	}
}

func (q *questdb) signal(s syscall.Signal) {
	q.t.Helper()
	if err := syscall.Kill(q.pid, s); err != nil {
		q.t.Fatal(err)
	}
}

func (q *questdb) address() string { return "127.0.0.1:" + q.port }

// url is where the product finds a server at address.
func storeURL(address string) string { return "questdb://admin:quest@" + address + "/qdb" }

func (q *questdb) connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, "postgresql://admin:quest@"+q.address()+"/qdb?sslmode=disable")
}

// exec runs a statement.
func (q *questdb) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := q.connect(ctx)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, sql)
	return err
}

// records reads the signals of the services whose ids begin with name, when everything that
// is committed can be read.
func (q *questdb) records(name string) (all []record) {
	q.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := q.connect(ctx)
	if err != nil {
		q.t.Fatal(err)
	}
	defer conn.Close(ctx)
	waitFor(q.t, "QuestDB applies what is committed", func() bool {
		var behind int64
		err := conn.QueryRow(ctx, `SELECT count() FROM wal_tables() WHERE name = 'signals' AND (suspended OR writerTxn < sequencerTxn)`).Scan(&behind)
		return err == nil && behind == 0
	})
	rows, err := conn.Query(ctx, `SELECT received, service, url, http_status, available, outcome, duration, coalesce(reason, '') FROM signals
		WHERE service >= $1 AND service < $2`, name+"-", name+".")
	if err != nil {
		q.t.Fatal(err)
	}
	all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r record, err error) {
		var received time.Time
		var code int32
		var duration int64
		err = row.Scan(&received, &r.Service, &r.URL, &code, &r.Available, &r.Outcome, &duration, &r.Reason)
		r.Received, r.HTTPStatus, r.DurationMs = received.UTC().Format(receivedFormat), int(code), float64(duration)/1000
		return r, err
	})
	if err != nil {
		q.t.Fatal(fmt.Errorf("read the signals: %w", err))
	}
	return all
}
