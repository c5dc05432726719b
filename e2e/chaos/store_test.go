package chaos

import (
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"statuspage/e2e/harness"
	"syscall"
	"testing"
	"time"
)

// slowestPage is how long the page may take on a machine that runs all tests at once; one that
// waits for a store would not come before its time is out.
var slowestPage = pick(time.Second, 3*time.Second)

// stallTold is how long a store that says nothing may go unnoticed: 5.5 s, and what a busy machine takes.
const stallTold = 8 * time.Second

// outage is a product whose store is troubled while it works.
type outage struct {
	t       *testing.T
	q       *questdb
	proxy   *proxy
	targets *targets
	witness *witness
	p       *product
	outbox  string
	leave   func()
	since   time.Time // Of the count; what was before is not looked at.
	excused []span
}

// newOutage starts a product with services whose ids begin with name, and its store well.
func newOutage(t *testing.T, q *questdb, name string) *outage {
	t.Helper()
	return newOutageIn(t, q, name, 10, filepath.Join(t.TempDir(), "outbox.db"))
}

func newOutageIn(t *testing.T, q *questdb, name string, services int, outbox string) *outage {
	t.Helper()
	dir := t.TempDir()
	o := &outage{t: t, q: q, proxy: newProxy(t, q.Address()), targets: newTargets(t, name, services), witness: newWitness(t), outbox: outbox}
	configure(t, dir, o.targets.yaml(harness.StoreURL(o.proxy.Address), o.outbox))
	o.p, _ = start(t, dir)
	o.leave = o.witness.watch(o.p)
	o.p.awaitReady("the store is up", func(r ready) bool { return r.Store == "up" && r.Board == "filled" })
	return o
}

// during makes trouble, waits until the product says so, lets it last, and ends it. The
// page and the stream go on, and one line tells of it. It returns how long it took to be told.
func (o *outage) during(what string, last time.Duration, begin, end func()) (told time.Duration) {
	o.t.Helper()
	away, up := o.p.said("store is away"), o.p.said("store is up")
	began := time.Now()
	begin()
	o.p.awaitReady(what+" is told", func(r ready) bool { return r.Store == "away" })
	told = time.Since(began)
	if o.p.metric("statuspage_store_up") != 0 {
		o.t.Errorf("%s: the metric says that the store is up", what)
	}
	o.t.Logf("%s is told after %v", what, told)
	shown := o.witness.count()
	time.Sleep(last)
	waitFor(o.t, what+": signals go on being shown", func() bool { return o.witness.count() > shown+2*len(o.targets.services) })
	if code, _ := o.p.get("/readyz"); code != http.StatusOK {
		o.t.Errorf("%s: /readyz = %d, want 200: the page can be served", what, code)
	}
	waitFor(o.t, what+" is told in the log", func() bool { return o.p.said("store is away") > away })
	if n := o.p.said("store is away"); n != away+1 {
		o.t.Errorf("%s: told %d times that the store is away, want once", what, n-away)
	}
	ended := time.Now()
	end()
	o.p.awaitReady(what+" is over", func(r ready) bool { return r.Store == "up" })
	waitFor(o.t, what+" is over, says the log", func() bool { return o.p.said("store is up") > up })
	o.t.Logf("%s is over after %v", what, time.Since(ended))
	if n := o.p.said("store is up"); n != up+1 {
		o.t.Errorf("%s: told %d times that the store is up, want once", what, n-up)
	}
	return told
}

// settle ends the product and counts.
func (o *outage) settle(name string) {
	o.t.Helper()
	o.leave()
	o.p.handOver(o.outbox)
	balance(o.t, o.targets, o.witness, slices.DeleteFunc(o.q.records(name), func(r record) bool { return r.at().Before(o.since) }), o.excused)
	if o.witness.failed > 0 || o.witness.slowest > slowestPage {
		o.t.Errorf("%d of %d looks at the page failed, the slowest took %v", o.witness.failed, o.witness.pages, o.witness.slowest)
	}
}

