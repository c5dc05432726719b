package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

// streams writes an event of so many bytes to all viewers each second, and does nothing else:
// one write(2) a viewer, from a thread a processor. No server of events spends less.
type streams struct {
	mu    sync.Mutex
	conns []net.Conn // Keeps their descriptors open.
	fds   []int
}

func (s *streams) accept(ln net.Listener) error {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		go s.greet(conn)
	}
}

// greet reads the request and keeps the connection.
func (s *streams) greet(conn net.Conn) {
	if _, err := http.ReadRequest(bufio.NewReaderSize(conn, 512)); err != nil {
		_ = conn.Close() // It sent none.
		return
	}
	_, _ = conn.Write([]byte(streamHead))         // Who is gone is noticed by who counts.
	raw, err := conn.(*net.TCPConn).SyscallConn() //nolint:forcetypeassert // It listens on TCP.
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, conn)
	_ = raw.Control(func(fd uintptr) { s.fds = append(s.fds, int(fd)) }) // The connection is open.
}

func (s *streams) send(size int) {
	n := 0
	for range time.Tick(time.Second) {
		n++
		event := fmt.Appendf(nil, "id: %d\ndata: ", n)
		event = append(event, bytes.Repeat([]byte{'.'}, max(0, size-len(event)-2))...)
		event = append(event, "\n\n"...)
		s.mu.Lock()
		all := s.fds
		s.mu.Unlock()
		var wg sync.WaitGroup
		threads := runtime.GOMAXPROCS(0)
		for t := range threads {
			wg.Go(func() {
				for _, fd := range all[len(all)*t/threads : len(all)*(t+1)/threads] {
					_, _ = syscall.Write(fd, event) // Who is gone is noticed by who counts.
				}
			})
		}
		wg.Wait()
	}
}
