package probe

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer is one of our own, over UDP and TCP.
type nameServer struct {
	udp func(query []byte, say func([]byte)) // Nil for silence.
	tcp func(query []byte, c net.Conn)       // Nil for hanging up.
	tls *tls.Config                          // Over the stream.
}

// start listens on one port for both.
func (s nameServer) start(t *testing.T) (address string) {
	t.Helper()
	var packets net.PacketConn
	var ln net.Listener
	for range 50 {
		var err error
		if packets, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if ln, err = net.Listen("tcp", packets.LocalAddr().String()); err == nil {
			break
		}
		_ = packets.Close()
	}
	if ln == nil {
		t.Fatal("no port for both")
	}
	t.Cleanup(func() { _, _ = packets.Close(), ln.Close() })
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			if s.udp != nil {
				s.udp(append([]byte(nil), buffer[:n]...), func(b []byte) { _, _ = packets.WriteTo(b, from) })
			}
		}
	}()
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				if s.tls != nil {
					c = tls.Server(c, s.tls)
				}
				defer c.Close()
				var length [2]byte
				if _, err := io.ReadFull(c, length[:]); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(length[:]))
				if _, err := io.ReadFull(c, query); err == nil && s.tcp != nil {
					s.tcp(query, c)
				}
			}()
		}
	}()
	return packets.LocalAddr().String()
}

// framed is a message as streams have it.
func framed(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }

// reply makes an answer to a query: its header and answers may be changed.
func replyTo(query []byte, change func(m *dnsmessage.Message)) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil {
		return nil
	}
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	change(&m)
	packed, _ := m.Pack()
	return packed
}

// zone answers with these records over both.
func zone(change func(m *dnsmessage.Message)) nameServer {
	return nameServer{
		udp: func(q []byte, say func([]byte)) { say(replyTo(q, change)) },
		tcp: func(q []byte, c net.Conn) { _, _ = c.Write(framed(replyTo(q, change))) },
	}
}

func resource(name string, kind dnsmessage.Type, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET, TTL: 300}, Body: body}
}

func has(records ...dnsmessage.Resource) func(m *dnsmessage.Message) {
	return func(m *dnsmessage.Message) { m.Answers = append([]dnsmessage.Resource(nil), records...) } // Packing writes into them.
}

func code(c dnsmessage.RCode) func(m *dnsmessage.Message) {
	return func(m *dnsmessage.Message) { m.RCode = c }
}

func dnsCheck(address, question string) check.Check {
	c := check.Named("dns").New()
	target := "dns://" + address + "/" + question
	c.Service = status.Service{ID: "x", URL: target, Interval: 20 * time.Second, Timeout: hostileTimeout}
	c.Target = target
	return c
}

