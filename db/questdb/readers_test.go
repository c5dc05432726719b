package questdb_test

import (
	"context"
	"errors"
	"statuspage/db/dbtest"
	"statuspage/db/questdb"
	"statuspage/internal/status"
	"sync"
	"testing"
	"time"
)

// TestReadersLeaveConnectionsForWhoWrites has more readers than there are connections hold what they ask for, as slow ones
// do: signals go on to the store, its state is told, and a reader that has to wait gives up when its time is over.
func TestReadersLeaveConnectionsForWhoWrites(t *testing.T) {
	t.Parallel()
	s := ensure(t, newStore(t, dbtest.QuestDB(t), dbtest.Prefix()))
	var some []status.Signal
	for i := range 50 {
		some = append(some, dbtest.Signal("a", time.Duration(i)*time.Second, status.Up))
	}
	if err := s.Write(t.Context(), some); err != nil {
		t.Fatal(err)
	}
	dbtest.Eventually(t, s, some)
	life, end := context.WithCancel(t.Context())
	var reading sync.WaitGroup
	defer reading.Wait()
	defer end()
	holds := make(chan struct{}, 10)
	for range cap(holds) {
		reading.Go(func() {
			for range s.Signals(life, dbtest.T0.Add(-time.Hour), dbtest.T0.Add(time.Hour)) {
				select {
				case holds <- struct{}{}:
				default:
				}
				<-life.Done() // It takes its time with the first.
				return
			}
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range questdb.ReadConnections {
		select {
		case <-holds:
		case <-ctx.Done():
			t.Fatal("readers don't get the connections that are theirs")
		}
	}
	for i := range 3 {
		if err := s.Write(ctx, []status.Signal{dbtest.Signal("a", time.Duration(100+i)*time.Second, status.Up)}); err != nil {
			t.Fatalf("write beside many readers: %v", err)
		}
	}
	if err := s.Ping(ctx); err != nil {
		t.Errorf("ping beside many readers: %v", err)
	}
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	for _, err := range s.Signals(short, dbtest.T0, dbtest.T0.Add(time.Hour)) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a reader whose time is over: %v", err)
		}
	}
}

// TestWhoWaitsForTheViewsGivesUpInTime holds that a reader with little time does not wait for one with much.
func TestWhoWaitsForTheViewsGivesUpInTime(t *testing.T) {
	t.Parallel()
	s := newStore(t, "questdb://127.0.0.1:1/qdb", "")
	defer s.Refreshing()()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := s.Days(ctx, dbtest.T0.AddDate(0, 0, -1), dbtest.T0); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 10*time.Second {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}
