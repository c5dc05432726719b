package chaos

import (
	"os/exec"
	"path/filepath"
	"statuspage/e2e/harness"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// readOnlyFiles has the kernel refuse what a process writes to a database, as it does when a file system turns
// read-only on an error: no mount can be made so while a file of it is open to write.
type readOnlyFiles struct {
	t    *testing.T
	path string // Of the database; its log and index are meant too.
	cmd  *exec.Cmd
}

func (f *readOnlyFiles) begin(p *product) {
	f.t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		harness.Missing(f.t, "strace", "install it: apt-get install strace")
	}
	said := &harness.Output{}
	f.cmd = exec.Command(path, "-f", "-p", strconv.Itoa(p.Cmd.Process.Pid), "-o", "/dev/null", "-P", f.path, "-P", f.path+"-wal", "-P", f.path+"-shm",
		"-e", "trace=pwrite64,write,ftruncate,fallocate", "-e", "inject=pwrite64,write,ftruncate,fallocate:error=EROFS")
	f.cmd.Stderr = said
	if err := f.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(f.end)
	waitFor(f.t, "strace is attached", func() bool {
		if strings.Contains(said.String(), "Operation not permitted") {
			harness.Missing(f.t, "the right to trace a process", "run it as root")
		}
		return strings.Contains(said.String(), "attached")
	})
}

func (f *readOnlyFiles) end() {
	if f.cmd == nil {
		return
	}
	_ = f.cmd.Process.Signal(syscall.SIGINT) // Lets go of the process.
	_ = f.cmd.Wait()                         // It says that it was interrupted.
	f.cmd = nil
}

func TestReadOnlyWithSQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := filepath.Join(dir, "statuspage.db")
	f := &readOnlyFiles{t: t, path: store}
	x, w, p := badDisk(t, dir, "sqlite:///"+store, "ro", f.begin, f.end)
	p.stop()
	intact(t, store)
	balance(t, x, w, sqliteRecords(t, store), nil)
}

func TestReadOnlyWithOutbox(t *testing.T) {
	t.Parallel()
	q, dir := sharedQuestDB(t), t.TempDir()
	box := filepath.Join(dir, "outbox.db")
	f := &readOnlyFiles{t: t, path: box}
	x, w, p := badDisk(t, dir, q.URL(), "robox", f.begin, f.end)
	p.handOver(box)
	intact(t, box)
	balance(t, x, w, q.records("robox"), nil)
}
