package handlers

import (
	"errors"
	"log/slog"
	"net"
	"statuspage/internal/board"
	"statuspage/internal/page"
	"testing"
	"time"
)

// TestShutdownEndsWhatHasNotBegunToListen ends a server at the instant at which it begins, or just before: Serve
// returns, and nobody listens any more.
func TestShutdownEndsWhatHasNotBegunToListen(t *testing.T) {
	t.Parallel()
	b, err := board.New(nil, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 50 {
		f, err := New(Options{Board: b, Log: slog.New(slog.DiscardHandler), Page: page.Settings{Title: "Acme"}, MaxViewers: 1})
		if err != nil {
			t.Fatal(err)
		}
		served, before := make(chan error, 2), make(chan struct{})
		if round%2 == 0 {
			close(before)
		}
		for _, serve := range []func(net.Listener) error{f.Serve, f.ServeOps} {
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := ln.Close(); !errors.Is(err, net.ErrClosed) {
					t.Errorf("it still listened: %v", err)
				}
			})
			go func() {
				<-before
				served <- serve(ln)
			}()
		}
		if err := f.Shutdown(); err != nil {
			t.Fatalf("shutdown: %v", err)
		}
		if round%2 == 1 {
			close(before)
		}
		for range 2 {
			select {
			case err := <-served:
				if err != nil {
					t.Errorf("serve: %v", err)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("it serves after its shutdown")
			}
		}
	}
}
