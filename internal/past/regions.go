package past

import (
	"context"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"time"
)

// regionPast makes the past of services with regions, a slot of which is one measurement
// for the page, from what the store has: hourly sums over all regions and failed signals. It is nil when
// no service has regions, and does nothing then.
type regionPast struct {
	board    *board.Board
	raw      map[string]map[int64]status.Bucket // By service.
	failures map[string]*status.Failures
}

func newRegionPast(b *board.Board) *regionPast {
	p := &regionPast{board: b, raw: make(map[string]map[int64]status.Bucket), failures: make(map[string]*status.Failures)}
	for _, svc := range board.Plain(b.Services()) {
		if len(svc.Regions) == 0 {
			continue
		}
		raw := make(map[int64]status.Bucket)
		p.raw[svc.ID] = raw
		p.failures[svc.ID] = status.NewFailures(svc, func(hour time.Time) int {
			return status.MeasuringRegions(svc, raw[hour.Unix()])
		}, board.MaxOutages)
	}
	if len(p.raw) == 0 {
		return nil
	}
	return p
}

// take keeps the sum of an hour, or a part of it, and tells whether it is of a service with regions.
func (p *regionPast) take(s status.Bucket) bool {
	if p == nil {
		return false
	}
	svc, shown := p.board.Owner(s.Service, s.URL)
	if !shown || p.raw[svc.ID] == nil {
		return false
	}
	raw := p.raw[svc.ID]
	if known, there := raw[s.Start.Unix()]; there { // Other writers have sums of their own.
		s = known.Join(s)
	}
	raw[s.Start.Unix()] = s
	return true
}

// clear forgets the sums.
func (p *regionPast) clear() {
	if p == nil {
		return
	}
	for _, raw := range p.raw {
		clear(raw)
	}
}

// failed takes a failed signal of a service with regions, and tells whether it is of one.
func (p *regionPast) failed(service string, s status.Signal) bool {
	if p == nil || p.failures[service] == nil {
		return false
	}
	p.failures[service].Add(s)
	return true
}

// merged puts the outages into past, and returns the sums as the page counts them.
func (p *regionPast) merged(past map[string][]status.Outage) (all []status.Bucket) {
	for _, svc := range p.board.Services() {
		f := p.failures[svc.ID]
		if f == nil {
			continue
		}
		f.Close()
		past[svc.ID] = f.Outages
		for hour, raw := range p.raw[svc.ID] {
			raw.Service = svc.ID
			all = append(all, status.SumOfRegions(svc.Service, raw, f.Hours[hour]))
		}
	}
	return all
}

// resolveMerged finds the first slot after an outage in which too few regions found the service down.
func (r *reading) resolveMerged(ctx context.Context, svc status.Service, o status.Outage) error {
	holds := svc.HoldsAt(o.Last)
	from, end := o.Last.Add(time.Microsecond), o.Last.Add(holds)
	var signals []status.Signal
	take := func(some []status.Signal) { signals = append(signals, some...) }
	if err := r.each(ctx, o.Last.Add(-holds), end, r.signalsOf(svc), take); err != nil { // From before: who measures.
		return err
	}
	for _, slot := range status.MergeSignals(svc, signals) {
		if !slot.Time().Before(from) && slot.Outcome.Available() {
			r.board.Loader().Resolve(o, slot.Time())
			break
		}
	}
	return nil
}
