package chaos

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"
)

// proxy stands between the product and QuestDB.
type proxy struct {
	address, target string

	mu       sync.Mutex
	changed  *sync.Cond
	listener net.Listener
	conns    map[net.Conn]bool
	delay    time.Duration // Before each piece of an answer.
	stalled  bool          // Nothing passes, nothing is refused.
	cutAfter int           // Bytes of a batch after which the connection is cut; 0 never.
	cuts     int
	spoil    []byte // A word of what the product says that is replaced
	with     []byte // by another as long.
	done     sync.WaitGroup
}

// newProxy returns one that lets everything pass.
func newProxy(t *testing.T, target string) *proxy {
	t.Helper()
	p := &proxy{target: target, conns: map[net.Conn]bool{}}
	p.changed = sync.NewCond(&p.mu)
	p.open(t)
	t.Cleanup(func() {
		p.close()
		p.set(func() { p.stalled = false })
		p.done.Wait()
	})
	return p
}

// set changes how the proxy behaves.
func (p *proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.changed.Broadcast()
}

// open listens, at the same address each time.
func (p *proxy) open(t *testing.T) {
	t.Helper()
	address := p.address
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	p.set(func() { p.listener = l })
	p.done.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", p.target)
			if err != nil {
				_ = in.Close()
				continue
			}
			p.set(func() { p.conns[in], p.conns[out] = true, true })
			p.done.Go(func() { p.pass(in, out, p.asked) })
			p.done.Go(func() { p.pass(out, in, p.answered) })
		}
	})
}

// close refuses new connections and cuts those that are.
func (p *proxy) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.hangUp()
}

func (p *proxy) hangUp() {
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// pass hands pieces on; what each may do is decided by through.
func (p *proxy) pass(from, to net.Conn, through func([]byte) ([]byte, bool)) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 16<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			piece, goOn := through(buf[:n])
			if _, err := to.Write(piece); err != nil || !goOn {
				return
			}
		}
		if err != nil {
			return
		}
	}
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
