package app

import (
	"bytes"
	"context"
	"iter"
	"log/slog"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// awayFor is a store that can't be read for a while, and has an event in its outbox.
type awayFor struct {
	storage
	until           time.Time
	waiting, stored []incident.Event
}

func (s awayFor) away() bool { return time.Now().Before(s.until) }

func (s awayFor) Events(context.Context, time.Time) iter.Seq2[incident.Event, error] {
	return func(yield func(incident.Event, error) bool) {
		all := s.waiting
		if !s.away() {
			all = append(all, s.stored...)
		}
		for _, e := range all {
			if !yield(e, nil) {
				return
			}
		}
		if s.away() {
			yield(incident.Event{}, status.ErrUnavailable)
		}
	}
}

func (s awayFor) CountEvents(context.Context) (int, error) {
	if s.away() {
		return 0, status.ErrUnavailable
	}
	return len(s.stored), nil
}

func written(t *testing.T, title string) incident.Event {
	t.Helper()
	now := time.Now()
	e, err := incident.New(incident.Stamp{At: now, Incident: incident.NewID(now), Actor: "api:x"}, &incident.Opened{
		Kind: incident.KindNotice, Title: title, Words: incident.Words{Status: incident.Active, Text: "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestWordsAreReadOnceTheStoreIsThere: until then what waits on our disk is shown, the log tells it once, and the start does not wait.
func TestWordsAreReadOnceTheStoreIsThere(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		store := awayFor{until: time.Now().Add(5 * time.Minute), waiting: []incident.Event{written(t, "Waits")}, stored: []incident.Event{written(t, "Stored")}}
		a := &app{roles: All(), log: slog.New(slog.NewTextHandler(&log, nil)), store: store}
		a.openWords()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		done := make(chan struct{})
		go func() {
			defer close(done)
			a.readWords(ctx)
		}()
		time.Sleep(time.Second)
		synctest.Wait()
		if n := len(a.words.book.Snapshot().All); n != 1 || a.words.reader.Whole() {
			t.Errorf("%d incidents while the store is away, whole %t", n, a.words.reader.Whole())
		}
		time.Sleep(6 * time.Minute)
		<-done
		if n := len(a.words.book.Snapshot().All); n != 2 || !a.words.reader.Whole() {
			t.Errorf("%d incidents when it is back, whole %t", n, a.words.reader.Whole())
		}
		if said := log.String(); strings.Count(said, "level=WARN") != 1 || !strings.Contains(said, "incidents read") {
			t.Errorf("the log says %s", said)
		}
	})
}

// TestWordsOfAProcessThatEndsAreNotWaitedFor though the store is away.
func TestWordsOfAProcessThatEndsAreNotWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &app{roles: All(), log: slog.New(slog.DiscardHandler), store: awayFor{until: time.Now().Add(time.Hour)}}
		a.openWords()
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Minute, stop)
		began := time.Now()
		a.readWords(ctx)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("it took %v to end", took)
		}
	})
}
