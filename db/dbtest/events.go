package dbtest

import (
	"context"
	"errors"
	"fmt"
	"statuspage/db"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// Event returns a valid event, taken the given time after T0.
func Event(t *testing.T, after time.Duration) incident.Event {
	t.Helper()
	e, err := incident.New(incident.Stamp{At: T0.Add(after), Incident: "abcdefabcdef", Actor: "human:ana"}, &incident.Retitled{Title: "é \" ' \\ 𝄞 $1"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func collectEvents(ctx context.Context, s db.Events, since time.Time) (all []incident.Event, err error) {
	for e, err := range s.Events(ctx, since) {
		if err != nil {
			return all, err
		}
		all = append(all, e)
	}
	return all, nil
}

// EventuallyEvents waits until the store holds exactly these events, in this order.
func EventuallyEvents(t *testing.T, s db.Events, want []incident.Event) {
	t.Helper()
	Poll(t, func() string {
		got, err := collectEvents(t.Context(), s, time.UnixMicro(0))
		if err != nil {
			return err.Error()
		}
		if n, err := s.CountEvents(t.Context()); err != nil || n != len(want) {
			return fmt.Sprintf("%d are counted, want %d, %v", n, len(want), err)
		}
		return cmp.Diff(want, got, cmpopts.EquateEmpty())
	})
}

// eventsComeBack with every field, in their order, from an instant on.
func eventsComeBack(t *testing.T, s db.Store) {
	EventuallyEvents(t, s, nil)
	first, long, same := Event(t, 0), Event(t, time.Microsecond), Event(t, time.Microsecond)
	long.After, long.ShownAt, long.Version = first.ID, T0.AddDate(-5, 0, 0), 7
	long.Body = `{"text":"` + strings.Repeat("𝄞", incident.MaxBody/4-8) + `"}`
	old := Event(t, -20*365*24*time.Hour)
	if err := s.AppendEvents(t.Context(), []incident.Event{same, long, first}); err != nil {
		t.Fatal(err)
	}
	if err := s.AppendEvents(t.Context(), []incident.Event{old}); err != nil { // From a server that was cut off.
		t.Fatal(err)
	}
	want := []incident.Event{old, first, long, same}
	EventuallyEvents(t, s, want)
	for n, since := range []time.Time{old.At, first.At, long.At, long.At.Add(time.Microsecond)} {
		got, err := collectEvents(t.Context(), s, since)
		if diff := cmp.Diff(want[min(n, 2)+n/3*2:], got, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("since %v: %v\n%s", since, err, diff)
		}
	}
	for _, err := range s.Events(t.Context(), old.At) {
		if err != nil {
			t.Error(err)
		}
		break // Who has read enough holds nothing.
	}
	EventuallyEvents(t, s, want)
}

// eventsAreAddedOnce, however often they come.
func eventsAreAddedOnce(t *testing.T, s db.Store) {
	var want []incident.Event
	for n := range 30 {
		want = append(want, Event(t, time.Duration(n)*time.Second))
	}
	for _, some := range [][]incident.Event{want[10:], want[:20], want, nil, {want[3], want[3]}} {
		if err := s.AppendEvents(t.Context(), some); err != nil {
			t.Fatal(err)
		}
	}
	EventuallyEvents(t, s, want)
}

// refusedEvents leave nothing behind, nor those that came with them.
func refusedEvents(t *testing.T, s db.Store) {
	good := Event(t, 0)
	nameless, broken, endless := good, good, good
	nameless.ID, broken.Body, endless.Body = "", "{", `"`+strings.Repeat("x", incident.MaxBody)+`"`
	for _, bad := range []incident.Event{nameless, broken, endless} {
		if err := s.AppendEvents(t.Context(), []incident.Event{good, bad}); !errors.Is(err, status.ErrInvalid) {
			t.Errorf("%v, want ErrInvalid", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.AppendEvents(ctx, []incident.Event{good}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
	EventuallyEvents(t, s, nil)
}

func concurrentEvents(t *testing.T, s db.Store) {
	var want []incident.Event
	for n := range 80 {
		want = append(want, Event(t, time.Duration(n)*time.Minute))
	}
	var writers sync.WaitGroup
	for n := range 8 {
		writers.Go(func() {
			for k := range 10 {
				if err := s.AppendEvents(t.Context(), want[n*10+k:n*10+k+1]); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	EventuallyEvents(t, s, want)
}
