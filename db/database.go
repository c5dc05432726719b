package db

import (
	"context"
	"iter"
	"log/slog"
	"statuspage/db/outbox"
	"statuspage/internal/status"
	"time"
)

// Database is a store: an embedded one as it is, a remote one behind an outbox. Where the disk is full or
// read-only when it is opened, nothing can be kept or read until that is over.
type Database struct {
	engine string
	opened time.Time
	late   *late[parts]
}

// parts are what an open database consists of.
type parts struct {
	store Store

	// Of a remote store only.
	box  *outbox.Outbox
	ship *shipper
}

// State says how the store is, as far as is known without asking it.
type State struct {
	Engine        string    // sqlite or questdb.
	Open          bool      // Our disk has let us open it; what else is told here holds from then on.
	Up            bool      // The last attempt to reach it went well.
	Readable      bool      // Its tables have been found or brought in order: what is read is whole.
	Outbox        int       // Signals that wait for it.
	OldestPending time.Time // When the oldest of them was received; zero without any.
	Events        int       // Events of incidents that wait for it.
	Since         time.Time // When Up became what it is.
	Err           error     // Why it is not up; for the log and the operator, not for the public.
}

func embedded(store Store) *parts { return &parts{store: store} }

func remote(store remoteStore, box *outbox.Outbox, gap time.Duration, log *slog.Logger) *parts {
	return &parts{store: store, box: box, ship: startShipper(store, box, gap, log)}
}

// store is the open store, or one that says why there is none.
func (d *Database) store() Store {
	p, err := d.late.now()
	if err != nil {
		return absent{err}
	}
	return p.store
}

// Write makes the signals durable, all or none: in the store when it is embedded, in the
// outbox when it is remote, from where they leave for the store at once.
func (d *Database) Write(ctx context.Context, signals []status.Signal) error {
	p, err := d.late.now()
	if err != nil {
		return err
	}
	if p.box == nil {
		return p.store.Write(ctx, signals)
	}
	if err := p.box.Append(ctx, signals); err != nil {
		return err
	}
	p.ship.wake()
	return nil
}

// Signals yields the signals in the store received in [from, to), oldest first; those of
// Pending may not be among them yet.
func (d *Database) Signals(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return d.store().Signals(ctx, from, to)
}

// Hours yields the counts of the UTC hours that start in [from, to), in no order, and in parts.
func (d *Database) Hours(ctx context.Context, from, to time.Time) iter.Seq2[status.Bucket, error] {
	return d.store().Hours(ctx, from, to)
}

// Days returns the sums of the UTC days that start in [from, to), by start, then service.
func (d *Database) Days(ctx context.Context, from, to time.Time) ([]status.Bucket, error) {
	return d.store().Days(ctx, from, to)
}

// SignalsOf yields the signals of one service in the store received in [from, to), oldest first.
func (d *Database) SignalsOf(ctx context.Context, svc status.Service, from, to time.Time) iter.Seq2[status.Signal, error] {
	return d.store().SignalsOf(ctx, svc, from, to)
}

// HoursOf returns the sums of one service in the UTC hours that start in [from, to).
func (d *Database) HoursOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.Bucket, error) {
	return d.store().HoursOf(ctx, svc, from, to)
}

// LatenciesOf returns the latencies of one service in the UTC hours that start in [from, to).
func (d *Database) LatenciesOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.LatencyHour, error) {
	return d.store().LatenciesOf(ctx, svc, from, to)
}

// Failures yields the failed signals in the store received in [from, to), oldest first.
func (d *Database) Failures(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return d.store().Failures(ctx, from, to)
}

// FirstAvailable returns when each service was first found available in its span, in the store.
func (d *Database) FirstAvailable(ctx context.Context, spans []status.Span) ([]time.Time, error) {
	return d.store().FirstAvailable(ctx, spans)
}

// Terms returns in which terms services were watched, in no order, with those that the store has
// not got yet.
func (d *Database) Terms(ctx context.Context) ([]status.ServiceTerm, error) {
	p, err := d.late.now()
	if err != nil {
		return nil, err
	}
	terms, err := p.store.Terms(ctx)
	if err != nil || p.box == nil {
		return terms, err
	}
	waiting, err := p.box.Terms(ctx)
	return append(terms, waiting...), err
}

// WriteTerms makes terms durable, all or none, as Write does with signals.
func (d *Database) WriteTerms(ctx context.Context, terms []status.ServiceTerm) error {
	p, err := d.late.now()
	if err != nil {
		return err
	}
	if p.box == nil {
		return p.store.WriteTerms(ctx, terms)
	}
	if err := p.box.AppendTerms(ctx, terms); err != nil {
		return err
	}
	p.ship.wake()
	return nil
}

// Ping asks the store whether it can be read and written now.
func (d *Database) Ping(ctx context.Context) error { return d.store().Ping(ctx) }

// Pending yields the signals in the outbox that the store has not got yet, in the order
// they were written. The iteration ends after an error.
func (d *Database) Pending(ctx context.Context) iter.Seq2[status.Signal, error] {
	p, err := d.late.now()
	if err != nil || p.box == nil {
		return func(func(status.Signal, error) bool) {}
	}
	return p.box.Pending(ctx)
}

// State returns at once, without a query.
func (d *Database) State() State {
	p, err := d.late.now()
	if err != nil {
		return State{Engine: d.engine, Since: d.opened, Err: err}
	}
	if p.box == nil {
		return State{Engine: d.engine, Open: true, Up: true, Readable: true, Since: d.opened}
	}
	s, b := p.ship.state(), p.box.Status()
	return State{Engine: d.engine, Open: true, Up: s.up, Readable: p.ship.readable.Load(), Since: s.since, Err: s.err, Outbox: b.Depth, OldestPending: b.Oldest, Events: b.Events}
}

// WaitDrained returns when every signal and event that waits in the outbox now has reached the store,
// or with the error of ctx.
func (d *Database) WaitDrained(ctx context.Context) error {
	p, err := d.late.now()
	if err != nil {
		return err
	}
	if p.box == nil {
		return ctx.Err()
	}
	return p.ship.waitDrained(ctx, p.box.Status().Last)
}

// Close makes a last attempt to empty the outbox, of a few seconds, and closes everything.
// What the store didn't take waits in the outbox for the next start.
func (d *Database) Close() error {
	p := d.late.end()
	switch {
	case p == nil:
		return nil
	case p.box == nil:
		return p.store.Close()
	}
	p.ship.close()
	errBox, errStore := p.box.Close(), p.store.Close()
	if errBox != nil {
		return errBox
	}
	return errStore
}
