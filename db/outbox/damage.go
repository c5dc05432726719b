package outbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// checkLimit is the size in bytes up to which a file is read whole at the start, to see whether
// it is damaged: some 100 ms.
const checkLimit = 32 << 20

var errDamaged = errors.New("damaged")

// check looks for damage that would show only when the queue is read.
func (b *Outbox) check(ctx context.Context) error {
	if info, err := os.Stat(b.path); err != nil || info.Size() > checkLimit {
		return err
	}
	var says string
	if err := b.db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&says); err != nil {
		return err
	}
	if says != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, says)
	}
	return nil
}

// damaged tells damage from what may be over at the next start, such as a full disk.
func damaged(err error) bool {
	if of, ok := errors.AsType[*sqlite.Error](err); ok {
		const primary = 0xff // The lower byte; the others say more about it.
		code := of.Code() & primary
		return code == lib.SQLITE_NOTADB || code == lib.SQLITE_CORRUPT
	}
	return errors.Is(err, errDamaged)
}

// putAside gives the queue's files another name, and returns that of the first.
func putAside(path string) (string, error) {
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
