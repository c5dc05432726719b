package handlers

import (
	"context"
	"log/slog"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// newTestLive follows a board inside a synctest bubble, where time is virtual.
func newTestLive(t testing.TB, ids ...string) (*live, *board.Board, func()) {
	t.Helper()
	var services []status.Service
	for _, id := range ids {
		services = append(services, status.Service{ID: id, Name: id, URL: "https://" + id, Interval: 20 * time.Second, Timeout: 5 * time.Second})
	}
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	l := newLive(Options{Board: b, Log: slog.New(slog.DiscardHandler), Now: time.Now, Note: func() string { return "" }})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		l.run(ctx)
	}()
	return l, b, func() {
		cancel()
		<-done
		l.close()
	}
}

// plain is the edition that a visitor without wishes gets.
func plain(l *live) *edition {
	e, _ := l.edition(look{status.LastHour, lang.Default(), l.board.Location()})
	return e
}

// shelved is the same without a visit.
func shelved(l *live) *edition {
	for _, e := range *l.editions.Load() {
		return e
	}
	return nil
}

func upSignal(id string) status.Signal {
	return status.Signal{Service: id, Received: time.Now(), Outcome: status.Up, Available: true, HTTPStatus: 200, Duration: time.Millisecond}
}

// frames takes what has been published so far.
func frames(c <-chan []byte) string {
	var all strings.Builder
	for {
		select {
		case f, ok := <-c:
			if !ok {
				return all.String()
			}
			all.Write(f)
		default:
			return all.String()
		}
	}
}

func TestMinuteMovesOnWithoutASignal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, _, stop := newTestLive(t, "a", "b")
		defer stop()
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(90 * time.Second)))
		synctest.Wait()
		_, sub := l.watch(plain(l), l.id(l.version.Load()))
		defer sub.Close()
		time.Sleep(time.Minute)
		synctest.Wait()
		got := frames(sub.C)
		minute := time.Now().UTC().Format("<b>15:04 ")
		if strings.Count(got, minute) != 2 {
			t.Errorf("the grids of both services have not moved on to %s:\n%s", minute, got)
		}
	})
}

func TestStateTurnsUnknownByItself(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, b, stop := newTestLive(t, "a")
		defer stop()
		b.Apply([]status.Signal{upSignal("a")})
		time.Sleep(time.Second)
		synctest.Wait()
		if page := string(l.current(plain(l)).body); !strings.Contains(page, "The service is up") {
			t.Fatalf("page after a signal:\n%s", page)
		}
		time.Sleep(40 * time.Second) // Interval, timeout and grace, and then some.
		synctest.Wait()
		if page := string(l.current(plain(l)).body); !strings.Contains(page, "No data") || strings.Contains(page, "The service is up") {
			t.Errorf("page long after the last signal:\n%s", page)
		}
	})
}

func TestPageIsMadeWhenSomebodyLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, b, stop := newTestLive(t, "a")
		defer stop()
		time.Sleep(time.Hour) // Nobody looks.
		before := shelved(l).page.Load().version
		if l.version.Load() == before {
			t.Fatal("the grid has not moved on")
		}
		b.Apply([]status.Signal{upSignal("a")})
		time.Sleep(time.Second)
		synctest.Wait()
		if shelved(l).page.Load().version != before {
			t.Error("the page was made though nobody looks")
		}
		if page := string(l.current(plain(l)).body); !strings.Contains(page, "The service is up") {
			t.Errorf("the first visitor after an hour sees:\n%s", page)
		}
		down := upSignal("a")
		down.Outcome = status.Down
		b.Apply([]status.Signal{down})
		time.Sleep(pageEvery + coalesce + time.Millisecond)
		synctest.Wait()
		if page := string(shelved(l).page.Load().body); !strings.Contains(page, "The service is down") {
			t.Errorf("the page is not kept fresh while visitors come:\n%s", page)
		}
	})
}

func TestBurstIsOneFrame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, b, stop := newTestLive(t, "a", "b", "c")
		defer stop()
		time.Sleep(10 * time.Millisecond)
		_, sub := l.watch(plain(l), l.id(l.version.Load()))
		defer sub.Close()
		for _, id := range []string{"a", "b", "c"} {
			b.Apply([]status.Signal{upSignal(id)})
			time.Sleep(coalesce / 8)
		}
		time.Sleep(coalesce)
		synctest.Wait()
		if n := len(sub.C); n != 1 {
			t.Errorf("%d frames for three changes at once, want 1", n)
		}
	})
}

func BenchmarkRender(b *testing.B) {
	l, bd, stop := newTestLive(b, "a", "b", "c", "d", "e", "f", "g", "h", "i", "j")
	defer stop()
	at := time.Now().Add(-time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Second)
		s := upSignal("a")
		s.Received = at
		bd.Apply([]status.Signal{s})
		l.render(map[int]bool{0: true}, false)
	}
}

func FuzzFrame(f *testing.F) {
	for _, seed := range []string{"", "a\nb", "data: x\n\nid: 9", "\r\r\n", "event: beat\r\rid: 1"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		frame := string(sseFrame("id-1", "signal", data))
		body, ended := strings.CutSuffix(frame, "\n\n")
		if !ended || strings.Contains(body, "\n\n") || strings.Contains(frame, "\r") {
			t.Fatalf("not one event: %q", frame)
		}
		for i, line := range strings.Split(body, "\n") {
			if want := []string{"id: id-1", "event: signal"}; i < 2 && line != want[i] || i >= 2 && !strings.HasPrefix(line, "data: ") {
				t.Fatalf("line %d is %q", i, line)
			}
		}
	})
}
