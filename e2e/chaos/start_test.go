package chaos

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStartOnBadDisk starts the product on a disk that is full or read-only, empty or with a past: the page is there at
// once and says that nothing can be saved, one error is in the log, and all is saved and read when the disk is well,
// without a restart.
func TestStartOnBadDisk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		questdb, past bool
		spoil, mend   func(*testing.T, string)
	}{
		"fullnew":  {false, false, fillUp, freeUp},
		"fullpast": {false, true, fillUp, freeUp},
		"fullbox":  {true, true, fillUp, freeUp},
		"ronew":    {false, false, readOnly, writable},
		"ropast":   {false, true, readOnly, writable},
		"robox":    {true, true, readOnly, writable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, conf := smallDisk(t, 8), t.TempDir()
			x, w := newTargets(t, "bad"+name, 10), newWitness(t)
			store, box := filepath.Join(dir, "statuspage.db"), filepath.Join(dir, "outbox.db")
			database := "sqlite:///" + store
			stored := func() []record { return sqliteRecords(t, store) }
			if c.questdb {
				q := sharedQuestDB(t)
				database, store = q.URL(), box
				stored = func() []record { return q.records("bad" + name) }
			}
			configure(t, conf, x.yaml(database, box))
			before := 0
			if c.past {
				p, _ := start(t, conf)
				leave := w.watch(p)
				waitFor(t, "signals are shown", func() bool { return w.count() > 2*len(x.services) })
				leave()
				p.stop()
				before = w.count()
			}
			c.spoil(t, dir)
			p, took := start(t, conf)
			if took > cleanStart {
				t.Errorf("the start took %v", took)
			}
			leave := w.watch(p)
			p.awaitReady("the disk is told", func(r ready) bool { return r.Ready && r.Unsaved > 0 })
			time.Sleep(pick(time.Minute, 3*time.Second))
			shown := w.count()
			waitFor(t, "signals go on being shown", func() bool { return w.count() > shown+2*len(x.services) })
			if code, page := p.get("/"); code != http.StatusOK || !strings.Contains(page, "New signals can&#39;t be saved") {
				t.Errorf("the page does not say that signals can't be saved: %d", code)
			}
			if n := p.metric("statuspage_signals_unsaved"); n < float64(len(x.services)) {
				t.Errorf("statuspage_signals_unsaved = %v", n)
			}
			if n := p.said("level=ERROR"); n != 1 {
				t.Errorf("%d errors in the log, want one", n)
			}
			if n := p.said("the disk is full or read-only"); n > 1 || n == 0 && !strings.HasPrefix(name, "full") { // A file that has room may be opened on a full disk.
				t.Errorf("told %d times what is wrong with the disk", n)
			}
			c.mend(t, dir)
			p.awaitReady("all is well", func(r ready) bool { return r.Ready && r.Store == "up" && r.Board == "filled" && r.Unsaved == 0 })
			waitFor(t, "the log says that signals are saved", func() bool { return p.said("signals are saved again") == 1 })
			if n := len(p.records(t, "/signals?limit=1440")); n < before {
				t.Errorf("%d signals are on the page, %d were before the start", n, before)
			}
			shown = w.count()
			waitFor(t, "signals go on being shown", func() bool { return w.count() > shown+2*len(x.services) })
			leave()
			if w.failed > 0 || w.slowest > slowestPage {
				t.Errorf("%d of %d looks at the page failed, the slowest took %v", w.failed, w.pages, w.slowest)
			}
			p.stop()
			intact(t, store)
			balance(t, x, w, stored(), nil)
		})
	}
}

func readOnly(t *testing.T, dir string) { t.Helper(); remount(t, dir, "ro") }
func writable(t *testing.T, dir string) { t.Helper(); remount(t, dir, "rw") }
