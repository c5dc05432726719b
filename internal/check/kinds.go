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

// kinds is every kind of check, in the order in which documentation has them. Package probe has the other
// table, of how each is measured.
var kinds = []*Kind{
	&httpKind,
	&tcpKind,
	&tlsKind,
	&dnsKind,
	&icmpKind,
}

// Kind is what is to be known of one kind of check.
type Kind struct {
	Name       string   // Part of what agents are told: it never changes.
	About      string   // A line for the documentation.
	Schemes    []Scheme // Of the addresses that it measures; no other kind has them.
	HTTPStatus bool     // Who is available has answered with a status of HTTP. Others have none.
	Keys       []Key    // Its settings, in the order in which they are printed.
	Example    string   // An element of services: in a configuration.

	blank   func() How             // All settings at zero, to be read from a wire.
	begin   func() How             // All settings at their defaults,
	unless  Conditions             // and what is degraded by default.
	address func(u *url.URL) error // Refuses an address, or brings it into the one form that is stored for ever.
}

// Scheme begins addresses of a kind.
type Scheme struct {
	Name string
	Form string // How an address is written: http://host/path.
	TLS  bool   // It is asked over TLS.
}

// Kinds returns every kind.
func Kinds() []*Kind { return slices.Clone(kinds) }

// Named returns the kind of a name, nil for one that nobody here knows.
func Named(name string) *Kind {
	if k := named(name); k.Name != "" {
		return k
	}
	return nil
}

func named(name string) *Kind {
	for _, k := range kinds {
		if k.Name == name {
			return k
		}
	}
	return &Kind{}
}

// OfScheme returns the kind that measures addresses of a scheme, nil for none.
func OfScheme(scheme string) *Kind {
	for _, k := range kinds {
		if k.scheme(scheme) != nil {
			return k
		}
	}
	return nil
}

// OfAddress returns the kind that measures an address, as the store and the page know it; nil for none.
func OfAddress(address string) *Kind {
	scheme, _, _ := strings.Cut(address, ":")
	return OfScheme(scheme)
}

// Knows names what this program knows to measure: see Check.Needs.
func Knows() []string {
	var words []string
	for _, k := range kinds {
		words = append(words, k.Name)
	}
	for _, w := range conditionWords {
		words = append(words, w.word)
	}
	return append(words, retries)
}

// New returns a check of this kind without a service, its settings at their defaults.
func (k *Kind) New() Check { return Check{How: k.begin(), Unless: k.unless.clone()} }

// OverTLS tells whether an address of the kind is asked over TLS.
func (k *Kind) OverTLS(address string) bool {
	scheme, _, _ := strings.Cut(address, ":")
	s := k.scheme(scheme)
	return s != nil && s.TLS
}

func (k *Kind) scheme(name string) *Scheme {
	for i := range k.Schemes {
		if k.Schemes[i].Name == name {
			return &k.Schemes[i]
		}
	}
	return nil
}

// MaxURLLength is how long an address may be, in bytes.
const MaxURLLength = 2048

// ParseURL reads the address of something that these kinds measure, all of them when none is given. Its errors say what
// to write, and never repeat the address: it may hold a secret.
func ParseURL(text string, of ...*Kind) (*url.URL, *Kind, error) {
	if len(of) == 0 {
		of = kinds
	}
	if len(text) > MaxURLLength {
		return nil, nil, fmt.Errorf("longer than %d characters", MaxURLLength)
	}
	if status.HasControl(text) || strings.Contains(text, " ") {
		return nil, nil, errors.New("has a space, a control character or a line break: percent-encode it")
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, nil, errors.New("not a URL: " + forms(of))
	}
	at := slices.IndexFunc(of, func(k *Kind) bool { return k.scheme(u.Scheme) != nil })
	switch {
	case u.Scheme == "":
		return nil, nil, errors.New("no scheme: " + forms(of))
	case at < 0:
		return nil, nil, errors.New("only " + enumerate("and", schemes(of)) + " can be measured: " + forms(of))
	}
	k := of[at]
	if u.Hostname() == "" || u.Opaque != "" {
		return nil, nil, errors.New("no host: " + forms([]*Kind{k}))
	}
	if !ValidPort(u.Port(), u.Host) {
		return nil, nil, errors.New("the port is not between 1 and 65535")
	}
	u.Fragment, u.RawFragment = "", "" // Never sent to a server.
	if err := k.address(u); err != nil {
		return nil, nil, err
	}
	return u, k, nil
}

// ValidPort takes no port at all, but neither a bare colon nor port 0.
func ValidPort(port, host string) bool {
	if port == "" {
		return !strings.HasSuffix(host, ":")
	}
	n, err := strconv.Atoi(port)
	return err == nil && 1 <= n && n <= 65535
}

func schemes(of []*Kind) (names []string) {
	for _, k := range of {
		for _, s := range k.Schemes {
			names = append(names, s.Name)
		}
	}
	return names
}

func forms(of []*Kind) string {
	var all []string
	for _, k := range of {
		for _, s := range k.Schemes {
			all = append(all, s.Form)
		}
	}
	return "write " + enumerate("or", all)
}

// enumerate writes a, b and c.
func enumerate(last string, words []string) string {
	n := len(words) - 1
	if n < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}
