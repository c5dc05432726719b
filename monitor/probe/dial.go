package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	maxDials     = 3  // Connections for one request: the first, and two in place of ones that ended without an answer.
	maxAddresses = 16 // Addresses of a name that are tried for one connection; browsers see fewer before they give up.
)

var (
	errTooManyDials     = fmt.Errorf("gave up after %d connections that ended without an answer", maxDials)
	errTooManyAddresses = fmt.Errorf("gave up after %d addresses", maxAddresses)
)

// dialer connects where the guard lets it, without a guard everywhere, and tells failures of
// ours from those of the target.
type dialer struct {
	net.Dialer
	guard *Guard
}

// dialer returns one whose connections have this keep-alive, as net.Dialer has it.
func (p *Prober) dialer(keepAlive time.Duration) *dialer {
	return &dialer{Dialer: net.Dialer{Resolver: p.o.Resolver, KeepAlive: keepAlive}, guard: p.o.Guard}
}

// DialContext connects to host:port. When it fails and the guard has refused an address on the
// way, that is what it tells: nobody knows what would have come of the refused one.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	// HTTP/2 of net/http asks anew, without a pause or a limit, when a server ends a connection before it has looked at
	// the request.
	if watch, _ := ctx.Value(watchKey{}).(*stopwatch); watch != nil && watch.dials.Add(1) > maxDials {
		return nil, errTooManyDials
	}
	if d.guard == nil && isLiteral(address) {
		return d.Dialer.DialContext(ctx, network, address)
	}
	var (
		names   lookup
		tried   atomic.Int32
		refused atomic.Pointer[netip.Addr]
		bound   = d.Dialer
	)
	bound.Resolver = names.watch(d.Resolver)
	bound.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
		if tried.Add(1) > maxAddresses {
			return errTooManyAddresses
		}
		if d.guard == nil {
			return nil
		}
		to, err := netip.ParseAddrPort(address)
		if err == nil && d.guard.Permits(to.Addr()) {
			return nil
		}
		at := to.Addr()
		refused.Store(&at)
		return ErrGuarded
	}
	conn, err := bound.DialContext(ctx, network, address)
	if err == nil {
		return conn, nil
	}
	if at := refused.Load(); at != nil {
		return nil, fmt.Errorf("connect to %v: %w", at, ErrGuarded)
	}
	return nil, names.blame(err)
}

func isLiteral(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(host)
	return err == nil
}

// lookup watches the sockets of one name's look-up. net.DNSError does not wrap what happened to
// them, and when one of the two questions, for IPv4 and for IPv6, could not be asked, the answer
// to the other is told as that of both.
type lookup struct {
	shortage atomic.Pointer[error] // Of this machine.
	broken   atomic.Pointer[error] // What else a socket met, time apart.
	answered atomic.Bool           // A name server said something.
}

// watch returns a resolver like base that asks through watched sockets; it looks up what it is
// asked for itself, and shares nothing with another look-up of the same name.
func (l *lookup) watch(base *net.Resolver) *net.Resolver {
	watched, dial := new(net.Resolver), new(net.Dialer).DialContext
	if base != nil {
		watched.PreferGo, watched.StrictErrors = base.PreferGo, base.StrictErrors
		if base.Dial != nil {
			dial = base.Dial
		}
	}
	watched.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		l.note(err)
		switch c := conn.(type) {
		case nil:
			return nil, err
		case *net.UDPConn: // The resolver speaks as to a stream with what is no packet connection.
			return &questions{c, l}, nil
		default:
			return &longQuestions{c, l}, nil
		}
	}
	return watched
}

func (l *lookup) note(err error) {
	var timeout net.Error
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.As(err, &timeout) && timeout.Timeout():
	case short(err):
		l.shortage.Store(&err)
	default:
		l.broken.Store(&err)
	}
}

func (l *lookup) read(n int, err error) (int, error) {
	if n > 0 {
		l.answered.Store(true)
	}
	l.note(err)
	return n, err
}

// blame tells whose fault it is that no connection came about: with a question that we could not
// ask, or name servers of ours that nobody reaches, the target had no part in it.
func (l *lookup) blame(err error) error {
	if cause := l.shortage.Load(); cause != nil {
		return &ourError{fmt.Errorf("%w (looking it up: %w)", err, *cause)}
	}
	var dns *net.DNSError
	if cause := l.broken.Load(); cause != nil && !l.answered.Load() && errors.As(err, &dns) {
		return &ourError{fmt.Errorf("%w (no name server answers: %w)", err, *cause)}
	}
	return err
}

// questions is a socket to a name server.
type questions struct {
	*net.UDPConn
	lookup *lookup
}

func (c *questions) Read(b []byte) (int, error) { return c.lookup.read(c.UDPConn.Read(b)) }

func (c *questions) Write(b []byte) (int, error) {
	n, err := c.UDPConn.Write(b)
	c.lookup.note(err)
	return n, err
}

// longQuestions is a stream to a name server, for answers that no packet holds.
type longQuestions struct {
	net.Conn
	lookup *lookup
}

func (c *longQuestions) Read(b []byte) (int, error) { return c.lookup.read(c.Conn.Read(b)) }

func (c *longQuestions) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.lookup.note(err)
	return n, err
}
