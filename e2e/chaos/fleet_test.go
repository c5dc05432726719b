package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"statuspage/e2e/harness"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const (
	fleetInterval = 5 * time.Second
	fleetTimeout  = 2 * time.Second
)

// member is one process of several, which may be killed and started again in its place.
type member struct {
	name, role, dir string
	*product
	address atomic.Value // Its URL, for who looks while it is killed and started.
}

func (m *member) start(t *testing.T) {
	t.Helper()
	m.product = launch(t, m.dir, "--role", m.role)
}

// ready waits until it says that it is.
func (m *member) ready(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if m.Listens() {
			if code, _ := m.get("/readyz"); code == http.StatusOK {
				m.address.Store(m.URL)
				return
			}
		}
	}
	t.Fatalf("%s is not ready:\n%s", m.name, m.notable())
}

// fleet is schedulers, workers of two regions and page servers on one Redis and one QuestDB.
type fleet struct {
	t       *testing.T
	x       *targets
	q       *questdb
	redis   *harness.Redis
	members []*member
	regions map[string][]string // Of each service.
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{t: t, x: newTargets(t, "fleet", 30), q: newQuestDB(t, t.TempDir()), redis: harness.LaunchRedis(t), regions: map[string][]string{}}
	f.x.interval, f.x.timeout = fleetInterval, fleetTimeout
	var services strings.Builder
	for i, id := range f.x.services {
		fmt.Fprintf(&services, "  - {name: %s, id: %s, url: '%s/%s'", id, id, f.x.url, id)
		if f.regions[id] = []string{""}; i < 20 {
			f.regions[id] = []string{"eu", "us"}
			services.WriteString(", regions: [eu, us]")
		}
		services.WriteString("}\n")
	}
	for _, m := range []struct{ name, role, region string }{
		{"scheduler-1", "scheduler", "eu"},
		{"scheduler-2", "scheduler", "us"},
		{"scheduler-3", "scheduler", "eu"},
		{"worker-1", "worker", "eu"},
		{"worker-2", "worker", "eu"},
		{"worker-3", "worker", "us"},
		{"worker-4", "worker", "us"},
		{"web-1", "web", "eu"},
		{"web-2", "web", "us"},
	} {
		dir := filepath.Join(t.TempDir(), m.name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		configure(t, dir, fmt.Sprintf("listen: 127.0.0.1:0\ndatabase: %q\noutbox: outbox.db\nqueue: %s\nregion: %s\ndefaults: {interval: %v, timeout: %v, method: GET}\nservices:\n%s",
			f.q.URL(), f.redis.URL(), m.region, fleetInterval, fleetTimeout, services.String()))
		f.members = append(f.members, &member{name: m.name, role: m.role, dir: dir})
	}
	for _, m := range f.members {
		m.start(t)
	}
	for _, m := range f.members {
		m.ready(t)
	}
	return f
}

func (f *fleet) of(role string) (all []*member) {
	for _, m := range f.members {
		if m.role == role {
			all = append(all, m)
		}
	}
	return all
}

// rest lets a time pass in which nothing is broken.
func rest(d time.Duration) { time.Sleep(d) }

// TestFleet breaks everything that several processes have, one thing at a time, and then
// counts: each slot of each check and region has one signal.
func TestFleet(t *testing.T) {
	t.Parallel()
	f, r := newFleet(t), chance(t)
	rest(2 * fleetInterval)
	from := time.Now()
	w := newRecords()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var watching sync.WaitGroup
	watching.Go(func() { w.follow(ctx, f.of("web")) })

	t.Log("one of each kind is killed, again and again")
	for i, until := 0, time.Now().Add(pick(2*time.Minute, 12*time.Second)); time.Now().Before(until); i++ {
		kind := f.of([]string{"worker", "scheduler", "worker", "web"}[i%4])
		m := kind[r.IntN(len(kind))]
		m.Kill()
		rest(between(r, 0, time.Second))
		m.start(t)
		m.ready(t)
		rest(between(r, time.Second, 3*time.Second))
	}
	f.breakRedis(r)
	f.pauseWorker(r)
	t.Log("the database stands still")
	harness.Must(t, f.q.Signal(syscall.SIGSTOP))
	rest(pick(30*time.Second, 4*time.Second))
	harness.Must(t, f.q.Signal(syscall.SIGCONT))
	rest(2 * fleetInterval)

	to := time.Now().Add(-fleetInterval)
	f.agree()
	leave()
	watching.Wait()
	for _, m := range f.members {
		m.stop()
	}
	f.count(from, to, w.all())
}

func (f *fleet) breakRedis(r *rand.Rand) {
	f.t.Helper()
	f.t.Log("Redis is killed, and comes back with its data")
	f.redis.Kill()
	rest(between(r, 0, 2*time.Second))
	harness.Must(f.t, f.redis.Start(context.Background()))
	rest(fleetInterval)
	f.t.Log("Redis is killed, and comes back without")
	f.redis.Kill()
	harness.Must(f.t, f.redis.Empty())
	rest(between(r, 0, 2*time.Second))
	harness.Must(f.t, f.redis.Start(context.Background()))
	rest(fleetInterval)
	f.t.Log("Redis stands still")
	harness.Must(f.t, f.redis.Signal(syscall.SIGSTOP))
	rest(pick(30*time.Second, 4*time.Second))
	harness.Must(f.t, f.redis.Signal(syscall.SIGCONT))
	rest(fleetInterval)
}

// pauseWorker stops a worker for two intervals: when it wakes up, it measures nothing late.
func (f *fleet) pauseWorker(r *rand.Rand) {
	f.t.Helper()
	f.t.Log("a worker stands still for two intervals")
	workers := f.of("worker")
	m := workers[r.IntN(len(workers))]
	_ = m.Cmd.Process.Signal(syscall.SIGSTOP)
	rest(2 * fleetInterval)
	_ = m.Cmd.Process.Signal(syscall.SIGCONT)
	rest(fleetInterval)
}

// agree waits until both page servers tell the same.
func (f *fleet) agree() {
	f.t.Helper()
	web := f.of("web")
	var a, b string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		_, one := web[0].get("/signals?limit=12")
		_, two := web[1].get("/signals?limit=12")
		if a, b = one, two; a == b && strings.Contains(a, `"received"`) {
			return
		}
	}
	f.t.Errorf("the page servers do not agree:\n%.600s\n%.600s", a, b)
}

