package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"statuspage/e2e/harness"
	"strings"
	"testing"
)

// open is the umask of a careless start.
var open = []string{"sh", "-c", `umask 000 && exec "$0" "$@"`}

// private waits until all files of a folder that are wanted are there, and complains of each that others may read.
func private(t *testing.T, dir string, wanted ...string) {
	t.Helper()
	waitFor(t, strings.Join(wanted, ", ")+" are there", func() bool {
		for _, name := range wanted {
			if found, err := filepath.Glob(filepath.Join(dir, name)); err != nil || len(found) == 0 {
				return false
			}
		}
		return true
	})
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if info, err := file.Info(); err == nil && info.Mode() != 0o600 { // It may be gone.
			t.Errorf("%s has the mode %v", file.Name(), info.Mode())
		}
	}
}

// widen lets everybody read and write, as an earlier version or a copy may have left it.
func widen(t *testing.T, dir string) {
	t.Helper()
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chmod(path, 0o666)
	}); err != nil {
		t.Fatal(err)
	}
}

// TestDataIsPrivate holds that nobody else reads what is kept, whatever the umask and whatever the mode was.
func TestDataIsPrivate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		database string
		files    []string
	}{
		"SQLite": {"sqlite:///data/statuspage.db", []string{"statuspage.db", "statuspage.db-wal", "statuspage.db-shm"}},
		"outbox": {"questdb://admin:quest@127.0.0.1:1/qdb", []string{"outbox.db", "outbox.db-wal", "outbox.db-shm"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			data := filepath.Join(dir, "data")
			yaml := fmt.Sprintf("listen: 127.0.0.1:0\ndatabase: %q\nservices:\n%s", c.database, service("a", newTarget(t).url, ""))
			if err := os.WriteFile(filepath.Join(dir, "statuspage.yaml"), []byte(yaml), 0o600); err != nil {
				t.Fatal(err)
			}
			run := func() *product {
				p := &product{harness.LaunchUnder(t, open, dir, nil, "serve")}
				p.wait("listens", p.Listens)
				p.newest("a", func(record) bool { return true })
				private(t, data, c.files...)
				return p
			}
			p := run()
			if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the folder: %v, %v", info.Mode(), err)
			}
			p.Kill() // Its log stays.
			widen(t, data)
			run().stop()
			if name != "outbox" {
				return
			}
			if err := os.WriteFile(filepath.Join(data, "outbox.db"), []byte(strings.Repeat("damaged ", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
			widen(t, data)
			c.files = append(c.files, "outbox.db.damaged-*")
			run().stop()
		})
	}
}

// TestDataOfAgentsIsPrivate holds the same of an agent, whose checks have secrets.
func TestDataOfAgentsIsPrivate(t *testing.T) {
	t.Parallel()
	server := start(t, t.TempDir(), fmt.Sprintf("agents:\n  - {region: east, token: %q}\nservices:\n%s", agentToken, service("a", newTarget(t).url, ", regions: [east]")))
	dir := t.TempDir()
	for range 2 {
		p := harness.LaunchUnder(t, open, dir, []string{"STATUSPAGE_AGENT_TOKEN=" + agentToken}, "agent", "--to", server.URL, "--outbox", "kept/outbox.db")
		waitFor(t, "the agent starts", func() bool { return strings.Contains(p.Log.String(), "agent started") })
		private(t, filepath.Join(dir, "kept"), "outbox.db", "outbox.db-wal", "outbox.db-shm", "outbox.db.checks.json")
		p.Kill()
		widen(t, filepath.Join(dir, "kept"))
		if info, err := os.Stat(filepath.Join(dir, "kept")); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("the folder: %v, %v", info.Mode(), err)
		}
	}
}
