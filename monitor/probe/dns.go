package probe

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"slices"
	"statuspage/internal/check"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

const (
	maxDatagram = 1232    // Bytes of an answer over UDP that we say we take: none is cut to pieces on its way.
	maxAnswer   = 1 << 16 // Of any.
	maxStrays   = 64      // Packets that answer something else, before we stop to listen for the right one.
	dnsTries    = 3       // How often the question is sent over UDP, which loses packets.
	maxAliases  = 16      // CNAMEs that are followed in an answer.
)

var errNoAnswer = errors.New("malformed DNS answer") // The word tells classify that somebody has answered.

// rcodeError is of a name server that answered, and not with NOERROR.
type rcodeError struct{ code string }

func (e *rcodeError) Error() string { return "the name server answered " + e.code }

// dnsAnswer is what a name server said.
type dnsAnswer struct {
	code    string
	records []string // Of the type that was asked for, in their one form.
	kind    dnsmessage.Type
}

// DNS asks one name server one question. It is the server that is measured: one that says nothing is down.
func (p *Prober) DNS(ctx context.Context, c check.Check) Result {
	how := c.How.(*check.DNS) //nolint:forcetypeassert // So the table of kinds has it.
	return once(ctx, c, func(ctx context.Context, r *Result) error {
		u, err := url.Parse(c.Target)
		if err != nil {
			return &ourError{errors.New("the address is no URL")}
		}
		q, err := questionOf(u)
		if err != nil {
			return &ourError{err}
		}
		answer, err := p.resolve(ctx, how, u, q)
		if err != nil {
			return ended(ctx, err)
		}
		r.Answered, r.dns = true, answer
		nobody := c.Expect.Records.None && answer.code == "NXDOMAIN"
		if len(c.Expect.RCode) == 0 && answer.code != "NOERROR" && !nobody {
			return &rcodeError{answer.code}
		}
		return nil
	})
}

// questionOf is the question that an address asks.
func questionOf(u *url.URL) (q dnsmessage.Question, err error) {
	kind, known := check.RecordTypes[u.Query().Get("type")]
	if !known {
		return q, errors.New("the address has no type of records")
	}
	name := asciiHost(strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), "."))
	if ip, err := netip.ParseAddr(name); err == nil && kind == dnsmessage.TypePTR {
		name = reverse(ip)
	}
	full, err := dnsmessage.NewName(name + ".")
	return dnsmessage.Question{Name: full, Type: kind, Class: dnsmessage.ClassINET}, err
}

// reverse is the name that holds the name of an address.
func reverse(ip netip.Addr) string {
	ip = ip.Unmap()
	bytes := ip.AsSlice()
	slices.Reverse(bytes)
	var labels []string
	for _, b := range bytes {
		if ip.Is4() {
			labels = append(labels, strconv.Itoa(int(b)))
			continue
		}
		labels = append(labels, strconv.FormatUint(uint64(b&15), 16), strconv.FormatUint(uint64(b>>4), 16))
	}
	if ip.Is4() {
		return strings.Join(labels, ".") + ".in-addr.arpa"
	}
	return strings.Join(labels, ".") + ".ip6.arpa"
}

// resolve asks as the check has it: a server of before EDNS is asked without, and what is too long for UDP over TCP.
func (p *Prober) resolve(ctx context.Context, how *check.DNS, u *url.URL, q dnsmessage.Question) (a *dnsAnswer, err error) {
	transport, plain := how.Transport, false
	for range 3 {
		query, id, err := pack(q, plain)
		if err != nil {
			return nil, &ourError{err}
		}
		var raw []byte
		if transport == "" {
			raw, err = p.overUDP(ctx, addressOf(u), query, id, q)
		} else {
			raw, err = p.overTCP(ctx, how, u, transport == "tls", query, id, q)
		}
		if err != nil {
			return nil, err
		}
		header, a, err := unpack(raw, q)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %w", errNoAnswer, err)
		case header.Truncated && transport == "":
			transport = "tcp"
		case header.RCode == dnsmessage.RCodeFormatError && !plain:
			plain = true
		default:
			return a, nil
		}
	}
	return nil, errNoAnswer
}

