package db

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"statuspage/db/outbox"
	"statuspage/internal/incident"
	"statuspage/internal/retry"
	"statuspage/internal/status"
	"sync"
	"sync/atomic"
	"time"
)

const (
	shipRows   = 5000
	shipEvents = 50 // Of 256 KB at most.
	// shipGap is between batches that are not full: a commit costs QuestDB some 60 ms of CPU,
	// however small it is. The page doesn't wait for it, and the outbox has the signals.
	shipGap = 5 * time.Second
	// shipTimeout is for a store that takes seconds for each of the half a dozen answers that a batch wants; one
	// that says nothing is told as away long before (stall.go).
	shipTimeout = 30 * time.Second
	checkEvery  = 5 * time.Second
	backoffMin  = 250 * time.Millisecond
	backoffMax  = 5 * time.Second
	lastAttempt = 2 * time.Second // At Close, for what still waits.
	closeLimit  = 5 * time.Second // At Close, for everything.
)

// Receiver is where signals are shipped to: a store, or a server, that can be away.
type Receiver interface {
	// Ensure brings it in order, after a start and after each error.
	Ensure(ctx context.Context) error
	// Write returns nil when all signals are there. A repeated batch is harmless.
	Write(ctx context.Context, signals []status.Signal) error
	// Ping tells whether it can be written to now.
	Ping(ctx context.Context) error
}

// remoteStore is a store that can be away and has a schema to look after.
type remoteStore interface {
	Store
	Ensure(ctx context.Context) error
}

// health is what the last attempt told.
type health struct {
	up    bool
	since time.Time
	err   error
}

// shipper moves signals from the outbox to the store, in order. A signal leaves the outbox
// only after the store has it; one that is sent twice is one row there.
type shipper struct {
	store Receiver
	box   *outbox.Outbox
	log   *slog.Logger
	gap   time.Duration // Between batches that are not full.

	woken  chan struct{}
	health atomic.Pointer[health]
	// readable says that the schema was in order once: before, a table of the tutorial may
	// be halfway through its upgrade, and the history in it seem to be missing.
	readable atomic.Bool

	stop      chan struct{}      // Closed when Close begins: a last attempt, then the end.
	abort     context.CancelFunc // Ends even a running attempt.
	done      chan struct{}
	listening sync.WaitGroup
	stopOnce  sync.Once

	mu    sync.Mutex
	acked chan struct{} // Closed and replaced after each ack.

	stalled atomic.Bool // It is told as away, and not because it was asked here: it must be asked.

	telling sync.Mutex // Held by report.
	told    bool       // The log says that it is away.

	ensured bool      // The schema was in order after the last error.
	checked time.Time // When the store was last asked how it is.
	boxErr  error     // What was wrong with the outbox in the last round.
}

func startShipper(store Receiver, box *outbox.Outbox, gap time.Duration, log *slog.Logger) *shipper {
	life, abort := context.WithCancel(context.Background())
	s := &shipper{
		store: store, box: box, log: log, gap: gap,
		woken: make(chan struct{}, 1), stop: make(chan struct{}), abort: abort,
		done: make(chan struct{}), acked: make(chan struct{}),
	}
	s.health.Store(&health{since: time.Now(), err: fmt.Errorf("store not reached yet: %w", status.ErrUnavailable)})
	go s.run(life)
	if to, is := store.(listened); is {
		s.listening.Go(func() { s.listen(life, to) })
	}
	return s
}

// run works until close: it ships what waits, and looks every few seconds whether the
// store is there and its schema in order.
func (s *shipper) run(life context.Context) {
	defer close(s.done)
	backoff := retry.NewBackoff(backoffMin, backoffMax)
	for {
		errStore, errBox := s.round(life)
		if life.Err() != nil {
			return
		}
		s.report(errStore)
		s.reportBox(errBox)
		pause, wake := checkEvery, s.woken
		switch {
		case errStore != nil || errBox != nil:
			pause, wake = backoff.Next(), nil
		default:
			backoff.Reset()
			if s.sleep(s.gap) {
				s.finish(life)
				return
			}
		}
		select {
		case <-s.stop:
			s.finish(life)
			return
		case <-wake:
		case <-time.After(pause):
		}
	}
}

// sleep tells whether close began meanwhile.
func (s *shipper) sleep(d time.Duration) bool {
	select {
	case <-s.stop:
		return true
	case <-time.After(d):
		return false
	}
}

// round brings the schema in order after an error, and ships until the outbox is empty. What
// is wrong with the store and what with the outbox are two things: a full disk of ours
// doesn't mean that the store is away.
func (s *shipper) round(ctx context.Context) (errStore, errBox error) {
	if !s.ensured {
		if err := s.store.Ensure(ctx); err != nil {
			return err, nil
		}
		s.ensured = true
		s.readable.Store(true)
	}
	// Words come first, and what is wrong with them alone keeps no signal waiting.
	errEvents, errBoxEvents := s.drainEvents(ctx)
	if errStore, errBox = s.drainTerms(ctx); errStore == nil && errBox == nil {
		errStore, errBox = s.drain(ctx)
	}
	errStore, errBox = cmp.Or(errStore, errEvents), cmp.Or(errBox, errBoxEvents)
	if silent := s.stalled.Swap(false); errStore == nil && (silent || time.Since(s.checked) >= checkEvery) {
		s.checked = time.Now()
		ping, cancel := context.WithTimeout(ctx, shipTimeout)
		defer cancel()
		errStore = s.store.Ping(ping)
	}
	s.ensured = errStore == nil // The table may be gone, or the server another.
	return errStore, errBox
}

