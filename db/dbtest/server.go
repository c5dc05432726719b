package dbtest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// server is the QuestDB of this test process, started by the first test that asks.
var server struct {
	once    sync.Once
	url     string
	dir     string
	missing string
}

// QuestDB returns the URL of a real QuestDB: that of TEST_QUESTDB_URL, or one which
// scripts/questdb starts for this process and Main stops. Without one the test is skipped,
// or fails when REQUIRE_ALL is 1.
func QuestDB(t *testing.T) string {
	t.Helper()
	server.once.Do(startServer)
	if server.missing != "" {
		text := "NOT TESTED AGAINST QUESTDB: set TEST_QUESTDB_URL, or let scripts/questdb start one: " + server.missing
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatal(text)
		}
		t.Skip(text)
	}
	return server.url
}

// Prefix returns a new prefix for table names, so that tests don't see each other's tables.
func Prefix() string { return "test" + strconv.FormatUint(rand.Uint64(), 36) + "_" }

// Main runs the tests of a package, looks for goroutines left behind, and stops the
// QuestDB that QuestDB started. Call it in TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if server.dir != "" {
		if out, err := exec.Command(script(), "stop", server.dir).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "stop QuestDB: %v\n%s", err, out)
		}
		_ = os.RemoveAll(server.dir) // A scratch folder; the system removes what is left.
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
		server.missing = err.Error()
		return
	}
	server.dir = dir
	cmd := exec.Command(script(), "start", dir)
	cmd.Env = append(os.Environ(), "QUESTDB_OWNER="+strconv.Itoa(os.Getpid()))
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		server.missing = strings.TrimSpace(complaint.String()) + " (" + err.Error() + ")"
		return
	}
	for line := range strings.Lines(string(out)) {
		if url, found := strings.CutPrefix(strings.TrimSpace(line), "QUESTDB_URL="); found {
			server.url = url
		}
	}
	if server.url == "" {
		server.missing = "scripts/questdb printed no QUESTDB_URL"
	}
}

func script() string {
	_, here, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(here), "..", "..", "scripts", "questdb")
}