// TestDNSJudgesRecords holds how each type is written, that sets are compared whatever their order and letters, and what a code does.
func TestDNSJudgesRecords(t *testing.T) {
	t.Parallel()
	name := dnsmessage.MustNewName
	mx := has(resource("Example.org.", dnsmessage.TypeMX, &dnsmessage.MXResource{Pref: 10, MX: name("Mail.example.org.")}), resource("example.org.", dnsmessage.TypeMX, &dnsmessage.MXResource{Pref: 20, MX: name("b.example.org.")}))
	two := has(resource("example.org.", dnsmessage.TypeA, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}), resource("example.org.", dnsmessage.TypeA, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 2}}))
	alias := has(
		resource("example.org.", dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: name("a.example.net.")}),
		resource("a.example.net.", dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: name("b.example.net.")}),
		resource("b.example.net.", dnsmessage.TypeA, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 9}}),
		resource("other.example.", dnsmessage.TypeA, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 66}}),
	)
	loop := has(resource("example.org.", dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: name("example.org.")}))
	any1 := func(texts ...string) check.Conditions { return check.Conditions{Records: check.Records{Any: texts}} }
	exactly := func(texts ...string) check.Conditions {
		return check.Conditions{Records: check.Records{Exactly: texts}}
	}
	none := check.Conditions{Records: check.Records{None: true}}
	rcodes := func(codes ...string) check.Conditions { return check.Conditions{RCode: codes} }
	for title, c := range map[string]struct {
		question string
		server   func(*dnsmessage.Message)
		want     check.Conditions
		reason   status.Reason
	}{
		"A":               {"example.org?type=A", two, any1("192.0.2.2"), status.None},
		"another A":       {"example.org?type=A", two, any1("192.0.2.3"), status.UnexpectedRecords},
		"one of":          {"example.org?type=A", two, any1("192.0.2.3", "192.0.2.1"), status.None},
		"exactly":         {"example.org?type=A", two, exactly("192.0.2.2", "192.0.2.1", "192.0.2.1"), status.None},
		"not exactly":     {"example.org?type=A", two, exactly("192.0.2.2"), status.UnexpectedRecords},
		"one too many":    {"example.org?type=A", two, exactly("192.0.2.2", "192.0.2.1", "192.0.2.3"), status.UnexpectedRecords},
		"through aliases": {"example.org?type=A", alias, exactly("192.0.2.9"), status.None},
		"the alias":       {"example.org?type=CNAME", alias, exactly("A.example.net."), status.None},
		"a loop":          {"example.org?type=A", loop, none, status.None},
		"AAAA":            {"example.org?type=AAAA", has(resource("example.org.", dnsmessage.TypeAAAA, &dnsmessage.AAAAResource{AAAA: [16]byte{0x20, 1, 0xd, 0xb8, 15: 1}})), exactly("2001:DB8:0:0::1"), status.None},
		"MX":              {"example.org?type=MX", mx, exactly("20 b.example.org", "10  MAIL.example.org."), status.None},
		"TXT":             {"example.org?type=TXT", has(resource("example.org.", dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: []string{"v=spf1 ", "-all"}})), exactly("v=spf1 -all"), status.None},
		"SRV":             {"example.org?type=SRV", has(resource("example.org.", dnsmessage.TypeSRV, &dnsmessage.SRVResource{Priority: 1, Weight: 2, Port: 443, Target: name("A.example.")})), exactly("1 2 443 a.example"), status.None},
		"SOA":             {"example.org?type=SOA", has(resource("example.org.", dnsmessage.TypeSOA, &dnsmessage.SOAResource{NS: name("ns."), MBox: name("m."), Serial: 7})), exactly("ns m 7 0 0 0 0"), status.None},
		"CAA":             {"example.org?type=CAA", has(resource("example.org.", check.TypeCAA, &dnsmessage.UnknownResource{Type: check.TypeCAA, Data: []byte("\x00\x05issueletsencrypt.org")})), exactly(`0 Issue letsencrypt.org`), status.None},
		"CAA cut short":   {"example.org?type=CAA", has(resource("example.org.", check.TypeCAA, &dnsmessage.UnknownResource{Type: check.TypeCAA, Data: []byte("\x00\xffissue")})), any1("x"), status.UnexpectedRecords},
		"PTR":             {"192.0.2.1?type=PTR", has(resource("1.2.0.192.in-addr.arpa.", dnsmessage.TypePTR, &dnsmessage.PTRResource{PTR: name("a.example.")})), exactly("a.example"), status.None},
		"PTR of IPv6":     {"2001:db8::1?type=PTR", has(resource("1."+strings.Repeat("0.", 23)+"8.b.d.0.1.0.0.2.ip6.arpa.", dnsmessage.TypePTR, &dnsmessage.PTRResource{PTR: name("a.example.")})), exactly("a.example"), status.None},
		"the root":        {".?type=NS", has(resource(".", dnsmessage.TypeNS, &dnsmessage.NSResource{NS: name("a.root.")})), exactly("a.root"), status.None},
		"beyond ASCII":    {"b%C3%BCcher.example?type=A", has(resource("xn--bcher-kva.example.", dnsmessage.TypeA, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}})), exactly("192.0.2.1"), status.None},
		"no records":      {"example.org?type=A", has(), check.Conditions{}, status.None},
		"records wanted":  {"example.org?type=A", has(), any1("192.0.2.1"), status.UnexpectedRecords},
		"none wanted":     {"example.org?type=A", has(), none, status.None},
		"none, and some":  {"example.org?type=A", two, none, status.UnexpectedRecords},
		"none by name":    {"example.org?type=A", code(dnsmessage.RCodeNameError), none, status.None},
		"none by failure": {"example.org?type=A", code(dnsmessage.RCodeServerFailure), none, status.DNS},
		"NXDOMAIN":        {"example.org?type=A", code(dnsmessage.RCodeNameError), check.Conditions{}, status.DNS},
		"REFUSED":         {"example.org?type=A", code(dnsmessage.RCodeRefused), check.Conditions{}, status.DNS},
		"SERVFAIL":        {"example.org?type=A", code(dnsmessage.RCodeServerFailure), check.Conditions{}, status.DNS},
		"wanted code":     {"example.org?type=A", code(dnsmessage.RCodeRefused), rcodes("REFUSED"), status.None},
		"another code":    {"example.org?type=A", code(dnsmessage.RCodeNameError), rcodes("REFUSED", "NOERROR"), status.UnexpectedRecords},
		"a code beyond":   {"example.org?type=A", code(9), check.Conditions{}, status.DNS},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			address := zone(c.server).start(t)
			for _, transport := range []string{"", "tcp"} {
				one := dnsCheck(address, c.question)
				one.How, one.Expect, one.Timeout = &check.DNS{Transport: transport}, c.want, 5*time.Second
				r := New(Options{}).DNS(t.Context(), one)
				if r.Reason != c.reason || r.Outcome == status.Unknown || !r.Reason.Fits(r.Outcome) || (r.Err == nil) != (c.reason == status.None) || !r.Answered || r.Phases.FirstByte <= 0 {
					t.Errorf("over %q: %v %v (%v) %+v, want %v", transport, r.Outcome, r.Reason, r.Err, r.Phases, c.reason)
				}
				one.Expect, one.Unless = check.Conditions{RCode: check.RCodes}, c.want
				if r := New(Options{}).DNS(t.Context(), one); c.reason == status.UnexpectedRecords && r.Outcome != status.Degraded {
					t.Errorf("over %q, degraded: %v %v (%v)", transport, r.Outcome, r.Reason, r.Err)
				}
			}
		})
	}
}

