package outbox_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"statuspage/db/outbox"
	"statuspage/internal/status"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, path string, maxRows int) *outbox.Outbox {
	t.Helper()
	b, err := outbox.Open(t.Context(), path, outbox.Options{MaxRows: maxRows})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // Some tests have closed it.
	return b
}

func signals(from, n int) []status.Signal {
	all := make([]status.Signal, n)
	for i := range all {
		all[i] = status.Signal{
			Received: time.UnixMicro(int64(1_700_000_000_000_000 + from + i)).UTC(), Service: "a", Region: "eu", URL: "https://a.example/'\x00",
			HTTPStatus: 503, Outcome: status.Down, Duration: 7 * time.Microsecond, Reason: status.UnexpectedStatus, Error: "got 503 \xff",
		}
	}
	return all
}

func pending(t *testing.T, b *outbox.Outbox) (all []status.Signal) {
	t.Helper()
	for s, err := range b.Pending(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

func TestSurvivesReopenAndAcksInPart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "outbox.db")
	b := open(t, path, 0)
	want := signals(0, 2500)
	for i := 0; i < len(want); i += 100 {
		if err := b.Append(t.Context(), want[i:i+100]); err != nil {
			t.Fatal(err)
		}
	}
	for len(want) > 0 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		b = open(t, path, 0)
		if diff := cmp.Diff(want, pending(t, b)); diff != "" {
			t.Fatalf("after reopen: %s", diff)
		}
		if s := b.Status(); s.Depth != len(want) || !s.Oldest.Equal(want[0].Received) || s.Last != 2500 {
			t.Fatalf("status %+v with %d left", s, len(want))
		}
		got, last, err := b.Next(t.Context(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want[:len(got)], got); diff != "" {
			t.Fatalf("next: %s", diff)
		}
		if err := b.Ack(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		want = want[len(got):]
	}
	if s := b.Status(); s != (outbox.Status{Last: 2500, First: 2501}) {
		t.Errorf("empty: %+v", s)
	}
	_ = b.Close() // Numbers go on after a restart of an empty queue.
	b = open(t, path, 0)
	if err := b.Append(t.Context(), signals(0, 1)); err != nil || b.Status().Last != 2501 || b.Depth() != 1 {
		t.Errorf("after all: %+v %v", b.Status(), err)
	}
}

func TestBounded(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "outbox.db"), 10)
	if err := b.Append(t.Context(), signals(0, 9)); err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), signals(9, 2)); !errors.Is(err, status.ErrUnavailable) {
		t.Errorf("%v, want ErrUnavailable", err)
	}
	if n := len(pending(t, b)); n != 9 || b.Depth() != 9 {
		t.Errorf("%d pending, depth %d", n, b.Depth())
	}
	if err := b.Ack(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := b.Append(t.Context(), signals(9, 2)); err != nil {
		t.Error(err)
	}
}

func TestRefusesWhatNoStoreTakes(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "outbox.db"), 0)
	good := signals(0, 1)[0]
	unknown, ancient, odd := good, good, good
	unknown.Outcome, ancient.Received, odd.HTTPStatus = status.Unknown, time.Time{}, 1<<40
	for _, bad := range []status.Signal{unknown, ancient, odd} {
		if err := b.Append(t.Context(), []status.Signal{good, bad}); !errors.Is(err, status.ErrInvalid) {
			t.Errorf("%v, want ErrInvalid", err)
		}
	}
	if b.Depth() != 0 {
		t.Errorf("depth %d", b.Depth())
	}
}

// Whatever is wrong with the file, there is an outbox, and the file is kept.
func TestDamagedIsPutAside(t *testing.T) {
	for name, damage := range map[string]func([]byte){
		"header": func(b []byte) { copy(b, "rubbish rubbish rubbish") },
		"inside": func(b []byte) { copy(b[3*4096:], bytes.Repeat([]byte{0xA5}, 4096)) },
	} {
		path := filepath.Join(t.TempDir(), "outbox.db")
		b := open(t, path, 0)
		if err := b.Append(t.Context(), signals(0, 1000)); err != nil {
			t.Fatal(err)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		damage(content)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		b = open(t, path, 0)
		if err := b.Append(t.Context(), signals(0, 3)); err != nil || len(pending(t, b)) != 3 {
			t.Errorf("%s: %v, %d wait", name, err, len(pending(t, b)))
		}
		aside, _ := filepath.Glob(path + ".damaged-*")
		if len(aside) != 1 {
			t.Fatalf("%s: put aside: %v", name, aside)
		}
		if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, content) {
			t.Errorf("%s: %d bytes kept of %d, %v", name, len(kept), len(content), err)
		}
	}
}
