package questdb_test

import (
	"context"
	"statuspage/db"
	"statuspage/db/dbtest"
	"statuspage/db/questdb"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func newStore(t *testing.T, url, prefix string) *questdb.Store {
	t.Helper()
	s, err := questdb.New(questdb.Options{URL: url, Retention: 90 * 24 * time.Hour, Prefix: prefix})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func ensure(t *testing.T, s *questdb.Store) *questdb.Store {
	t.Helper()
	if err := s.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// client returns a connection of somebody else.
func client(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), strings.Replace(url, "questdb://", "postgresql://", 1)+"?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

func exec(t *testing.T, c *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := c.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestContract(t *testing.T) {
	url := dbtest.QuestDB(t)
	dbtest.Run(t, func(t *testing.T) db.Store { return ensure(t, newStore(t, url, dbtest.Prefix())) })
}

func TestDroppedTableAndViewsComeBack(t *testing.T) {
	t.Parallel()
	url, prefix := dbtest.QuestDB(t), dbtest.Prefix()
	s, c := ensure(t, newStore(t, url, prefix)), client(t, dbtest.QuestDB(t))
	for _, drop := range []string{`MATERIALIZED VIEW ` + prefix + `signals_daily`, `MATERIALIZED VIEW ` + prefix + `signals_hourly`, `TABLE ` + prefix + `signals`} {
		exec(t, c, `DROP `+drop)
		dbtest.Poll(t, func() string {
			if s.Ping(t.Context()) == nil {
				return "ping sees nothing wrong after drop " + drop
			}
			return ""
		})
		ensure(t, s)
		sig := dbtest.Signal("a", 0, status.Up)
		if err := s.Write(t.Context(), []status.Signal{sig}); err != nil {
			t.Fatal(err)
		}
		dbtest.Eventually(t, s, []status.Signal{sig})
		dbtest.Poll(t, func() string {
			days, err := s.Days(t.Context(), dbtest.T0.AddDate(0, 0, -1), dbtest.T0)
			if err != nil || len(days) != 1 || days[0].Up != 1 {
				return "days wrong after drop " + drop
			}
			return ""
		})
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

// A second run on a finished schema must change nothing.
func TestEnsureTwiceIsQuiet(t *testing.T) {
	t.Parallel()
	s := ensure(t, newStore(t, dbtest.QuestDB(t), dbtest.Prefix()))
	s.OnStep(func(name string) error { t.Errorf("step %s", name); return nil })
	ensure(t, s)
}

func TestURLs(t *testing.T) {
	for _, bad := range []string{"", "questdb://", "mysql://u:hunter2@h/x", "questdb://u:hunter2@h:no/x", "questdb://u:hunter2@h/x?sslmode=odd", "questdb://u:hunter2@h/x?default_query_exec_mode=exec"} {
		_, err := questdb.New(questdb.Options{URL: bad})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := questdb.New(questdb.Options{URL: "questdb://h", Prefix: `"; DROP`}); err == nil {
		t.Error("bad prefix: no error")
	}
	newStore(t, "postgresql://u:p%40ss@h", "")
}
