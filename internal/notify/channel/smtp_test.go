package channel_test

import (
	"bufio"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"
)

// sink is a mail server on loopback that keeps what it is handed, or fails in a way of its own.
type sink struct {
	t    *testing.T
	ln   net.Listener
	tls  *tls.Config // Offers STARTTLS; nil offers none.
	fail string      // What goes wrong.

	mu    sync.Mutex
	mails []letter
	said  []string // Commands, in their order.
	open  int      // Connections.
}

type letter struct {
	to        []string
	data      string
	encrypted bool
}

func newSink(t *testing.T, fail string) *sink {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &sink{t: t, ln: ln, fail: fail}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				s.count(1)
				defer s.count(-1)
				defer c.Close()
				s.serve(c, false)
			})
		}
	})
	t.Cleanup(func() { _ = ln.Close(); all.Wait() })
	return s
}

func (s *sink) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open += n
}

func (s *sink) got() []letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]letter(nil), s.mails...)
}

func (s *sink) serve(c net.Conn, encrypted bool) {
	in := bufio.NewReader(c)
	say := func(text string) { _, _ = c.Write([]byte(text + "\r\n")) }
	if !encrypted {
		switch s.fail {
		case "drop":
			return
		case "stall":
			_, _ = in.ReadString('\n') // Until the other side gives up.
			return
		case "421":
			say("421 4.3.2 closing down")
			return
		case "garbage":
			say(strings.Repeat("x", 100))
			return
		}
		say("220 sink ESMTP")
	}
	var now letter
	now.encrypted = encrypted
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		s.mu.Lock()
		s.said = append(s.said, line)
		s.mu.Unlock()
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO":
			if s.tls != nil && !encrypted {
				say("250-sink")
				say("250 STARTTLS")
				continue
			}
			say("250-sink")
			say("250 AUTH PLAIN LOGIN")
		case "STARTTLS":
			say("220 go on")
			s.serve(tls.Server(c, s.tls), true)
			return
		case "AUTH":
			if s.fail == "535" {
				say("535 5.7.8 wrong password")
				continue
			}
			say("235 come in")
		case "MAIL":
			now = letter{encrypted: encrypted}
			say("250 ok")
		case "RCPT":
			switch {
			case s.fail == "451":
				say("451 4.3.0 try later")
			case s.fail == "550", s.fail == "550 one" && strings.Contains(rest, "gone@"):
				say("550 5.1.1 nobody of this name")
			default:
				now.to = append(now.to, strings.Trim(strings.TrimPrefix(rest, "TO:"), "<>"))
				say("250 ok")
			}
		case "DATA":
			if s.fail == "552" {
				say("552 5.3.4 too large")
				continue
			}
			say("354 go on")
			var b strings.Builder
			for {
				line, err := in.ReadString('\n')
				if err != nil || line == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(line, "."))
			}
			now.data = b.String()
			s.mu.Lock()
			s.mails = append(s.mails, now)
			s.mu.Unlock()
			switch s.fail {
			case "close after DATA":
				return
			case "stall after DATA":
				_, _ = in.ReadString('\n')
				return
			}
			say("250 queued")
			if s.fail == "close after all" {
				return
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}
