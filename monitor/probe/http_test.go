package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// HTTP measures as a prober without options does.
var HTTP = New(Options{}).asks

// asks measures a check as tests have it.
func (p *Prober) asks(ctx context.Context, c httpCheck) Result { return p.HTTP(ctx, c.whole()) }

// whole is the check with the settings that a test has given it.
func (c httpCheck) whole() check.Check {
	c.How = c.HTTP
	return c.Check
}

func checkOf(url string) httpCheck {
	return httpCheck{
		check.Check{Service: status.Service{ID: "x", URL: url, Interval: 20 * time.Second, Timeout: 5 * time.Second}, Target: url},
		&check.HTTP{Method: http.MethodHead, FollowRedirects: true},
	}
}

func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// raw serves one connection at a time with f, below HTTP.
func raw(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accept(t, ln, f)
	return "http://" + ln.Addr().String()
}

func accept(t *testing.T, ln net.Listener, f func(net.Conn)) {
	t.Helper()
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go f(c)
		}
	}()
}

// answer reads the request's header and sends text.
func answer(text string) func(net.Conn) {
	return func(c net.Conn) {
		defer c.Close()
		_, _ = c.Read(make([]byte, 4096))
		_, _ = io.WriteString(c, text)
	}
}

func reset(c net.Conn) {
	_, _ = c.Read(make([]byte, 4096))
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	closed := strings.Replace(raw(t, func(net.Conn) {}), "127.0.0.1", "127.0.0.2", 1) // Nobody else gets that port.
	selfSigned := httptest.NewUnstartedServer(http.NotFoundHandler())
	selfSigned.Config.ErrorLog = log.New(io.Discard, "", 0)
	selfSigned.StartTLS()
	t.Cleanup(selfSigned.Close)
	forever := func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, c := range map[string]struct {
		url    string
		change func(*httpCheck)
		want   status.Outcome
		reason status.Reason
		code   int
	}{
		"up":           {serve(t, func(http.ResponseWriter, *http.Request) {}), nil, status.Up, status.None, 200},
		"500":          {serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }), nil, status.Down, status.UnexpectedStatus, 500},
		"expected 404": {serve(t, http.NotFound), func(c *httpCheck) { c.ExpectStatus = []check.StatusRange{{From: 404, To: 404}} }, status.Up, status.None, 404},
		"hang":         {serve(t, forever), func(c *httpCheck) { c.Timeout = 200 * time.Millisecond }, status.Down, status.Timeout, -1},
		"hang in body": {serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			forever(w, r)
		}), func(c *httpCheck) { c.Method, c.Timeout = http.MethodGet, 200*time.Millisecond }, status.Down, status.Timeout, -1},
		"endless body": {serve(t, func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 32<<10)); err != nil {
					return
				}
			}
		}), func(c *httpCheck) { c.Method = http.MethodGet }, status.Up, status.None, 200},
		"refused":       {closed, nil, status.Down, status.ConnectionRefused, -1},
		"reset":         {raw(t, reset), nil, status.Down, status.ConnectionReset, -1},
		"closed early":  {raw(t, answer("")), nil, status.Down, status.ConnectionReset, -1},
		"cut in header": {raw(t, answer("HTTP/1.1 200 OK\r\nA: b\r\n")), nil, status.Down, status.ConnectionReset, -1},
		"not HTTP":      {raw(t, answer("SSH-2.0-OpenSSH_9.2\r\n")), nil, status.Down, status.Protocol, -1},
		"huge header":   {raw(t, answer("HTTP/1.1 200 OK\r\nX: "+strings.Repeat("a", maxHeader*2)+"\r\n\r\n")), nil, status.Down, status.Protocol, -1},
		"no such name":  {"http://nowhere.invalid", nil, status.Down, status.DNS, -1},
		"self-signed":   {selfSigned.URL, nil, status.Down, status.TLS, -1},
		"no TLS there":  {strings.Replace(serve(t, http.NotFound), "http:", "https:", 1), nil, status.Down, status.TLS, -1},
		"redirect loop": {serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }), nil, status.Down, status.TooManyRedirects, -1},
		"first answer":  {serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) }), func(c *httpCheck) { c.FollowRedirects = false }, status.Up, status.None, 302},
		"slow":          {serve(t, func(http.ResponseWriter, *http.Request) {}), func(c *httpCheck) { c.DegradedAfter = time.Nanosecond }, status.Degraded, status.Slow, 200},
		"no HEAD": {serve(t, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusMethodNotAllowed)
			}
		}), nil, status.Up, status.None, 200},
		"our own mistake": {"http://x", func(c *httpCheck) { c.Method = "BAD METHOD" }, status.Unknown, status.None, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check := checkOf(c.url)
			if c.change != nil {
				c.change(&check)
			}
			r := HTTP(t.Context(), check)
			if r.Outcome != c.want || r.Reason != c.reason || r.HTTPStatus != c.code {
				t.Errorf("%v %v %d, want %v %v %d (%v)", r.Outcome, r.Reason, r.HTTPStatus, c.want, c.reason, c.code, r.Err)
			}
			if r.Duration <= 0 || c.want == status.Down && r.Err == nil {
				t.Errorf("duration %v, error %v; want both", r.Duration, r.Err)
			}
		})
	}
}

