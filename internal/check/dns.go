package check

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"statuspage/internal/status"
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// RecordTypes are those that can be asked for.
var RecordTypes = map[string]dnsmessage.Type{
	"A": dnsmessage.TypeA, "AAAA": dnsmessage.TypeAAAA, "CAA": TypeCAA, "CNAME": dnsmessage.TypeCNAME, "MX": dnsmessage.TypeMX, "NS": dnsmessage.TypeNS,
	"PTR": dnsmessage.TypePTR, "SOA": dnsmessage.TypeSOA, "SRV": dnsmessage.TypeSRV, "TXT": dnsmessage.TypeTXT,
}

// TypeCAA is a type of record of RFC 8659, which the library has no name for.
const TypeCAA dnsmessage.Type = 257

const (
	maxRecords    = 50
	maxRecord     = 4096 // Characters of one: a long key in a TXT.
	maxDomainName = 253
)

// DNS is the settings of a check that asks a name server one question.
type DNS struct {
	Transport string   `json:"transport,omitempty"` // tcp or tls; empty for udp, and tcp where the answer is too long for that.
	Security  Security `json:"tls,omitzero"`
}

var dnsKind = Kind{
	Name: "dns",
	About: "asks one name server for the records of one type (`A`, `AAAA`, `CAA`, `CNAME`, `MX`, `NS`, `PTR`, `SOA`, `SRV`, `TXT`) of a name; without another expectation, " +
		"the answer must be NOERROR, whatever it holds. A server that says nothing is down: it is what is measured",
	Schemes: []Scheme{{"dns", "dns://server/name?type=A", false}},
	Keys: slices.Concat(
		withDefault(matchers(records, rcode, latency), "expect.rcode", "NOERROR"),
		[]Key{degradedAfter, {
			Name: "transport", Default: "udp", Begin: nothing, About: "or `tcp`, or `tls` (write its port, 853); an answer too long for udp is fetched over tcp",
			Set: parsed(func(c *Check) *string { return &dnsOf(*c).Transport }, parseTransport),
			Show: func(c Check) any {
				if t := dnsOf(c).Transport; t != "" {
					return t
				}
				return nil
			},
		}},
		securityKeys(func(c *Check) *Security { return &dnsOf(*c).Security }),
	),
	Example: `- name: Zone
  url: dns://192.0.2.53/example.org?type=MX
  expect: {records: {exactly: ["10 mail.example.org"]}}
- name: Retired
  url: dns://ns1.example.org/old.example.org?type=A
  expect: {records: none}
`,
	blank:   func() How { return new(DNS) },
	begin:   func() How { return new(DNS) },
	address: question,
}

// dnsOf is the settings of a check of this kind: keys are given no other.
func dnsOf(c Check) *DNS { return c.How.(*DNS) } //nolint:forcetypeassert // See above.

func (*DNS) kind() string { return "dns" }

func (d *DNS) clone() How {
	c := *d
	return &c
}

func (d *DNS) valid() error {
	if d.Transport != "" && d.Transport != "tcp" && d.Transport != "tls" {
		return fmt.Errorf("transport: %w", status.ErrInvalid)
	}
	return d.Security.whole()
}

func (*DNS) secrets() []string { return nil }

func parseTransport(text string) (string, error) {
	switch text {
	case "udp":
		return "", nil
	case "tcp", "tls":
		return text, nil
	}
	return "", errors.New("must be udp, tcp or tls")
}

