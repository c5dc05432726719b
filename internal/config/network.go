package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	maxPrefixes = 1000 // Each is looked at for each connection.
	maxCanaries = 8    // All are asked at once.
)

// Guard says which addresses probes may connect to: public ones and Allow, without Deny.
type Guard struct {
	Allow, Deny []netip.Prefix
}

// guard decodes true, false, or a mapping of allow and deny.
func (d *decoder) guard(node *yaml.Node, path string, dst **Guard) {
	if node.Kind == yaml.ScalarNode {
		var on bool
		value(d, &on, check.ParseBool)(node, path)
		if on {
			*dst = &Guard{}
		}
		return
	}
	g := &Guard{}
	ranges := func(all *[]netip.Prefix) func(*yaml.Node, string) {
		return func(node *yaml.Node, path string) {
			list(d, all, parsePrefix)(node, path)
			if len(node.Content) > maxPrefixes {
				d.fail(node, path, "too many ranges: at most %d", maxPrefixes)
			}
		}
	}
	d.mapping(node, path, field{"allow": ranges(&g.Allow), "deny": ranges(&g.Deny)})
	*dst = g
}

// parsePrefix reads a range in CIDR notation, or a single address.
func parsePrefix(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, errAddr := netip.ParseAddr(text)
		if errAddr != nil || a.Zone() != "" {
			return netip.Prefix{}, errors.New("not a range of addresses: write 10.1.0.0/16, fd00::/8, or a single address")
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	switch {
	case p.Addr().Is4In6():
		return netip.Prefix{}, errors.New("an IPv4 address inside an IPv6 one: write the IPv4 range, which counts for both")
	case p != p.Masked():
		return netip.Prefix{}, errors.New("has bits behind the length of its prefix: write the first address of the range, such as 10.1.0.0/16")
	}
	return p, nil
}

func (d *decoder) canary(node *yaml.Node, path string, dst *[]string) {
	list(d, dst, parseCanary)(node, path)
	if len(node.Content) > maxCanaries {
		d.fail(node, path, "too many: at most %d", maxCanaries)
	}
}

func parseCanary(text string) (string, error) {
	const want = "write https://host/path, or host:port such as 1.1.1.1:443"
	if strings.Contains(text, "://") {
		u, err := parseURL(text)
		if err != nil {
			return "", err
		}
		if u.User != nil || u.RawQuery != "" {
			return "", errors.New("must have neither user nor query: " + want)
		}
		return u.String(), nil
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || host == "" || port == "" || !check.ValidPort(port, text) || status.HasControl(text) || strings.ContainsAny(host, " /@?#") {
		return "", errors.New("neither a URL nor host:port: " + want)
	}
	return text, nil
}

// ParseCanaries reads canaries joined by commas, as the canary setting takes them.
func ParseCanaries(text string) ([]string, error) { return parseList(text, maxCanaries, parseCanary) }

// ParseRanges reads ranges of addresses joined by commas, as those under guard.
func ParseRanges(text string) ([]netip.Prefix, error) {
	return parseList(text, maxPrefixes, parsePrefix)
}

func parseList[T any](text string, most int, parse func(string) (T, error)) ([]T, error) {
	if text == "" {
		return nil, nil
	}
	words := strings.Split(text, ",")
	if len(words) > most {
		return nil, fmt.Errorf("too many: at most %d", most)
	}
	all := make([]T, len(words))
	for i, word := range words {
		var err error
		if all[i], err = parse(strings.TrimSpace(word)); err != nil {
			return nil, fmt.Errorf("%q: %w", strings.TrimSpace(word), err)
		}
	}
	return all, nil
}

// printed is the form that guard reads.
func (g *Guard) printed() any {
	switch {
	case g == nil:
		return nil
	case len(g.Allow)+len(g.Deny) == 0:
		return true
	}
	p := map[string][]string{}
	for name, all := range map[string][]netip.Prefix{"allow": g.Allow, "deny": g.Deny} {
		for _, one := range all {
			p[name] = append(p[name], one.String())
		}
	}
	return p
}
