// Package gate says who may come in, before anything is read of what they ask: how many connections, requests
// and streams an address may have. One address never takes what belongs to all.
package gate

import (
	"bytes"
	"net"
	"net/netip"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"
	"github.com/valyala/fasthttp"
)

// maxHops is how many entries of X-Forwarded-For are looked at, from the nearest on.
const maxHops = 32

var (
	headForwardedFor   = []byte(fiber.HeaderXForwardedFor)
	headForwardedProto = []byte(fiber.HeaderXForwardedProto)
	protoHTTPS         = []byte("https")
	comma              = []byte(",")
)

// client is who asks: the peer of the connection, or, if that is a trusted proxy, the nearest
// address in X-Forwarded-For that is none. What stands beyond that one may be made up. named
// tells that a proxy named it.
func (l *Limiter) client(ctx *fasthttp.RequestCtx) (who netip.Addr, named bool) {
	who = peerOf(ctx)
	if !l.trusts(who) {
		return who, false
	}
	hops := 0
	for _, header := range slices.Backward(ctx.Request.Header.PeekAll(fiber.HeaderXForwardedFor)) {
		for {
			at := bytes.LastIndex(header, comma)
			a, ok := parseHop(header[at+1:])
			if hops++; !ok || hops > maxHops {
				return who, named
			}
			if who, named = a, true; !l.trusts(a) || at < 0 {
				break
			}
			header = header[:at]
		}
		if !l.trusts(who) {
			break
		}
	}
	return who, named
}

// Warn tells the log once that somebody forwards for others whom nobody trusts.
func (l *Limiter) Warn(ctx *fasthttp.RequestCtx) {
	if l.told.Load() || len(ctx.Request.Header.PeekBytes(headForwardedFor)) == 0 {
		return
	}
	if peer := peerOf(ctx); !l.trusts(peer) && l.told.CompareAndSwap(false, true) {
		l.log.Warn("X-Forwarded-For from an address that is not trusted is ignored; if a proxy of yours stands there, set trusted_proxies", "peer", peer.String())
	}
}

// peerOf is the other end of the connection.
func peerOf(ctx *fasthttp.RequestCtx) netip.Addr { return hostOf(ctx.RemoteAddr()) }

func hostOf(peer net.Addr) netip.Addr {
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return netip.IPv6Loopback() // A socket of the machine.
	}
	a, ok := netip.AddrFromSlice(tcp.IP)
	if !ok {
		return netip.IPv6Loopback()
	}
	return a.Unmap()
}

func (l *Limiter) trusts(a netip.Addr) bool {
	for _, p := range l.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// parseHop reads an entry of X-Forwarded-For, which some proxies write with a port.
func parseHop(entry []byte) (netip.Addr, bool) {
	text := utils.UnsafeString(bytes.TrimSpace(entry))
	a, err := netip.ParseAddr(text)
	if err != nil {
		p, err := netip.ParseAddrPort(text)
		if err != nil {
			return a, false
		}
		a = p.Addr()
	}
	return a.Unmap().WithZone(""), true
}

// OverTLS tells whether a trusted proxy says that the visitor came over TLS. The last word is
// that of the nearest proxy.
func (l *Limiter) OverTLS(ctx *fasthttp.RequestCtx) bool {
	if len(l.Proxies) == 0 || !l.trusts(peerOf(ctx)) {
		return false
	}
	proto := ctx.Request.Header.PeekBytes(headForwardedProto)
	return bytes.EqualFold(bytes.TrimSpace(proto[bytes.LastIndex(proto, comma)+1:]), protoHTTPS)
}

// Who is the client's address, and what its failures are counted by; 0 for not by address, as with requests.
func (l *Limiter) Who(ctx *fasthttp.RequestCtx) (address netip.Addr, key uint64) {
	who, _ := l.client(ctx)
	return who, l.asker(ctx)
}
