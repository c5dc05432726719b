package handlers

import (
	"fmt"
	"log/slog"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/handlers/gate"
	"statuspage/internal/board"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"strconv"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// BenchmarkRequest is what a request costs us between fasthttp and its socket, beside the least that
// Fiber does: handing out ready bytes.
func BenchmarkRequest(b *testing.B) {
	var services []status.Service
	for i := range 20 {
		id := fmt.Sprintf("svc%02d", i)
		services = append(services, status.Service{ID: id, Name: id, URL: "https://" + id, Interval: time.Minute, Timeout: 5 * time.Second})
	}
	bd, err := board.New(services, time.UTC)
	if err != nil {
		b.Fatal(err)
	}
	for i := range 60 {
		for _, s := range services {
			g := upSignal(s.ID)
			g.Received = g.Received.Add(-time.Duration(i) * time.Minute)
			bd.Apply([]status.Signal{g})
		}
	}
	s, err := New(Options{Board: bd, Log: slog.New(slog.DiscardHandler), MaxViewers: 10, Limits: gate.Limits{Requests: gate.Limit{N: 1_000_000_000}}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Shutdown()
	page := s.server().live.current(plain(s.server().live)).In(answer.Gzip)
	ready := fiber.New(fiber.Config{Immutable: true})
	ready.Get("/", func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		c.Context().Response.SetBodyRaw(page)
		return nil
	})
	for _, c := range []struct{ name, path, tag string }{
		{"ceiling", "", ""}, {"page", "/", ""}, {"304", "/", "x"}, {"badge", "/badge/svc01/status.svg", ""}, {"signals", "/signals?limit=60", ""}, {"healthz", "/healthz", ""},
	} {
		b.Run(c.name, func(b *testing.B) {
			handler := s.server().receive
			if c.name == "ceiling" {
				handler, c.path = ready.Handler(), "/"
			}
			var ctx fasthttp.RequestCtx
			ctx.Request.SetRequestURI(c.path)
			ctx.Request.Header.Set("Host", "127.0.0.1:8000")
			ctx.Request.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
			ctx.Request.Header.Set("Accept-Language", "en-US,en;q=0.9")
			ctx.Request.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
			want := http.StatusOK
			if c.tag != "" {
				handler(&ctx)
				ctx.Request.Header.Set("If-None-Match", string(ctx.Response.Header.Peek("Etag")))
				want = http.StatusNotModified
			}
			b.ReportAllocs()
			for b.Loop() {
				ctx.Response.Reset()
				handler(&ctx)
			}
			if got := ctx.Response.StatusCode(); got != want {
				b.Fatalf("status %d, want %d", got, want)
			}
		})
	}
}

// BenchmarkChange is what a service's signal costs from the board to the frame that all viewers of an
// edition share, with ever more services, of which each has measured a full hour and twenty share a heading.
func BenchmarkChange(b *testing.B) {
	for _, services := range []int{100, 1000, 10_000} {
		b.Run(strconv.Itoa(services), func(b *testing.B) {
			bd, l := newHour(b, services)
			e := plain(l)
			seen, second := 0, int64(0)
			for b.Loop() {
				seen++
				service := seen * 7919 % services
				if service == 0 {
					second++ // No service twice at one instant.
				}
				g := upSignal(bd.Services()[service].ID)
				g.Received, g.Duration = g.Received.Add(time.Duration(second)), time.Duration(seen%200)*time.Millisecond
				bd.Apply([]status.Signal{g})
				e.visited.Store(time.Now().UnixNano())
				l.render(map[int]bool{service: true}, false)
			}
		})
	}
}

// newHour is a board of services that have each measured a full hour, and what follows it.
func newHour(b *testing.B, n int) (*board.Board, *live) {
	b.Helper()
	services, signals := make([]status.Service, n), make([]status.Signal, 0, n*60)
	for i := range services {
		id := fmt.Sprintf("svc%05d", i)
		services[i] = status.Service{
			ID: id, Name: id, Group: fmt.Sprintf("Group %d", i/20), URL: "https://" + id, Interval: time.Minute, Timeout: 5 * time.Second,
		}
		for minute := range 60 {
			g := upSignal(id)
			g.Received = g.Received.Add(time.Duration(minute-60) * time.Minute)
			signals = append(signals, g)
		}
	}
	bd, err := board.New(services, time.UTC)
	if err != nil {
		b.Fatal(err)
	}
	bd.Apply(signals)
	hall := sse.NewHall(1, 1, time.Now)
	b.Cleanup(hall.Close)
	return bd, newLive(Options{Board: bd, Log: slog.New(slog.DiscardHandler), Now: time.Now, Note: func() views.Note { return views.NoNote }}, hall, nil)
}
