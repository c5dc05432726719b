package handlers

import (
	"fmt"
	"log/slog"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/handlers/gate"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"statuspage/views/lang"
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
			g := status.Signal{Service: s.ID, Received: time.Now(), Outcome: status.Up, Available: true, HTTPStatus: 200, Duration: time.Millisecond}
			g.Received = g.Received.Add(-time.Duration(i) * time.Minute)
			bd.Apply([]status.Signal{g})
		}
	}
	s, err := New(Options{Board: bd, Log: slog.New(slog.DiscardHandler), MaxViewers: 10, Limits: gate.Limits{Requests: gate.Limit{N: 1_000_000_000}}})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Shutdown()
	variant, _ := s.server().live.Variant(s.server().page.Usual(lang.Default()))
	page := s.server().live.Current(variant).In(answer.Gzip)
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
