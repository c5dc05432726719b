package board

import (
	"slices"
	"statuspage/internal/status"
	"time"
)

// Row is what a page shows of one service at one instant.
type Row struct {
	Service status.Service
	State   status.Outcome // Unknown when nobody has known for longer than a run may take.
	Last    status.Sample  // Newest sample; the zero value when there is none.
	Cells   []status.Cell  // The last hour, oldest first.
	Hour    status.Counts  // Sum of the cells.
}

// Row returns the state of one service at now.
func (b *Board) Row(service int, now time.Time) Row {
	b.mu.RLock()
	defer b.mu.RUnlock()
	svc, r := b.services[service], &b.rows[service]
	// The sample before the first cell may still hold in it.
	from := now.Add(-status.GridMinutes*time.Minute - svc.Interval - time.Minute).UnixMicro()
	first, _ := slices.BinarySearchFunc(r.samples, from, func(s status.Sample, t int64) int { return int(min(max(s.Received-t, -1), 1)) })
	row := Row{Service: svc, Cells: status.Minutes(r.samples[first:], svc, now)}
	row.Hour = status.Total(row.Cells)
	if n := len(r.samples); n > 0 {
		row.Last = r.samples[n-1]
		row.State = status.State(row.Last, svc, now)
	}
	return row
}

// Recent returns a copy of the newest samples of a service, at most limit, oldest first.
func (b *Board) Recent(service, limit int) []status.Sample {
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := b.rows[service].samples
	return slices.Clone(all[max(0, len(all)-limit):])
}

// State returns the present state of one service.
func (b *Board) State(service int, now time.Time) status.Outcome {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if n := len(b.rows[service].samples); n > 0 {
		return status.State(b.rows[service].samples[n-1], b.services[service], now)
	}
	return status.Unknown
}

// Between returns what the changes after version after, up to and including version until,
// brought, of all services, in the order it came.
func (b *Board) Between(after, until uint64) []Signal {
	return b.collect(func(s status.Sample) bool { return s.Seq > after && s.Seq <= until }, func(x, y Signal) int {
		return int(min(max(int64(x.Sample.Seq)-int64(y.Sample.Seq), -1), 1))
	})
}

// Since returns the samples received at or after t and brought by a version up to until,
// of all services, by time.
func (b *Board) Since(t time.Time, until uint64) []Signal {
	us := t.UnixMicro()
	return b.collect(func(s status.Sample) bool { return s.Received >= us && s.Seq <= until }, func(x, y Signal) int {
		return int(min(max(x.Sample.Received-y.Sample.Received, -1), 1))
	})
}

func (b *Board) collect(take func(status.Sample) bool, order func(x, y Signal) int) []Signal {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var out []Signal
	for i := range b.rows {
		for _, s := range b.rows[i].samples {
			if take(s) {
				out = append(out, Signal{Service: i, Sample: s})
			}
		}
	}
	slices.SortFunc(out, order)
	return out
}

// Newest is the planned instant of the newest sample of all services, zero when there is none.
func (b *Board) Newest() time.Time {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var newest status.Sample
	for i := range b.rows {
		if n := len(b.rows[i].samples); n > 0 && b.rows[i].samples[n-1].Received > newest.Received {
			newest = b.rows[i].samples[n-1]
		}
	}
	if newest.Received == 0 {
		return time.Time{}
	}
	return newest.Time()
}

// MeasuredAt is the planned instant of a service's newest sample, zero when there is none.
func (b *Board) MeasuredAt(id string) time.Time {
	i, ok := b.Find(id)
	if !ok {
		return time.Time{}
	}
	if last := b.Recent(i, 1); len(last) == 1 {
		return last[0].Time()
	}
	return time.Time{}
}

// Uptime counts the measurements of a service in the window that ends at now. Windows of
// an hour or less are exact; up to a week they begin at a full hour, longer ones at a day
// border in the board's time zone.
func (b *Board) Uptime(service int, window time.Duration, now time.Time) status.Counts {
	svc := b.services[service]
	from := now.Add(-window)
	b.mu.RLock()
	defer b.mu.RUnlock()
	r := &b.rows[service]
	var sum status.Counts
	switch {
	case window <= time.Hour:
		for _, s := range r.samples {
			if s.Received >= from.UnixMicro() && s.Received <= now.UnixMicro() {
				sum = sum.Count(s.Outcome)
			}
		}
	case window <= (maxHours-1)*time.Hour:
		from = from.Truncate(time.Hour).Add(time.Hour)
		sum = total(r.hours, from)
	default:
		local := from.In(b.location)
		from = time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, b.location)
		sum = total(r.days, from)
	}
	sum.Expected = svc.Due(from, now, now)
	return sum
}

func total(buckets map[int64]counts, from time.Time) status.Counts {
	var sum status.Counts
	for start, c := range buckets {
		if start >= from.Unix() {
			sum = sum.Add(status.Counts{Up: int(c.up), Degraded: int(c.degraded), Down: int(c.down)})
		}
	}
	return sum
}
