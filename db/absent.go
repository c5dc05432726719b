package db

import (
	"context"
	"iter"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"time"
)

// absent is a store that is not open yet: all of it is the reason.
type absent struct{ why error }

func (a absent) none() iter.Seq2[status.Signal, error] {
	return func(yield func(status.Signal, error) bool) { yield(status.Signal{}, a.why) }
}

func (a absent) Write(context.Context, []status.Signal) error { return a.why }

func (a absent) Signals(context.Context, time.Time, time.Time) iter.Seq2[status.Signal, error] {
	return a.none()
}

func (a absent) Hours(context.Context, time.Time, time.Time) iter.Seq2[status.Bucket, error] {
	return func(yield func(status.Bucket, error) bool) { yield(status.Bucket{}, a.why) }
}

func (a absent) Days(context.Context, time.Time, time.Time) ([]status.Bucket, error) {
	return nil, a.why
}

func (a absent) SignalsOf(context.Context, status.Service, time.Time, time.Time) iter.Seq2[status.Signal, error] {
	return a.none()
}

func (a absent) HoursOf(context.Context, status.Service, time.Time, time.Time) ([]status.Bucket, error) {
	return nil, a.why
}

func (a absent) LatenciesOf(context.Context, status.Service, time.Time, time.Time) ([]status.LatencyHour, error) {
	return nil, a.why
}

func (a absent) Failures(context.Context, time.Time, time.Time) iter.Seq2[status.Signal, error] {
	return a.none()
}

func (a absent) FirstAvailable(context.Context, []status.Span) ([]time.Time, error) {
	return nil, a.why
}

func (a absent) Terms(context.Context) ([]status.ServiceTerm, error) { return nil, a.why }

func (a absent) WriteTerms(context.Context, []status.ServiceTerm) error { return a.why }

func (a absent) AppendEvents(context.Context, []incident.Event) error { return a.why }

func (a absent) Events(context.Context, time.Time) iter.Seq2[incident.Event, error] {
	return func(yield func(incident.Event, error) bool) { yield(incident.Event{}, a.why) }
}

func (a absent) CountEvents(context.Context) (int, error) { return 0, a.why }

func (a absent) Ping(context.Context) error { return a.why }

func (absent) Close() error { return nil }
