package probe

import (
	"errors"
	"net/netip"
)

// ErrGuarded is why a probe did not measure: the guard refuses an address of the target. That
// is the operator's policy and no failure of the target.
var ErrGuarded = errors.New("address refused by the guard")

// Guard decides which addresses may be connected to. It looks at the address that a connection
// is about to be made to, after names are resolved, so that neither a redirect nor a name
// that resolves differently each time gets around it. The zero value lets public addresses
// through and no others.
type Guard struct {
	Allow []netip.Prefix // Let through although not public.
	Deny  []netip.Prefix // Refused in any case.
}

// notPublic are the stretches of IPv4 and of 2000::/3 that belong to nobody's public services:
// https://www.iana.org/assignments/iana-ipv4-special-registry and its IPv6 sister.
var notPublic = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // Azure's metadata, the one of all clouds outside of the above.
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")
	nat64         = netip.MustParsePrefix("64:ff9b::/96") // An IPv4 address in its last four bytes.
)

func prefixes(texts ...string) (all []netip.Prefix) {
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

func within(all []netip.Prefix, a netip.Addr) bool {
	for _, p := range all {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// Permits tells whether an address may be connected to. Deny beats Allow, and Allow the
// guard's own list. An IPv4 address inside an IPv6 one counts as what it is.
func (g *Guard) Permits(a netip.Addr) bool {
	a = a.WithZone("").Unmap()
	plain := a
	if nat64.Contains(a) {
		bytes := a.As16()
		plain = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	switch {
	case !a.IsValid(), within(g.Deny, a), within(g.Deny, plain):
		return false
	case within(g.Allow, a), within(g.Allow, plain):
		return true
	case plain.Is6() && !globalUnicast.Contains(plain):
		return false
	default:
		return !within(notPublic, plain)
	}
}
