package probe

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"statuspage/internal/status"
	"sync/atomic"
	"testing"
	"time"
)

const well200 = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

func keptCheck(url string) httpCheck {
	c := checkOf(url)
	c.KeepAlive = true
	return c
}

// TestWhatComesToAnIdleConnectionIsNoAnswer has a server say something after its answer; the prober closes, and asks anew.
func TestWhatComesToAnIdleConnectionIsNoAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		late, second string
		want         int
	}{
		"408 of a balancer":    {"HTTP/1.1 408 Request Time-out\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", well200, 200},
		"one answer too many":  {well200, "HTTP/1.1 500 Down\r\nContent-Length: 0\r\n\r\n", 500},
		"a body behind a HEAD": {"<html>1</html>", well200, 200},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int64
			left := make(chan struct{})
			url := raw(t, func(conn net.Conn) {
				defer conn.Close()
				requests := bufio.NewReader(conn)
				first := connections.Add(1) == 1
				for {
					if _, err := http.ReadRequest(requests); err != nil {
						return
					}
					if !first {
						_, _ = io.WriteString(conn, c.second)
						continue
					}
					_, _ = io.WriteString(conn, well200)
					_, _ = io.WriteString(conn, c.late)
					_, _ = io.Copy(io.Discard, requests)
					close(left)
					return
				}
			})
			p := New(Options{})
			p.asks(t.Context(), keptCheck(url))
			select {
			case <-left:
			case <-time.After(5 * time.Second):
				t.Fatal("the connection is kept")
			}
			if r := p.asks(t.Context(), keptCheck(url)); r.HTTPStatus != c.want {
				t.Errorf("%v %d (%v), want %d as said over a new connection", r.Outcome, r.HTTPStatus, r.Err, c.want)
			}
		})
	}
}

// TestAnswerThatCrossesIsAskedAgain has the server's complaint of idleness come when the next request is on its way, and answers
// over a kept connection that break off.
func TestAnswerThatCrossesIsAskedAgain(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]string{
		"408": "HTTP/1.1 408 Request Time-out\r\nContent-Length: 0\r\n\r\n", "nothing": "", "half an answer": "HTTP/1.1 200 OK\r\nA: b", "garbage": "<html>1</html>",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var connections atomic.Int64
			url := raw(t, func(conn net.Conn) {
				defer conn.Close()
				connections.Add(1)
				requests := bufio.NewReader(conn)
				for n := range 2 {
					if _, err := http.ReadRequest(requests); err != nil {
						return
					}
					_, _ = io.WriteString(conn, []string{well200, second}[n])
				}
			})
			p := New(Options{})
			for range 2 {
				if r := p.asks(t.Context(), keptCheck(url)); r.Outcome != status.Up {
					t.Errorf("%v %v (%v), want up", r.Outcome, r.Reason, r.Err)
				}
			}
			if n := connections.Load(); n != 2 {
				t.Errorf("%d connections, want 2", n)
			}
		})
	}
}

// TestRedirectsLeaveNoConnectionsBehind is sent to another address each time.
func TestRedirectsLeaveNoConnectionsBehind(t *testing.T) {
	t.Parallel()
	var sent, open atomic.Int64
	closed := make(chan struct{}, 1000)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			_, port, _ := net.SplitHostPort(r.Host)
			http.Redirect(w, r, fmt.Sprintf("http://127.0.1.%d:%s/end", sent.Add(1), port), http.StatusFound)
		}
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
			closed <- struct{}{}
		default:
		}
	}
	_ = s.Listener.Close()
	var err error
	if s.Listener, err = net.Listen("tcp4", "0.0.0.0:0"); err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(s.Close)
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	p := New(Options{})
	for range 50 {
		if r := p.asks(t.Context(), keptCheck("http://127.0.0.1:"+port+"/")); r.Outcome != status.Up {
			t.Fatal(r.Err)
		}
	}
	for open.Load() > maxIdle {
		select {
		case <-closed:
		case <-time.After(5 * time.Second):
			t.Fatalf("one check holds %d connections, want %d at most", open.Load(), maxIdle)
		}
	}
}

