package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"go.yaml.in/yaml/v4"
)

const maxPerAddress = 1_000_000

// Limit is how much one address may take.
type Limit struct {
	N int
	// Explicit limits were written down, and hold for everybody. A default spares loopback: a
	// proxy there that nobody declared would make all visitors one address.
	Explicit bool
}

// Limits bound what one address may take, an address being an IPv4 address or an IPv6 /64.
type Limits struct {
	Requests Limit // A second; twice as many at once.
	Streams  Limit // Open at a time.
}

func defaultLimits() Limits {
	return Limits{Requests: Limit{N: 100}, Streams: Limit{N: 100}}
}

func (d *decoder) limits(node *yaml.Node, path string, l *Limits) {
	d.mapping(node, path, field{
		"requests_per_address": value(d, &l.Requests, parseLimit),
		"streams_per_address":  value(d, &l.Streams, parseLimit),
	})
}

func parseLimit(text string) (Limit, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPerAddress {
		return Limit{}, fmt.Errorf("not a whole number from 1 to %d", maxPerAddress)
	}
	return Limit{n, true}, nil
}

// parseProxy takes an address or a network of them.
func parseProxy(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil || p.Addr().Is4In6():
		return netip.Prefix{}, errors.New("not an address or a network: write 10.0.0.7, 10.0.0.0/8 or fd00::/8")
	case p.Bits() == 0:
		return netip.Prefix{}, errors.New("trusts everybody, so that anyone could claim any address: name the proxies")
	}
	return p.Masked(), nil
}

type printedLimits struct {
	Requests int `yaml:"requests_per_address"`
	Streams  int `yaml:"streams_per_address"`
}
