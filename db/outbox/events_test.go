package outbox_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"statuspage/db/outbox"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func events(t *testing.T, n int) (all []incident.Event) {
	t.Helper()
	for k := range n {
		e, err := incident.New(incident.Stamp{At: time.UnixMicro(int64(1_700_000_000_000_000 + k)).UTC(), Incident: "abcdefabcdef", Actor: "human:ana"}, &incident.Retitled{Title: "\xff'"})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func TestEventsSurviveReopenAndAckInPart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	b := open(t, path, 0)
	want := events(t, 120)
	for n := len(want); n > 0; n -= 40 { // The last ones come first: they leave as they came.
		if err := b.AppendEvents(t.Context(), want[n-40:n]); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Append(t.Context(), signals(0, 3)); err != nil {
		t.Fatal(err)
	}
	came := append(append(append([]incident.Event{}, want[80:]...), want[40:80]...), want[:40]...)
	for len(came) > 0 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		b = open(t, path, 0)
		if s := b.Status(); s.Events != len(came) || s.Depth != 3 {
			t.Fatalf("status %+v with %d left", s, len(came))
		}
		got, last, err := b.NextEvents(t.Context(), 50)
		if diff := cmp.Diff(came[:len(got)], got); err != nil || diff != "" {
			t.Fatalf("%v %s", err, diff)
		}
		if err := b.AckEvents(t.Context(), last); err != nil {
			t.Fatal(err)
		}
		came = came[len(got):]
	}
	if s := b.Status(); s.Events != 0 || s.Depth != 3 {
		t.Errorf("empty: %+v", s)
	}
}

func TestEventsThatWaitAreReadInOrder(t *testing.T) {
	b := open(t, filepath.Join(t.TempDir(), "outbox.db"), 0)
	want := events(t, 4)
	if err := b.AppendEvents(t.Context(), []incident.Event{want[3], want[1], want[2], want[1], want[0]}); err != nil {
		t.Fatal(err)
	}
	got, err := b.Events(t.Context(), want[1].At)
	if diff := cmp.Diff(want[1:], got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	bad := want[0]
	bad.Body = "{"
	if err := b.AppendEvents(t.Context(), []incident.Event{want[0], bad}); !errors.Is(err, status.ErrInvalid) || b.Status().Events != 5 {
		t.Errorf("%v, %+v", err, b.Status())
	}
}

// TestAnOutboxOfTheVersionBeforeOpens opens a file without the table of events, with signals and terms that wait.
func TestAnOutboxOfTheVersionBeforeOpens(t *testing.T) {
	path := filepath.Join(t.TempDir(), "outbox.db")
	b := open(t, path, 0)
	if err := b.Append(t.Context(), signals(0, 3)); err != nil {
		t.Fatal(err)
	}
	if err := b.AppendTerms(t.Context(), []status.ServiceTerm{{Service: "a", Term: status.Term{Since: time.UnixMicro(5).UTC(), Interval: time.Minute}}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.ExecContext(t.Context(), `DROP TABLE events`); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, path, 0)
	if err := b.AppendEvents(t.Context(), events(t, 2)); err != nil {
		t.Error(err)
	}
	terms, err := b.Terms(t.Context())
	if got := pending(t, b); len(got) != 3 || len(terms) != 1 || err != nil || b.Status() != (outbox.Status{Depth: 3, Last: 3, First: 1, Oldest: got[0].Received, Events: 2}) {
		t.Errorf("%d signals, %d terms, %v, %+v", len(got), len(terms), err, b.Status())
	}
}