func TestStoppingIsNoVerdict(t *testing.T) {
	t.Parallel()
	reached := make(chan struct{})
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-reached
		cancel()
	}()
	if r := HTTP(ctx, checkOf(url)); r.Outcome != status.Unknown || r.Reason != status.None {
		t.Errorf("stopped probe says %v %v, want unknown", r.Outcome, r.Reason)
	}
}

func TestShortagesOfOursAreNoVerdict(t *testing.T) {
	t.Parallel()
	for _, errno := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.EADDRNOTAVAIL, syscall.ENOMEM} {
		err := fmt.Errorf("HEAD x: %w", &net.OpError{Op: "dial", Err: errno})
		if r := judge(checkOf("http://x"), Result{Err: err}); r.Outcome != status.Unknown {
			t.Errorf("%v gives %v, want unknown", errno, r.Outcome)
		}
	}
}

func TestSecretsStayWithTheirHost(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	other := serve(t, func(_ http.ResponseWriter, r *http.Request) { got <- r.Header })
	first := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Token") != "secret" || r.Host != "virtual.example" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		if user, password, _ := r.BasicAuth(); user != "me" || password != "pass" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		http.Redirect(w, r, strings.Replace(other, "127.0.0.1", "localhost", 1), http.StatusFound)
	})
	c := checkOf(strings.Replace(first, "http://", "http://me:pass@", 1))
	c.Headers = map[string]string{"X-Token": "secret", "host": "virtual.example"}
	if r := HTTP(t.Context(), c); r.Outcome != status.Up {
		t.Fatalf("%v %v %v", r.Outcome, r.HTTPStatus, r.Err)
	}
	if h := <-got; h.Get("X-Token") != "" || h.Get("Authorization") != "" {
		t.Errorf("another host was told %v", h)
	}
}

func TestErrorsCarryNoCredentials(t *testing.T) {
	t.Parallel()
	c := checkOf("http://127.0.0.1:1/")
	c.Target = "http://topsecret:hidden@127.0.0.1:1/?a=1"
	r := HTTP(t.Context(), c)
	if r.Err == nil || strings.Contains(r.Err.Error(), "topsecret") || strings.Contains(r.Err.Error(), "hidden") {
		t.Errorf("error = %v, want one without credentials", r.Err)
	}
}

