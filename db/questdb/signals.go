package questdb

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"slices"
	"statuspage/internal/status"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
)

// Write stores all signals or none. A signal with the key (received, service, region, url)
// of a stored one replaces it.
func (s *Store) Write(ctx context.Context, signals []status.Signal) error {
	if err := status.CheckSignals(signals); err != nil {
		return err
	}
	if len(signals) == 0 {
		return ctx.Err()
	}
	batch := &pgx.Batch{}
	for _, sig := range signals {
		batch.Queue(s.sql.insert, text(sig.URL), int32(sig.HTTPStatus), instant(sig.Received), sig.Available, text(sig.Service),
			text(sig.Region), sig.Outcome.String(), microseconds(sig.Duration), text(sig.Reason.String()), s.errors.one(sig.Error))
	}
	tx, err := s.writers.Begin(ctx)
	if err != nil {
		return fmt.Errorf("write signals: %w", err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx)) //nolint:errcheck // After a commit there is nothing left to roll back.
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("write signals: %w", err)
	}
	if err := tx.Commit(ctx); err != nil {
		return fmt.Errorf("write signals: %w", err)
	}
	s.lag.note(signals)
	return nil
}

// Signals yields the signals received in [from, to), oldest first. The iteration ends
// after an error.
func (s *Store) Signals(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return s.read(ctx, s.sql.signals, instant(from), instant(to))
}

// SignalsOf yields the signals of one service received in [from, to), oldest first: those
// under its id, and those of other writers under its URL.
func (s *Store) SignalsOf(ctx context.Context, svc status.Service, from, to time.Time) iter.Seq2[status.Signal, error] {
	return s.read(ctx, s.sql.signalsOf, instant(from), instant(to), svc.ID, svc.URL)
}

// Failures yields the signals with the outcome Down received in [from, to), oldest first.
func (s *Store) Failures(ctx context.Context, from, to time.Time) iter.Seq2[status.Signal, error] {
	return s.read(ctx, s.sql.failed, instant(from), instant(to))
}

func (s *Store) read(ctx context.Context, query string, args ...any) iter.Seq2[status.Signal, error] {
	return func(yield func(status.Signal, error) bool) {
		ctx, cancel := context.WithCancel(ctx) // A reader who stops early doesn't wait for the rest.
		defer cancel()
		rows, err := s.readers.Query(ctx, query, args...)
		if err != nil {
			yield(status.Signal{}, fmt.Errorf("read signals: %w", err))
			return
		}
		defer func() { cancel(); rows.Close() }()
		for rows.Next() {
			sig, err := scan(rows)
			if err != nil {
				yield(status.Signal{}, fmt.Errorf("read signals: %w", err))
				return
			}
			if !yield(sig, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(status.Signal{}, fmt.Errorf("read signals: %w", err))
		}
	}
}

func scan(rows pgx.Rows) (status.Signal, error) {
	var sig status.Signal
	var code pgtype.Int4
	var outcome, reason string
	var duration int64
	err := rows.Scan((*zeronull.Text)(&sig.URL), &code, &sig.Received, &sig.Available, (*zeronull.Text)(&sig.Service),
		(*zeronull.Text)(&sig.Region), (*zeronull.Text)(&outcome), (*zeronull.Int8)(&duration), (*zeronull.Text)(&reason),
		(*zeronull.Text)(&sig.Error))
	sig.HTTPStatus = status.NoHTTPStatus
	if code.Valid {
		sig.HTTPStatus = int(code.Int32)
	}
	sig.Received = sig.Received.UTC()
	sig.Duration = time.Duration(duration) * time.Microsecond
	sig.Outcome = status.ParseOutcome(outcome, sig.Available)
	sig.Reason = status.ParseReason(reason)
	return sig, err
}

// Days returns the sums of the UTC days that start in [from, to), by start, then service.
func (s *Store) Days(ctx context.Context, from, to time.Time) ([]status.Bucket, error) {
	return s.buckets(ctx, to, s.sql.days, instant(from), instant(to))
}

// HoursOf returns the sums of one service in the UTC hours that start in [from, to), one an hour.
func (s *Store) HoursOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.Bucket, error) {
	hours, err := s.buckets(ctx, to, s.sql.hoursOf, instant(from), instant(to), svc.ID, svc.URL)
	if err != nil || len(hours) == 0 {
		return hours, err
	}
	uneven, err := s.quarters(ctx, s.sql.unevenOf, instant(from), instant(to), svc.ID, svc.URL)
	if err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	for i := range hours {
		uneven.into(&hours[i])
	}
	return hours, nil
}

// LatenciesOf returns the latencies of one service in the UTC hours that start in [from, to).
func (s *Store) LatenciesOf(ctx context.Context, svc status.Service, from, to time.Time) ([]status.LatencyHour, error) {
	if err := s.settle(ctx, to); err != nil {
		return nil, fmt.Errorf("read latencies: %w", err)
	}
	rows, err := s.readers.Query(ctx, s.sql.latencies, binaryResults, instant(from), instant(to), svc.ID, svc.URL)
	if err != nil {
		return nil, fmt.Errorf("read latencies: %w", err)
	}
	defer rows.Close()
	var all []status.LatencyHour
	for rows.Next() { // Some 30,000 in 90 days, so they are taken as they come over the wire.
		v := rows.RawValues()
		all = status.AppendLatency(all, instantOf(v[0]), integer(v[1]), integer(v[2]))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read latencies: %w", err)
	}
	return all, nil
}

func (s *Store) buckets(ctx context.Context, to time.Time, query string, args ...any) ([]status.Bucket, error) {
	if err := s.settle(ctx, to); err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	rows, err := s.readers.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (status.Bucket, error) {
		var b status.Bucket
		var up, degraded, down, duration int64
		err := row.Scan(&b.Start, (*zeronull.Text)(&b.Service), (*zeronull.Text)(&b.URL), (*zeronull.Int8)(&up),
			(*zeronull.Int8)(&degraded), (*zeronull.Int8)(&down), (*zeronull.Int8)(&duration))
		b.Start, b.Duration = b.Start.UTC(), time.Duration(duration)*time.Microsecond
		b.Up, b.Degraded, b.Down = int(up), int(degraded), int(down)
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("read sums: %w", err)
	}
	// QuestDB orders symbols and NULL in its own way; the contract's order is made here.
	slices.SortFunc(all, func(a, b status.Bucket) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.Service, b.Service), cmp.Compare(a.URL, b.URL))
	})
	return all, nil
}

// instant is the only way a time may go to QuestDB: its TIMESTAMP has no zone, and pgx
// would send the wall clock of the time's own zone.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// microseconds is a duration as the table has it: up to 35 minutes, far above any timeout.
func microseconds(d time.Duration) int32 { return int32(min(d.Microseconds(), math.MaxInt32)) }

// text makes NULL of an empty string, as in rows of other writers, and valid UTF-8 without
// NUL of everything else: a row that QuestDB refuses would block all that come after it.
func text(s string) pgtype.Text {
	clean := strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	return pgtype.Text{String: clean, Valid: s != ""}
}
