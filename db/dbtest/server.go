package dbtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"statuspage/e2e/harness"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// server is the QuestDB of this test process, started by the first test that asks.
var server struct {
	once sync.Once
	url  string
	own  *harness.QuestDB // Nil for one of somebody else.
	err  error
}

// QuestDB returns the URL of a real QuestDB: that of TEST_QUESTDB_URL, or one that is started
// for this process and that Main stops. Without one the test is skipped, or fails where nothing
// may be.
func QuestDB(t *testing.T) string {
	t.Helper()
	server.once.Do(startServer)
	if missing, is := errors.AsType[*harness.MissingError](server.err); is {
		harness.Missing(t, missing.What, "set TEST_QUESTDB_URL, or let scripts/questdb start one: "+missing.Remedy)
	}
	harness.Must(t, server.err)
	return server.url
}

// Prefix returns a new prefix for table names, so that tests don't see each other's tables.
func Prefix() string { return "test" + strconv.FormatUint(rand.Uint64(), 36) + "_" }

// Main runs the tests of a package, looks for goroutines left behind, and stops the
// QuestDB that QuestDB started. Call it in TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if server.own != nil {
		if err := server.own.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		_ = os.RemoveAll(server.own.Dir) // A scratch folder; the system removes what is left.
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

func startServer() {
	if server.url = os.Getenv("TEST_QUESTDB_URL"); server.url != "" {
		return
	}
	dir, err := os.MkdirTemp("", "questdb-test-")
	if err != nil {
		server.err = err
		return
	}
	server.own = &harness.QuestDB{Dir: dir}
	server.err = server.own.Start(context.Background())
	server.url = server.own.URL()
}
