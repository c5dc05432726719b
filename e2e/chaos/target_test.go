package chaos

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	interval = time.Second // The shortest there is.
	timeout  = 900 * time.Millisecond
)

// request is what a target was asked, and what it answered.
type request struct {
	at   time.Time
	code int // noAnswer when it left the prober hanging.
}

const noAnswer = -1

// targets are services to watch, each a path of one server. What they answer is chosen by
// chance, so that a signal which was made up would not fit.
type targets struct {
	url      string
	services []string
	interval time.Duration
	timeout  time.Duration
	mu       sync.Mutex
	chance   *rand.Rand
	log      map[string][]request
	hanging  map[string]bool
}

// newTargets returns n services whose ids begin with name.
func newTargets(t *testing.T, name string, n int) *targets {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &targets{url: "http://" + ln.Addr().String(), interval: interval, timeout: timeout, chance: chance(t), log: map[string][]request{}, hanging: map[string]bool{}}
	for i := range n {
		x.services = append(x.services, fmt.Sprintf("%s-%04d", name, i))
	}
	server := &http.Server{ReadHeaderTimeout: patience, Handler: x}
	go server.Serve(ln)
	t.Cleanup(func() { _ = server.Close() })
	return x
}

// ServeHTTP answers and notes what it answered.
func (x *targets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := strings.TrimPrefix(r.URL.Path, "/")
	x.mu.Lock()
	code := []int{200, 200, 200, 200, 200, 200, 204, 404, 500, 503}[x.chance.IntN(10)]
	wait := time.Duration(0)
	switch n := x.chance.IntN(100); {
	case x.hanging[id] || n == 0:
		code = noAnswer
	case n < 10:
		wait = between(x.chance, 0, 200*time.Millisecond)
	}
	x.log[id] = append(x.log[id], request{time.Now(), code})
	x.mu.Unlock()
	if code == noAnswer {
		<-r.Context().Done()
		return
	}
	time.Sleep(wait)
	w.WriteHeader(code)
}

// hang makes a share of the services never answer: every nth of them.
func (x *targets) hang(nth int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i, id := range x.services {
		x.hanging[id] = i%nth == 0
	}
}

// requests is a copy of the log, by service.
func (x *targets) requests() map[string][]request {
	x.mu.Lock()
	defer x.mu.Unlock()
	all := maps.Clone(x.log)
	for id := range all {
		all[id] = slices.Clone(all[id])
	}
	return all
}

func (x *targets) count() (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, all := range x.log {
		n += len(all)
	}
	return n
}

// yaml is a configuration that watches them. HEAD would be asked again with GET where it fails, and each request is to be a signal.
func (x *targets) yaml(database, outbox string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "listen: 127.0.0.1:0\ndatabase: %q\noutbox: %q\nmax_viewers: 6000\ndefaults: {interval: %v, timeout: %v, method: GET}\nservices:\n",
		database, outbox, x.interval, x.timeout)
	for _, id := range x.services {
		fmt.Fprintf(&b, "  - {name: %s, id: %s, url: '%s/%s'}\n", id, id, x.url, id)
	}
	return b.String()
}
