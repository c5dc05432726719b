package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"regexp"
	"statuspage/bench/proc"
	"statuspage/e2e/harness"
	"strings"
	"syscall"
	"time"
)

// questdb is a running QuestDB.
type questdb struct{ *harness.QuestDB }

// nowhere is where a QuestDB that is away refuses connections.
const nowhere = "127.0.0.1:1"

// settleWait is how long QuestDB may take to apply what was committed.
const settleWait = time.Minute

var questdbVersion = regexp.MustCompile(`QuestDB ([0-9.]+)`)

// questdb starts one whose data is in dir.
func (l *lab) questdb(ctx context.Context, dir string) (*questdb, func(), error) {
	q := &questdb{&harness.QuestDB{Dir: dir}}
	if err := q.Start(ctx); err != nil {
		return nil, nil, err
	}
	if version, err := q.query(ctx, "SELECT build()"); err == nil && len(version) > 0 {
		if m := questdbVersion.FindStringSubmatch(fmt.Sprint(version[0]...)); m != nil {
			l.Machine.Versions["QuestDB"] = m[1]
		}
	}
	end := func() { _ = q.Stop() } // It ends with this process at the latest.
	return q, end, nil
}

// query asks over HTTP.
func (q *questdb) query(ctx context.Context, sql string) ([][]any, error) {
	body, err := get(ctx, q.HTTP+"/exec?query="+url.QueryEscape(sql))
	if err != nil {
		return nil, err
	}
	var answer struct{ Dataset [][]any }
	err = json.Unmarshal(body, &answer)
	return answer.Dataset, err
}

// settled waits until all that was committed is in the tables and their views.
func (q *questdb) settled(ctx context.Context) error {
	for deadline := time.Now().Add(settleWait); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		rows, err := q.query(ctx, "SELECT count() FROM wal_tables() WHERE writerTxn != sequencerTxn")
		if err != nil {
			return err
		}
		if len(rows) == 1 && rows[0][0] == float64(0) {
			return nil
		}
	}
	return fmt.Errorf("QuestDB has not applied its log after %v", settleWait)
}

// idle is the CPU time that it takes in a second with nothing to do.
func (q *questdb) idle(length time.Duration) (float64, error) {
	before, err := proc.Read(q.PID)
	if err != nil {
		return 0, err
	}
	time.Sleep(length)
	after, err := proc.Read(q.PID)
	if err != nil {
		return 0, err
	}
	return (after.CPU - before.CPU).Seconds() / after.At.Sub(before.At).Seconds(), nil
}

// diskOf sums what files below dir take on disk whose folder's name begins so.
func diskOf(dir, prefix string) (bytes int64, err error) {
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil || !strings.HasPrefix(rel, prefix) {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil //nolint:nilerr // Gone meanwhile.
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok {
			bytes += stat.Blocks * 512 // Files are allocated ahead; what counts is what is there.
		}
		return nil
	})
	return bytes, err
}
