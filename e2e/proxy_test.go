package e2e

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// proxy stands between a browser and the product, as proxies, scanners and portals do, and does to
// streams what it is told to. To the page it does nothing but tell it shorter waits: all of them
// are made of the server's heartbeat and refresh.
type proxy struct {
	URL     string
	habit   atomic.Pointer[habit]
	streams atomic.Int64 // That were asked for.
	pages   atomic.Int64
	back    *httputil.ReverseProxy
}

// habit is what a proxy does with a stream; pass asks the server and hands its answer to what it is given.
type habit struct {
	stream func(w http.ResponseWriter, r *http.Request, pass func(io.Writer))
	page   int // What all else is answered with; 0 for what the server says.
}

var (
	shown  = regexp.MustCompile(`data-beat="15" data-refresh="30"`)
	waits  = []byte(`data-beat="1.6" data-refresh="1"`)
	told   = regexp.MustCompile(`retry: \d+`)
	sooner = []byte("retry: 200")
)

// newProxy makes one that passes everything on.
func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{back: &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Header.Set("Accept-Encoding", "identity")
		},
		FlushInterval: -1,
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		ModifyResponse: func(answer *http.Response) error {
			if !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
				return nil
			}
			answer.Header.Del("Content-Security-Policy") // Of all pages, that forbids to show many side by side.
			answer.Header.Del("X-Frame-Options")
			body, err := io.ReadAll(answer.Body)
			if err != nil {
				return err
			}
			body = shown.ReplaceAll(body, waits)
			answer.Body = io.NopCloser(bytes.NewReader(body))
			answer.ContentLength = int64(len(body))
			answer.Header.Del("Content-Length")
			return nil
		},
	}}
	p.habit.Store(&habit{stream: passOn})
	listener := httptest.NewServer(p)
	t.Cleanup(func() {
		listener.CloseClientConnections()
		listener.Close()
	})
	p.URL = listener.URL
	return p
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := p.habit.Load()
	switch {
	case r.URL.Path == "/events":
		p.streams.Add(1)
		h.stream(w, r, func(to io.Writer) { p.pass(to, r) })
		return
	case r.Header.Get("Accept") != "" && !strings.HasPrefix(r.URL.Path, "/static/"):
		p.pages.Add(1)
	}
	if h.page != 0 {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(h.page)
		_, _ = io.WriteString(w, "<html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>")
		return
	}
	p.back.ServeHTTP(w, r)
}

// pass copies the body of the server's stream, until one of the three ends.
func (p *proxy) pass(to io.Writer, r *http.Request) {
	p.back.ServeHTTP(&bodyOf{to: to, head: http.Header{}}, r)
}

// bodyOf is an answer of which only the body counts. What browsers are told to wait is made shorter.
type bodyOf struct {
	to   io.Writer
	head http.Header
}

func (b *bodyOf) Header() http.Header { return b.head }
func (b *bodyOf) WriteHeader(int)     {}
func (b *bodyOf) Flush()              {}

func (b *bodyOf) Write(body []byte) (int, error) {
	if _, err := b.to.Write(told.ReplaceAll(body, sooner)); err != nil {
		panic(http.ErrAbortHandler)
	}
	return len(body), nil
}

// head begins a stream.
func head(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush() //nolint:forcetypeassert // Every answer of net/http is one.
}

// writing is what writes to the browser at once.
type writing func([]byte) (int, error)

func (f writing) Write(b []byte) (int, error) { return f(b) }

func atOnce(w http.ResponseWriter) io.Writer {
	return writing(func(b []byte) (int, error) {
		n, err := w.Write(b)
		w.(http.Flusher).Flush() //nolint:forcetypeassert // As above.
		return n, err
	})
}

func passOn(w http.ResponseWriter, _ *http.Request, pass func(io.Writer)) {
	head(w)
	pass(atOnce(w))
}

// holdBody passes the head of the answer, and keeps its body until it ends.
func holdBody(w http.ResponseWriter, _ *http.Request, pass func(io.Writer)) {
	head(w)
	pass(io.Discard)
}

func holdHead(_ http.ResponseWriter, _ *http.Request, pass func(io.Writer)) { pass(io.Discard) }

// answers makes a habit of one answer for all streams; more are names of headers and their values in turn.
func answers(code int, body string, more ...string) func(http.ResponseWriter, *http.Request, func(io.Writer)) {
	return func(w http.ResponseWriter, _ *http.Request, _ func(io.Writer)) {
		for i := 0; i+1 < len(more); i += 2 {
			w.Header().Set(more[i], more[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// unnamed passes the events as something else.
func unnamed(w http.ResponseWriter, _ *http.Request, pass func(io.Writer)) {
	w.Header().Set("Content-Type", "application/octet-stream")
	pass(atOnce(w))
}

// cut ends each stream soon after its first word.
func cut(w http.ResponseWriter, r *http.Request, pass func(io.Writer)) {
	head(w)
	end := time.Now().Add(200 * time.Millisecond)
	to := atOnce(w)
	first := true
	pass(writing(func(b []byte) (int, error) {
		if !first {
			return 0, io.ErrClosedPipe
		}
		first = false
		n, err := to.Write(b)
		time.Sleep(time.Until(end)) // What this proxy is about.
		return n, err
	}))
}

// drip passes a byte now and then, so that the first event takes longer than anybody waits.
func drip(w http.ResponseWriter, r *http.Request, pass func(io.Writer)) {
	head(w)
	to := atOnce(w)
	pass(writing(func(b []byte) (int, error) {
		for i := range b {
			select {
			case <-r.Context().Done():
				return i, r.Context().Err()
			case <-time.After(100 * time.Millisecond): // What this proxy is about.
			}
			if _, err := to.Write(b[i : i+1]); err != nil {
				return i, err
			}
		}
		return len(b), nil
	}))
}

// reset tears the connection once its head has passed.
func reset(w http.ResponseWriter, _ *http.Request, _ func(io.Writer)) {
	head(w)
	panic(http.ErrAbortHandler)
}

// pack packs the stream, and sends what the packer gives out by itself, which is nothing for long.
func pack(w http.ResponseWriter, _ *http.Request, pass func(io.Writer)) {
	w.Header().Set("Content-Encoding", "gzip")
	head(w)
	pass(gzip.NewWriter(atOnce(w)))
}

// onlyFirst passes what comes first, and nothing more.
func onlyFirst(w http.ResponseWriter, _ *http.Request, pass func(io.Writer)) {
	head(w)
	to, first := atOnce(w), true
	pass(writing(func(b []byte) (int, error) {
		if !first {
			return len(b), nil
		}
		first = false
		return to.Write(b)
	}))
}