// TestDNSHostile has name servers that misbehave at each stage, over UDP, TCP and TLS.
func TestDNSHostile(t *testing.T) {
	t.Parallel()
	good := has(resource("example.org.", dnsmessage.TypeA, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}))
	udp := func(f func(q []byte, say func([]byte))) nameServer { return nameServer{udp: f} }
	tcp := func(f func(q []byte, c net.Conn)) nameServer { return nameServer{tcp: f} }
	changed := func(change func(m *dnsmessage.Message)) nameServer {
		return udp(func(q []byte, say func([]byte)) { say(replyTo(q, change)) })
	}
	server, _ := pair(t)
	var lost atomic.Int32
	for name, c := range map[string]struct {
		server    nameServer
		transport string
		reason    status.Reason
	}{
		"silent":            {nameServer{}, "", status.Timeout},
		"garbage":           {udp(func(_ []byte, say func([]byte)) { say([]byte("220 mail.example ESMTP\r\n")) }), "", status.Timeout},
		"an empty packet":   {udp(func(_ []byte, say func([]byte)) { say(nil) }), "", status.Timeout},
		"the question back": {udp(func(q []byte, say func([]byte)) { say(q) }), "", status.Timeout},
		"another number":    {changed(func(m *dnsmessage.Message) { m.ID++ }), "", status.Timeout},
		"another name":      {changed(func(m *dnsmessage.Message) { m.Questions[0].Name = dnsmessage.MustNewName("evil.example.") }), "", status.Timeout},
		"another type":      {changed(func(m *dnsmessage.Message) { m.Questions[0].Type = dnsmessage.TypeMX }), "", status.Timeout},
		"a guess, then the answer": {udp(func(q []byte, say func([]byte)) {
			say(replyTo(q, func(m *dnsmessage.Message) { m.ID++ }))
			say(replyTo(q, good))
		}), "", status.None},
		"a flood of guesses": {udp(func(q []byte, say func([]byte)) {
			for range 500 {
				say(replyTo(q, func(m *dnsmessage.Message) { m.ID++ }))
			}
		}), "", status.Protocol},
		"cut off":                   {udp(func(q []byte, say func([]byte)) { full := replyTo(q, good); say(full[:len(full)-3]) }), "", status.Protocol},
		"counts what is not there":  {udp(func(q []byte, say func([]byte)) { full := replyTo(q, has()); full[7] = 200; say(full) }), "", status.Protocol},
		"too long for a packet":     {nameServer{udp: func(q []byte, say func([]byte)) { say(replyTo(q, func(m *dnsmessage.Message) { m.Truncated = true })) }, tcp: func(q []byte, c net.Conn) { _, _ = c.Write(framed(replyTo(q, good))) }}, "", status.None},
		"too long, and no stream":   {changed(func(m *dnsmessage.Message) { m.Truncated = true }), "", status.ConnectionReset},
		"too long for a stream too": {zone(func(m *dnsmessage.Message) { m.Truncated = true }), "", status.None},
		"of before EDNS": {udp(func(q []byte, say func([]byte)) {
			old := func(m *dnsmessage.Message) { good(m) }
			if q[11] > 0 {
				old = code(dnsmessage.RCodeFormatError)
			}
			say(replyTo(q, old))
		}), "", status.None},
		"always a format error": {changed(code(dnsmessage.RCodeFormatError)), "", status.DNS},
		"the first packet is lost": {udp(func(q []byte, say func([]byte)) {
			if lost.Add(1) > 1 {
				say(replyTo(q, good))
			}
		}), "", status.None},
		"hangs up":              {nameServer{}, "tcp", status.ConnectionReset},
		"resets":                {tcp(func(_ []byte, c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }), "tcp", status.ConnectionReset},
		"silent stream":         {tcp(func(_ []byte, c net.Conn) { _, _ = io.Copy(io.Discard, c) }), "tcp", status.Timeout},
		"half a length":         {tcp(func(_ []byte, c net.Conn) { _, _ = c.Write([]byte{0}); _, _ = io.Copy(io.Discard, c) }), "tcp", status.Timeout},
		"hangs up in an answer": {tcp(func(_ []byte, c net.Conn) { _, _ = c.Write([]byte{1, 0, 7}) }), "tcp", status.ConnectionReset},
		"drips": {tcp(func(q []byte, c net.Conn) {
			for _, b := range framed(replyTo(q, good)) {
				if _, err := c.Write([]byte{b}); err != nil {
					return
				}
				<-time.After(30 * time.Millisecond)
			}
		}), "tcp", status.Timeout},
		"endless":        {tcp(func(_ []byte, c net.Conn) { _, _ = io.CopyN(c, endless{}, 1<<30) }), "tcp", status.Protocol},
		"garbled stream": {tcp(func(_ []byte, c net.Conn) { _, _ = c.Write(framed([]byte("HTTP/1.1 400 Bad Request"))) }), "tcp", status.Protocol},
		"empty stream":   {tcp(func(_ []byte, c net.Conn) { _, _ = c.Write([]byte{0, 0}) }), "tcp", status.Protocol},
		"over TLS":       {nameServer{tls: server, tcp: func(q []byte, c net.Conn) { _, _ = c.Write(framed(replyTo(q, good))) }}, "tls", status.None},
		"no TLS":         {tcp(nil), "tls", status.Timeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := dnsCheck(c.server.start(t), "example.org?type=A")
			one.How = &check.DNS{Transport: c.transport, Security: check.Security{Unverified: true}}
			if name == "the first packet is lost" {
				one.Timeout = 5 * time.Second
			}
			began := time.Now()
			r := New(Options{}).DNS(t.Context(), one)
			if r.Reason != c.reason || (r.Outcome == status.Up) != (c.reason == status.None) || r.Outcome == status.Unknown {
				t.Errorf("%v %v (%v), want %v", r.Outcome, r.Reason, r.Err, c.reason)
			}
			if took := time.Since(began); took > one.Timeout+tolerance {
				t.Errorf("took %v", took)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		for _, transport := range []string{"", "tcp", "tls"} {
			one := dnsCheck(refusing(t), "example.org?type=A")
			one.How = &check.DNS{Transport: transport}
			if r := New(Options{}).DNS(t.Context(), one); r.Outcome != status.Down || r.Reason != status.ConnectionRefused {
				t.Errorf("over %q: %v %v (%v)", transport, r.Outcome, r.Reason, r.Err)
			}
		}
	})
}

