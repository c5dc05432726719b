package harness

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// QuestDB is a real server in a folder of its own, on one port for all its lives.
type QuestDB struct {
	T    *testing.T
	Dir  string
	Port string   // Chosen by the first start.
	Env  []string // More of its environment.
	pid  int
}

// notHere is the exit status with which scripts/questdb says that nothing here can run one.
const notHere = 3

var script = filepath.Join(root(), "scripts", "questdb")

// Start starts it, with the data it had.
func (q *QuestDB) Start() {
	q.T.Helper()
	cmd := exec.Command(script, "start", q.Dir)
	cmd.Env = append(append(os.Environ(), "QUESTDB_PG_PORT="+q.Port, "QUESTDB_OWNER="+strconv.Itoa(os.Getpid())), q.Env...)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if exit.ExitCode() == notHere {
			Missing(q.T, "QuestDB", string(exit.Stderr))
		}
		q.T.Fatalf("scripts/questdb: %v\n%s", err, exit.Stderr)
	}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "QUESTDB_URL":
			_, port, _ := strings.Cut(strings.TrimPrefix(value, "questdb://admin:quest@"), ":")
			q.Port, _, _ = strings.Cut(port, "/")
		case "QUESTDB_PID":
			q.pid, _ = strconv.Atoi(value)
		}
	}
	if !q.Started() || q.Port == "" {
		q.T.Fatalf("scripts/questdb says %s", out)
	}
}

// Started tells whether it ever was.
func (q *QuestDB) Started() bool { return q.pid != 0 }

// Stop ends it in order; one that stands still is woken up for that.
func (q *QuestDB) Stop() {
	if q.Started() {
		_ = syscall.Kill(q.pid, syscall.SIGCONT) // It may have ended.
	}
	_ = exec.Command(script, "stop", q.Dir).Run() // The same.
}

// Signal sends it a signal, such as SIGKILL or SIGSTOP.
func (q *QuestDB) Signal(s syscall.Signal) {
	q.T.Helper()
	if err := syscall.Kill(q.pid, s); err != nil {
		q.T.Fatal(err)
	}
}

// Address is where it listens.
func (q *QuestDB) Address() string { return "127.0.0.1:" + q.Port }

// StoreURL is what the product calls a QuestDB at an address.
func StoreURL(address string) string { return "questdb://admin:quest@" + address + "/qdb" }

// Connect asks it without the product.
func (q *QuestDB) Connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, "postgresql://admin:quest@"+q.Address()+"/qdb?sslmode=disable")
}
