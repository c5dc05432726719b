package past

import (
	"context"
	"errors"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"testing"
	"testing/synctest"
	"time"
)

func TestNewRefusesWhatIsMissing(t *testing.T) {
	t.Parallel()
	b, err := board.New(nil, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	store := newMemory()
	whole := Options{
		Store: store, State: store.State, Terms: NewTerms(store, false, nobody), Board: b,
		Retention: time.Hour, Shared: func() bool { return false }, Log: nobody,
	}
	if _, err := New(whole); err != nil {
		t.Fatal(err)
	}
	for name, leave := range map[string]func(*Options){
		"store":     func(o *Options) { o.Store = nil },
		"state":     func(o *Options) { o.State = nil },
		"terms":     func(o *Options) { o.Terms = nil },
		"board":     func(o *Options) { o.Board = nil },
		"retention": func(o *Options) { o.Retention = 0 },
		"shared":    func(o *Options) { o.Shared = nil },
		"log":       func(o *Options) { o.Log = nil },
	} {
		o := whole
		leave(&o)
		if _, err := New(o); !errors.Is(err, status.ErrInvalid) {
			t.Errorf("without its %s: %v", name, err)
		}
	}
}

// fills begins to fill and tells when the newest signals are there, and when all is.
func fills(ctx context.Context, f *Filler) (first, all <-chan struct{}) {
	known, done := make(chan struct{}), make(chan struct{})
	go func() { defer close(done); f.Fill(ctx, known) }()
	return known, done
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestProcessWithoutAPageReadsTermsOnly holds that a worker doesn't wait for a past that it doesn't show.
func TestProcessWithoutAPageReadsTermsOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, svc := atNoon(), once("plain", time.Minute)
		store := newMemory(history(now, svc)...)
		f := over(t, store, svc)
		f.page, f.terms = false, NewTerms(store, true, nobody)
		first, all := fills(t.Context(), f)
		<-all
		if time.Since(now) > 0 || !closed(first) || !f.Filled() || !f.Tried() {
			t.Errorf("after %v: known %v, filled %v, tried %v", time.Since(now), closed(first), f.Filled(), f.Tried())
		}
		if len(f.terms.waiting) != 1 {
			t.Errorf("terms to be stored: %+v, want that of the service", f.terms.waiting)
		}
		f.WatchClock(t.Context()) // It has nothing to watch for.
		if n := store.times("Signals") + store.times("Hours") + store.times("Pending"); n > 0 {
			t.Errorf("the store is asked %d times for what nobody sees", n)
		}
	})
}

// TestPageGoesOnWithoutAStore starts while the store's tables are not in order: the prober may start as soon as that is clear, and the
// past is there right after they are.
func TestPageGoesOnWithoutAStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, svc := atNoon(), once("plain", time.Minute)
		store := newMemory(history(now, svc)...)
		store.set(func(s *State) { s.Readable, s.Up, s.Err = false, false, errBroke })
		f := over(t, store, svc)
		first, all := fills(t.Context(), f)
		<-first
		if waited := time.Since(now); waited > storeWait || !f.Tried() || f.Filled() {
			t.Errorf("known after %v; tried %v, filled %v", waited, f.Tried(), f.Filled())
		}
		if err := f.CatchUp(t.Context(), now.Add(-time.Hour)); !errors.Is(err, errNotInOrder) || !errors.Is(err, errBroke) {
			t.Errorf("what others have stored can't be read, but: %v", err)
		}
		time.Sleep(time.Hour)
		if closed(all) || store.times("Signals") > 0 {
			t.Error("a store that is not in order was read")
		}
		store.set(func(s *State) { s.Readable, s.Up, s.Err = true, true, nil })
		back := time.Now()
		<-all
		if took := time.Since(back); took > time.Second || !f.Filled() {
			t.Errorf("filled %v, %v after the store came", f.Filled(), took)
		}
	})
}

// TestStoreThatIsSlowToStartIsWaitedFor has the tables ready within the time that a start has for them.
func TestStoreThatIsSlowToStartIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, svc := atNoon(), once("plain", time.Minute)
		store := newMemory(history(now, svc)...)
		store.set(func(s *State) { s.Readable = false })
		time.AfterFunc(storeWait/2, func() { store.set(func(s *State) { s.Readable = true }) })
		f := over(t, store, svc)
		first, all := fills(t.Context(), f)
		<-first
		if !f.board.MeasuredAt("plain").After(now.Add(-7 * time.Minute)) {
			t.Errorf("the prober may start though the last measurement that is known is of %v", f.board.MeasuredAt("plain"))
		}
		<-all
		if f.patient("").complained() {
			t.Error("a store that was waited for is complained of")
		}
	})
}

