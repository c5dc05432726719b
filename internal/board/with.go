package board

import (
	"slices"
	"statuspage/internal/status"
	"time"
)

// With returns a board of other services, which goes on where this one stands: services that
// both have keep what is known of them, and what was due of them until now. It takes the place of
// this board, whose subscribers hear nothing from then on; who still reads this board reads
// the same rows.
func (b *Board) With(services []status.Service, location *time.Location) (*Board, error) {
	next, err := build(services, location)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.newest
	own := slices.Clone(services)
	for i, s := range services {
		at, known := before.index[s.ID]
		if !known {
			continue
		}
		was := before.Services()[at].Service
		if own[i].Terms = was.Terms; len(was.Terms) > 0 {
			own[i].Terms = status.WithTerm(was.Terms, s.Now(b.now()))
		}
		// What regions found is kept by their places in the list; of another list it is read anew.
		if slices.Equal(was.Regions, s.Regions) {
			next.rows[i] = before.rows[at]
			next.rows[i].judge(was, own[i])
		}
	}
	next.list(own)
	next.shared, next.latest = b.shared, next.scan()
	b.version++ // Whoever keeps answers by version shall make them anew.
	b.newest = next
	return next, nil
}

// judge merges the slots of a service with regions anew, where other rules hold for them: what the
// page says must not depend on whether it was told before or after a restart.
func (r *row) judge(was, is status.Service) {
	if r.regional == nil || len(r.samples) == 0 || was.DownWhen == is.DownWhen && was.Quorum == is.Quorum && slices.Equal(was.Terms, is.Terms) {
		return
	}
	for slot := range r.samples {
		r.merge(slot, is)
	}
	g := r.regional
	r.recount(time.UnixMicro(min(g.countedFrom, r.newest())))
	g.near, g.nearFrom = nil, 0
	r.deriveOutages(0, is)
}

// SetTerms brings what was due of services in the past, by id, oldest first. Services that are not
// among them keep what they have.
func (l Loader) SetTerms(terms map[string][]status.Term) {
	b := l.board
	b.mu.Lock()
	defer b.mu.Unlock()
	b = b.newest
	services := make([]status.Service, len(b.rows))
	for i, was := range b.Services() {
		services[i] = was.Service
		if of, known := terms[was.ID]; known {
			services[i].Terms = of
			b.rows[i].judge(was.Service, services[i])
		}
	}
	b.list(services)
	b.version++ // Whoever keeps answers by version shall make them anew.
}

// Current is the board that took the place of this one, or this one: where signals go.
func (b *Board) Current() *Board {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.newest
}

// Past is what a store knows of one service.
type Past struct {
	Hours   []status.Bucket // That are over.
	Outages []status.Outage // That began before Begin, oldest first.
	Signals []status.Signal // The newest, oldest first; those from Counted on are counted one by one.
	Begin   time.Time       // A full hour.
	Counted time.Time       // The full hour from which on the board has counted by itself.
}

// Whole is the first full hour from which on the board keeps every sample of a service that it has
// been told of; the zero time when it keeps none.
func (s *Service) Whole() time.Time {
	s.board.mu.RLock()
	defer s.board.mu.RUnlock()
	return s.row().whole()
}

func (r *row) whole() time.Time {
	if len(r.samples) == 0 {
		return time.Time{}
	}
	return r.samples[0].Time().Truncate(time.Hour).Add(time.Hour)
}

// Recall brings the past of a service that was added to a board at work, or of which the store has
// learned more since. Its measurements of meanwhile are kept, and none is counted twice. It tells
// whether the board shows the service.
func (l Loader) Recall(service string, p Past) bool {
	b := l.board
	b.mu.Lock()
	defer b.mu.Unlock()
	b = b.newest
	i, shown := b.index[service]
	if !shown {
		return false
	}
	r, svc, limit := b.rows[i], b.Services()[i].Service, b.limit()
	b.cut(r, limit)
	r.hours.clearBefore(hourOf(p.Counted))
	whole := r.whole()
	for _, h := range p.Hours {
		hour := hourOf(h.Start)
		switch {
		case h.Start.After(limit):
		case h.Start.Before(p.Counted):
			r.hours.add(hour, quarters(h))
		case h.Start.Before(whole) && h.Measured() > r.hours.at(hour).counts().Measured():
			r.hours.set(hour, quarters(h)) // Too long ago to be counted one by one.
		}
	}
	for _, s := range p.Signals {
		if s.Received.After(limit) {
			continue
		}
		if r.regional != nil {
			r.report(s.Sample(), s.Region, svc, !s.Received.Before(p.Counted))
			continue
		}
		if insert(&r.samples, s.Sample(), sampleLimit(svc)) && !s.Received.Before(p.Counted) {
			r.hours.count(s.Received, s.Outcome)
		}
		r.begin(s.Received)
	}
	r.remember()
	b.latest = max(b.latest, r.newest())
	if b.version++; r.regional != nil {
		r.setOutages(p.Begin, p.Outages, svc)
		r.recount(p.Counted)
		return true
	}
	r.outages = slices.Clone(p.Outages)
	for _, s := range r.samples[r.first(p.Begin):] {
		r.track(s, "", svc)
	}
	return true
}
