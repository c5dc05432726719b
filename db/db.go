// Package db keeps the signals, and the events of incidents: it opens the engine that a URL names, and puts a durable
// outbox before an engine that can be away. A signal whose Write returned nil is on disk, and so is an event whose
// AppendEvents did.
package db

import (
	"context"
	"iter"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"time"
)

// Store is the contract that every engine keeps; package dbtest is the same in tests.
// All instants are UTC with whole microseconds.
type Store interface {
	Events
	// Write stores all signals or none. A signal with the key (received, service, region,
	// url) of a stored one replaces it, so that a repeated batch is harmless.
	Write(ctx context.Context, signals []status.Signal) error
	// Signals yields the signals received in [from, to), oldest first, without holding
	// them all in memory. The iteration ends after an error.
	Signals(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error]
	// Hours yields the counts of the UTC hours that start in [from, to), in no order and without
	// durations, with their quarters where status.Spread doesn't tell them: 90 days of all services are
	// read this way. The hour of a service may come in
	// parts, which add up; a URL is given only where there is no service. The iteration ends
	// after an error.
	Hours(ctx context.Context, from, to time.Time) iter.Seq2[status.Bucket, error]
	// Days returns the sums of the UTC days that start in [from, to), by start, then service.
	Days(ctx context.Context, from, to time.Time) ([]status.Bucket, error)
	// SignalsOf yields the signals of one service received in [from, to), oldest first: those
	// under its id, and those of other writers under its URL.
	SignalsOf(ctx context.Context, svc status.Service, from, to time.Time) iter.Seq2[status.Signal, error]
	// HoursOf returns the sums of one service in the UTC hours that start in [from, to), one an hour, with
	// their quarters as Hours has them.
	HoursOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.Bucket, error)
	// LatenciesOf returns the latencies of one service in the UTC hours that start in
	// [from, to), of measurements that found it available. They outlive the signals.
	LatenciesOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.LatencyHour, error)
	// Failures yields the signals with the outcome Down received in [from, to), oldest first.
	Failures(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error]
	// FirstAvailable returns when each service was first found available in its span, by
	// place; the zero time where it was not. It is made for thousands of short spans.
	FirstAvailable(ctx context.Context, spans []status.Span) ([]time.Time, error)
	// Terms returns in which terms services were watched, in no order. Those that ended are kept:
	// what was due in the past follows from them.
	Terms(ctx context.Context) ([]status.ServiceTerm, error)
	// WriteTerms stores terms, all or none. A term with the key (since, service) of a stored one
	// replaces it, so that the same twice is harmless.
	WriteTerms(ctx context.Context, terms []status.ServiceTerm) error
	// Ping tells whether the store can be read and written now.
	Ping(ctx context.Context) error
	Close() error
}

// Events is the part of the contract about what people write of incidents. Events are only ever added.
type Events interface {
	// AppendEvents stores all events or none. One with the key (at, id) of a stored one changes nothing, so that the same
	// twice is harmless.
	AppendEvents(ctx context.Context, events []incident.Event) error
	// Events yields the events with an at of since or later, by at, then id. The iteration ends after an error.
	Events(ctx context.Context, since time.Time) iter.Seq2[incident.Event, error]
	// CountEvents tells how many there are. Events may come in any order: who compares the count finds out that some came
	// that are older than those that are known.
	CountEvents(ctx context.Context) (int, error)
}
