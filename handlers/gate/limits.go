package gate

import (
	"log/slog"
	"math"
	"net/netip"
	"statuspage/internal/sse"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// MaxHeader is how many bytes a request's line and header may have.
const MaxHeader = 16 << 10

// Limits are what clients may take. Zero values mean the defaults.
type Limits struct {
	Requests    Limit          // A second and address, twice as many at once.
	Streams     Limit          // Open at a time and address.
	Proxies     []netip.Prefix // Whose X-Forwarded-For and X-Forwarded-Proto count.
	Connections int            // Open at a time; below what the process may open in all.
	Read        time.Duration  // For a whole request to arrive.
	Write       time.Duration  // For an answer to be taken; streams have limits of their own.
	Idle        time.Duration  // Between two requests.
}

// Limit is one that an address has. Everybody has those that the operator wrote down; the
// others spare clients on the same machine, where a proxy that nobody declared makes all
// visitors one address.
type Limit struct {
	N         int
	Everybody bool
}

const (
	requestsPerAddress = 100
	streamsPerAddress  = 100
	maxConnections     = 64 << 10
	readTimeout        = 10 * time.Second
	writeTimeout       = 30 * time.Second
	idleTimeout        = 60 * time.Second
)

// Filled puts the defaults where nothing is said.
func (l Limits) Filled() Limits {
	or := func(n *int, fallback int) {
		if *n <= 0 {
			*n = fallback
		}
	}
	wait := func(d *time.Duration, fallback time.Duration) {
		if *d <= 0 {
			*d = fallback
		}
	}
	or(&l.Requests.N, requestsPerAddress)
	or(&l.Streams.N, streamsPerAddress)
	or(&l.Connections, maxConnections)
	wait(&l.Read, readTimeout)
	wait(&l.Write, writeTimeout)
	wait(&l.Idle, idleTimeout)
	return l
}

// Limiter holds clients to theirs.
type Limiter struct {
	Limits
	log     *slog.Logger
	rates   *rates
	work    *rates  // Of the time that answers take.
	Looks   *Shares // Beside the usual ones.
	Details *Shares // Services' pages.
	started time.Time
	told    atomic.Bool // That somebody forwards for others and is not trusted.
}

// NewLimiter holds clients to limits that are Filled.
func NewLimiter(l Limits, log *slog.Logger) *Limiter {
	return &Limiter{Limits: l, log: log, rates: newRates(l.Requests.N), work: newRates(1), Looks: newShares(), Details: newShares(), started: time.Now()}
}

// Allow tells whether the client may ask once more now, and if not, when to come back.
func (l *Limiter) Allow(ctx *fasthttp.RequestCtx) (wait time.Duration, ok bool) {
	who := l.asker(ctx)
	if who == 0 {
		return 0, true
	}
	return l.rates.take(who, l.clock(ctx.Time()))
}

// clock is a time by our clock, which is monotonic: steps of the other mean nothing.
func (l *Limiter) clock(t time.Time) int64 {
	since := t.Sub(l.started)
	if since < 0 {
		since = time.Since(l.started) // Only requests that came through no server lack a time.
	}
	return int64(since)
}

const (
	// workShare is the part of one processor, one in so much, for which answers may be made for one address: those that are
	// not at hand. It is wall time, so that on a machine that is too busy who wants most waits first.
	workShare = 2
	// dearest is how much one answer counts at most: the store may be slow. What takes less than cheapest does not count.
	dearest  = time.Second
	cheapest = time.Millisecond
)

// asker is the address by which the client's requests are counted, and the time that their answers take; 0 for not at all.
func (l *Limiter) asker(ctx *fasthttp.RequestCtx) uint64 {
	who, named := l.client(ctx)
	if !l.Requests.holds(who, named) {
		return 0
	}
	return AddressKey(who)
}

// Worked notes how long making an answer took.
func (l *Limiter) Worked(who uint64, begun time.Time) {
	if took := min(time.Since(begun), dearest); who != 0 && took >= cheapest {
		l.work.charge(who, l.clock(begun), int64(took)*workShare)
	}
}

// Counted is what a peer's connections are counted by; 0 for not by address. Those of trusted proxies are of many visitors.
func (l *Limiter) Counted(peer netip.Addr) uint64 {
	if l.trusts(peer) || !l.Requests.holds(peer, false) {
		return 0
	}
	return AddressKey(peer)
}

// StreamsOf is the address by which the client's streams are counted; 0 for not at all.
func (l *Limiter) StreamsOf(ctx *fasthttp.RequestCtx) sse.Address {
	who, named := l.client(ctx)
	if !l.Streams.holds(who, named) {
		return 0
	}
	return sse.Address(AddressKey(who))
}

// holds tells whether a client has this limit; named is one that a trusted proxy named.
func (l Limit) holds(who netip.Addr, named bool) bool {
	return l.Everybody || named || !who.IsLoopback()
}

// AddressKey is what addresses are counted by. An IPv6 client has a /64 to choose from, so it
// counts as one; an IPv4 address is put where no IPv6 client can be, among multicast addresses.
func AddressKey(a netip.Addr) uint64 {
	b := a.As16()
	if a.Is4() {
		return math.MaxUint32<<32 | uint64(b[12])<<24 | uint64(b[13])<<16 | uint64(b[14])<<8 | uint64(b[15])
	}
	return max(1, uint64(b[0])<<56|uint64(b[1])<<48|uint64(b[2])<<40|uint64(b[3])<<32|uint64(b[4])<<24|uint64(b[5])<<16|uint64(b[6])<<8|uint64(b[7]))
}

// Unlimited tells of a path, as it was asked, whether it is for what runs the product, which asks at a pace of its own and costs
// next to nothing.
func Unlimited(path []byte) bool {
	switch string(path) {
	case "/healthz", "/readyz":
		return true
	}
	return false
}

// Begin tells whether an answer may be made for the client now, or when to come back; done notes how long
// it took.
func (l *Limiter) Begin(ctx *fasthttp.RequestCtx) (done func(), wait time.Duration, ok bool) {
	who, begun := l.asker(ctx), time.Now()
	if who == 0 {
		return func() {}, 0, true
	}
	if wait, ok := l.work.free(who, l.clock(begun)); !ok {
		return nil, wait, false
	}
	return func() { l.Worked(who, begun) }, 0, true
}
