package past

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"math/rand/v2"
	"slices"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var nobody = slog.New(slog.DiscardHandler)

// keeper is a store with its state and its terms.
type keeper interface {
	Store
	TermStore
	State() State
}

// memory is a store that keeps the contract of db.Store, and answers at once.
type memory struct {
	mu      sync.RWMutex
	signals []status.Signal // Oldest first.
	terms   []status.ServiceTerm
	pending []status.Signal
	drained chan struct{} // What WaitDrained waits for; nil for nothing.
	state   State
	asked   map[string]int // Questions by their names.
}

func newMemory(signals ...status.Signal) *memory {
	m := &memory{state: State{Open: true, Readable: true, Up: true}, asked: map[string]int{}}
	m.write(signals...)
	return m
}

func (m *memory) write(signals ...status.Signal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.signals = append(m.signals, signals...)
	slices.SortStableFunc(m.signals, func(x, y status.Signal) int { return x.Received.Compare(y.Received) })
}

func (m *memory) set(change func(*State)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.state)
}

func (m *memory) times(question string) int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.asked[question]
}

// between are the signals received in [from, to) that some may have.
func (m *memory) between(question string, from, to time.Time, has func(status.Signal) bool) []status.Signal {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked[question]++
	place := func(t time.Time) int {
		i, _ := slices.BinarySearchFunc(m.signals, t, func(s status.Signal, t time.Time) int { return s.Received.Compare(t) })
		return i
	}
	first, last := place(from), place(to)
	if first >= last {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(m.signals[first:last]), func(s status.Signal) bool { return !has(s) })
}

func anyone(status.Signal) bool { return true }

func of(svc status.Service) func(status.Signal) bool {
	return func(s status.Signal) bool { return s.Service == svc.ID || s.Service == "" && s.URL == svc.URL }
}

func rows[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, one := range all {
			if !yield(one, nil) {
				return
			}
		}
	}
}

func (m *memory) State() State {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.state
}

func (m *memory) Signals(_ context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return rows(m.between("Signals", from, to, anyone))
}

func (m *memory) SignalsOf(_ context.Context, svc status.Service, from, to time.Time) iter.Seq2[status.Signal, error] {
	return rows(m.between("SignalsOf", from, to, of(svc)))
}

func (m *memory) Failures(_ context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return rows(m.between("Failures", from, to, func(s status.Signal) bool { return s.Outcome == status.Down }))
}

const day = 24 * time.Hour

// begins is when the first hour or day begins from an instant on.
func begins(t time.Time, span time.Duration) time.Time {
	if start := t.Truncate(span); start.Before(t) {
		return start.Add(span)
	}
	return t
}

// sums counts signals by service and by spans of one length, in their order.
func sums(signals []status.Signal, span time.Duration) (all []status.Bucket) {
	type key struct {
		service string
		start   int64
	}
	at, quarters := map[key]int{}, [][4]status.Counts{}
	for _, s := range signals {
		start := s.Received.UTC().Truncate(span)
		k := key{s.Service, start.Unix()}
		i, known := at[k]
		if !known {
			i = len(all)
			at[k], all, quarters = i, append(all, status.Bucket{Service: s.Service, Start: start}), append(quarters, [4]status.Counts{})
		}
		q := &quarters[i][s.Received.Sub(start)/status.QuarterHour%4]
		*q = q.Count(s.Outcome)
		all[i].Counts = all[i].Count(s.Outcome)
	}
	for i := range all {
		if span == time.Hour {
			all[i].SetQuarters(quarters[i])
		}
	}
	return all
}

func (m *memory) Hours(_ context.Context, from, to time.Time) iter.Seq2[status.Bucket, error] {
	return rows(sums(m.between("Hours", begins(from, time.Hour), begins(to, time.Hour), anyone), time.Hour))
}

func (m *memory) HoursOf(_ context.Context, svc status.Service, from, to time.Time) ([]status.Bucket, error) {
	return sums(m.between("HoursOf", begins(from, time.Hour), begins(to, time.Hour), of(svc)), time.Hour), nil
}

func (m *memory) LatenciesOf(_ context.Context, svc status.Service, from, to time.Time) (all []status.LatencyHour, err error) {
	for _, s := range m.between("LatenciesOf", begins(from, time.Hour), begins(to, time.Hour), of(svc)) {
		if s.Outcome.Available() {
			all = status.AppendLatency(all, s.Received.Truncate(time.Hour), status.Bin(s.Duration), 1)
		}
	}
	return all, nil
}

