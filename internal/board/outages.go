package board

import (
	"cmp"
	"slices"
	"statuspage/internal/status"
	"time"
)

// OutageOf is an outage with the service that it is of.
type OutageOf struct {
	Service *Service
	Outage  status.Outage
}

// The reads below cost what they return, and a look at each service, however many outages there have been: outages
// are kept by time.

// Outage finds the outage of an id, as it stands at now.
func (b *Board) Outage(id string, now time.Time) (OutageOf, bool) {
	name, begin, ok := status.ParseOutageID(id)
	svc, shown := b.Find(name)
	if !ok || !shown {
		return OutageOf{}, false
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := svc.row().outages
	at := begun(all, begin)
	if at == len(all) || all[at].ID() != id {
		return OutageOf{}, false
	}
	return OutageOf{svc, all[at].Settled(svc.stored(), now)}, true
}

// begun is the index of the first outage that began at or after t.
func begun(outages []status.Outage, t time.Time) int {
	at, _ := slices.BinarySearchFunc(outages, t, func(o status.Outage, t time.Time) int { return o.Begin.Compare(t) })
	return at
}

// OutagesBetween returns the outages of all services that began in [from, until), newest first, as
// they stand at now, and whether there are earlier ones.
func (b *Board) OutagesBetween(from, until, now time.Time) (found []OutageOf, earlier bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	for i, r := range b.rows {
		svc := b.Services()[i]
		first, end := begun(r.outages, from), begun(r.outages, until)
		earlier = earlier || first > 0
		for n := end - 1; n >= first; n-- {
			found = append(found, OutageOf{svc, r.outages[n].Settled(svc.Service, now)})
		}
	}
	slices.SortStableFunc(found, func(x, y OutageOf) int { return y.Outage.Begin.Compare(x.Outage.Begin) })
	return found, earlier
}

// NewestOutages returns the newest outages of services, at most limit, newest first, as they stand at now.
func (b *Board) NewestOutages(services []*Service, limit int, now time.Time) []OutageOf {
	b.mu.RLock()
	defer b.mu.RUnlock()
	newest := make([]OutageOf, 0, limit+1)
	for _, svc := range services {
		for _, o := range slices.Backward(svc.row().outages) {
			at, _ := slices.BinarySearchFunc(newest, o.Begin, func(x OutageOf, t time.Time) int {
				return cmp.Or(t.Compare(x.Outage.Begin), -1) // Behind those that began at the same time.
			})
			if at == limit {
				break
			}
			newest = slices.Insert(newest, at, OutageOf{svc, o})
			newest = newest[:min(limit, len(newest))]
		}
	}
	for n, o := range newest {
		newest[n].Outage = o.Outage.Settled(o.Service.stored(), now)
	}
	return newest
}

// LastOutages returns the newest outage of each of these services that has had one, as it stands at now.
func (b *Board) LastOutages(services []*Service, now time.Time) []OutageOf {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var last []OutageOf
	for _, svc := range services {
		if r := svc.row(); len(r.outages) > 0 {
			last = append(last, OutageOf{svc, r.outages[len(r.outages)-1].Settled(svc.stored(), now)})
		}
	}
	return last
}
