package probe

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"os"
	"statuspage/internal/check"
	"strconv"
	"syscall"
	"time"
)

const (
	echoHeader  = 8
	echoPayload = 24      // Random bytes, by which an answer is known to be one.
	ipv4Header  = 20      // At least; raw sockets have it before the message.
	discardPort = "9"     // Of the socket that finds the address; nothing is sent over it.
	maxEchoes   = 10_000  // Packets that answer somebody else's ping, before we stop to listen.
	echoBuffer  = 2 << 10 // An answer is as long as its request.
)

// ErrNoPing is why a ping was not sent: the kernel lets this process open neither kind of socket for it.
var ErrNoPing = errors.New(`this machine lets us send no pings: set sysctl net.ipv4.ping_group_range="0 2147483647", or give the process CAP_NET_RAW`)

// pingSocket is a connected socket for ICMP.
type pingSocket struct {
	net.Conn
	raw bool // It has other processes' answers too, and the header of IPv4 before each.
}

// openPing opens a socket that sends pings to an address: one that needs no privilege, or else a raw one.
func openPing(ip netip.Addr) (*pingSocket, error) {
	conn, err := icmpSocket(ip, syscall.SOCK_DGRAM)
	if err == nil {
		return &pingSocket{conn, false}, nil
	}
	if !refused(err) {
		return nil, err
	}
	if conn, err = icmpSocket(ip, syscall.SOCK_RAW); err == nil {
		return &pingSocket{conn, true}, nil
	}
	if refused(err) {
		return nil, ErrNoPing
	}
	return nil, err
}

// refused tells whether the kernel does not let us have a socket, or has none of its kind.
func refused(err error) bool {
	return errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EPROTONOSUPPORT)
}

// icmpSocket opens a socket of a type and connects it, so that the kernel tells what became of our packets.
func icmpSocket(ip netip.Addr, kind int) (net.Conn, error) {
	family, protocol := syscall.AF_INET, syscall.IPPROTO_ICMP
	var to syscall.Sockaddr = &syscall.SockaddrInet4{Addr: as4(ip)}
	if ip.Is6() {
		family, protocol = syscall.AF_INET6, syscall.IPPROTO_ICMPV6
		to = &syscall.SockaddrInet6{Addr: ip.As16(), ZoneId: linkOf(ip)}
	}
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(family, kind, protocol)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	file := os.NewFile(uintptr(fd), "icmp")
	defer file.Close() //nolint:errcheck // The connection has one of its own.
	if err := syscall.Connect(fd, to); err != nil {
		return nil, os.NewSyscallError("connect", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, os.NewSyscallError("setnonblock", err)
	}
	return net.FileConn(file)
}

func as4(ip netip.Addr) (four [4]byte) {
	if ip.Is4() {
		four = ip.As4()
	}
	return four
}

// linkOf is the number of the interface of an address that means something on one link alone.
func linkOf(ip netip.Addr) uint32 {
	if ip.Zone() == "" {
		return 0
	}
	if link, err := net.InterfaceByName(ip.Zone()); err == nil {
		return uint32(link.Index)
	}
	n, _ := strconv.ParseUint(ip.Zone(), 10, 32)
	return uint32(n)
}

// CanPing returns why no ping can be sent from here, nil when one can.
func CanPing() error {
	socket, err := openPing(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err != nil {
		return err
	}
	return socket.Close()
}

// ICMP sends echo requests. Up is who answers one of them.
func (p *Prober) ICMP(ctx context.Context, c check.Check) Result {
	how := c.How.(*check.ICMP) //nolint:forcetypeassert // So the table of kinds has it.
	return once(ctx, c, func(ctx context.Context, r *Result) error {
		u, err := url.Parse(c.Target)
		if err != nil {
			return &ourError{errors.New("the address is no URL")}
		}
		ip, err := p.find(ctx, asciiHost(u.Hostname()))
		if err != nil {
			return ended(ctx, err)
		}
		socket, err := p.openPing(ip)
		if errors.Is(err, ErrNoPing) {
			return &ourError{err}
		}
		if err != nil {
			return err
		}
		defer socket.Close() //nolint:errcheck // Nothing is on its way.
		e, err := newEchoes(socket, ip.Is6(), how.Requests())
		if err != nil {
			return &ourError{err}
		}
		if err := e.exchange(ctx, c.Timeout); err != nil {
			return err
		}
		r.Duration, r.lost = e.mean(), e.lost()
		return nil
	})
}

// find looks a name up and chooses the address to which there is a way and no guard before it, as all kinds do: by connecting a socket
// that sends nothing.
func (p *Prober) find(ctx context.Context, host string) (netip.Addr, error) {
	conn, err := p.dialer(-1).DialContext(ctx, "udp", net.JoinHostPort(host, discardPort))
	if err != nil {
		return netip.Addr{}, err
	}
	defer conn.Close() //nolint:errcheck // Nothing was sent.
	to, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}, &ourError{err}
	}
	return to.Addr().Unmap(), nil
}