func (m *memory) Days(_ context.Context, from, to time.Time) ([]status.Bucket, error) {
	return sums(m.between("Days", begins(from, day), begins(to, day), anyone), day), nil
}

func (m *memory) FirstAvailable(_ context.Context, spans []status.Span) ([]time.Time, error) {
	ends := make([]time.Time, len(spans))
	for i, span := range spans {
		for _, s := range m.between("FirstAvailable", span.From, span.To, of(span.Service)) {
			if s.Outcome.Available() {
				ends[i] = s.Received
				break
			}
		}
	}
	return ends, nil
}

func (m *memory) Pending(context.Context) iter.Seq2[status.Signal, error] {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked["Pending"]++
	return rows(slices.Clone(m.pending))
}

func (m *memory) WaitDrained(ctx context.Context) error {
	m.mu.Lock()
	m.asked["WaitDrained"]++
	drained := m.drained
	m.mu.Unlock()
	if drained == nil {
		return nil
	}
	select {
	case <-drained:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (m *memory) Terms(context.Context) ([]status.ServiceTerm, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(m.terms), nil
}

func (m *memory) WriteTerms(_ context.Context, terms []status.ServiceTerm) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.terms = append(m.terms, terms...)
	return nil
}

// slow is a store that takes its time for each row, and fails in the middle now and then.
type slow struct {
	*memory
	row   time.Duration // For each row of an answer.
	fails int           // Each so many rows; 0 for never.

	mu   sync.Mutex
	rows int
	most time.Duration // The longest question.
}

var errBroke = errors.New("the connection broke")

// next waits for one more row.
func (s *slow) next(ctx context.Context) error {
	select {
	case <-time.After(s.row):
	case <-ctx.Done():
		return ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows++; s.fails > 0 && s.rows%s.fails == 0 {
		return errBroke
	}
	return nil
}

func slowly[T any](ctx context.Context, s *slow, rows iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		began := time.Now()
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.most = max(s.most, time.Since(began))
		}()
		for row, err := range rows {
			if err == nil {
				err = s.next(ctx)
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// all waits for each of the rows of an answer that is given whole.
func all[T any](ctx context.Context, s *slow, rows []T, err error) ([]T, error) {
	for range rows {
		if err := s.next(ctx); err != nil {
			return nil, err
		}
	}
	return rows, err
}

func (s *slow) Signals(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return slowly(ctx, s, s.memory.Signals(ctx, from, to))
}

func (s *slow) SignalsOf(ctx context.Context, svc status.Service, from, to time.Time) iter.Seq2[status.Signal, error] {
	return slowly(ctx, s, s.memory.SignalsOf(ctx, svc, from, to))
}

func (s *slow) Failures(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return slowly(ctx, s, s.memory.Failures(ctx, from, to))
}

func (s *slow) Hours(ctx context.Context, from, to time.Time) iter.Seq2[status.Bucket, error] {
	return slowly(ctx, s, s.memory.Hours(ctx, from, to))
}

func (s *slow) HoursOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.Bucket, error) {
	hours, err := s.memory.HoursOf(ctx, svc, from, to)
	return all(ctx, s, hours, err)
}

func (s *slow) Days(ctx context.Context, from, to time.Time) ([]status.Bucket, error) {
	days, err := s.memory.Days(ctx, from, to)
	return all(ctx, s, days, err)
}

func (s *slow) Terms(ctx context.Context) ([]status.ServiceTerm, error) {
	if err := s.next(ctx); err != nil {
		return nil, err
	}
	return s.memory.Terms(ctx)
}

func (s *slow) FirstAvailable(ctx context.Context, spans []status.Span) ([]time.Time, error) {
	ends, err := s.memory.FirstAvailable(ctx, spans)
	return all(ctx, s, ends, err)
}

// once is a service that is checked once in a while, from one place.
func once(id string, interval time.Duration) status.Service {
	return status.Service{ID: id, Name: id, URL: "https://" + id + ".example", Interval: interval, Timeout: min(interval/2, 10*time.Second)}
}

// threefold is a service of three regions.
func threefold(quorum status.Quorum, n int) status.Service {
	svc := once("web", time.Minute)
	svc.Regions, svc.Quorum, svc.DownWhen = []string{"eu", "us", "ap"}, quorum, n
	return svc
}

// downSome says that a signal found its service down.
func downSome(s status.Signal) status.Signal {
	s.Available, s.Outcome, s.HTTPStatus, s.Reason = false, status.Down, status.NoHTTPStatus, status.Timeout
	return s
}

func upAt(svc status.Service, at time.Time) status.Signal {
	return status.Signal{Received: at, Service: svc.ID, URL: svc.URL, HTTPStatus: 200, Available: true, Outcome: status.Up, Duration: time.Millisecond}
}

// days are signals of a service until now: seven minutes of each 97 and more it is down, and five of
// each 101 nobody measures it, so that some outages lapse.
func days(svc status.Service, now time.Time, back time.Duration) (signals []status.Signal) {
	for at := svc.Next(now.Add(-back)); at.Before(now); at = at.Add(svc.Interval) {
		s := upAt(svc, at)
		if m := at.Unix() / 60 % int64(97+len(svc.ID)%5); m < 7 {
			s = downSome(s)
		}
		if m := at.Unix() / 60 % 101; m >= 5 {
			signals = append(signals, s)
		}
	}
	return signals
}

// regionDays are days of one check a minute from three regions: outages of all, of two, of one.
func regionDays(svc status.Service, now time.Time, days int, seed uint64) (signals []status.Signal) {
	random := rand.New(rand.NewPCG(seed, 6))
	down := map[string]bool{}
	for at := svc.Next(now.AddDate(0, 0, -days).Truncate(time.Hour)); at.Before(now.Add(-time.Minute)); at = at.Add(svc.Interval) {
		for _, region := range svc.Regions {
			if random.IntN(300) == 0 {
				down[region] = !down[region]
			}
			if region == "ap" && now.Sub(at) < 5*time.Hour && now.Sub(at) > 2*time.Hour {
				continue // Its prober was away.
			}
			s := upAt(svc, at)
			s.Region, s.Duration = region, time.Duration(20+random.IntN(50))*time.Millisecond
			if down[region] {
				s = downSome(s)
			}
			signals = append(signals, s)
		}
	}
	return signals
}

// history is days of some services.
func history(now time.Time, services ...status.Service) (signals []status.Signal) {
	for _, svc := range services {
		if len(svc.Regions) > 0 {
			signals = append(signals, regionDays(svc, now, 1, 5)...)
		} else {
			signals = append(signals, days(svc, now, 28*time.Hour)...)
		}
	}
	return signals
}

// over is a page server over a store, not filled yet; others measure for it as well.
func over(t *testing.T, store keeper, services ...status.Service) *Filler {
	t.Helper()
	b, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(Options{
		Store: store, State: store.State, Terms: NewTerms(store, false, nobody), Board: b,
		Retention: 90 * 24 * time.Hour, Page: true, Shared: func() bool { return true }, Log: nobody,
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// filled is the same, filled.
func filled(t *testing.T, store keeper, services ...status.Service) *Filler {
	t.Helper()
	f := over(t, store, services...)
	f.Fill(t.Context(), make(chan struct{}))
	if !f.Filled() || !f.Tried() {
		t.Fatal("the history was not read")
	}
	return f
}

// sameBoards compares all that pages show. Which outages there are must be worth comparing.
func sameBoards(t *testing.T, want, got *board.Board) {
	t.Helper()
	at := time.Now()
	for i, s := range want.Services() {
		for _, w := range status.Windows {
			x, y := want.Services()[i].Row(w, time.UTC, at), got.Services()[i].Row(w, time.UTC, at)
			x.Last.Seq, y.Last.Seq = 0, 0
			if diff := cmp.Diff(x, y); diff != "" {
				t.Errorf("%s of %s (- as it must be, + as it is):\n%.1500s", w.Name, s.ID, diff)
			}
		}
		for _, p := range status.Periods {
			if x, y := want.Services()[i].Uptime(p.Length, at), got.Services()[i].Uptime(p.Length, at); x != y {
				t.Errorf("uptime in %s of %s: %+v, want %+v", p.Name, s.ID, y, x)
			}
		}
		if diff := cmp.Diff(want.Services()[i].Outages(at), got.Services()[i].Outages(at)); diff != "" || len(want.Services()[i].Outages(at)) == 0 {
			t.Errorf("outages of %s (- as they must be, + as they are):\n%.1500s", s.ID, diff)
		}
	}
}

// atNoon lets the time of a bubble, which begins at midnight, be in the middle of an hour.
func atNoon() time.Time {
	time.Sleep(12*time.Hour + 37*time.Minute + 11*time.Second)
	return time.Now().UTC()
}
