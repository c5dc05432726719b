package gate

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

const (
	// AddressShare is the part of all connections, one in so many, that one address may have.
	AddressShare = 8
	// MinShare is what an address may have however few there are in all: a browser opens six.
	MinShare = 8
	// ReservedShare is the part that is kept for addresses which have no connection yet.
	ReservedShare = 32
	// stuckAfter is how long after a request its connection counts as one that does not take its answer.
	stuckAfter = 15 * time.Second
	// Leaving is how many connections that had to give way may be on their way out still.
	Leaving = 64 << 10
	// lookedAt is how many connections are looked at for one that can go.
	lookedAt = 512
)

// Connections is the connections that are open, but for those of viewers. When there is no room, or an address has its
// share, a newcomer takes the place of one that nobody uses: first of those that have never asked for anything, or have
// not said all of it, then of those between two requests, then of those whose answer is not taken; of each the one that has
// waited longest. So silence costs others nothing. Only when all are busy is a newcomer turned away.
type Connections struct {
	limit, share, reserved int
	countBy                func(peer netip.Addr) uint64 // 0 for an address that may have any number.
	viewers                func() int
	started                time.Time
	guests                 sync.Map // *guest by net.Conn: the server knows no other name for it, and a wrapper would cost it its writes of head and body at once.

	mu      sync.Mutex
	closed  bool
	all     circle
	parties map[uint64]*circle // By address.
}

// guest is a connection.
type guest struct {
	conn  net.Conn
	from  uint64
	party *circle // Nil for one that is not counted by address.
	at    [2]int  // Where it stands among all, and in its party.
	gone  bool    // Counted out; guarded by Connections.mu.

	since atomic.Int64 // Nanoseconds of our clock, since when it waits; negative while a request of it is served.
	asked atomic.Bool  // At least once.
}

// NewConnections lets limit connections in at a time, less the viewers that there are elsewhere; countBy is what those of a peer
// are counted by, 0 for not by address.
func NewConnections(limit int, countBy func(netip.Addr) uint64, viewers func() int) *Connections {
	return &Connections{
		limit: limit, share: max(MinShare, limit/AddressShare), reserved: limit / ReservedShare,
		countBy: countBy, viewers: viewers, started: time.Now(), parties: make(map[uint64]*circle),
		all: circle{index: 0},
	}
}

// enter lets a connection in, if need be in the place of another.
func (c *Connections) enter(conn net.Conn) bool {
	g := &guest{conn: conn, from: c.countBy(hostOf(conn.RemoteAddr()))}
	now := int64(time.Since(c.started))
	g.since.Store(max(1, now))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	limit := c.limit
	if g.from != 0 {
		if g.party = c.parties[g.from]; g.party == nil {
			g.party = &circle{index: 1}
		}
		if len(g.party.guests) > 0 {
			limit -= c.reserved
		}
		if len(g.party.guests) >= c.share && !c.giveWay(g.party, now) {
			return false
		}
	}
	if len(c.all.guests)+1+c.viewers() > limit && !c.giveWay(&c.all, now) {
		return false
	}
	c.all.add(g)
	if g.party != nil {
		g.party.add(g)
		c.parties[g.from] = g.party // Here, as the last of a party may just have given way.
	}
	c.guests.Store(conn, g)
	return true
}

// giveWay ends the connection in a circle that is needed least; mu must be held.
func (c *Connections) giveWay(in *circle, now int64) bool {
	g := in.idlest(now)
	if g == nil {
		return false
	}
	c.guests.Delete(g.conn)
	c.remove(g)
	_ = g.conn.Close()
	return true
}

// Close lets nobody in any more, and ends connections that have never asked for anything: the server would wait for them.
func (c *Connections) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, g := range c.all.guests {
		if !g.asked.Load() {
			_ = g.conn.Close()
		}
	}
}

// remove counts a connection out; mu must be held.
func (c *Connections) remove(g *guest) {
	if g.gone {
		return // It gave way at the moment when it ended by itself.
	}
	g.gone = true
	c.all.remove(g)
	if g.party == nil {
		return
	}
	if g.party.remove(g); len(g.party.guests) == 0 {
		delete(c.parties, g.from)
	}
}

// Serving notes that a request has arrived in full.
func (c *Connections) Serving(conn net.Conn, at time.Time) {
	if known, ok := c.guests.Load(conn); ok {
		g := known.(*guest) //nolint:forcetypeassert // Nothing else is stored.
		g.since.Store(-max(1, int64(at.Sub(c.started))))
		if !g.asked.Load() {
			g.asked.Store(true)
		}
	}
}

// Follow hears from the server that a connection waits again, is closed, or belongs to the broker.
func (c *Connections) Follow(conn net.Conn, now fasthttp.ConnState) {
	switch now {
	case fasthttp.StateIdle:
		if known, ok := c.guests.Load(conn); ok {
			g := known.(*guest) //nolint:forcetypeassert // Nothing else is stored.
			g.since.Store(max(1, -g.since.Load()))
		}
	case fasthttp.StateClosed, fasthttp.StateHijacked:
		if known, ok := c.guests.LoadAndDelete(conn); ok {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.remove(known.(*guest)) //nolint:forcetypeassert // Nothing else is stored.
		}
	case fasthttp.StateNew, fasthttp.StateActive:
	}
}

// Len is how many connections are open.
func (c *Connections) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all.guests)
}

// circle is connections in no order, and how far they were looked at.
type circle struct {
	index  int // Which of a guest's places is its place here.
	guests []*guest
	hand   int
}

func (c *circle) add(g *guest) {
	g.at[c.index] = len(c.guests)
	c.guests = append(c.guests, g)
}

func (c *circle) remove(g *guest) {
	at, last := g.at[c.index], len(c.guests)-1
	c.guests[at] = c.guests[last]
	c.guests[at].at[c.index] = at
	c.guests[last] = nil
	c.guests = c.guests[:last]
}

// idlest is the connection that can go best among those that are next to be looked at, nil when all are busy.
func (c *circle) idlest(now int64) (best *guest) {
	rank, since := 0, int64(0)
	for range min(lookedAt, len(c.guests)) {
		c.hand = (c.hand + 1) % len(c.guests)
		g := c.guests[c.hand]
		r, s := g.rank(now)
		if r > rank || r == rank && r > 0 && s < since {
			best, rank, since = g, r, s
		}
	}
	return best
}

// rank tells how well a connection can go, 0 for not at all, and since when.
func (g *guest) rank(now int64) (rank int, since int64) {
	since = g.since.Load()
	switch {
	case since > 0 && !g.asked.Load():
		return 3, since
	case since > 0:
		return 2, since
	case now+since > int64(stuckAfter):
		return 1, -since
	default:
		return 0, 0
	}
}
