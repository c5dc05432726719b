package db_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"statuspage/db"
	"statuspage/internal/status"
	"sync"
	"testing"
	"time"
)

// receiver takes signals, and now and then loses its answer.
type receiver struct {
	mu      sync.Mutex
	away    bool
	deaf    bool // It takes them, and nobody hears of it.
	batches int
	got     map[time.Time]int
}

var errAway = errors.New("away")

func (r *receiver) set(away, deaf bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.away, r.deaf = away, deaf
}

func (r *receiver) Ensure(ctx context.Context) error { return r.Ping(ctx) }

func (r *receiver) Ping(context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return errAway
	}
	return nil
}

func (r *receiver) Write(_ context.Context, signals []status.Signal) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away {
		return errAway
	}
	r.batches++
	for _, s := range signals {
		r.got[s.Received]++
	}
	if r.deaf {
		return errAway
	}
	return nil
}

func (r *receiver) count() (batches, signals int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.batches, len(r.got)
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
	}
}

// TestForwardedSignalsArrive holds through a receiver that is away, one whose answers are lost,
// and a process that ends meanwhile.
func TestForwardedSignalsArrive(t *testing.T) {
	t.Parallel()
	path, log := filepath.Join(t.TempDir(), "outbox.db"), slog.New(slog.DiscardHandler)
	r := &receiver{away: true, got: map[time.Time]int{}}
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	sent := 0
	send := func(f *db.Forwarder) {
		t.Helper()
		if err := f.Write(t.Context(), []status.Signal{{Service: "web", Received: start.Add(time.Duration(sent) * time.Second), Outcome: status.Up, Available: true, HTTPStatus: 200}}); err != nil {
			t.Fatal(err)
		}
		sent++
	}
	f, err := db.Forward(t.Context(), path, r, log)
	if err != nil {
		t.Fatal(err)
	}
	send(f)
	send(f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r.set(false, true)
	if f, err = db.Forward(t.Context(), path, r, log); err != nil {
		t.Fatal(err)
	}
	send(f)
	until(t, "it comes again when no answer was heard", func() bool { batches, _ := r.count(); return batches > 1 })
	if s := f.State(); s.Up || s.Outbox != 3 || s.Err == nil {
		t.Errorf("state %+v", s)
	}
	r.set(false, false)
	until(t, "the outbox is empty", func() bool { s := f.State(); return s.Up && s.Outbox == 0 })
	send(f)
	if err := f.Close(); err != nil { // The last attempt takes it along.
		t.Fatal(err)
	}
	if _, signals := r.count(); signals != sent {
		t.Errorf("%d signals arrived, %d were sent", signals, sent)
	}
}