// question takes addresses as in RFC 4501 and brings them into their one form: with port and type, in the letters that count.
func question(u *url.URL) error {
	const form = "write dns://server/name?type=A"
	query := u.Query()
	kind := strings.ToUpper(query.Get("type"))
	if kind == "" {
		kind = "A"
	}
	name := strings.ToLower(strings.TrimPrefix(u.Path, "/"))
	if name != "." {
		name = strings.TrimSuffix(name, ".")
	}
	_, known := RecordTypes[kind]
	delete(query, "type")
	switch {
	case u.User != nil:
		return errors.New("has a user, whom nobody is told: " + form)
	case len(query) > 0 || u.ForceQuery:
		return errors.New("has more than a type in its query: " + form)
	case !known:
		return errors.New("the type of the records must be one of A, AAAA, CAA, CNAME, MX, NS, PTR, SOA, SRV, TXT: " + form)
	case name == "":
		return errors.New("no name to ask for: " + form)
	case len(name) > maxDomainName || status.HasControl(name) || strings.ContainsAny(name, " /") || name != "." && slices.ContainsFunc(strings.Split(name, "."), badLabel):
		return errors.New("what is asked for is no name of a domain: " + form)
	}
	port := u.Port()
	if port == "" {
		port = "53"
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	*u = url.URL{Scheme: "dns", Host: net.JoinHostPort(strings.ToLower(u.Hostname()), strconv.Itoa(n)), Path: "/" + name, RawQuery: "type=" + kind}
	return nil
}

func badLabel(label string) bool { return label == "" || len(label) > 63 }

// Records are what a name server must answer.
type Records struct {
	Any     []string `json:"any,omitempty"`     // One of them is there,
	Exactly []string `json:"exactly,omitempty"` // or these and no others,
	None    bool     `json:"none,omitempty"`    // or none at all.
}

// IsZero tells whether nothing is asked for.
func (r Records) IsZero() bool { return len(r.Any) == 0 && len(r.Exactly) == 0 && !r.None }

// records is a condition of what a name server answers.
func records(b block) []Key {
	list := func(part func(*Records) *[]string, none bool) Key {
		return Key{
			Form: List, Element: "record",
			Begin: func(c *Check) { *part(&b.of(c).Records) = nil },
			Set: func(c *Check, text string) error {
				r := &b.of(c).Records
				switch all := part(r); {
				case none && text == "none":
					r.None = true
				case text == "" || len(text) > maxRecord || status.HasControl(text):
					return fmt.Errorf("a record has 1 to %d characters and no control characters, such as 192.0.2.1 or 10 mail.example.org", maxRecord)
				case len(*all) == maxRecords:
					return fmt.Errorf("more than %d records", maxRecords)
				default:
					*all = append(*all, text)
				}
				return nil
			},
			Show: func(c Check) any {
				if all := *part(&b.of(&c).Records); len(all) > 0 {
					return all
				}
				return nil
			},
		}
	}
	some, exactly := list(func(r *Records) *[]string { return &r.Any }, true), list(func(r *Records) *[]string { return &r.Exactly }, false)
	some.Name, some.Short = b.name+".records.contains_any", b.name+".records"
	some.About = "one of these must be among the records, else " + b.then + "; as a dig shows them without TTL and final dot: `192.0.2.1`, `10 mail.example.org`. `records: none` asks that there be none"
	exactly.Name, exactly.About = b.name+".records.exactly", "these and no others, in any order, else "+b.then
	return []Key{some, exactly, {
		Name: b.name + ".records.none", Begin: nothing, About: "`true`: NXDOMAIN, or no records of this type, else " + b.then,
		Set: parsed(func(c *Check) *bool { return &b.of(c).Records.None }, ParseBool),
		Show: func(c Check) any {
			if b.of(&c).Records.None {
				return true
			}
			return nil
		},
	}}
}

// RCodes are the answers of name servers by their names.
var RCodes = []string{"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"}

// rcode is a condition of how a name server answers.
func rcode(b block) []Key {
	return []Key{{
		Name: b.name + ".rcode", Form: List, Element: "code", About: "any other code is " + b.then + ": " + strings.Join(RCodes, ", "),
		Begin: func(c *Check) { b.of(c).RCode = nil },
		Set: func(c *Check, text string) error {
			code := strings.ToUpper(text)
			if !slices.Contains(RCodes, code) {
				return errors.New("must be one of " + strings.Join(RCodes, ", "))
			}
			b.of(c).RCode = append(b.of(c).RCode, code)
			return nil
		},
		Show: func(c Check) any {
			if codes := b.of(&c).RCode; len(codes) > 0 {
				return codes
			}
			return nil
		},
	}}
}