// pack writes a question under a number that nobody can guess.
func pack(q dnsmessage.Question, plain bool) (query []byte, id uint16, err error) {
	var random [2]byte
	_, _ = rand.Read(random[:]) // It never fails.
	id = binary.BigEndian.Uint16(random[:])
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: id, RecursionDesired: true})
	err = errors.Join(b.StartQuestions(), b.Question(q))
	if !plain {
		var edns dnsmessage.ResourceHeader
		err = errors.Join(err, edns.SetEDNS0(maxDatagram, dnsmessage.RCodeSuccess, false), b.StartAdditionals(), b.OPTResource(edns, dnsmessage.OPTResource{}))
	}
	if err != nil {
		return nil, 0, err
	}
	query, err = b.Finish()
	return query, id, err
}

// overUDP sends the question, and again while nothing comes. Packets that answer something else are nobody's, or a
// stranger's who guesses.
func (p *Prober) overUDP(ctx context.Context, address string, query []byte, id uint16, q dnsmessage.Question) ([]byte, error) {
	conn, err := p.dialer(-1).DialContext(ctx, "udp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // Nothing is on its way.
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	trace := httptrace.ContextClientTrace(ctx)
	trace.WroteRequest(httptrace.WroteRequestInfo{})
	buffer, strays := make([]byte, 4<<10), 0
	wait := time.Second
	if end, limited := ctx.Deadline(); limited {
		wait = time.Until(end) / dnsTries
	}
	for try := range dnsTries {
		if _, err := conn.Write(query); err != nil {
			return nil, err
		}
		if try < dnsTries-1 {
			_ = conn.SetReadDeadline(time.Now().Add(wait))
		} else {
			_ = conn.SetReadDeadline(time.Time{})
		}
		for {
			if ctx.Err() != nil { // The deadline above may have come after the end of ctx had set its own.
				return nil, ctx.Err()
			}
			n, err := conn.Read(buffer)
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				break
			}
			if err != nil {
				return nil, err
			}
			if answers(buffer[:n], id, q) {
				trace.GotFirstResponseByte()
				return buffer[:n], nil
			}
			if strays++; strays == maxStrays {
				return nil, fmt.Errorf("%w: %d packets that answer something else", errNoAnswer, strays)
			}
		}
	}
	return nil, context.DeadlineExceeded
}

// overTCP asks over a connection of its own, or over TLS.
func (p *Prober) overTCP(ctx context.Context, how *check.DNS, u *url.URL, secure bool, query []byte, id uint16, q dnsmessage.Question) ([]byte, error) {
	conn, err := p.dialer(-1).DialContext(ctx, "tcp", addressOf(u))
	if err != nil {
		return nil, err
	}
	defer conn.Close() //nolint:errcheck // Nothing is on its way.
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	stream := conn
	if secure {
		config, err := p.security(&how.Security, asciiHost(u.Hostname()))
		if err != nil {
			return nil, err
		}
		config.NextProtos = []string{"dot"}
		over := tls.Client(conn, config)
		if err := handshake(ctx, over); err != nil {
			return nil, err
		}
		stream = over
	}
	trace := httptrace.ContextClientTrace(ctx)
	if _, err := stream.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		return nil, err
	}
	trace.WroteRequest(httptrace.WroteRequestInfo{})
	var length [2]byte
	if _, err := io.ReadFull(stream, length[:]); err != nil {
		return nil, err
	}
	trace.GotFirstResponseByte()
	raw := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(stream, raw); err != nil {
		return nil, err
	}
	if !answers(raw, id, q) {
		return nil, fmt.Errorf("%w: it is of another question", errNoAnswer)
	}
	return raw, nil
}

// answers tells whether a message is the answer to a question.
func answers(raw []byte, id uint16, q dnsmessage.Question) bool {
	var parser dnsmessage.Parser
	header, err := parser.Start(raw)
	if err != nil || !header.Response || header.ID != id {
		return false
	}
	asked, err := parser.AllQuestions()
	if header.RCode != dnsmessage.RCodeSuccess && err == nil && len(asked) == 0 {
		return true // Who can't read a question, or won't, need not repeat it.
	}
	return err == nil && len(asked) == 1 && asked[0].Type == q.Type && asked[0].Class == q.Class && strings.EqualFold(asked[0].Name.String(), q.Name.String())
}

