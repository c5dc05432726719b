package handlers

import (
	"log/slog"
	"net/http"
	"regexp"
	"statuspage/internal/board"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"strings"
	"sync"
	"testing"
	"time"
)

var sinceOf = regexp.MustCompile(`&amp;since=([A-Za-z0-9._-]+)`)

// reload shows these services from now on.
func (s *site) reload(change func(*Options), services ...status.Service) {
	s.t.Helper()
	b, err := s.board.With(services, time.UTC)
	if err != nil {
		s.t.Fatal(err)
	}
	o := Options{Board: b, Log: slog.New(slog.DiscardHandler), Page: page.Settings{Title: "Acme"}, MaxViewers: 10}
	if change != nil {
		change(&o)
	}
	if err := s.server.Reload(o); err != nil {
		s.t.Fatal(err)
	}
}

func TestReloadShowsTheNewServices(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.Page.CSS = []byte("body{margin:1px}") })
	web := s.board.Services()[0].Service
	s.apply("web", time.Now(), status.Down)
	s.eventually("/", "1 of 3 services is down")
	_, old := s.get("/")
	since := sinceOf.FindStringSubmatch(old)[1]
	css := regexp.MustCompile(page.FilePrefix + `[0-9a-f]+\.css`).FindString(old)
	open, own, signals := s.events("/events?since="+since), s.events("/events?service=web"), s.events("/signals/stream")
	for _, stream := range []<-chan string{open, own, signals} {
		next(t, stream, "beat")
	}

	s.reload(func(o *Options) { o.Page.Title = "Acme 2" }, status.Service{ID: "new", Name: "Newcomer", URL: "https://new.example", Interval: time.Minute, Timeout: time.Second}, web)
	next(t, open, "event: renew")
	next(t, own, "event: renew")
	_, page := s.get("/")
	if !strings.Contains(page, "Newcomer") || !strings.Contains(page, "1 of 2 services is down") || strings.Contains(page, "Twin") || !strings.Contains(page, "Acme 2") {
		t.Errorf("the page after a change:\n%s", page)
	}
	for path, want := range map[string]int{"/services/new": 200, "/services/web": 200, "/services/twin": 404, "/badge/new/status.svg": 200, css: 200} {
		if res, _ := s.get(path); res.StatusCode != want {
			t.Errorf("%s is %d, want %d", path, res.StatusCode, want)
		}
	}
	// A browser that was away meanwhile is told when it comes back, one with the new page is not.
	next(t, s.events("/events", "Last-Event-ID", since), "event: renew")
	fresh := s.events("/events?since=" + sinceOf.FindStringSubmatch(page)[1])
	if first := next(t, fresh, ""); strings.Contains(first, "renew") {
		t.Errorf("the new page is told to load anew: %s", first)
	}
	// Signals reach both sides, whoever holds which board.
	s.apply("new", time.Now(), status.Up)
	s.apply("web", time.Now(), status.Up)
	next(t, fresh, `hx-target="#s-new"`)
	next(t, signals, `"service":"new"`)
	next(t, signals, `"service":"web"`)
}

// TestReloadTwiceBringsRowsToWhoSawTheFirst goes back to the first layout: its ids count again.
func TestReloadTwiceBringsRowsToWhoSawTheFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	all := board.Plain(s.board.Services())
	_, page := s.get("/")
	since := sinceOf.FindStringSubmatch(page)[1]
	s.reload(nil, all[:1]...)
	s.apply("web", time.Now(), status.Down)
	s.reload(nil, all...)
	e := next(t, s.events("/events?since="+since), "hx-partial")
	if strings.Contains(e, "renew") || !strings.Contains(e, `hx-target="#s-web"`) || !strings.Contains(e, "timeout") {
		t.Errorf("after two changes the stream brings\n%s", e)
	}
}

func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	all := board.Plain(s.board.Services())
	stream := s.events("/signals/stream")
	next(t, stream, "beat")
	stop := make(chan struct{})
	var running sync.WaitGroup
	for _, path := range []string{"/", "/services/web", "/signals", "/badge/web/status.svg", "/history"} {
		running.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, nil)
				if err != nil {
					t.Error(err)
					return
				}
				res, err := s.http.Do(req)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				_ = res.Body.Close()
				if res.StatusCode != http.StatusOK {
					t.Errorf("%s is %d during changes", path, res.StatusCode)
				}
			}
		})
	}
	begin := time.Now().Add(-time.Hour)
	for i := range 30 {
		s.apply("web", begin.Add(time.Duration(2*i)*time.Second), status.Up)
		s.reload(nil, all[2], all[0])
		s.reload(nil, all[0], all[1+i%2])
		s.apply("web", begin.Add(time.Duration(2*i+1)*time.Second), status.Up)
	}
	close(stop)
	running.Wait()
	seen := map[string]int{}
	for i := range 60 {
		seen[begin.Add(time.Duration(i)*time.Second).UTC().Truncate(time.Microsecond).Format(receivedForm)] = 0
	}
	for range 60 {
		e := next(t, stream, "event: signal")
		at := regexp.MustCompile(`"received":"([^"]+)"`).FindStringSubmatch(e)
		if n, ours := seen[at[1]]; !ours || n != 0 {
			t.Errorf("signal of %s is none of ours, or came twice", at[1])
		}
		seen[at[1]]++
	}
}