// TestWhatWaitsInTheOutboxIsShownAtOnce holds that the outbox is read once, as soon as our disk lets us, and that the sums are asked for when
// what waited in it has come to the store.
func TestWhatWaitsInTheOutboxIsShownAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, svc := atNoon(), once("plain", time.Minute)
		signals := history(now, svc)
		shipped, pending := signals[:len(signals)-200], signals[len(signals)-200:]
		store := newMemory(shipped...)
		watchedFor(store, now, svc)
		store.pending, store.drained = pending, make(chan struct{})
		store.set(func(s *State) { s.Open, s.Readable, s.Up = false, false, false })
		f := over(t, store, svc)
		first, all := fills(t.Context(), f)
		<-first
		if store.times("Pending") > 0 {
			t.Error("an outbox that is not open was read")
		}
		store.set(func(s *State) { s.Open = true })
		time.Sleep(2 * fillRetryMax)
		if got, want := f.board.MeasuredAt("plain"), pending[len(pending)-1].Received; !got.Equal(want) {
			t.Errorf("the newest that is shown is of %v, want %v", got, want)
		}
		store.set(func(s *State) { s.Readable, s.Up = true, true })
		time.Sleep(time.Minute)
		if f.Filled() || store.times("Hours") > 0 {
			t.Error("sums are read that lack what waits")
		}
		store.write(pending...)
		close(store.drained)
		<-all
		if n := store.times("Pending"); n != 1 {
			t.Errorf("the outbox was read %d times", n)
		}
		sameBoards(t, filled(t, newMemoryOf(store), svc).board, f.board)
	})
}

// newMemoryOf is a store with the same in it, and nothing before it.
func newMemoryOf(other *memory) *memory {
	m := newMemory(other.signals...)
	m.terms = other.terms
	return m
}

// TestCatchUpBringsWhatOthersStored reads what was stored since, once, and in the time of one question.
func TestCatchUpBringsWhatOthersStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, svc := atNoon(), once("plain", time.Minute)
		store := newMemory(history(now, svc)...)
		f := filled(t, store, svc)
		time.Sleep(10 * time.Minute)
		missed := []status.Signal{upAt(svc, now.Add(time.Minute)), upAt(svc, now.Add(2*time.Minute))}
		store.write(missed...)
		if err := f.CatchUp(t.Context(), now); err != nil || !f.board.MeasuredAt("plain").Equal(missed[1].Received) {
			t.Errorf("%v; the newest is of %v", err, f.board.MeasuredAt("plain"))
		}
		f.store = &slow{memory: store, row: time.Hour}
		began := time.Now()
		if err := f.CatchUp(t.Context(), now); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != fillTimeout {
			t.Errorf("a store that says nothing: %v after %v", err, time.Since(began))
		}
	})
}

// TestClockThatIsSetHasThePastReadAgain reads what the board has missed because its clock was wrong.
func TestClockThatIsSetHasThePastReadAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		now, svc := atNoon(), once("plain", time.Minute)
		signals := history(now, svc)
		store := newMemory(signals[:len(signals)/2]...)
		watchedFor(store, now, svc)
		f := filled(t, store, svc)
		store.write(signals[len(signals)/2:]...)
		f.readAgain(t.Context(), time.Hour)
		sameBoards(t, filled(t, newMemoryOf(store), svc).board, f.board)

		ctx, stop := context.WithCancel(t.Context())
		asked := store.times("Signals")
		done := make(chan struct{})
		go func() { defer close(done); f.WatchClock(ctx) }()
		time.Sleep(time.Hour) // It was not set.
		stop()
		<-done
		if n := store.times("Signals"); n != asked {
			t.Errorf("the past is read again %d times though nobody set the clock", n-asked)
		}
	})
}

func TestSamplesReachBackADayAtMost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ interval, want time.Duration }{
		{time.Second, (board.MaxSamples + 1) * time.Second},
		{time.Minute, 24*time.Hour + time.Minute},
		{24 * time.Hour, 24*time.Hour + time.Minute},
	} {
		if got := lookBack([]*board.Service{{Service: status.Service{Interval: time.Second}}, {Service: status.Service{Interval: c.interval}}}); got != c.want {
			t.Errorf("of a check every %v: %v, want %v", c.interval, got, c.want)
		}
	}
	if got := lookBack(nil); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}