// termWriter is a receiver that keeps terms; a server that agents hand in to has its own.
type termWriter interface {
	WriteTerms(ctx context.Context, terms []status.ServiceTerm) error
}

// drainTerms ships terms; there are some after a start or a changed configuration only.
func (s *shipper) drainTerms(ctx context.Context) (errStore, errBox error) {
	to, keeps := s.store.(termWriter)
	if !keeps {
		return nil, nil
	}
	terms, err := s.box.Terms(ctx)
	if err != nil || len(terms) == 0 {
		return nil, err
	}
	write, cancel := context.WithTimeout(ctx, shipTimeout)
	defer cancel()
	if err := to.WriteTerms(write, terms); err != nil {
		return err, nil
	}
	return nil, s.box.AckTerms(ctx, terms)
}

// eventWriter is a receiver that keeps events of incidents; a server that agents hand in to gets none from them.
type eventWriter interface {
	AppendEvents(ctx context.Context, events []incident.Event) error
}

func (s *shipper) drainEvents(ctx context.Context) (errStore, errBox error) {
	to, keeps := s.store.(eventWriter)
	for keeps && s.box.Status().Events > 0 {
		events, last, err := s.box.NextEvents(ctx, shipEvents)
		if err != nil {
			return nil, err
		}
		write, cancel := context.WithTimeout(ctx, shipTimeout)
		err = to.AppendEvents(write, events)
		cancel()
		if err != nil {
			return err, nil
		}
		if err := s.box.AckEvents(ctx, last); err != nil {
			return nil, err // They are sent again, and are there once.
		}
		s.tellAcked()
	}
	return nil, nil
}

func (s *shipper) drain(ctx context.Context) (errStore, errBox error) {
	for s.box.Depth() > 0 {
		signals, last, err := s.box.Next(ctx, shipRows)
		if err != nil {
			return nil, err
		}
		write, cancel := context.WithTimeout(ctx, shipTimeout)
		err = s.store.Write(write, signals)
		cancel()
		if err != nil {
			return err, nil
		}
		if err := s.box.Ack(ctx, last); err != nil {
			return nil, err // They are sent again, and are one row there.
		}
		s.tellAcked()
		if len(signals) < shipRows {
			return nil, nil // The rest came meanwhile; let it gather.
		}
	}
	return nil, nil
}

func (s *shipper) tellAcked() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.acked)
	s.acked = make(chan struct{})
}

// finish is the last attempt.
func (s *shipper) finish(life context.Context) {
	if s.box.Depth() == 0 && s.box.Status().Events == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(life, lastAttempt)
	defer cancel()
	if !s.ensured && s.store.Ensure(ctx) != nil {
		return // It waits in the outbox.
	}
	_, _ = s.drainEvents(ctx) // They wait in the outbox, as signals do.
	for s.box.Depth() > 0 {
		if errStore, errBox := s.drain(ctx); errStore != nil || errBox != nil {
			return
		}
	}
}

// report keeps the state, and logs when it changes: once, not with each retry.
func (s *shipper) report(err error) {
	s.telling.Lock()
	defer s.telling.Unlock()
	before := *s.health.Load()
	now := health{up: err == nil, since: before.since, err: err}
	if now.up != before.up {
		now.since = time.Now()
	}
	s.health.Store(&now)
	switch {
	case now.up && !before.up:
		s.told = false
		s.log.Info("store is up", "after", now.since.Sub(before.since).Round(time.Millisecond), "outbox", s.box.Depth())
	case !now.up && !s.told:
		s.told = true
		s.log.Warn("store is away, signals wait in the outbox", "err", err, "outbox", s.box.Depth())
	}
}

// reportBox logs when trouble with the outbox begins and ends.
func (s *shipper) reportBox(err error) {
	switch {
	case err != nil && s.boxErr == nil:
		s.log.Warn("outbox can't be read or written; what the store has of it is sent again later", "err", err, "outbox", s.box.Depth())
	case err == nil && s.boxErr != nil:
		s.log.Info("outbox is well again", "outbox", s.box.Depth())
	}
	s.boxErr = err
}

func (s *shipper) state() health { return *s.health.Load() }

func (s *shipper) wake() {
	select {
	case s.woken <- struct{}{}:
	default: // Already due.
	}
}

func (s *shipper) waitDrained(ctx context.Context, last int64) error {
	s.wake()
	for {
		s.mu.Lock()
		acked := s.acked
		s.mu.Unlock()
		if now := s.box.Status(); now.First > last && now.Events == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return fmt.Errorf("store closed while signals wait: %w", status.ErrUnavailable)
		case <-acked:
			s.wake()
		}
	}
}

// close ends the shipper, at the latest after closeLimit.
func (s *shipper) close() {
	s.stopOnce.Do(func() { close(s.stop) })
	// A running attempt may be waiting for a dead network; the last one gets its time.
	select {
	case <-s.done:
	case <-time.After(closeLimit):
		s.abort()
		<-s.done
	}
	s.abort()
	s.listening.Wait()
}
