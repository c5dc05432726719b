//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	readBuffer  = 256 << 10
	stalledRoom = 4096 // Bytes that the kernel keeps for a viewer that does not read.
	sources     = 16   // Addresses 127.0.0.2 and on that viewers come from.
	retryAfter  = 100 * time.Millisecond
	// bindAddressOnly lets the kernel choose the port at connect, by source and destination.
	bindAddressOnly = 24
)

// shownService finds which services a frame shows, whatever its markup.
var shownService = regexp.MustCompile(`svc-[0-9]+`)

// loop is the thread that does everything.
type loop struct {
	o       options
	epoll   int
	to      syscall.SockaddrInet4
	request []byte
	streams []*stream
	byFD    map[int32]*stream
	again   []time.Time // When to try again, one for each that was refused.
	buffer  []byte
	packed  *unpacker
	started int
	open    int
	// complete: all were connected once; who is lost from then on stays lost.
	complete bool

	refused, lost, stalledClosed int
	measuring                    bool
	ended                        time.Time
	frames                       map[string]*frame
	bytes                        int64
	deliveries                   int
}

func newLoop(o options) (*loop, error) {
	u, err := url.Parse(o.url)
	if err != nil {
		return nil, err
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil || u.Hostname() != "127.0.0.1" {
		return nil, errors.New("the stream must be on 127.0.0.1, with a port: this load is for loopback only")
	}
	l := &loop{o: o, byFD: map[int32]*stream{}, buffer: make([]byte, readBuffer), frames: map[string]*frame{}}
	l.to = syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	accept := ""
	if !o.plain {
		accept = "Accept-Encoding: gzip, deflate, br, zstd\r\n"
	}
	l.request = []byte("GET " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nAccept: text/html, text/event-stream\r\n" + accept + "User-Agent: bench\r\n\r\n")
	for i := range o.stalled + o.n {
		l.streams = append(l.streams, &stream{stalled: i < o.stalled, first: i == o.stalled})
	}
	if l.packed, err = newUnpacker(); err != nil {
		return nil, err
	}
	if l.epoll, err = syscall.EpollCreate1(0); err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	return l, nil
}

func (l *loop) close() {
	for fd := range l.byFD {
		_ = syscall.Close(int(fd)) // The process ends anyway.
	}
	_ = syscall.Close(l.epoll)
}

// connect begins to open a stream.
func (l *loop) connect(i int) error {
	s := l.streams[i]
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket of viewer %d: %w", i, err)
	}
	if s.stalled {
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, stalledRoom)
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_IP, bindAddressOnly, 1)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, byte(2 + i%sources)}}); err != nil {
		return fmt.Errorf("address of viewer %d: %w", i, err)
	}
	if err := syscall.Connect(fd, &l.to); err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		_ = syscall.Close(fd)
		l.refuse()
		return nil
	}
	*s = stream{fd: fd, stalled: s.stalled, first: s.first, state: connecting}
	l.byFD[int32(fd)] = s
	// Edge-triggered: a descriptor is told once, however much there is to read.
	event := syscall.EpollEvent{Fd: int32(fd), Events: syscall.EPOLLIN | syscall.EPOLLOUT | syscall.EPOLLRDHUP | 1<<31}
	return syscall.EpollCtl(l.epoll, syscall.EPOLL_CTL_ADD, fd, &event)
}

func (l *loop) refuse() {
	l.refused++
	l.again = append(l.again, time.Now().Add(retryAfter))
}

// connectAll opens all streams, spread over the time given, and returns how long it took
// until the last one was open.
func (l *loop) connectAll() (seconds float64, err error) {
	start := time.Now()
	for l.open < len(l.streams) {
		passed := time.Since(start)
		if passed > l.o.patience {
			return 0, fmt.Errorf("%d of %d viewers are connected after %v", l.open, len(l.streams), l.o.patience)
		}
		due := min(len(l.streams), int(float64(len(l.streams))*float64(passed)/float64(l.o.within))+1)
		for ; l.started < due; l.started++ {
			if err := l.connect(l.started); err != nil {
				return 0, err
			}
		}
		if err := l.reconnect(); err != nil {
			return 0, err
		}
		if err := l.poll(time.Millisecond); err != nil {
			return 0, err
		}
	}
	l.complete = true
	return time.Since(start).Seconds(), nil
}

func (l *loop) reconnect() error {
	for len(l.again) > 0 && time.Now().After(l.again[0]) {
		l.again = l.again[1:]
		i := slices.IndexFunc(l.streams[:l.started], func(s *stream) bool { return s.state == closed })
		if i < 0 {
			return nil
		}
		if err := l.connect(i); err != nil {
			return err
		}
	}
	return nil
}

// run reads until the instant.
func (l *loop) run(until time.Time) error {
	for wait := time.Until(until); wait > 0; wait = time.Until(until) {
		if err := l.poll(min(wait, 100*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

func (l *loop) poll(wait time.Duration) error {
	var events [1024]syscall.EpollEvent
	n, err := syscall.EpollWait(l.epoll, events[:], int(wait.Milliseconds()))
	if errors.Is(err, syscall.EINTR) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	for _, e := range events[:n] {
		if s := l.byFD[e.Fd]; s != nil {
			l.serve(s, e.Events)
		}
	}
	return nil
}

// serve does what a descriptor is ready for.
func (l *loop) serve(s *stream, events uint32) {
	if s.state == connecting && events&(syscall.EPOLLOUT|syscall.EPOLLERR|syscall.EPOLLHUP) != 0 {
		if _, err := syscall.Write(s.fd, l.request); err != nil {
			l.end(s)
			return
		}
		s.state = waiting
	}
	if s.stalled && s.state == open {
		if events&(syscall.EPOLLRDHUP|syscall.EPOLLHUP|syscall.EPOLLERR) != 0 {
			l.stalledClosed++
			l.end(s)
		}
		return
	}
	for s.state != closed && events&^syscall.EPOLLOUT != 0 {
		n, err := syscall.Read(s.fd, l.buffer)
		if errors.Is(err, syscall.EAGAIN) {
			return
		}
		if err != nil || n == 0 {
			l.end(s)
			return
		}
		b := l.buffer[:n]
		if s.state == waiting {
			if b = l.header(s, b); s.stalled {
				return
			}
		}
		switch {
		case s.state == open && s.zstd:
			l.packed.read(s, b, l.received)
		case s.state == open:
			s.read(b, l.received)
		}
		if n < len(l.buffer) {
			return
		}
	}
}

// header looks whether the stream is granted. It comes in one piece: it is small, and the
// first thing on its connection.
func (l *loop) header(s *stream, b []byte) (rest []byte) {
	before, after, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok || !strings.HasPrefix(string(b), "HTTP/1.1 200") {
		l.end(s)
		return nil
	}
	s.state, s.zstd = open, bytes.Contains(before, []byte("Content-Encoding: zstd"))
	l.open++
	return after
}

func (l *loop) end(s *stream) {
	_ = syscall.Close(s.fd)
	delete(l.byFD, int32(s.fd))
	if s.state == open {
		l.open--
		if !s.stalled {
			l.lost++
		}
	}
	if !l.complete {
		l.refuse()
	}
	s.state = closed
}
