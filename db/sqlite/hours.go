package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"iter"
	"statuspage/internal/status"
	"strconv"
	"time"
)

// Reading a row costs several times what finding it costs, so all services of an hour come as
// one row: their counts, packed into a number of three times 21 bits, and their names.
const (
	countBits   = 21
	countMax    = 1<<countBits - 1
	selectHours = `SELECT received, group_concat(((min(up, 2097151) << 42) + (min(degraded, 2097151) << 21) + min(down, 2097151)) || ' ' || service, char(30))
		FROM signals_hourly WHERE received >= ? AND received < ? AND service <> '' AND NOT ` + uneven + ` GROUP BY received`
	// Hours that don't lie evenly in their quarters; and rows of other writers, which are told apart
	// by their URLs.
	selectOneByOne = `SELECT received, service, CASE WHEN service = '' THEN url ELSE '' END, up, degraded, down, ` + quarterColumns + `
		FROM signals_hourly WHERE received >= ? AND received < ? AND (service = '' OR ` + uneven + `)`
	// uneven is where status.Spread does not say what the quarters are. Signals that were replaced
	// leave sums of 0.
	uneven         = `(up0 IS NOT NULL AND (degraded > 0 OR down > 0 OR up0 <> up / 4 OR up1 <> up * 2 / 4 - up / 4 OR up2 <> up * 3 / 4 - up * 2 / 4))`
	quarterColumns = `coalesce(up0, -1), coalesce(degraded0, 0), coalesce(down0, 0), coalesce(up1, 0), coalesce(degraded1, 0), coalesce(down1, 0), coalesce(up2, 0), coalesce(degraded2, 0), coalesce(down2, 0)`
	hourSeparator  = 30
)

// Hours yields the counts of the UTC hours that start in [from, to), in no order, and in parts.
func (s *Store) Hours(ctx context.Context, from, to time.Time) iter.Seq2[status.Bucket, error] {
	return func(yield func(status.Bucket, error) bool) {
		err := s.settle(ctx, to)
		if err == nil {
			err = s.hours(ctx, from, to, yield)
		}
		if err != nil {
			yield(status.Bucket{}, fmt.Errorf("read sums: %w", err))
		}
	}
}

// hours returns nil also when the reader wants no more.
func (s *Store) hours(ctx context.Context, from, to time.Time, yield func(status.Bucket, error) bool) error {
	names := status.Interned{}
	var start int64
	var all sql.RawBytes
	more, err := s.each(ctx, selectHours, from, to, func() bool {
		at := time.UnixMicro(start).UTC()
		for one := range bytes.SplitSeq(all, []byte{hourSeparator}) {
			number, service, _ := bytes.Cut(one, []byte{' '})
			packed, err := strconv.ParseInt(string(number), 10, 64)
			if err != nil {
				continue // Of a name with a separator in it, which is none of a configuration.
			}
			if !yield(status.Bucket{Service: names.One(service), Start: at, Counts: unpack(packed)}, nil) {
				return false
			}
		}
		return true
	}, &start, &all)
	if !more || err != nil {
		return err
	}
	var b status.Bucket
	var q quarterSums
	_, err = s.each(ctx, selectOneByOne, from, to, func() bool {
		b.Start = time.UnixMicro(start).UTC()
		q.into(&b)
		return yield(b, nil)
	}, append([]any{&start, &b.Service, &b.URL, &b.Up, &b.Degraded, &b.Down}, q.scan()...)...)
	return err
}

// quarterSums are the quarterColumns of a row: counts of the first three quarters. The fourth is
// what is left of the hour.
type quarterSums [3]status.Counts

func (q *quarterSums) scan() (into []any) {
	for i := range q {
		into = append(into, &q[i].Up, &q[i].Degraded, &q[i].Down)
	}
	return into
}

// into gives the hour its quarters, where they are known.
func (q *quarterSums) into(b *status.Bucket) {
	if b.Quarters = nil; q[0].Up < 0 {
		return
	}
	rest, all := b.Counts, [4]status.Counts{}
	for i, c := range q {
		all[i] = c
		rest.Up, rest.Degraded, rest.Down = rest.Up-c.Up, rest.Degraded-c.Degraded, rest.Down-c.Down
	}
	all[3] = rest
	b.SetQuarters(all)
}

// each scans the rows of a range one by one; more tells whether take wanted them all.
func (s *Store) each(ctx context.Context, query string, from, to time.Time, take func() bool, into ...any) (more bool, err error) {
	rows, err := s.read.QueryContext(ctx, query, from.UnixMicro(), to.UnixMicro())
	if err != nil {
		return false, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err tells all there is to tell.
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return false, err
		}
		if !take() {
			return false, nil
		}
	}
	return true, rows.Err()
}

func unpack(n int64) status.Counts {
	return status.Counts{Up: int(n >> (2 * countBits)), Degraded: int(n >> countBits & countMax), Down: int(n & countMax)}
}
