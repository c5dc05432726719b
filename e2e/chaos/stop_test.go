package chaos

import (
	"bufio"
	"net"
	"path/filepath"
	"statuspage/e2e/harness"
	"strings"
	"sync"
	"testing"
	"time"
)

// viewer is an open stream.
type viewer struct {
	conn  net.Conn
	retry string // What the browser is told to wait before it reconnects.
	err   error  // Nil when the stream ended in order.
}

// viewers opens n streams of a service's page and reads them until they end.
func viewers(t *testing.T, p *product, service string, n int) (all []*viewer, ended *sync.WaitGroup) {
	t.Helper()
	ended = &sync.WaitGroup{}
	var told sync.WaitGroup
	for range n {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write([]byte("GET /events?service=" + service + " HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		v := &viewer{conn: conn}
		all = append(all, v)
		told.Add(1)
		ended.Go(func() {
			defer conn.Close()
			once := sync.OnceFunc(told.Done)
			defer once()
			lines := bufio.NewScanner(conn)
			lines.Buffer(nil, 1<<20)
			for lines.Scan() {
				if retry, is := strings.CutPrefix(lines.Text(), "retry: "); is {
					v.retry = retry
					once()
				}
			}
			v.err = lines.Err()
		})
	}
	told.Wait()
	return all, ended
}

// TestStopWithViewersAndProbes stops a product that is watched by many and waits for targets that
// do not answer.
func TestStopWithViewersAndProbes(t *testing.T) {
	t.Parallel()
	for _, engine := range []string{"sqlite", "away"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			store, box := filepath.Join(dir, "statuspage.db"), filepath.Join(dir, "outbox.db")
			database := "sqlite:///" + store
			if engine == "away" {
				database = harness.StoreURL("127.0.0.1:1")
			}
			x, w := newTargets(t, "stop", pick(500, 50)), newWitness(t)
			x.hang(1)
			x.timeout, x.interval = 55*time.Second, 5*time.Minute
			configure(t, dir, x.yaml(database, box))
			p, _ := start(t, dir)
			all, ended := viewers(t, p, x.services[0], pick(5000, 500))
			waitFor(t, "probes hang", func() bool { return p.metric("statuspage_probes_in_flight") >= 0.95*float64(len(x.services)) })
			if n := p.metric("statuspage_viewers"); n != float64(len(all)) {
				t.Errorf("%v viewers, want %d", n, len(all))
			}
			took := p.stop()
			ended.Wait()
			t.Logf("stopped within %v with %d viewers and %d probes in flight", took, len(all), len(x.services))
			if took > 10*time.Second {
				t.Errorf("the stop took %v", took)
			}
			waits := map[string]bool{}
			for _, v := range all {
				waits[v.retry] = true
				if v.err != nil {
					t.Fatalf("a stream ended with %v", v.err)
				}
			}
			if len(waits) < len(all)/10 || waits[""] {
				t.Errorf("%d viewers come back after %d different times", len(all), len(waits))
			}
			// A probe that we ended is no signal: it says nothing of the target.
			var stored int
			if engine == "sqlite" {
				intact(t, store)
				stored = len(sqliteRecords(t, store))
			} else {
				intact(t, box)
				stored = waiting(t, box)
			}
			if stored != 0 || w.count() != 0 {
				t.Errorf("%d signals of probes that did not end", stored)
			}
		})
	}
}
