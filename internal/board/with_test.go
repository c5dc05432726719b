package board

import (
	"math/rand/v2"
	"statuspage/internal/status"
	"sync"
	"testing"
	"time"
)

func services(ids ...string) []status.Service {
	all := make([]status.Service, len(ids))
	for i, id := range ids {
		all[i] = status.Service{ID: id, Name: id, URL: "https://" + id, Interval: time.Minute, Timeout: 10 * time.Second}
	}
	return all
}

func with(t *testing.T, b *Board, ids ...string) *Board {
	t.Helper()
	next, err := b.With(services(ids...), time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestWithKeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	first := newBoard(t, "a", "b", "c")
	_, old := first.Subscribe()
	first.Apply([]status.Signal{signal("a", now, status.Up), signal("b", now, status.Down), signal("c", now, status.Up)})
	<-old.C
	next := with(t, first, "d", "c", "a")
	version, fresh := next.Subscribe()
	if version <= 3 || first.Current() != next {
		t.Errorf("version %d after three signals and another board; current: %v", version, first.Current() == next)
	}
	// Whoever still holds the old board brings its signals to the new one.
	first.Apply([]status.Signal{signal("d", now, status.Up), signal("b", now.Add(time.Minute), status.Down), signal("a", now.Add(time.Minute), status.Up)})
	change := <-fresh.C
	if len(change.Signals) != 2 || change.Signals[0].Service != next.Services()[0] || change.Signals[1].Service != next.Services()[2] {
		t.Errorf("change %+v, want one of each of d and a, by their new places", change)
	}
	if len(old.C) != 0 {
		t.Error("subscribers of the old board are told places of the new one")
	}
	for i, want := range []int{1, 1, 2} {
		if got := next.Services()[i].Recent(10); len(got) != want {
			t.Errorf("%s has %d samples, want %d", next.Services()[i].ID, len(got), want)
		}
	}
	if got := next.Between(3, next.Version(), 100); len(got) != 2 {
		t.Errorf("%d signals since the other board, want 2", len(got))
	}
	if got := first.Services()[0].Recent(10); len(got) != 2 {
		t.Errorf("the old board shows %d samples of a, want 2", len(got))
	}
	if got := len(with(t, next, "b").Services()[0].Recent(10)); got != 0 {
		t.Errorf("a service that was gone has %d samples, want none before they are recalled", got)
	}
	if _, err := next.With(services("a", "a"), time.UTC); err == nil {
		t.Error("a service that is there twice is taken")
	}
}

func TestRecallCountsNothingTwice(t *testing.T) {
	t.Parallel()
	hour := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	b := with(t, newBoard(t, "a"), "a", "back")
	b.Apply([]status.Signal{signal("back", hour.Add(30*time.Minute), status.Up)})
	past := Past{
		Begin:   hour,
		Counted: hour,
		Hours:   []status.Bucket{{Service: "back", Start: hour.Add(-time.Hour), Counts: status.Counts{Up: 58, Down: 2}}},
		Outages: []status.Outage{{Service: "back", Begin: hour.Add(-time.Minute), Last: hour.Add(-time.Minute), Failures: 1}},
		Signals: []status.Signal{
			signal("back", hour.Add(-time.Minute), status.Down), signal("back", hour, status.Up),
			signal("back", hour.Add(29*time.Minute), status.Up), signal("back", hour.Add(30*time.Minute), status.Up),
		},
	}
	for range 2 { // Again, as after a failed attempt.
		if !b.Loader().Recall("back", past) {
			t.Fatal("the board doesn't know the service")
		}
	}
	if got := b.Services()[1].Counts(hour.Add(-time.Hour), hour.Add(time.Hour), noon); got.Up != 58+3 || got.Down != 2 {
		t.Errorf("counts %+v, want 61 up and 2 down", got)
	}
	if got := b.Services()[1].Recent(10); len(got) != 4 {
		t.Errorf("%d samples, want 4", len(got))
	}
	if got := b.Services()[1].Outages(hour.Add(time.Hour)); len(got) != 1 || !got[0].End.Equal(hour) {
		t.Errorf("outages %+v, want one that ended at %v", got, hour)
	}
	if b.Loader().Recall("nobody", past) {
		t.Error("an unknown service is recalled")
	}
}

func TestWithLosesNoSignal(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a", "b")
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	var running sync.WaitGroup
	running.Go(func() {
		for i := range 500 {
			b.Apply([]status.Signal{signal("a", at.Add(time.Duration(i)*time.Second), status.Up)})
		}
	})
	next := b
	for range 100 {
		next = with(t, next, "b", "a")
		next = with(t, next, "a", "c")
		next.Services()[0].Row(status.LastHour, time.UTC, at)
	}
	running.Wait()
	if got := len(next.Services()[0].Recent(1000)); got != 500 {
		t.Errorf("%d signals, want 500", got)
	}
}

// TestNewestIsThatOfTheRows holds the instant that is kept to what the rows say, whatever brings
// the signals, on the newest board and on one before it.
func TestNewestIsThatOfTheRows(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	pick := func() []status.Service {
		all := services("a", "b", "c", "d")
		all[3].Regions, all[3].Quorum = regions, status.Quorum(random.IntN(2))
		return all[random.IntN(3):]
	}
	some := func() []status.Signal {
		s := signal([]string{"a", "b", "c", "d", "unknown"}[random.IntN(5)], noon.Add(time.Duration(random.IntN(600))*time.Second), status.Outcome(1+random.IntN(3)))
		if s.Service == "d" {
			s.Region = append([]string{"", "elsewhere"}, regions...)[random.IntN(2+len(regions))]
		}
		return []status.Signal{s}
	}
	for round := range 200 {
		b, err := New(pick(), time.UTC)
		if err != nil {
			t.Fatal(err)
		}
		before := b
		for range 40 {
			switch random.IntN(4) {
			case 0:
				b.Apply(some())
			case 1:
				b.Loader().Backfill(some())
			case 2:
				s := some()
				b.Loader().Recall(s[0].Service, Past{Signals: s, Begin: noon, Counted: noon})
			default:
				if random.IntN(4) == 0 {
					before = b
					if b, err = b.With(pick(), time.UTC); err != nil {
						t.Fatal(err)
					}
				}
			}
			for name, board := range map[string]*Board{"newest": b, "before": before} {
				var want time.Time
				for i := range board.Services() {
					if newest := board.Services()[i].Recent(1); len(newest) > 0 && newest[0].Time().After(want) {
						want = newest[0].Time()
					}
				}
				if got := board.Newest(); !got.Equal(want) {
					t.Fatalf("round %d, %s board: newest %v, its rows say %v", round, name, got, want)
				}
			}
		}
	}
}
