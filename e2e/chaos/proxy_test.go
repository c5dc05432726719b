package chaos

import (
	"bytes"
	"statuspage/e2e/harness"
	"sync"
	"testing"
	"time"
)

// proxy stands between the product and QuestDB, and spoils what passes.
type proxy struct {
	*harness.Proxy

	mu       sync.Mutex
	changed  *sync.Cond
	delay    time.Duration // Before each piece of an answer.
	stalled  bool          // Nothing passes, nothing is refused.
	cutAfter int           // Bytes of a batch after which the connection is cut; 0 never.
	cuts     int
	spoil    []byte // A word of what the product says that is replaced
	with     []byte // by another as long.
}

// newProxy returns one that lets everything pass.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	p := &proxy{Proxy: harness.LaunchProxy(t, target)}
	p.changed = sync.NewCond(&p.mu)
	p.Asked, p.Answered = p.asked, p.answered
	t.Cleanup(func() { p.set(func() { p.stalled = false }) })
	harness.Must(t, p.Open())
	return p
}

// set changes how the proxy behaves.
func (p *proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.changed.Broadcast()
}

// asked handles what the product says.
func (p *proxy) asked(b []byte) ([]byte, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.stalled {
		p.changed.Wait()
	}
	if p.spoil != nil {
		b = bytes.ReplaceAll(b, p.spoil, p.with)
	}
	// Only a batch of signals is so long.
	if p.cutAfter > 0 && len(b) > p.cutAfter {
		p.cuts++
		return b[:p.cutAfter], false
	}
	return b, true
}

// answered handles what QuestDB says.
func (p *proxy) answered(b []byte) ([]byte, bool) {
	p.mu.Lock()
	for p.stalled {
		p.changed.Wait()
	}
	delay := p.delay
	p.mu.Unlock()
	time.Sleep(delay)
	return b, true
}
