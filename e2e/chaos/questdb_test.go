package chaos

import (
	"context"
	"fmt"
	"os"
	"statuspage/e2e/harness"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// questdb is a real server in a folder of its own, on one port for all its lives.
type questdb struct {
	*harness.QuestDB
	T *testing.T
}

// room is for two servers that are broken, beside the one that is shared: each takes most of a
// gigabyte, and who waits for room keeps a place among the tests that run.
var room = make(chan struct{}, 2)

// shared is a server that no test breaks; their services tell the tests apart.
var shared struct {
	once sync.Once
	q    *harness.QuestDB
	err  error
}

func sharedQuestDB(t *testing.T) *questdb {
	t.Helper()
	shared.once.Do(func() {
		dir, err := os.MkdirTemp("", "statuspage-chaos-questdb-")
		if err != nil {
			t.Fatal(err)
		}
		shared.q = &harness.QuestDB{Dir: dir, Env: []string{"QDB_PG_READONLY_USER_ENABLED=true", "QDB_PG_READONLY_USER=viewer", "QDB_PG_READONLY_PASSWORD=looks"}}
		shared.err = shared.q.Start(context.Background())
	})
	harness.Must(t, shared.err)
	return &questdb{shared.q, t}
}

func stopShared() {
	if shared.q != nil {
		_ = shared.q.Stop() // It ends with this process at the latest.
		_ = os.RemoveAll(shared.q.Dir)
	}
}

// newQuestDB starts a server whose files are in dir, with env in its environment.
func newQuestDB(t *testing.T, dir string, env ...string) *questdb {
	t.Helper()
	room <- struct{}{}
	q := &harness.QuestDB{Dir: dir, Env: env}
	t.Cleanup(func() {
		_ = q.Stop() // It ends with this process at the latest.
		<-room
	})
	harness.Must(t, q.Start(context.Background()))
	return &questdb{q, t}
}

// exec runs a statement.
func (q *questdb) exec(sql string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := q.Connect(ctx)
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
	q.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := q.Connect(ctx)
	if err != nil {
		q.T.Fatal(err)
	}
	defer conn.Close(ctx)
	waitFor(q.T, "QuestDB applies what is committed", func() bool {
		var behind int64
		err := conn.QueryRow(ctx, `SELECT count() FROM wal_tables() WHERE name = 'signals' AND (suspended OR writerTxn < sequencerTxn)`).Scan(&behind)
		return err == nil && behind == 0
	})
	rows, err := conn.Query(ctx, `SELECT received, service, url, http_status, available, outcome, duration, coalesce(reason, '') FROM signals
		WHERE service >= $1 AND service < $2`, name+"-", name+".")
	if err != nil {
		q.T.Fatal(err)
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
		q.T.Fatal(fmt.Errorf("read the signals: %w", err))
	}
	return all
}
