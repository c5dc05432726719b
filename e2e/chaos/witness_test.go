package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"statuspage/e2e/harness"
	"strings"
	"sync"
	"testing"
	"time"
)

// record is a signal as the product tells it, and as a store has it.
type record struct{ harness.Record }

// key is what a signal is known by; there is one region here.
type key struct{ service, received string }

func (r record) key() key { return key{r.Service, r.Received} }

func (r record) at() time.Time {
	at, _ := time.Parse(time.RFC3339Nano, r.Received)
	return at
}

// witness writes down every signal that a visitor could have seen, whatever becomes of the
// process that showed it, and how long the page took to come.
type witness struct {
	t  *testing.T
	mu sync.Mutex
	// seen is by key; the same signal must look the same whenever and wherever it is seen.
	seen    map[key]record
	pages   int
	slowest time.Duration
	failed  int       // Looks at the page that brought none.
	since   time.Time // Signals before are not written down.
}

func newWitness(t *testing.T) *witness {
	t.Helper()
	return &witness{t: t, seen: map[key]record{}}
}

func (w *witness) note(where string, r record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if r.at().Before(w.since) {
		return
	}
	if before, known := w.seen[r.key()]; known && before != r {
		w.t.Errorf("%s shows %+v, which was %+v before", where, r, before)
	}
	w.seen[r.key()] = r
}

func (w *witness) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seen)
}

// watch looks at stream, records and page until the process ends or leave is called.
func (w *witness) watch(p *product) (leave func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { w.stream(ctx, p) })
	all.Go(func() { w.poll(ctx, p, 250*time.Millisecond, w.records) })
	all.Go(func() { w.poll(ctx, p, 100*time.Millisecond, w.page) })
	return func() { cancel(); all.Wait() }
}

// stream reads /signals/stream.
func (w *witness) stream(ctx context.Context, p *product) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL+"/signals/stream", nil)
	if err != nil {
		w.t.Error(err)
		return
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return // It was killed before.
	}
	defer res.Body.Close()
	once := map[key]bool{}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		data, is := strings.CutPrefix(lines.Text(), `data: {`)
		var r record
		if !is || json.Unmarshal([]byte("{"+data), &r) != nil {
			continue // A line that the kill has cut in two was not seen.
		}
		if once[r.key()] {
			w.t.Errorf("the stream brings %v twice", r.key())
		}
		once[r.key()] = true
		w.note("the stream", r)
	}
}

func (w *witness) poll(ctx context.Context, p *product, every time.Duration, look func(*product)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for p.Alive() {
		look(p)
		select {
		case <-ctx.Done():
			return
		case <-p.Ended:
			return
		case <-tick.C:
		}
	}
}

func (w *witness) records(p *product) {
	for _, r := range p.records(w.t, "/signals?limit=10") {
		w.note("/signals", r)
	}
}

// page looks at the page. One that does not come although the process lives is a failure.
func (w *witness) page(p *product) {
	began := time.Now()
	code, _ := p.get("/")
	took := time.Since(began)
	if !p.Alive() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages++
	w.slowest = max(w.slowest, took)
	if code != http.StatusOK {
		w.failed++
	}
}

// records reads /signals; no two records of an answer may be one signal.
func (p *product) records(t *testing.T, path string) (all []record) {
	t.Helper()
	code, body := p.get(path)
	if code == 0 {
		return nil // Killed meanwhile.
	}
	var groups []struct {
		Records []record `json:"records"`
	}
	if err := json.Unmarshal([]byte(body), &groups); err != nil {
		t.Errorf("%s: %d: %v", path, code, err)
	}
	once := map[key]bool{}
	for _, g := range groups {
		for _, r := range g.Records {
			if once[r.key()] {
				t.Errorf("%s has %v twice", path, r.key())
			}
			once[r.key()] = true
			all = append(all, r)
		}
	}
	return all
}