// TestStoreOutOfReach runs one product for each fault that is on the way to QuestDB.
func TestStoreOutOfReach(t *testing.T) {
	t.Parallel()
	q := sharedQuestDB(t)
	last := pick(2*time.Minute, time.Second)
	for _, fault := range []struct {
		name       string
		begin, end func(*outage)
	}{
		{"refused", func(o *outage) { o.proxy.Close() }, func(o *outage) { harness.Must(o.t, o.proxy.Open()) }},
		{
			"stalled",
			func(o *outage) { o.proxy.set(func() { o.proxy.stalled = true }) },
			func(o *outage) { o.proxy.set(func() { o.proxy.stalled = false }) },
		},
		{
			"cut",
			func(o *outage) { o.proxy.set(func() { o.proxy.cutAfter = 1500 }) },
			func(o *outage) {
				o.proxy.set(func() {
					if o.proxy.cutAfter = 0; o.proxy.cuts == 0 {
						o.t.Error("no batch was cut")
					}
				})
			},
		},
		{
			"password",
			func(o *outage) {
				o.proxy.set(func() { o.proxy.spoil, o.proxy.with = []byte("quest\x00"), []byte("quesT\x00") })
				o.proxy.HangUp()
			},
			func(o *outage) { o.proxy.set(func() { o.proxy.spoil = nil }) },
		},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			o := newOutage(t, q, fault.name)
			told := o.during(fault.name, last, func() { fault.begin(o) }, func() { fault.end(o) })
			if t.Logf("told after %v", told); fault.name == "stalled" && told > stallTold {
				t.Error("a stall is told late")
			}
			o.settle(fault.name)
		})
	}
	t.Run("slow", func(t *testing.T) {
		t.Parallel()
		o := newOutage(t, q, "slow")
		o.proxy.set(func() { o.proxy.delay = pick(3*time.Second, 1500*time.Millisecond) })
		shown := o.witness.count()
		time.Sleep(pick(time.Minute, 8*time.Second))
		if o.witness.count() < shown+5*len(o.targets.services) {
			t.Error("signals do not go on being shown")
		}
		waits := o.p.ready().Outbox
		if t.Logf("%d signals wait of %d shown", waits, o.witness.count()); full && waits >= o.witness.count() { // A batch takes longer than the short form.
			t.Error("nothing is shipped by slow answers")
		}
		if n := o.p.said("store is away"); n > 0 {
			t.Errorf("slow answers are told %d times as a store that is away", n)
		}
		o.proxy.set(func() { o.proxy.delay = 0 })
		o.settle("slow")
	})
}

// TestStoreBreaks has one product live through what happens to QuestDB itself.
func TestStoreBreaks(t *testing.T) {
	t.Parallel()
	q := newQuestDB(t, t.TempDir(), "QDB_DEV_MODE_ENABLED=true") // Which lets a table be suspended by a statement.
	o := newOutage(t, q, "break")
	o.during("kill -9", pick(time.Minute, 0), func() { harness.Must(t, q.Signal(syscall.SIGKILL)) }, func() { harness.Must(t, q.Start(t.Context())) })
	if told := o.during("SIGSTOP", pick(3*time.Minute, 0), func() { harness.Must(t, q.Signal(syscall.SIGSTOP)) }, func() { harness.Must(t, q.Signal(syscall.SIGCONT)) }); told > stallTold {
		t.Errorf("a server that stands still is told after %v", told)
	}
	o.suspended()
	o.heals("view dropped", "DROP MATERIALIZED VIEW signals_daily")
	o.settle("break")

	o = newOutage(t, q, "break")
	dropped := time.Now()
	o.heals("table dropped", "DROP TABLE signals") // What was in it is gone; what comes after must not be.
	o.forget(dropped)
	waitFor(t, "signals are shown after the drop", func() bool { return o.witness.count() > 2*len(o.targets.services) })
	o.settle("break")
}

// forget leaves out of the count what was before an instant.
func (o *outage) forget(before time.Time) {
	o.since = before
	o.excused = append(o.excused, span{time.Time{}, before.Add(interval)})
	o.witness.mu.Lock()
	defer o.witness.mu.Unlock()
	o.witness.since = before // Else /signals shows them again.
	maps.DeleteFunc(o.witness.seen, func(_ key, r record) bool { return r.at().Before(before) })
}

// heals breaks something in QuestDB that the product mends by itself.
func (o *outage) heals(what, sql string) {
	o.t.Helper()
	up := o.p.said("store is up")
	if err := o.q.exec(sql); err != nil {
		o.t.Fatal(err)
	}
	o.p.awaitReady(what+" is noticed and mended", func(r ready) bool {
		return r.Store == "up" && o.p.said("store is up") == up+1
	})
}

// suspended suspends the table. A commit that is being applied at that instant lets it go on, so
// it is done again until the product notices.
func (o *outage) suspended() {
	o.t.Helper()
	up, next := o.p.said("store is up"), time.Now()
	waitFor(o.t, "the suspended table is noticed", func() bool {
		if time.Now().After(next) {
			if err := o.q.exec("ALTER TABLE signals SUSPEND WAL"); err != nil {
				o.t.Fatal(err)
			}
			next = time.Now().Add(8 * time.Second) // It looks every five.
		}
		return o.p.said("QuestDB suspended a table, telling it to go on") > 0
	})
	o.p.awaitReady("it goes on", func(r ready) bool { return r.Store == "up" && o.p.said("store is up") > up })
}
