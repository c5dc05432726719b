package handlers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"statuspage/handlers/gate"
	"statuspage/internal/sse"
	"sync"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// How many connections the listeners of operators have at a time.
const (
	opsConnections   = 32
	adminConnections = 256
)

// Front is the HTTP side of the product. It listens, and hands each request to the server of
// the configuration that counts, so that a request sees one of them from begin to end.
type Front struct {
	now    atomic.Pointer[server]
	app    *fiber.App // Without routes.
	broker *sse.Broker
	crowd  *gate.Connections
	ops    *fiber.App        // The same for the operator's listener.
	own    *gate.Connections // There.
	admin  *fiber.App        // The same for a listener of the operators' area.
	staff  *gate.Connections // There.
	mu     sync.Mutex        // One Reload or Shutdown at a time.

	listening sync.Mutex // Held for moments only.
	listeners []net.Listener
	ended     bool // By Shutdown.
}

// New builds the server and follows the board from then on, until Shutdown; nothing listens yet.
func New(o Options) (*Front, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	f := &Front{broker: sse.NewBroker(viewers(o), o.Limits.Streams.N, o.Now)}
	s, err := newServer(o, f.broker, nil)
	if err != nil {
		return nil, err
	}
	f.now.Store(s)
	settings := s.app.Config()
	settings.ErrorHandler = func(c *fiber.Ctx, err error) error { return f.server().fail(c, err) }
	f.app, f.ops, f.admin = fiber.New(settings), fiber.New(settings), fiber.New(settings)
	f.app.Server().KeepHijackedConns = true // The broker has them.
	f.app.Server().Logger = quiet{}         // It would write to standard error, past our log.
	f.app.Server().HeaderReceived = func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		s := f.server()
		s.enter(h)
		if room, is := s.manage.Room(h); is {
			return room
		}
		return s.agents.Room(h)
	}
	f.crowd = gate.NewConnections(s.limits.Connections, s.limits.Counted, f.broker.Viewers)
	f.app.Server().ConnState = f.crowd.Follow
	f.app.Server().Handler = func(c *fasthttp.RequestCtx) {
		f.crowd.Serving(c.Conn(), c.Time())
		f.server().receive(c)
	}
	own := gate.NewConnections(opsConnections, func(netip.Addr) uint64 { return 0 }, func() int { return 0 })
	f.own = own
	f.ops.Server().Logger, f.ops.Server().ConnState = quiet{}, own.Follow
	f.ops.Server().Handler = func(c *fasthttp.RequestCtx) {
		own.Serving(c.Conn(), c.Time())
		f.server().ops(c)
	}
	f.staff = gate.NewConnections(adminConnections, s.limits.Counted, func() int { return 0 })
	f.admin.Server().Logger, f.admin.Server().ConnState = quiet{}, f.staff.Follow
	f.admin.Server().HeaderReceived = func(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
		f.server().enter(h)
		return fasthttp.RequestConfig{}
	}
	f.admin.Server().Handler = func(c *fasthttp.RequestCtx) {
		f.staff.Serving(c.Conn(), c.Time())
		f.server().receiveOwn(c)
	}
	return f, nil
}

// viewers is how many there may be: never so many that no connection is left to ask for the page with.
func viewers(o Options) int {
	return max(1, min(o.MaxViewers, o.Limits.Connections-o.Limits.Connections/gate.ReservedShare))
}

func (f *Front) server() *server { return f.now.Load() }

// Reload answers by other options from now on; MaxViewers stays as it was. The options'
// Board must come of the present one by With. Open pages are told to load anew; readers of
// /signals/stream stay and miss nothing.
func (f *Front) Reload(o Options) error {
	if err := o.check(); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.server()
	before.live.Halt()
	next, err := newServer(o, f.broker, before)
	if err != nil {
		return err
	}
	f.now.Store(next)
	before.live.Retire(next.live)
	return nil
}

// Streams tells how many are open, and how many were refused or dropped.
func (f *Front) Streams() *sse.Broker { return f.broker }

// Serve answers on ln until Shutdown. It returns nil after a Shutdown.
func (f *Front) Serve(ln net.Listener) error { return f.serve(f.app, f.crowd, ln) }

// ServeOps answers the operator on a listener of his own until Shutdown: /healthz, /readyz and /metrics, without limits but in the
// number of connections. It returns nil after a Shutdown.
func (f *Front) ServeOps(ln net.Listener) error { return f.serve(f.ops, f.own, ln) }

// ServeAdmin answers operators on a listener of the area's own until Shutdown, with the limits that visitors have. It returns nil after a
// Shutdown.
func (f *Front) ServeAdmin(ln net.Listener) error { return f.serve(f.admin, f.staff, ln) }

func (f *Front) serve(app *fiber.App, conns *gate.Connections, ln net.Listener) error {
	ln = &onceClosed{Listener: ln}
	if !f.listens(ln) {
		return ln.Close()
	}
	// Not App.Listener: a server without routes needs nothing of it, and it brings a start-up banner into the binary.
	return app.Server().Serve(gate.Listen(ln, conns, f.server().log))
}

// listens remembers a listener for Shutdown, or tells that it is too late. fasthttp closes those that it has begun to
// serve, and one that it hasn't yet would be served for ever.
func (f *Front) listens(ln net.Listener) bool {
	f.listening.Lock()
	defer f.listening.Unlock()
	f.listeners = append(f.listeners, ln)
	return !f.ended
}

// leave closes all listeners, and those that are still to come.
func (f *Front) leave() (err error) {
	f.listening.Lock()
	defer f.listening.Unlock()
	f.ended = true
	for _, ln := range f.listeners {
		err = errors.Join(err, ln.Close())
	}
	return err
}

// onceClosed may be closed by several: it is closed once, and all are told how that went.
type onceClosed struct {
	net.Listener
	once sync.Once
	err  error
}

func (l *onceClosed) Close() error {
	l.once.Do(func() { l.err = l.Listener.Close() })
	return l.err
}

// Shutdown ends the streams first, so that browsers reconnect elsewhere, and then waits a
// few seconds for requests on their way.
func (f *Front) Shutdown() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.server().live.Halt()
	f.broker.Close()
	f.crowd.Close()
	f.own.Close()
	f.staff.Close()
	ctx, cancel := context.WithTimeout(context.Background(), shutdownWait)
	defer cancel()
	if err := errors.Join(f.leave(), f.app.ShutdownWithContext(ctx), f.ops.ShutdownWithContext(ctx), f.admin.ShutdownWithContext(ctx)); err != nil {
		return fmt.Errorf("stop HTTP: %w", err)
	}
	return nil
}