// TestEditedAddressGivesUpItsConnection holds that the one to the old address is closed, and its place taken over.
func TestEditedAddressGivesUpItsConnection(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	url := raw(t, func(conn net.Conn) {
		requests := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(requests)
			if err != nil {
				left <- struct{}{}
				return
			}
			_ = req
			_, _ = io.WriteString(conn, well200)
		}
	})
	p := New(Options{Keep: 1})
	for i := range 5 {
		if r := p.asks(t.Context(), keptCheck(fmt.Sprint(url, "/", i))); r.Outcome != status.Up {
			t.Fatal(r.Err)
		}
		if i > 0 {
			<-left
		}
	}
	if p.keeps != 1 || len(p.known) != 1 {
		t.Errorf("%d places of %d checks are taken, want that of one", p.keeps, len(p.known))
	}
	off := checkOf(fmt.Sprint(url, "/4"))
	p.asks(t.Context(), off) // Of the check as it is without keep_alive.
	<-left                   // The kept one, and the fresh one after its exchange.
	<-left
	if p.keeps != 0 {
		t.Error("a check that keeps no connection any more has a place")
	}
}

// TestPlacesComeBack holds that checks which are gone have no place, and those that are there keep theirs.
func TestPlacesComeBack(t *testing.T) {
	t.Parallel()
	p, now := New(Options{Keep: 2}), time.Now()
	has := func(id string, now time.Time) bool {
		c := keptCheck("http://127.0.0.1/" + id)
		c.ID = id
		k := p.look(c, now)
		return k != nil && k.transport != nil
	}
	if !has("a", now) || !has("b", now) || has("c", now) {
		t.Error("want places for the two that ask first")
	}
	interval := checkOf("").Interval
	for range 10 {
		now = now.Add(interval)
		if !has("a", now) {
			t.Error("a check that is measured loses its place")
		}
		has("c", now)
	}
	if !has("c", now) || has("b", now) || !has("a", now) {
		t.Error("want the place of the check that is gone given to the one that asks")
	}
}

// TestKeptConnectionIsRenewedAtTimes holds that a name which points elsewhere is noticed.
func TestKeptConnectionIsRenewedAtTimes(t *testing.T) {
	t.Parallel()
	connections := map[string]bool{}
	c := keptCheck(serve(t, func(_ http.ResponseWriter, r *http.Request) { connections[r.RemoteAddr] = true }))
	p := New(Options{})
	for range 3 {
		p.asks(t.Context(), c)
	}
	p.known[c.ID].transport.since = time.Now().Add(-maxAge)
	for range 3 {
		p.asks(t.Context(), c)
	}
	if len(connections) != 2 {
		t.Errorf("%d connections, want one, and one after %v", len(connections), maxAge)
	}
}

// TestOneProbeHasBounds has servers of HTTP/2 that end connections without an answer.
func TestOneProbeHasBounds(t *testing.T) {
	t.Parallel()
	server, roots := pair(t)
	server.NextProtos = []string{"h2"}
	const settings, goaway = "\x00\x00\x00\x04\x00\x00\x00\x00\x00", "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	for name, behave := range map[string]func(*taken){
		"before the request": func(c *taken) { c.say(settings + goaway) },
		"after it":           func(c *taken) { c.say(settings); c.request(); c.say(goaway) },
	} {
		var connections atomic.Int64
		url, _ := target(t, hostile{behave: func(c *taken) {
			connections.Add(1)
			behave(c)
		}}, server)
		r := trusting(roots).asks(t.Context(), checkOf(url))
		if n := connections.Load(); r.Reason != status.ConnectionReset || n > 2*maxDials || r.Duration > 3*time.Second {
			t.Errorf("GOAWAY %s: %v (%v) after %v and %d connections, want a reset by %d", name, r.Reason, r.Err, r.Duration, n, 2*maxDials)
		}
	}
}

// TestNameWithManyAddresses holds how many of a name's addresses are tried.
func TestNameWithManyAddresses(t *testing.T) {
	t.Parallel()
	web := serve(t, func(http.ResponseWriter, *http.Request) {})
	for dead, want := range map[int]status.Reason{maxAddresses - 1: status.None, maxAddresses: status.ConnectionRefused} {
		addresses := make([]string, 0, dead+1)
		for i := range dead {
			addresses = append(addresses, fmt.Sprint("127.0.2.", i+1))
		}
		p := New(Options{Resolver: resolver(t, at(append(addresses, "127.0.0.1")...))})
		if r := p.asks(t.Context(), checkOf(named(t, web, "target.example."))); r.Reason != want {
			t.Errorf("behind %d dead addresses: %v (%v), want %v", dead, r.Reason, r.Err, want)
		}
	}
}
