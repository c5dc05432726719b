package live

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"statuspage/internal/board"
	"statuspage/internal/incident"
	"statuspage/internal/page"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/lang"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// newTestLive follows a board inside a synctest bubble, where time is virtual.
func newTestLive(t testing.TB, ids ...string) (*Live, *board.Board, func()) {
	t.Helper()
	var services []status.Service
	for _, id := range ids {
		services = append(services, status.Service{ID: id, Name: id, URL: "https://" + id, Interval: 20 * time.Second, Timeout: 5 * time.Second})
	}
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	broker := sse.NewBroker(1000, 1000, time.Now)
	l := follow(t, b, broker)
	return l, b, func() {
		l.Halt()
		broker.Close()
	}
}

// follow makes a page of a board.
func follow(t testing.TB, b *board.Board, broker *sse.Broker) *Live {
	t.Helper()
	return followWith(t, b, broker, incident.NewBook(0))
}

// followWith is the same with what people write in a book.
func followWith(t testing.TB, b *board.Board, broker *sse.Broker, book *incident.Book) *Live {
	t.Helper()
	l, err := New(Options{
		Words: incident.NewLookout(book),
		Board: b, Page: page.New(page.Settings{}, board.Plain(b.Services()), b.Location()), Broker: broker,
		Log: slog.New(slog.DiscardHandler), Now: time.Now, Note: func() views.Note { return views.NoNote },
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// plain is the variant that a visitor without wishes gets.
func plain(l *Live) *Variant {
	e, _ := l.Variant(l.page.Usual(lang.Default()))
	return e
}

// shelved is the same without a visit.
func shelved(l *Live) *Variant {
	for _, e := range l.variants.all() {
		return e
	}
	return nil
}

func upSignal(id string) status.Signal {
	return status.Signal{Service: id, Received: time.Now(), Outcome: status.Up, Available: true, HTTPStatus: 200, Duration: time.Millisecond}
}

// viewer is the browser's end of a stream, of which it reads what has come, without waiting.
type viewer struct {
	t  *testing.T
	fd int
}

// join lets a viewer of the plain page in who has seen all there is.
func join(t *testing.T, l *Live) *viewer {
	t.Helper()
	ends, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(ends[0]), "viewer")
	conn, err := net.FileConn(file)
	if err != nil {
		t.Fatal(err)
	}
	_ = file.Close() // The connection has a copy.
	t.Cleanup(func() { _ = syscall.Close(ends[1]) })
	if l.broker.Admit(0) != nil {
		t.Fatal("no place in the broker")
	}
	first, joining := l.Watch(plain(l), l.names.id(l.Version()), sse.Guest{})
	joining.Connect(conn, nil, first)
	v := &viewer{t, ends[1]}
	synctest.Wait()
	v.heard()
	return v
}

func (v *viewer) heard() string {
	var all strings.Builder
	b := make([]byte, 64<<10)
	for {
		n, err := syscall.Read(v.fd, b)
		if n <= 0 {
			if err != nil && !errors.Is(err, syscall.EAGAIN) {
				v.t.Error(err)
			}
			return all.String()
		}
		all.Write(b[:n])
	}
}

func TestMinuteMovesOnWithoutASignal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, b, stop := newTestLive(t, "a", "b")
		defer stop()
		time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(90 * time.Second)))
		b.Apply([]status.Signal{upSignal("a"), upSignal("b")})
		time.Sleep(time.Second)
		synctest.Wait()
		v := join(t, l)
		time.Sleep(time.Minute)
		synctest.Wait()
		got := v.heard()
		const before = `d="M0 0H58V9H59V0z"` // The cell before the newest is up.
		if strings.Count(got, before) < 2 || !strings.Contains(got, `hx-target="#s-a"`) || !strings.Contains(got, `hx-target="#s-b"`) {
			t.Errorf("the grids of both services have not moved on:\n%s", got)
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
		if page := string(l.Current(plain(l)).Body); !strings.Contains(page, "The service is up") {
			t.Fatalf("page after a signal:\n%s", page)
		}
		time.Sleep(40 * time.Second) // Interval, timeout and grace, and then some.
		synctest.Wait()
		if page := string(l.Current(plain(l)).Body); !strings.Contains(page, "No data") || strings.Contains(page, "The service is up") {
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
		if e := shelved(l); e.page.Load() != nil || e.rows[0].html != nil {
			t.Fatal("what nobody has looked at for an hour is kept")
		}
		b.Apply([]status.Signal{upSignal("a")})
		time.Sleep(time.Second)
		synctest.Wait()
		if shelved(l).page.Load() != nil {
			t.Error("the page was made though nobody looks")
		}
		if page := string(l.Current(plain(l)).Body); !strings.Contains(page, "The service is up") {
			t.Errorf("the first visitor after an hour sees:\n%s", page)
		}
		down := upSignal("a")
		down.Outcome = status.Down
		b.Apply([]status.Signal{down})
		time.Sleep(pageEvery + coalesce + time.Millisecond)
		synctest.Wait()
		if page := string(shelved(l).page.Load().Body); !strings.Contains(page, "The service is down") {
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
		v := join(t, l)
		for _, id := range []string{"a", "b", "c"} {
			b.Apply([]status.Signal{upSignal(id)})
			time.Sleep(coalesce / 8)
		}
		time.Sleep(coalesce)
		synctest.Wait()
		if n := strings.Count(v.heard(), "id: "); n != 1 {
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
