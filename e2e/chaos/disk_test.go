package chaos

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"statuspage/e2e/harness"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallDisk mounts a disk of so many megabytes.
func smallDisk(t *testing.T, megabytes int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=700,size="+strconv.Itoa(megabytes)+"m", "tmpfs", dir).CombinedOutput(); err != nil {
		harness.Missing(t, "the right to mount a small disk", "run it as root: "+strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fillUp leaves no byte free in dir.
func fillUp(t *testing.T, dir string) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}

func freeUp(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
}

// remount makes a disk read-only or writable; nobody may have a file of it open to write.
func remount(t *testing.T, dir, mode string) {
	t.Helper()
	if out, err := exec.Command("mount", "-o", "remount,"+mode, dir).CombinedOutput(); err != nil {
		t.Fatalf("remount %s: %v\n%s", mode, err, out)
	}
}

// badDisk has a disk of ours refuse: the page says so and goes on from memory, and what was measured
// meanwhile is written when the disk is well, without a restart.
func badDisk(t *testing.T, dir, database, name string, spoil func(*product), mend func()) (*targets, *witness, *product) {
	t.Helper()
	x, w := newTargets(t, name, 10), newWitness(t)
	conf := t.TempDir()
	configure(t, conf, x.yaml(database, filepath.Join(dir, "outbox.db")))
	p, _ := start(t, conf)
	leave := w.watch(p)
	for range pick(5, 1) {
		p.awaitReady("all is well", func(r ready) bool { return r.Ready && r.Store == "up" && r.Unsaved == 0 })
		errors, again := p.said("level=ERROR"), p.said("signals are saved again")
		away := p.said("store is away")
		spoil(p)
		p.awaitReady("the bad disk is told", func(r ready) bool { return r.Unsaved > 0 })
		shown := w.count()
		time.Sleep(pick(time.Minute, 3*time.Second))
		waitFor(t, "signals go on being shown", func() bool { return w.count() > shown+2*len(x.services) })
		if code, page := p.get("/"); code != http.StatusOK || !strings.Contains(page, "New signals can&#39;t be saved") && !strings.Contains(page, "New signals can't be saved") {
			t.Errorf("the page does not say that signals can't be saved: %d", code)
		}
		if n := p.metric("statuspage_signals_unsaved"); n < float64(len(x.services)) {
			t.Errorf("statuspage_signals_unsaved = %v", n)
		}
		if n := p.said("level=ERROR"); n != errors+1 {
			t.Errorf("%d errors in the log, want one", n-errors)
		}
		if p.said("store is away") != away || p.ready().Store != "up" {
			t.Error("a bad disk of ours is told as a store that is away")
		}
		mend()
		p.awaitReady("signals are saved again", func(r ready) bool { return r.Unsaved == 0 })
		waitFor(t, "the log says that they are", func() bool { return p.said("signals are saved again") == again+1 })
	}
	shown := w.count()
	waitFor(t, "signals go on being shown", func() bool { return w.count() > shown+2*len(x.services) })
	leave()
	if w.failed > 0 || w.slowest > slowestPage {
		t.Errorf("%d of %d looks at the page failed, the slowest took %v", w.failed, w.pages, w.slowest)
	}
	return x, w, p
}

// diskFull takes all room there is.
func diskFull(t *testing.T, dir, database, name string) (*targets, *witness, *product) {
	t.Helper()
	return badDisk(t, dir, database, name, func(*product) { fillUp(t, dir) }, func() { freeUp(t, dir) })
}

func TestDiskFullWithSQLite(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 8)
	store := filepath.Join(dir, "statuspage.db")
	x, w, p := diskFull(t, dir, "sqlite:///"+store, "full")
	p.stop()
	intact(t, store)
	balance(t, x, w, sqliteRecords(t, store), nil)
}

func TestDiskFullWithOutbox(t *testing.T) {
	t.Parallel()
	q, dir := sharedQuestDB(t), smallDisk(t, 8)
	x, w, p := diskFull(t, dir, q.URL(), "fullbox")
	p.handOver(filepath.Join(dir, "outbox.db"))
	intact(t, filepath.Join(dir, "outbox.db"))
	balance(t, x, w, q.records("fullbox"), nil)
}

func TestQuestDBDiskFull(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, 1500)
	// In small steps, or it goes on for long in files that it has made large before.
	q := newQuestDB(t, dir, "QDB_CAIRO_WAL_WRITER_DATA_APPEND_PAGE_SIZE=4k", "QDB_CAIRO_WRITER_DATA_APPEND_PAGE_SIZE=4k",
		"QDB_CAIRO_SYSTEM_WAL_WRITER_DATA_APPEND_PAGE_SIZE=4k", "QDB_CAIRO_WAL_WRITER_EVENT_APPEND_PAGE_SIZE=4k")
	o := newOutage(t, q, "qfull")
	o.during("disk full", pick(time.Minute, 0), func() { fillUp(t, dir) }, func() { freeUp(t, dir) })
	o.settle("qfull")
}