func TestPhasesAndConnections(t *testing.T) {
	t.Parallel()
	connections := map[string]bool{}
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { connections[r.RemoteAddr] = true })
	c := checkOf(strings.Replace(url, "127.0.0.1", "localhost", 1))
	for range 3 {
		r := HTTP(t.Context(), c)
		if r.Outcome != status.Up || r.Phases.Connect <= 0 || r.Phases.FirstByte <= 0 || r.Phases.Total != r.Duration {
			t.Errorf("%v, phases %+v of %v", r.Outcome, r.Phases, r.Duration)
		}
	}
	if len(connections) != 3 {
		t.Errorf("%d connections for 3 probes, want one each", len(connections))
	}
	clear(connections)
	c.KeepAlive = true
	for range 3 {
		HTTP(t.Context(), c)
	}
	if len(connections) != 1 {
		t.Errorf("%d connections for 3 probes that keep theirs, want 1", len(connections))
	}
}

func TestKeptConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	connections := map[string]int{}
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { connections[r.URL.Path+" "+r.RemoteAddr]++ })
	p := New(Options{Keep: 2})
	for range 3 {
		for _, id := range []string{"a", "b", "c"} {
			c := checkOf(url + "/" + id)
			c.ID, c.KeepAlive = id, true
			if r := p.asks(t.Context(), c); r.Outcome != status.Up {
				t.Errorf("%s is %v: %v", id, r.Outcome, r.Err)
			}
		}
	}
	if len(connections) != 5 {
		t.Errorf("%d connections, want one for each of two checks and three of the third: %v", len(connections), connections)
	}
}

func TestKeptConnectionThatTheServerClosed(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	url := raw(t, func(c net.Conn) { // Says nothing of closing, and closes.
		connections.Add(1)
		answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(c)
	})
	c := checkOf(url)
	c.KeepAlive = true
	for range 3 {
		if r := HTTP(t.Context(), c); r.Outcome != status.Up {
			t.Errorf("%v %v: %v, want up over a new connection", r.Outcome, r.Reason, r.Err)
		}
	}
	if n := connections.Load(); n != 3 {
		t.Errorf("%d connections, want 3", n)
	}
}

func TestInterimAnswersAreNoVerdict(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]status.Outcome{1: status.Up, 10: status.Up, 10_000: status.Down} {
		r := HTTP(t.Context(), checkOf(raw(t, answer(strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", n)+"HTTP/1.1 204 No Content\r\n\r\n"))))
		if r.Outcome != want {
			t.Errorf("%d interim answers: %v %v (%v), want %v", n, r.Outcome, r.Reason, r.Err, want)
		}
	}
}

// TestOneShotAgreesWithNetHTTP holds the way of our own to that of net/http, answer by answer.
func TestOneShotAgreesWithNetHTTP(t *testing.T) {
	t.Parallel()
	for name, text := range odd {
		for _, method := range []string{http.MethodHead, http.MethodGet} {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				check := checkOf(raw(t, oddServer(text)) + "/")
				check.Method = method
				p := New(Options{})
				want := judge(check, exchange(t.Context(), check, p.netHTTP(false, nil), method, new(stopwatch)))
				got := judge(check, exchange(t.Context(), check, p.fresh, method, new(stopwatch)))
				if got.Outcome != want.Outcome || got.Reason != want.Reason || got.HTTPStatus != want.HTTPStatus {
					t.Errorf("%v %v %d (%v), net/http says %v %v %d (%v)", got.Outcome, got.Reason, got.HTTPStatus, got.Err,
						want.Outcome, want.Reason, want.HTTPStatus, want.Err)
				}
			})
		}
	}
}

func TestTLSStallEndsInTime(t *testing.T) {
	t.Parallel()
	url := raw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	c := checkOf(strings.Replace(url, "http:", "https:", 1))
	c.Timeout = 200 * time.Millisecond
	r := HTTP(t.Context(), c)
	if r.Reason != status.Timeout || !errors.Is(r.Err, context.DeadlineExceeded) || r.Duration > 3*time.Second {
		t.Errorf("%v after %v: %v, want a timeout", r.Reason, r.Duration, r.Err)
	}
}
