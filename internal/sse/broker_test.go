package sse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"
)

// pipe is an outlet that takes so many bytes and no more until the test makes room.
type pipe struct {
	mu     sync.Mutex
	room   int
	got    bytes.Buffer
	closed bool
	broken bool
}

func (p *pipe) write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken {
		return 0, errors.New("gone")
	}
	n := min(len(b), p.room)
	p.room -= n
	p.got.Write(b[:n])
	return n, nil
}

func (p *pipe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
}

func (p *pipe) set(change func(*pipe)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *pipe) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.got.String()
}

const plenty = 1 << 30

func enter(t *testing.T, h *Broker, s *Stream, room int) *pipe {
	t.Helper()
	if h.Admit(0) != nil {
		t.Fatal("the house is full")
	}
	p := &pipe{room: room}
	s.Join(Guest{}).connect(p, []byte("HEAD "), NewEvents([]byte("FIRST ")))
	return p
}

func TestViewerHearsAllSinceItJoinedInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewBroker(10, 10, time.Now)
		defer h.Close()
		s := h.Stream(4)
		other := enter(t, h, s, plenty)
		s.Publish([]byte("before "))
		if h.Admit(0) != nil {
			t.Fatal("the house is full")
		}
		j := s.Join(Guest{})
		s.Publish([]byte("between "))
		p := &pipe{room: plenty}
		j.connect(p, []byte("HEAD "), NewEvents([]byte("FIRST ")))
		for i := range 3 {
			s.Publish(fmt.Appendf(nil, "%d ", i))
		}
		synctest.Wait()
		head, rest, _ := strings.Cut(p.text(), "FIRST ")
		if !strings.HasPrefix(head, "HEAD retry: ") || !strings.Contains(head, "event: beat\n") || rest != "between 0 1 2 " {
			t.Errorf("the viewer heard %q, %q", head, rest)
		}
		if !strings.HasSuffix(other.text(), "FIRST before between 0 1 2 ") {
			t.Errorf("the other heard %q", other.text())
		}
	})
}

func TestViewerThatDoesNotReadIsDropped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ publish int }{"by time": {1}, "by backlog": {100}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				h := NewBroker(10, 10, time.Now)
				defer h.Close()
				s := h.Stream(4)
				slow, reading := enter(t, h, s, 60), enter(t, h, s, plenty)
				for range c.publish {
					s.Publish([]byte("event "))
					synctest.Wait()
				}
				if c.publish == 1 {
					time.Sleep(stallLimit + tick)
					synctest.Wait()
				}
				if !slow.closed || h.Dropped() != 1 || h.Viewers() != 1 || s.Len() != 1 {
					t.Errorf("closed %v, dropped %d, %d viewers, %d of the stream", slow.closed, h.Dropped(), h.Viewers(), s.Len())
				}
				if got := strings.Count(reading.text(), "event "); reading.closed || got != c.publish {
					t.Errorf("the other heard %d of %d, closed %v", got, c.publish, reading.closed)
				}
			})
		})
	}
}

func TestSlowViewerCatchesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewBroker(10, 10, time.Now)
		defer h.Close()
		s := h.Stream(4)
		p := enter(t, h, s, plenty)
		synctest.Wait()
		p.set(func(p *pipe) { p.room = 3 })
		s.Publish([]byte("first "))
		s.Publish([]byte("second "))
		synctest.Wait()
		s.Publish([]byte("third "))
		for range 10 { // A byte or two at a time.
			time.Sleep(stallLimit / 2)
			p.set(func(p *pipe) { p.room += 2 })
		}
		time.Sleep(stallLimit / 2)
		synctest.Wait()
		if !strings.HasSuffix(p.text(), "FIRST first second third ") || p.closed {
			t.Errorf("heard %q, closed %v", p.text(), p.closed)
		}
	})
}

func TestHeartbeatLifetimeAndDeparture(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewBroker(10, 10, time.Now)
		defer h.Close()
		s := h.Stream(4)
		p, leaving := enter(t, h, s, plenty), enter(t, h, s, plenty)
		time.Sleep(Heartbeat + tick)
		synctest.Wait()
		if got := strings.Count(p.text(), "event: beat"); got != 2 {
			t.Errorf("%d heartbeats, want the first and one after the silence", got)
		}
		leaving.set(func(p *pipe) { p.broken = true })
		time.Sleep(Heartbeat + tick)
		synctest.Wait()
		if h.Viewers() != 1 || h.Dropped() != 0 || !leaving.closed {
			t.Errorf("%d viewers, %d dropped after one has left", h.Viewers(), h.Dropped())
		}
		time.Sleep(2 * lifetime)
		synctest.Wait()
		if h.Viewers() != 0 || !p.closed {
			t.Errorf("%d viewers after the longest life of a stream", h.Viewers())
		}
	})
}

