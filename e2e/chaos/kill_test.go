package chaos

import (
	"path/filepath"
	"testing"
	"time"
)

// cleanStart is how long after exec the page is there at the latest; beside other tests it takes
// longer.
var cleanStart = pick(2*time.Second, 5*time.Second)

func TestKilledWithSQLite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := filepath.Join(dir, "statuspage.db")
	k := newKills(t, dir, "lite", "sqlite:///"+store, store)
	k.repeat(pick(200, 12))
	k.last.stop()
	intact(t, store)
	l := balance(t, k.targets, k.witness, sqliteRecords(t, store), k.spans)
	if n := sums(t, store); n != l.stored {
		t.Errorf("the sums know of %d signals, %d are stored", n, l.stored)
	}
}

func TestKilledWithQuestDB(t *testing.T) {
	t.Parallel()
	dir, q := t.TempDir(), sharedQuestDB(t)
	k := newKills(t, dir, "quest", q.URL(), filepath.Join(dir, "outbox.db"))
	k.repeat(pick(200, 12))
	k.last.handOver(k.file)
	intact(t, k.file)
	balance(t, k.targets, k.witness, q.records("quest"), k.spans)
}

// kills is a product that is killed again and again while it works.
type kills struct {
	t       *testing.T
	dir     string
	file    string // SQLite's, which must be intact after each kill.
	targets *targets
	witness *witness
	last    *product
	spans   []span
}

func newKills(t *testing.T, dir, name, database, file string) *kills {
	t.Helper()
	k := &kills{t: t, dir: dir, file: file, targets: newTargets(t, name, 60), witness: newWitness(t)}
	configure(t, dir, k.targets.yaml(database, filepath.Join(dir, "outbox.db")))
	return k
}

// repeat kills the product n times at instants of chance; the last one is left alive.
func (k *kills) repeat(n int) {
	k.t.Helper()
	r := chance(k.t)
	var slowest time.Duration
	for range n {
		p, took := start(k.t, k.dir)
		slowest = max(slowest, took)
		leave := k.witness.watch(p)
		time.Sleep(between(r, 0, pick(3*time.Second, 2*time.Second))) // While it starts, measures, writes, ships.
		p.Kill()
		killed := time.Now()
		leave()
		// What it sent last may be read by the target when it is dead.
		k.spans = append(k.spans, span{killed.Add(-unsaved), killed.Add(interval)})
		intact(k.t, k.file)
	}
	shown := k.witness.count()
	p, took := start(k.t, k.dir)
	slowest = max(slowest, took)
	k.last = p
	leave := k.witness.watch(p)
	waitFor(k.t, "the last start measures", func() bool { return k.witness.count() > shown+len(k.targets.services) })
	leave()
	if slowest > cleanStart {
		k.t.Errorf("the slowest of %d starts took %v, want %v", n+1, slowest, cleanStart)
	}
	if shown == 0 {
		k.t.Error("nothing was shown before the last start")
	}
	k.t.Logf("%d kills, slowest start %v, %d looks at the page, slowest %v", n, slowest, k.witness.pages, k.witness.slowest)
}
