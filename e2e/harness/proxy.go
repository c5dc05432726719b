package harness

import (
	"net"
	"sync"
)

// Proxy is a wire to a server, at one address for all its lives: it can be away, and be cut. Asked
// and Answered, where they are set before it opens, see each piece of what passes to the server
// and back, and say what goes on instead, and whether the connection does.
type Proxy struct {
	Address  string
	Asked    func([]byte) (instead []byte, goOn bool)
	Answered func([]byte) (instead []byte, goOn bool)

	target   string
	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]bool
	passing  sync.WaitGroup
}

// NewProxy returns one that is away: its address refuses connections.
func NewProxy(target string) (*Proxy, error) {
	pass := func(b []byte) ([]byte, bool) { return b, true }
	address, err := FreeAddress()
	return &Proxy{Address: address, Asked: pass, Answered: pass, target: target, conns: map[net.Conn]bool{}}, err
}

// Open lets connections through.
func (p *Proxy) Open() error {
	l, err := net.Listen("tcp", p.Address)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.listener = l
	p.mu.Unlock()
	p.passing.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			p.through(in)
		}
	})
	return nil
}

// through connects a visitor with the server, unless the proxy has been closed meanwhile.
func (p *Proxy) through(in net.Conn) {
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = in.Close()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		_, _ = in.Close(), out.Close()
		return
	}
	p.conns[in], p.conns[out] = true, true
	p.passing.Go(func() { pass(in, out, p.Asked) })
	p.passing.Go(func() { pass(out, in, p.Answered) })
}

// Close refuses new connections and cuts those that are.
func (p *Proxy) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	p.hangUp()
}

// HangUp cuts the connections that are.
func (p *Proxy) HangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hangUp()
}

func (p *Proxy) hangUp() {
	for c := range p.conns {
		_ = c.Close()
	}
	clear(p.conns)
}

// Wait waits until nothing passes any more, after Close.
func (p *Proxy) Wait() { p.passing.Wait() }

// pass hands pieces on, each as through has it.
func pass(from, to net.Conn, through func([]byte) ([]byte, bool)) {
	defer to.Close()   //nolint:errcheck // The other side may have closed it.
	defer from.Close() //nolint:errcheck // The same.
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