// unpack reads an answer: aliases are followed, and what else is in it does not count.
func unpack(raw []byte, q dnsmessage.Question) (header dnsmessage.Header, a *dnsAnswer, err error) {
	var m dnsmessage.Message
	if len(raw) > maxAnswer {
		return header, nil, errNoAnswer
	}
	var parser dnsmessage.Parser
	if header, err = parser.Start(raw); err != nil {
		return header, nil, err
	}
	a = &dnsAnswer{code: codeName(header.RCode), kind: q.Type}
	if header.Truncated {
		return header, a, nil // It may be cut anywhere.
	}
	if err = m.Unpack(raw); err != nil {
		return header, nil, err
	}
	at := strings.ToLower(q.Name.String())
	for range maxAliases {
		next := ""
		for _, one := range m.Answers {
			if strings.ToLower(one.Header.Name.String()) != at || one.Header.Class != q.Class {
				continue
			}
			if one.Header.Type == q.Type {
				if text := recordText(one); !slices.Contains(a.records, text) {
					a.records = append(a.records, text)
				}
			} else if alias, is := one.Body.(*dnsmessage.CNAMEResource); is {
				next = strings.ToLower(alias.CNAME.String())
			}
		}
		if len(a.records) > 0 || next == "" {
			break
		}
		at = next
	}
	return header, a, nil
}

// codeName is how people write an answer's code.
func codeName(code dnsmessage.RCode) string {
	if int(code) < len(check.RCodes) {
		return check.RCodes[code]
	}
	return "code " + strconv.Itoa(int(code))
}

// host is a name without its final dot; that of the root is one.
func host(name dnsmessage.Name) string {
	if text := strings.ToLower(name.String()); text != "." {
		return strings.TrimSuffix(text, ".")
	}
	return "."
}

// recordText is a record in its one form.
func recordText(r dnsmessage.Resource) string {
	switch b := r.Body.(type) {
	case *dnsmessage.AResource:
		return netip.AddrFrom4(b.A).String()
	case *dnsmessage.AAAAResource:
		return netip.AddrFrom16(b.AAAA).String()
	case *dnsmessage.CNAMEResource:
		return host(b.CNAME)
	case *dnsmessage.NSResource:
		return host(b.NS)
	case *dnsmessage.PTRResource:
		return host(b.PTR)
	case *dnsmessage.MXResource:
		return fmt.Sprintf("%d %s", b.Pref, host(b.MX))
	case *dnsmessage.SRVResource:
		return fmt.Sprintf("%d %d %d %s", b.Priority, b.Weight, b.Port, host(b.Target))
	case *dnsmessage.SOAResource:
		return fmt.Sprintf("%s %s %d %d %d %d %d", host(b.NS), host(b.MBox), b.Serial, b.Refresh, b.Retry, b.Expire, b.MinTTL)
	case *dnsmessage.TXTResource:
		return strings.Join(b.TXT, "")
	case *dnsmessage.UnknownResource:
		if text, ok := caa(b.Data); ok && b.Type == check.TypeCAA {
			return text
		}
	}
	return r.Header.Type.String()
}

// caa reads a record of RFC 8659: 0 issue "letsencrypt.org".
func caa(data []byte) (string, bool) {
	if len(data) < 2 || len(data) < 2+int(data[1]) {
		return "", false
	}
	tag := data[2 : 2+int(data[1])]
	return fmt.Sprintf("%d %s %q", data[0], strings.ToLower(string(tag)), data[2+len(tag):]), true
}

// canonical brings what an operator has written into the form of recordText.
func canonical(kind dnsmessage.Type, text string) string {
	if kind == dnsmessage.TypeTXT {
		return text
	}
	if kind == check.TypeCAA {
		fields := strings.Fields(text)
		if len(fields) == 3 {
			return fields[0] + " " + strings.ToLower(fields[1]) + " " + strconv.Quote(strings.Trim(fields[2], `"`))
		}
		return text
	}
	if ip, err := netip.ParseAddr(strings.TrimSpace(text)); err == nil {
		return ip.String()
	}
	fields := strings.Fields(strings.ToLower(text))
	for i, field := range fields {
		if field != "." {
			fields[i] = asciiHost(strings.TrimSuffix(field, "."))
		}
	}
	return strings.Join(fields, " ")
}

// meets tells whether an answer is what the conditions want.
func (a *dnsAnswer) meets(want check.Records) bool {
	is := func(text string) bool { return slices.Contains(a.records, canonical(a.kind, text)) }
	if want.None && len(a.records) > 0 || len(want.Any) > 0 && !slices.ContainsFunc(want.Any, is) {
		return false
	}
	if len(want.Exactly) == 0 {
		return true
	}
	wanted := map[string]bool{}
	for _, text := range want.Exactly {
		if !is(text) {
			return false
		}
		wanted[canonical(a.kind, text)] = true
	}
	return len(wanted) == len(a.records)
}