// count compares the database with the slots there were, and with what was shown.
func (f *fleet) count(from, to time.Time, shown map[string]bool) {
	f.t.Helper()
	conn, err := f.q.Connect(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	stored, rows := map[string]map[int64]int{}, 0
	got, err := conn.Query(f.t.Context(), "SELECT service, coalesce(region, ''), received FROM signals")
	if err != nil {
		f.t.Fatal(err)
	}
	for got.Next() {
		var service, region string
		var received time.Time
		if err := got.Scan(&service, &region, &received); err != nil {
			f.t.Fatal(err)
		}
		of := service + "@" + region
		if stored[of] == nil {
			stored[of] = map[int64]int{}
		}
		stored[of][received.UnixMicro()]++
		delete(shown, of+"@"+received.UTC().Format(time.RFC3339Nano))
		rows++
	}
	if err := got.Err(); err != nil {
		f.t.Fatal(err)
	}
	slots, missing, double := 0, 0, 0
	for id, regions := range f.regions {
		for _, region := range regions {
			of := id + "@" + region
			at := slices.Sorted(maps.Keys(stored[of]))
			if len(at) == 0 {
				f.t.Fatalf("%s has no signals", of)
			}
			phase := at[0] % fleetInterval.Microseconds()
			for _, us := range at {
				if us%fleetInterval.Microseconds() != phase {
					f.t.Errorf("%s has a signal at %v, which is no slot", of, time.UnixMicro(us).UTC())
				}
				if stored[of][us] > 1 {
					double++
				}
			}
			f.punctual(id, phase)
			for slot := at[0]; slot < to.UnixMicro(); slot += fleetInterval.Microseconds() {
				if slot < from.UnixMicro() {
					continue
				}
				if slots++; stored[of][slot] == 0 {
					if missing++; missing <= 10 {
						f.t.Errorf("%s: the slot of %v has no signal", of, time.UnixMicro(slot).UTC().Format(time.RFC3339Nano))
					}
				}
			}
		}
	}
	f.t.Logf("%d slots in %v; %d missing, %d double; %d rows in all", slots, to.Sub(from).Round(time.Second), missing, double, rows)
	if double > 0 || missing > 10 {
		f.t.Errorf("%d missing, %d double", missing, double)
	}
	if len(shown) > 0 {
		f.t.Errorf("%d signals were shown and are lost, such as %v", len(shown), slices.Sorted(maps.Keys(shown))[0])
	}
}

// punctual holds that no target was asked between the last instant at which a run may begin
// and the next slot.
func (f *fleet) punctual(id string, phase int64) {
	f.t.Helper()
	const slack = 300 * time.Millisecond
	for _, r := range f.x.requests()[id] {
		after := time.Duration((r.at.UnixMicro()-phase)%fleetInterval.Microseconds()) * time.Microsecond
		if after > fleetInterval*3/4+slack && after < fleetInterval-slack {
			f.t.Errorf("%s was asked %v after its slot", id, after)
		}
	}
}

// records is what page servers have told.
type records struct {
	mu   sync.Mutex
	seen map[string]bool
}

func newRecords() *records { return &records{seen: map[string]bool{}} }

func (w *records) all() map[string]bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.seen)
}

// follow asks page servers for their records, until ctx ends.
func (w *records) follow(ctx context.Context, web []*member) {
	for i := 0; ctx.Err() == nil; i++ {
		w.look(web[i%len(web)])
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (w *records) look(m *member) {
	url, ok := m.address.Load().(string)
	if !ok {
		return
	}
	answer, err := client.Get(url + "/signals?limit=5")
	if err != nil {
		return // It may just have been killed.
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	var groups []struct {
		Records []struct{ Service, Region, Received string }
	}
	if err != nil || json.Unmarshal(body, &groups) != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, g := range groups {
		for _, r := range g.Records {
			if at, err := time.Parse(time.RFC3339Nano, r.Received); err == nil {
				w.seen[r.Service+"@"+r.Region+"@"+at.UTC().Format(time.RFC3339Nano)] = true
			}
		}
	}
}
