package sqlitefile

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// checkLimit is the size in bytes up to which a file is read whole at the start, to see whether
// it is damaged: some 100 ms.
const checkLimit = 32 << 20

var errDamaged = errors.New("damaged")

// Check looks for damage that would show only when the file is read.
func Check(ctx context.Context, db *sql.DB, path string) error {
	if info, err := os.Stat(path); err != nil || info.Size() > checkLimit {
		return err
	}
	var says string
	if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&says); err != nil {
		return err
	}
	if says != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, says)
	}
	return nil
}

// Damaged tells damage from what may be over at the next start, such as a full disk.
func Damaged(err error) bool {
	switch code(err) {
	case lib.SQLITE_NOTADB, lib.SQLITE_CORRUPT:
		return true
	}
	return errors.Is(err, errDamaged)
}

// Refused tells a disk that is full or read-only from a mistake of the configuration and from damage, which
// nobody mends while we wait.
func Refused(err error) bool {
	for _, refusal := range []error{syscall.ENOSPC, syscall.EROFS, syscall.EDQUOT} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	switch code(err) {
	case lib.SQLITE_FULL, lib.SQLITE_READONLY, lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN: // Without room for a log or its index, one of the last two.
		return true
	}
	return false
}

// code is what SQLite calls an error, or 0 for one that is not of SQLite: the lower byte, since the
// others only say more about it.
func code(err error) int {
	if of, is := errors.AsType[*sqlite.Error](err); is {
		return of.Code() & 0xff
	}
	return 0
}

// PutAside gives the files of a database that is closed another name, and returns that of the first.
func PutAside(path string) (string, error) {
	aside := path + ".damaged-" + time.Now().UTC().Format("20060102T150405.000000")
	for _, suffix := range []string{"", "-wal"} {
		if err := os.Rename(path+suffix, aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
	}
	err := os.Remove(path + "-shm") // An index of the log, made anew.
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	return aside, err
}