func TestFullHouse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewBroker(1, 1, time.Now)
		s := h.Stream(4)
		if h.Admit(0) != nil || !errors.Is(h.Admit(0), ErrFull) || h.Refused() != 1 {
			t.Error("the second of one place was let in, or not counted")
		}
		s.Join(Guest{}) // Its connection never comes.
		time.Sleep(stallLimit + 2*tick)
		synctest.Wait()
		if h.Viewers() != 0 || h.Admit(0) != nil {
			t.Errorf("%d viewers; a place without a connection is kept", h.Viewers())
		}
		h.Close()
		p := &pipe{room: plenty}
		s.Join(Guest{}).connect(p, nil, nil)
		s.Publish([]byte("x"))
		if !p.closed || h.Viewers() != 0 {
			t.Error("a closed broker lets viewers in")
		}
		h.Close() // Twice is fine.
	})
}

func TestStreamOverRealSockets(t *testing.T) {
	t.Parallel()
	h := NewBroker(100, 100, time.Now)
	s := h.Stream(8)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var ends []net.Conn
	for i := range 20 {
		client, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		conn, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		h.Admit(0)
		s.Join(Guest{Coding: Coding(i % 2)}).Connect(conn, nil, nil)
		ends = append(ends, client)
	}
	big := bytes.Repeat([]byte("event of sixty-four letters, so that many of them make a lot...\n"), 1<<15) // More than a kernel takes at once.
	s.Publish(big)
	s.Publish([]byte("last\n"))
	var reading sync.WaitGroup
	for i, client := range ends {
		reading.Go(func() {
			if err := hears(client, Coding(i%2), string(big)+"last\n"); err != nil {
				t.Errorf("viewer %d: %v", i, err)
			}
		})
	}
	reading.Wait()
	h.Close()
	for i, client := range ends {
		if _, err := io.Copy(io.Discard, client); err != nil {
			t.Errorf("viewer %d: the end of the stream: %v", i, err)
		}
	}
	if h.Viewers() != 0 {
		t.Errorf("%d viewers after the end", h.Viewers())
	}
}

// hears reads what a browser is told first, and then exactly what is wanted.
func hears(client io.Reader, c Coding, want string) error {
	if c == Zstd {
		d, err := zstd.NewReader(client, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return err
		}
		defer d.Close()
		client = d
	}
	all := bufio.NewReader(client)
	for range 4 { // retry and beat, one event.
		if _, err := all.ReadSlice('\n'); err != nil {
			return err
		}
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(all, got); err != nil {
		return err
	}
	if string(got) != want {
		return fmt.Errorf("heard something else: %.60q", got)
	}
	return nil
}

func BenchmarkPublish(b *testing.B) {
	for _, viewers := range []int{100, 1000} {
		b.Run(strconv.Itoa(viewers), func(b *testing.B) {
			h := NewBroker(viewers, viewers, time.Now)
			defer h.Close()
			s := h.Stream(1 << 20)
			for range viewers {
				h.Admit(0)
				s.Join(Guest{}).connect(&pipe{room: plenty}, nil, nil)
			}
			event := make([]byte, 1024)
			b.ReportAllocs()
			for b.Loop() {
				s.Publish(event)
			}
		})
	}
}

// TestOneAddressTakesItsShareOnly counts by address, and gets every place back: unused, after
// the viewer went, and at the end of the broker.
func TestOneAddressTakesItsShareOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewBroker(4, 2, time.Now)
		s := h.Stream(4)
		for range 2 {
			if err := h.Admit(7); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Admit(7); !errors.Is(err, ErrShare) || h.Viewers() != 2 || h.Refused() != 1 {
			t.Errorf("a third viewer of one address: %v, %d viewers", err, h.Viewers())
		}
		if h.Admit(0) != nil || h.Admit(8) != nil {
			t.Error("others are refused for it")
		}
		if err := h.Admit(9); !errors.Is(err, ErrFull) {
			t.Errorf("one more than the broker holds: %v", err)
		}
		h.Leave(7)
		h.Leave(8)
		h.Leave(0)
		s.Join(Guest{From: 7}) // Its connection never comes.
		time.Sleep(stallLimit + 2*tick)
		synctest.Wait()
		if h.Viewers() != 0 || len(h.places.taken) != 0 {
			t.Errorf("%d viewers, %v, want nobody", h.Viewers(), h.places.taken)
		}
		if err := h.Admit(7); err != nil {
			t.Error(err)
		}
		s.Join(Guest{From: 7}).connect(&pipe{room: plenty}, nil, nil)
		h.Close()
		if h.Viewers() != 0 || len(h.places.taken) != 0 {
			t.Errorf("after the end: %d viewers, %v", h.Viewers(), h.places.taken)
		}
	})
}
