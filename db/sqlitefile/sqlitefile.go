// Package sqlitefile opens files of SQLite as everything of ours keeps them: nobody else may read
// them, what was acknowledged survives a power cut, and there is one writer at a time.
package sqlitefile

import (
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"statuspage/internal/status"
	"strings"

	"modernc.org/sqlite"
)

// What holds for one connection is part of the address.
const (
	writing = "?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	reading = "?mode=ro&_pragma=busy_timeout(10000)&_pragma=query_only(1)"
)

// Open opens the file at path, and creates it and its folder when missing. There is one connection,
// since SQLite has one writer, and waiting here is fair; a transaction takes the write lock at its
// beginning. Whether it is a file of SQLite shows when it is used.
func Open(path string) (*sql.DB, error) {
	if err := create(path); err != nil {
		return nil, err
	}
	// As every distribution's SQLite does: the same durability without the file's timestamps.
	_, _ = sqlite.Fdatasync(true) // Where there is none it stays fsync.
	return open(path, writing, 1)
}

// OpenReader opens a file that is there for queries only, of which some run at once.
func OpenReader(path string, atOnce int) (*sql.DB, error) { return open(path, reading, atOnce) }

func open(path, how string, conns int) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("find its folder: %w", err)
	}
	db, err := sql.Open("sqlite", "file://"+(&url.URL{Path: filepath.ToSlash(abs)}).EscapedPath()+how)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	return db, nil
}

// create makes the file before SQLite does, since SQLite would let everybody read it, and takes it from
// others who may read it from before; what SQLite puts beside it gets its mode. A folder that is there is
// the operator's, who may have others look into it.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("create its folder: %w; make it writable or choose another path", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("%w; make it writable or choose another path", err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Chmod(path+suffix, 0o600) // There may be none, or of an owner who let us in.
	}
	return f.Close()
}

// Path returns the path in a URL such as sqlite:///folder/file.db; four slashes begin an absolute one.
func Path(address string) (string, error) {
	host, path, found := strings.Cut(strings.TrimPrefix(address, "sqlite://"), "/")
	unescaped, err := url.PathUnescape(path)
	if !found || host != "" || err != nil || unescaped == "" || strings.HasSuffix(unescaped, "/") {
		return "", fmt.Errorf("store URL: want sqlite:///folder/file.db, or sqlite:////folder/file.db for an absolute path: %w", status.ErrInvalid)
	}
	return unescaped, nil
}
