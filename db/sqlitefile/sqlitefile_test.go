package sqlitefile_test

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"statuspage/db/sqlitefile"
	"strings"
	"syscall"
	"testing"
)

// open opens a file with a table of a thousand rows in it.
func open(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sqlitefile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE IF NOT EXISTS a (n INTEGER, text TEXT);
		WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 1000)
		INSERT INTO a SELECT n, 'some text to fill pages with' FROM r`); err != nil {
		t.Fatal(err)
	}
	return db
}

func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "a ?#%.db")
	private := func(when string) {
		for name, want := range map[string]os.FileMode{filepath.Dir(path): 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600} {
			if info, err := os.Stat(name); err != nil {
				t.Errorf("%s: %v", when, err)
			} else if got := info.Mode().Perm(); got != want {
				t.Errorf("%s: %s is %v, want %v", when, name, got, want)
			}
		}
	}
	open(t, path)
	private("made")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Chmod(path+suffix, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	open(t, path)
	private("found open to others")
}

// TestFilesOfRootAreTheFoldersOwners: a command of root's locks out no server that runs as another user.
func TestFilesOfRootAreTheFoldersOwners(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // Nobody else can make files of others, and nobody else does.
	}
	const nobody = 65534
	dir := t.TempDir()
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "a.db")
	open(t, path)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if of, is := info.Sys().(*syscall.Stat_t); !is || of.Uid != nobody {
			t.Errorf("%s is of %+v", path+suffix, info.Sys())
		}
	}
}

// TestConnectionsAreAsPromised asks each for what holds for one connection only.
func TestConnectionsAreAsPromised(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.db")
	writer := open(t, path)
	reader, err := sqlitefile.OpenReader(path, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reader.Close() })
	ask := func(db *sql.DB, pragma string) (says string) {
		if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&says); err != nil {
			t.Errorf("%s: %v", pragma, err)
		}
		return says
	}
	const full = "2"
	if got := fmt.Sprint(ask(writer, "journal_mode"), ask(writer, "synchronous"), ask(writer, "busy_timeout")); got != fmt.Sprint("wal", full, "10000") {
		t.Errorf("the writer has %s", got)
	}
	if got := ask(reader, "busy_timeout"); got != "10000" {
		t.Errorf("a reader waits %s ms", got)
	}
	if _, err := reader.ExecContext(t.Context(), `DELETE FROM a`); err == nil {
		t.Error("a reader can write")
	}
	if w, r := writer.Stats().MaxOpenConnections, reader.Stats().MaxOpenConnections; w != 1 || r != 2 {
		t.Errorf("%d writers and %d readers", w, r)
	}
	tx, err := writer.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	other, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := other.ExecContext(t.Context(), `DELETE FROM a`); err == nil || sqlitefile.Damaged(err) || sqlitefile.Refused(err) {
		t.Errorf("beside a transaction that has not written yet another writes: %v", err)
	}
}

func TestMistakesSayWhatToDo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, filepath.Join(file, "a.db")} {
		db, err := sqlitefile.Open(path)
		if err == nil {
			_ = db.Close()
		}
		if err == nil || !strings.Contains(err.Error(), dir) || !strings.HasSuffix(err.Error(), "choose another path") || sqlitefile.Damaged(err) || sqlitefile.Refused(err) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestDamageIsFoundAndPutAside: damage is found at once and told from all else, and nothing of it is lost.
func TestDamageIsFoundAndPutAside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func([]byte)
		want  bool
	}{
		"header":  {func(b []byte) { copy(b, "rubbish rubbish rubbish") }, true},
		"inside":  {func(b []byte) { copy(b[3*4096:], bytes.Repeat([]byte{0xA5}, 4096)) }, true},
		"nothing": {func([]byte) {}, false},
	} {
		path := filepath.Join(t.TempDir(), "a.db")
		if err := open(t, path).Close(); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c.spoil(content)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := sqlitefile.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		err = sqlitefile.Check(t.Context(), db, path)
		if damaged := sqlitefile.Damaged(err); damaged != c.want || damaged != (err != nil) || sqlitefile.Refused(err) {
			t.Errorf("%s: %v", name, err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		aside, err := sqlitefile.PutAside(path)
		if err != nil {
			t.Fatal(err)
		}
		if kept, err := os.ReadFile(aside); err != nil || !bytes.Equal(kept, content) {
			t.Errorf("%s: %d bytes kept of %d, %v", name, len(kept), len(content), err)
		}
		if left, _ := filepath.Glob(path + "*"); len(left) == 0 || strings.Contains(strings.Join(left, " ")+" ", "a.db ") {
			t.Errorf("%s: there are %v", name, left)
		}
	}
}

func TestRefusalsOfTheDisk(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]bool{
		&os.PathError{Op: "mkdir", Path: "x", Err: syscall.ENOSPC}: true,
		fmt.Errorf("open: %w", syscall.EROFS):                      true,
		syscall.EDQUOT:                                             true,
		syscall.EACCES:                                             false,
		errors.New("disk full"):                                    false,
	} {
		if got := sqlitefile.Refused(err); got != want {
			t.Errorf("%v: %t", err, got)
		}
	}
	path := filepath.Join(t.TempDir(), "a.db")
	db := open(t, path)
	if _, err := db.ExecContext(t.Context(), `PRAGMA max_page_count = 1`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE b AS SELECT randomblob(100000)`); !sqlitefile.Refused(err) || sqlitefile.Damaged(err) {
		t.Errorf("a file that may not grow: %v", err)
	}
}