// echoes are the requests of one ping and what came of them.
type echoes struct {
	socket  *pingSocket
	six     bool
	id      uint16
	payload [echoPayload]byte
	sent    []time.Time
	took    []time.Duration // 0 for what was not answered.
	got     int
	strays  int
}

func newEchoes(socket *pingSocket, six bool, n int) (*echoes, error) {
	e := &echoes{socket: socket, six: six, sent: make([]time.Time, 0, n), took: make([]time.Duration, n)}
	if _, err := rand.Read(e.payload[:]); err != nil {
		return nil, err
	}
	e.id = binary.BigEndian.Uint16(e.payload[:])
	return e, nil
}

// exchange sends one request after the other, each when the one before was answered or had its share of the time.
func (e *echoes) exchange(ctx context.Context, timeout time.Duration) (err error) {
	defer context.AfterFunc(ctx, func() { _ = e.socket.SetDeadline(time.Unix(1, 0)) })()
	trace := httptrace.ContextClientTrace(ctx)
	share := timeout / time.Duration(len(e.took))
	var failed error
	for n := range e.took {
		e.sent = append(e.sent, time.Now())
		trace.WroteRequest(httptrace.WroteRequestInfo{})
		if _, err := e.socket.Write(e.request(n)); err != nil {
			failed = err
			continue
		}
		end := e.sent[n].Add(share)
		_ = e.socket.SetReadDeadline(end)
		for e.took[n] == 0 && ctx.Err() == nil {
			err := e.read()
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				break
			}
			if err != nil { // Of one of ours: a host or a net that can't be reached.
				failed = err
				break
			}
		}
		if e.took[n] > 0 {
			trace.GotFirstResponseByte()
		}
	}
	switch {
	case e.got > 0:
		return nil
	case failed != nil:
		return failed
	default:
		return context.DeadlineExceeded
	}
}

// request is an echo request with a number.
func (e *echoes) request(n int) []byte {
	b := make([]byte, echoHeader, echoHeader+echoPayload)
	b[0] = 8
	if e.six {
		b[0] = 128
	}
	binary.BigEndian.PutUint16(b[4:], e.id) // Sockets without privilege get another from the kernel.
	binary.BigEndian.PutUint16(b[6:], uint16(n+1))
	b = append(b, e.payload[:]...)
	if !e.six { // Over IPv6 it has the addresses in it, and the kernel sees to it.
		binary.BigEndian.PutUint16(b[2:], checksum(b))
	}
	return b
}

// read takes one packet, and notes which request it answers.
func (e *echoes) read() error {
	if e.strays == maxEchoes {
		return fmt.Errorf("%d packets that answer somebody else", e.strays)
	}
	buffer := make([]byte, echoBuffer)
	n, err := e.socket.Read(buffer)
	if err != nil {
		return err
	}
	if at := e.answered(buffer[:n]); at >= 0 && e.took[at] == 0 {
		e.took[at] = max(1, time.Since(e.sent[at]))
		e.got++
		return nil
	}
	e.strays++
	return nil
}

// answered is which request a packet answers, -1 for none of ours.
func (e *echoes) answered(b []byte) int {
	if e.socket.raw && !e.six {
		if len(b) < ipv4Header || b[0]>>4 != 4 {
			return -1
		}
		b = b[min(len(b), int(b[0]&15)*4):]
	}
	reply := byte(0)
	if e.six {
		reply = 129
	}
	if len(b) != echoHeader+echoPayload || b[0] != reply || b[1] != 0 || !bytes.Equal(b[echoHeader:], e.payload[:]) || e.socket.raw && binary.BigEndian.Uint16(b[4:]) != e.id {
		return -1
	}
	at := int(binary.BigEndian.Uint16(b[6:])) - 1
	if at < 0 || at >= len(e.sent) {
		return -1
	}
	return at
}

// mean is how long the answers took.
func (e *echoes) mean() (mean time.Duration) {
	for _, took := range e.took {
		mean += took
	}
	return max(1, mean/time.Duration(e.got))
}

// lost is how many percent were not answered.
func (e *echoes) lost() int { return (len(e.took) - e.got) * 100 / len(e.took) }

// checksum is that of RFC 1071, of an even number of bytes.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 > 0 {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
