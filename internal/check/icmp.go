package check

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"strings"
)

const maxCount = 20

// ICMP is the settings of a check that sends echo requests.
type ICMP struct {
	Count int `json:"count,omitempty"` // How many; 0 for one.
}

// Requests is how many echo requests are sent.
func (i *ICMP) Requests() int { return max(1, i.Count) }

var icmpKind = Kind{
	Name: "icmp",
	About: "sends echo requests (ping); up is who answers one of them, and its latency is the mean of all answers. The kernel must let us: `sysctl net.ipv4.ping_group_range=\"0 2147483647\"` " +
		"(Docker and containerd have it so), or CAP_NET_RAW; else there is no data, and `config check` says so",
	Schemes: []Scheme{{"icmp", "icmp://host", false}},
	Keys: slices.Concat(
		matchers(loss, latency),
		[]Key{degradedAfter, {
			Name: "count", Default: "1", About: "echo requests of one ping, up to 20", Begin: nothing,
			Set: parsed(func(c *Check) *int { return &icmpOf(*c).Count }, parseCount),
			Show: func(c Check) any {
				if n := icmpOf(c).Count; n > 0 {
					return strconv.Itoa(n)
				}
				return nil
			},
		}},
	),
	Example: `- name: Gateway
  url: icmp://192.0.2.1
  count: 5
  expect: {loss: {at_most: 60}}
  degraded_unless: {loss: {at_most: 0}, latency: 50ms}
`,
	blank:   func() How { return new(ICMP) },
	begin:   func() How { return new(ICMP) },
	address: hostAlone,
}

// icmpOf is the settings of a check of this kind: keys are given no other.
func icmpOf(c Check) *ICMP { return c.How.(*ICMP) } //nolint:forcetypeassert // See above.

func (*ICMP) kind() string { return "icmp" }

func (i *ICMP) clone() How {
	c := *i
	return &c
}

func (i *ICMP) valid() error {
	if i.Count < 0 || i.Count > maxCount {
		return fmt.Errorf("count: %w", status.ErrInvalid)
	}
	return nil
}

func (*ICMP) secrets() []string { return nil }

func parseCount(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxCount {
		return 0, fmt.Errorf("must be a number from 1 to %d", maxCount)
	}
	return n, nil
}

// hostAlone takes addresses that have nothing else.
func hostAlone(u *url.URL) error {
	if u.User != nil || u.Port() != "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery {
		return errors.New("has more than a host: write " + u.Scheme + "://host")
	}
	*u = url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}
	return nil
}

// loss is a condition of how many echo requests were answered.
func loss(b block) []Key {
	return []Key{{
		Name: b.name + ".loss.at_most", Begin: nothing, About: "percent of the requests that may stay without an answer; more is " + b.then,
		Set: func(c *Check, text string) error {
			n, err := strconv.Atoi(text)
			if err != nil || n < 0 || n > 99 {
				return errors.New("must be a number of percent from 0 to 99")
			}
			b.of(c).Loss = &n
			return nil
		},
		Show: func(c Check) any {
			if most := b.of(&c).Loss; most != nil {
				return strconv.Itoa(*most)
			}
			return nil
		},
	}}
}
