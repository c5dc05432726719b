package handlers

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"statuspage/handlers/gate"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"strings"
	"sync"
	"testing"
	"time"
)

// greed is an address that takes all it can get.
type greed struct {
	t      *testing.T
	server string // host:port.
	http   *http.Client
	ctx    context.Context
	all    sync.WaitGroup
}

// clientFrom asks from an address of this machine.
func clientFrom(t *testing.T, address string, keep bool) (*http.Client, *net.Dialer) {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: 10 * time.Second}
	c := &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: !keep, DisableCompression: true}}
	t.Cleanup(c.CloseIdleConnections)
	return c, d
}

// again does something until the test ends; the caller waits for the first times.
func (g *greed) again(first int, what func(n int)) {
	begun := make(chan struct{})
	g.all.Go(func() {
		for n := 0; g.ctx.Err() == nil; n++ {
			if n == first {
				close(begun)
			}
			what(n)
		}
		select {
		case <-begun:
		default:
			close(begun)
		}
	})
	<-begun
}

// holds opens connections, writes what is given, and never reads; the oldest of many is let go.
func (g *greed) holds(d *net.Dialer, open int, request func(n int) string) {
	var held []net.Conn
	g.again(2*open, func(n int) {
		conn, err := d.DialContext(g.ctx, "tcp", g.server)
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, request(n))
		if held = append(held, conn); len(held) > open {
			_ = held[0].Close()
			held = held[1:]
		}
	})
	g.t.Cleanup(func() {
		for _, conn := range held {
			_ = conn.Close()
		}
	})
}

func (g *greed) asks(address func(n int) string) {
	g.again(5, func(n int) {
		req, err := http.NewRequestWithContext(g.ctx, http.MethodGet, "http://"+g.server+address(n), nil)
		if err != nil {
			g.t.Error(err)
			return
		}
		if res, err := g.http.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	})
}

// TestOneAddressCannotTakeEverything lets one take as much of everything as it can, while another wants no more than the page, live.
func TestOneAddressCannotTakeEverything(t *testing.T) {
	t.Parallel()
	services := make([]status.Service, 50)
	for i := range services {
		id := fmt.Sprintf("s%d", i)
		services[i] = status.Service{ID: id, Name: id, URL: "https://" + id + ".example", Interval: time.Minute, Timeout: 10 * time.Second}
	}
	s := newSite(t, func(o *Options) {
		var err error
		if o.Board, err = board.New(services, time.UTC); err != nil {
			t.Fatal(err)
		}
		o.MaxViewers = 200
		o.Limits = gate.Limits{Requests: gate.Limit{N: 100, Everybody: true}, Streams: gate.Limit{N: 100, Everybody: true}, Connections: 240}
		o.Metrics = func(w io.Writer) (string, error) { return "text/plain", nil }
	})
	ctx, stop := context.WithCancel(t.Context())
	client, dialer := clientFrom(t, "127.0.0.1", true)
	g := &greed{t: t, server: strings.TrimPrefix(s.url, "http://"), http: client, ctx: ctx}
	defer g.all.Wait()
	defer stop()
	zones := oddLooks(36)
	get := func(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }
	g.holds(dialer, 80, func(n int) string { return get(zones[n%len(zones)] + "&lang=" + []string{"fr", "de"}[n/len(zones)%2]) })
	g.holds(dialer, 100, func(n int) string { return get(fmt.Sprintf("%s&service=s%d", zones[n%len(zones)], n%50)) })
	g.holds(dialer, 100, func(int) string { return strings.Repeat(get("/signals?limit=1000"), 20) })
	g.holds(dialer, 100, func(int) string { return "" })
	g.holds(dialer, 100, func(int) string { return "GET / HTTP/1.1\r\nHost: x\r\nX-" })
	g.asks(func(n int) string { return fmt.Sprintf("/?q=%d&tz=Asia/Tokyo&window=90d", n) })
	g.asks(func(n int) string {
		return []string{"/card.png", "/metrics", "/summary.json", "/outages/none", "/history?month=2024-01"}[n%5] + fmt.Sprintf("?n=%d", n)
	})
	g.asks(func(n int) string { return fmt.Sprintf("/badge/page/uptime.svg?window=90d&color=%06x", n) })

	limits := s.server.server().limits
	s.until("it has its share of connections and of looks", func() bool {
		return s.server.crowd.Len() >= 240/gate.AddressShare && limits.Looks.Len() == s.server.server().live.MaxRare()/gate.AddressShare
	})
	// Everything is taken that can be. Somebody else comes.
	visitor, from := clientFrom(t, "127.0.0.2", false)
	ask := func(path string) (code int, body string) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := visitor.Do(req)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return res.StatusCode, string(text)
	}
	conn, err := from.DialContext(ctx, "tcp", g.server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, get("/events?lang=ja&window=24h"))
	live := bufio.NewScanner(conn)
	live.Buffer(nil, 1<<20)
	hears := func(what string) {
		t.Helper()
		_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second)) // For each: a busy machine is slow in all of them.
		for live.Scan() {
			if strings.Contains(live.Text(), what) {
				return
			}
		}
		t.Fatalf("the stream never says %q: %v", what, live.Err())
	}
	hears("HTTP/1.1 200")
	for round := range 10 {
		for path, want := range map[string]string{"/": "/events?", "/?lang=es&window=24h": "/events?", "/healthz": "ok", "/readyz": `"ready":true`, "/badge/s1/status.svg": "<svg"} {
			if code, body := ask(path); code != http.StatusOK || !strings.Contains(body, want) {
				t.Fatalf("round %d, %s: %d %.200q", round, path, code, body)
			}
		}
		s.apply("s1", time.Now(), []status.Outcome{status.Down, status.Up}[round%2])
		hears("id: ")
	}
	if got := s.server.crowd.Len(); got > 240 {
		t.Errorf("%d connections are open, of 240", got)
	}
}
