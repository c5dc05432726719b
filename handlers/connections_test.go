package handlers

import (
	"bufio"
	"io"
	"net/http"
	"statuspage/handlers/gate"
	"strings"
	"testing"
	"time"
)

// visitor is a connection that is none: it says where it comes from, and remembers its end.
// asks lets a visitor ask, and be answered unless it is busy.
// TestLastPlacesAreForNewAddresses lets eight addresses take all they can.
// TestSilenceKeepsNobodyOut opens as many silent connections as there may be, and as many with half of a header, from one address.
func TestSilenceKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) {
		o.Limits.Connections = 50
		o.Limits.Requests = gate.Limit{N: 5, Everybody: true}
	})
	for range 50 {
		s.dial()
		_, _ = io.WriteString(s.dial(), "GET / HTTP/1.1\r\nHos")
	}
	for _, path := range []string{"/healthz", "/"} {
		res, err := s.askSocket(path)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %v %v", path, res, err)
		}
	}
	if got := s.server.crowd.Len(); got > gate.MinShare {
		t.Errorf("one address has %d connections of 50, want at most %d", got, gate.MinShare)
	}
}

// TestWhoGivesWayLosesNoAnswer asks on connections that are kept, while others come and go.
func TestWhoGivesWayLosesNoAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.Limits.Connections = 4 })
	for range 50 {
		conn := s.dial()
		r := bufio.NewReader(conn)
		for range 3 {
			_, _ = io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
			res, err := http.ReadResponse(r, nil)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("%v %v", res, err)
			}
			_, _ = io.Copy(io.Discard, res.Body)
		}
	}
	if got := s.server.crowd.Len(); got > 4 {
		t.Errorf("%d connections of 4", got)
	}
}

func TestViewersLeaveConnectionsForThePage(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.MaxViewers, o.Limits.Connections = 1000, 64 })
	refused := 0
	for range 64 {
		conn := s.dial()
		_, _ = io.WriteString(conn, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
		if res, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || res.StatusCode != http.StatusOK {
			refused++
		}
	}
	if _, body := s.get("/healthz"); refused == 0 || !strings.Contains(body, "ok") {
		t.Errorf("%d of 64 viewers refused, and the house answers %q", refused, body)
	}
}

// TestSilenceDoesNotDelayTheStop holds that the server doesn't wait for requests that never come.
func TestSilenceDoesNotDelayTheStop(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for range 10 {
		s.dial()
		_, _ = io.WriteString(s.dial(), "GET / HTTP/1.1\r\nHos")
	}
	s.until("all are there", func() bool { return s.server.crowd.Len() == 20 })
	begun := time.Now()
	if err := s.server.Shutdown(); err != nil || time.Since(begun) > shutdownWait/2 {
		t.Errorf("stopped after %v: %v", time.Since(begun), err)
	}
}
