package chaos

import (
	"context"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"statuspage/e2e/harness"
	"strings"
	"testing"
	"time"
)

// cutPower leaves the end of a database's log as a power cut may: missing, of zeros, or garbled.
func cutPower(t *testing.T, r *rand.Rand, path string) (what string) {
	t.Helper()
	wal, err := os.ReadFile(path + "-wal")
	if err != nil || len(wal) == 0 {
		t.Fatalf("no log to tear: %d bytes, %v", len(wal), err)
	}
	from := r.IntN(len(wal))
	switch what = []string{"missing", "zeros", "garbled"}[r.IntN(3)]; what {
	case "missing":
		wal = wal[:from]
	case "zeros":
		clear(wal[from:])
	default:
		for i := range wal[from:] {
			wal[from+i] ^= byte(r.IntN(255) + 1)
		}
	}
	if err := os.WriteFile(path+"-wal", wal, 0o600); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(path + "-shm") // Lives in memory only.
	return what
}

// torn kills a product, tears its file's log, and starts it again: it goes on, and what is
// left are whole signals, each of which was measured.
func torn(t *testing.T, name, database, outbox, file string, count func() int) {
	t.Helper()
	r, dir := chance(t), t.TempDir()
	x := newTargets(t, name, 20)
	configure(t, dir, x.yaml(database, outbox))
	for range pick(50, 4) {
		p, _ := start(t, dir)
		asked := x.count()
		waitFor(t, "the product measures", func() bool { return x.count() > asked+3*len(x.services) })
		p.Kill()
		what := cutPower(t, r, file)
		intact(t, file)
		p, took := start(t, dir)
		if took > cleanStart {
			t.Errorf("after a log whose end is %s the start took %v", what, took)
		}
		before := count()
		waitFor(t, "signals are written again", func() bool { return count() > before })
		if p.said("level=ERROR") > 0 {
			t.Errorf("after a log whose end is %s: errors in the log", what)
		}
		p.Kill()
		intact(t, file)
	}
}

func TestTornStore(t *testing.T) {
	t.Parallel()
	store := filepath.Join(t.TempDir(), "statuspage.db")
	torn(t, "torn", "sqlite:///"+store, "outbox.db", store, func() int { return len(sqliteRecords(t, store)) })
	if stored, known := len(sqliteRecords(t, store)), sums(t, store); stored != known {
		t.Errorf("%d signals, and sums of %d", stored, known)
	}
}

// TestTornOutbox has a store that is away, so that everything is in the outbox.
func TestTornOutbox(t *testing.T) {
	t.Parallel()
	box := filepath.Join(t.TempDir(), "outbox.db")
	torn(t, "tornbox", harness.StoreURL("127.0.0.1:1"), box, box, func() int { return waiting(t, box) })
}

// TestUnreadableOutbox finds rubbish where the outbox should be: it is put aside, once, and a new one begun.
func TestUnreadableOutbox(t *testing.T) {
	t.Parallel()
	dir, x := t.TempDir(), newTargets(t, "rubbish", 5)
	box := filepath.Join(dir, "outbox.db")
	configure(t, dir, x.yaml(harness.StoreURL("127.0.0.1:1"), box))
	p, _ := start(t, dir)
	waitFor(t, "signals wait", func() bool { return waiting(t, box) > 0 })
	p.stop()           // A log beside the file would mend it.
	const header = 100 // Bytes.
	garbled, err := os.ReadFile(box)
	if err != nil {
		t.Fatal(err)
	}
	for i := range header {
		garbled[i] ^= 0xA5
	}
	if err := os.WriteFile(box, garbled, 0o600); err != nil {
		t.Fatal(err)
	}
	p, _ = start(t, dir)
	waitFor(t, "signals wait in a new outbox", func() bool { return waiting(t, box) > 0 })
	aside, _ := filepath.Glob(box + ".damaged-*")
	if n := p.said("outbox is damaged"); n != 1 || len(aside) == 0 {
		t.Errorf("told %d times, put aside: %v", n, aside)
	}
	p.Kill()
	kept, err := os.ReadFile(aside[0])
	if err != nil || string(kept) != string(garbled) {
		t.Errorf("what was put aside is not what was there: %d bytes of %d, %v", len(kept), len(garbled), err)
	}
	p, _ = start(t, dir)
	if n := p.said("outbox is damaged"); n != 0 {
		t.Errorf("the new outbox is damaged too, it says %d times", n)
	}
}

// TestUnreadableStore: the history is the operator's, so nothing is put aside or begun anew behind
// his back.
func TestUnreadableStore(t *testing.T) {
	t.Parallel()
	dir, x := t.TempDir(), newTargets(t, "unreadable", 1)
	store := filepath.Join(dir, "statuspage.db")
	configure(t, dir, x.yaml("sqlite:///"+store, "outbox.db"))
	if err := os.WriteFile(store, []byte(strings.Repeat("rubbish ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := harness.Binary()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "serve")
	cmd.Dir = dir
	out, _ := cmd.CombinedOutput()
	if says := string(out); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(says, store) || !strings.Contains(says, "move this one away") ||
		strings.Count(says, "\n") != 1 {
		t.Errorf("exit status %d, and it says: %s", cmd.ProcessState.ExitCode(), says)
	}
}