// TestDNSFailuresOfOurs holds that a guard, the end of the process and an address that is none are no failures of the server.
func TestDNSFailuresOfOurs(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	address := nameServer{udp: func([]byte, func([]byte)) { asked.Add(1) }}.start(t)
	for _, transport := range []string{"", "tcp"} {
		one := dnsCheck(address, "example.org?type=A")
		one.How = &check.DNS{Transport: transport}
		if r := New(Options{Guard: &Guard{}}).DNS(t.Context(), one); r.Outcome != status.Unknown || !strings.Contains(r.Err.Error(), ErrGuarded.Error()) {
			t.Errorf("guarded: %v (%v)", r.Outcome, r.Err)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, r := range map[string]Result{
		"stopped":   New(Options{}).DNS(stopped, dnsCheck(address, "example.org?type=A")),
		"no type":   New(Options{}).DNS(t.Context(), dnsCheck(address, "example.org")),
		"long name": New(Options{}).DNS(t.Context(), dnsCheck(address, strings.Repeat("a", 300)+"?type=A")),
	} {
		if r.Outcome != status.Unknown || r.Err == nil {
			t.Errorf("%s: %v (%v)", name, r.Outcome, r.Err)
		}
	}
	if asked.Load() != 0 {
		t.Error("the server was asked all the same")
	}
}

// TestFoundRecordsAreToldInShort holds that what a stranger wrote is cut, and in quotes.
func TestFoundRecordsAreToldInShort(t *testing.T) {
	t.Parallel()
	address := zone(has(resource("example.org.", dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: []string{strings.Repeat("\x1b[2J", 60), strings.Repeat("x", 250)}}))).start(t)
	one := dnsCheck(address, "example.org?type=TXT")
	one.Expect.Records.Any, one.Timeout = []string{"mine"}, 5*time.Second
	if r := New(Options{}).DNS(t.Context(), one); r.Reason != status.UnexpectedRecords || strings.Contains(r.Err.Error(), "\x1b") || len(r.Err.Error()) > 1000 {
		t.Errorf("%v (%v)", r.Reason, r.Err)
	}
}

func FuzzDNSAnswer(f *testing.F) {
	q := dnsmessage.Question{Name: dnsmessage.MustNewName("example.org."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}
	query, _, err := pack(q, false)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(query)
	f.Add(replyTo(query, has(resource("example.org.", dnsmessage.TypeA, &dnsmessage.AResource{}), resource("example.org.", dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: q.Name}))))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_ = answers(raw, 1, q)
		for name, kind := range check.RecordTypes {
			q.Type = kind
			_, a, err := unpack(raw, q)
			if err != nil {
				continue
			}
			for _, text := range a.records {
				if kind != dnsmessage.TypeTXT && text != name && !a.meets(check.Records{Any: []string{text}}) && kind != check.TypeCAA {
					t.Errorf("%s: %q is not found as it is told", name, text)
				}
			}
		}
	})
}
