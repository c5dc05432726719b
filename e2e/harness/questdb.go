package harness

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// QuestDB is a real server in a folder of its own, on one port for all its lives.
type QuestDB struct {
	Dir  string
	Port string   // Chosen by the first start.
	Env  []string // More of its environment.
	HTTP string   // Where its present life answers over HTTP.
	PID  int      // Of its present life, or 0 before the first.
}

// notHere is the exit status with which scripts/questdb says that nothing here can run one.
const notHere = 3

// Start starts it, with the data it had. It ends with this process at the latest.
func (q *QuestDB) Start(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, script("questdb"), "start", q.Dir)
	cmd.Env = append(append(os.Environ(), "QUESTDB_PG_PORT="+q.Port, "QUESTDB_OWNER="+strconv.Itoa(os.Getpid())), q.Env...)
	out, err := cmd.Output()
	if exit, is := errors.AsType[*exec.ExitError](err); is && exit.ExitCode() == notHere {
		return &MissingError{"QuestDB", strings.TrimSpace(string(exit.Stderr))}
	} else if is {
		return fmt.Errorf("scripts/questdb: %w\n%s", err, exit.Stderr)
	}
	if err != nil {
		return fmt.Errorf("scripts/questdb: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "QUESTDB_URL":
			u, err := url.Parse(value)
			if err != nil {
				return err
			}
			q.Port = u.Port()
		case "QUESTDB_HTTP":
			q.HTTP = value
		case "QUESTDB_PID":
			q.PID, _ = strconv.Atoi(value)
		}
	}
	if !q.Started() || q.Port == "" {
		return fmt.Errorf("scripts/questdb says %s", out)
	}
	return nil
}

// Started tells whether it ever was.
func (q *QuestDB) Started() bool { return q.PID != 0 }

// Stop ends it in order; one that stands still is woken up for that.
func (q *QuestDB) Stop() error {
	if q.Started() {
		_ = q.Signal(syscall.SIGCONT) // It may have ended.
	}
	out, err := exec.CommandContext(context.Background(), script("questdb"), "stop", q.Dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("scripts/questdb: %w\n%s", err, out)
	}
	return nil
}

// Signal sends it a signal, such as SIGKILL or SIGSTOP.
func (q *QuestDB) Signal(s syscall.Signal) error { return syscall.Kill(q.PID, s) }

// Address is where it listens.
func (q *QuestDB) Address() string { return "127.0.0.1:" + q.Port }

// URL is what the product calls it.
func (q *QuestDB) URL() string { return StoreURL(q.Address()) }

// StoreURL is what the product calls a QuestDB at an address.
func StoreURL(address string) string { return "questdb://admin:quest@" + address + "/qdb" }

// Connect asks it without the product.
func (q *QuestDB) Connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.Connect(ctx, "postgresql://admin:quest@"+q.Address()+"/qdb?sslmode=disable")
}
