package probe

import (
	"io"
	"net"
	"net/http"
	"statuspage/internal/status"
	"strings"
	"sync"
	"testing"
	"time"
)

// twofold answers HEAD and GET each in its way, and writes down what it was asked with.
type twofold struct {
	mu        sync.Mutex
	asked     []string
	head, get http.HandlerFunc
}

func (s *twofold) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Method)
	s.mu.Unlock()
	if r.Method == http.MethodHead {
		s.head(w, r)
		return
	}
	s.get(w, r)
}

// took returns what it was asked with since.
func (s *twofold) took() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := strings.Join(s.asked, " ")
	s.asked = nil
	return all
}

func says(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func saysRaw(text string, linger int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_ = conn.(*net.TCPConn).SetLinger(linger)
		_, _ = io.WriteString(conn, text)
		_ = conn.Close()
	}
}

// TestHeadThatFailsIsAskedWithGet holds that a server which answers GET is up, whatever it makes of HEAD; that it is asked
// with GET at once from then on, and what was overlooked is told when it was.
func TestHeadThatFailsIsAskedWithGet(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]http.HandlerFunc{
		"400": says(400), "401": says(401), "403": says(403), "404": says(404), "405": says(405), "429": says(429), "500": says(500), "501": says(501),
		"hangs": hangs, "closes": saysRaw("", -1), "resets": saysRaw("", 0), "garbage": saysRaw("what?\r\n\r\n", -1),
		"sent round": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) },
	} {
		for _, keep := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := &twofold{head: head, get: says(200)}
				p, check := New(Options{}), checkOf(serve(t, s.serve))
				check.KeepAlive = keep
				if name == "hangs" {
					check.Timeout = time.Second
				}
				r := p.asks(t.Context(), check)
				if took := s.took(); r.Outcome != status.Up || !strings.HasSuffix(took, "GET") || r.Err == nil || !strings.Contains(r.Err.Error(), "asked with GET") {
					t.Errorf("%v %v (%v), asked with %s; want up by GET, and told so", r.Outcome, r.Reason, r.Err, took)
				}
				if r.Duration > check.Timeout/2 {
					t.Errorf("GET took %v, and HEAD is none of it", r.Duration)
				}
				if r := p.asks(t.Context(), check); r.Outcome != status.Up || r.Err != nil {
					t.Errorf("the second time: %v (%v), want up", r.Outcome, r.Err)
				}
				if took := s.took(); took != "GET" {
					t.Errorf("the second time it is asked with %s, want GET", took)
				}
			})
		}
	}
}

func TestHeadIsAskedAgainAfterADay(t *testing.T) {
	t.Parallel()
	s := &twofold{head: says(403), get: says(200)}
	p, check := New(Options{}), checkOf(serve(t, s.serve))
	p.asks(t.Context(), check)
	p.known[check.ID].refused = time.Now().Add(-headAgain)
	s.head = says(200)
	s.took()
	if p.asks(t.Context(), check); s.took() != http.MethodHead {
		t.Error("HEAD is not asked again after a day")
	}
	p.known[check.ID].refused = time.Now()
	check.Target += "/edited"
	if p.asks(t.Context(), check); s.took() != http.MethodHead {
		t.Error("HEAD is not asked of another address")
	}
}

// TestGetHasTheLastWord holds that when both fail it is GET's failure that counts.
func TestGetHasTheLastWord(t *testing.T) {
	t.Parallel()
	getting := make(chan struct{})
	for name, c := range map[string]struct {
		head, get http.HandlerFunc
		reason    status.Reason
		code      int
		asked     string
	}{
		"both":             {says(403), says(500), status.UnexpectedStatus, 500, "HEAD GET"},
		"GET resets":       {says(403), saysRaw("", 0), status.ConnectionReset, -1, "HEAD GET"},
		"both hang":        {hangs, hangs, status.Timeout, -1, "HEAD GET"},
		"GET says no":      {hangs, says(503), status.UnexpectedStatus, 503, "HEAD GET"},
		"GET is not asked": {says(200), says(500), status.None, 200, "HEAD"},
		"slow HEAD": {func(_ http.ResponseWriter, r *http.Request) {
			select {
			case <-getting:
			case <-r.Context().Done():
			}
		}, func(w http.ResponseWriter, r *http.Request) {
			close(getting)
			hangs(w, r)
		}, status.None, 200, "HEAD GET"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &twofold{head: c.head, get: c.get}
			check := checkOf(serve(t, s.serve))
			check.Timeout = time.Second
			r := New(Options{}).asks(t.Context(), check)
			if took := s.took(); r.Reason != c.reason || r.HTTPStatus != c.code || took != c.asked {
				t.Errorf("%v %d (%v), asked with %s; want %v %d, asked with %s", r.Reason, r.HTTPStatus, r.Err, took, c.reason, c.code, c.asked)
			}
		})
	}
}

// TestWhatNoMethodMendsIsAskedOnce holds that who could not be asked at all is not asked in another way.
func TestWhatNoMethodMendsIsAskedOnce(t *testing.T) {
	t.Parallel()
	accepted := make(chan struct{}, 10)
	url := strings.Replace(raw(t, func(c net.Conn) {
		accepted <- struct{}{}
		answer("HTTP/1.1 400 Bad Request\r\n\r\n")(c)
	}), "http:", "https:", 1)
	if r := HTTP(t.Context(), checkOf(url)); r.Reason != status.TLS || len(accepted) != 1 {
		t.Errorf("%v (%v) over %d connections, want a TLS error over one", r.Reason, r.Err, len(accepted))
	}
}
