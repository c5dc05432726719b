package board

import (
	"cmp"
	"slices"
	"statuspage/internal/status"
	"time"
)

// OutageOf is an outage with the index of the service that it is of.
type OutageOf struct {
	Service int
	Outage  status.Outage
}

// The reads below cost what they return, and a look at each service, however many outages there have been: outages
// are kept by time.

// Outage finds the outage of an id, as it stands at now.
func (b *Board) Outage(id string, now time.Time) (OutageOf, bool) {
	name, begin, ok := status.ParseOutageID(id)
	service, shown := b.index[name]
	if !ok || !shown {
		return OutageOf{}, false
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	all := b.rows[service].outages
	at := begun(all, begin)
	if at == len(all) || all[at].ID() != id {
		return OutageOf{}, false
	}
	return OutageOf{service, all[at].Settled(b.Services()[service], now)}, true
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
		first, end := begun(r.outages, from), begun(r.outages, until)
		earlier = earlier || first > 0
		for n := end - 1; n >= first; n-- {
			found = append(found, OutageOf{i, r.outages[n].Settled(b.Services()[i], now)})
		}
	}
	slices.SortStableFunc(found, func(x, y OutageOf) int { return y.Outage.Begin.Compare(x.Outage.Begin) })
	return found, earlier
}

// NewestOutages returns the newest outages of services, at most limit, newest first, as they stand at now.
func (b *Board) NewestOutages(services []int, limit int, now time.Time) []OutageOf {
	b.mu.RLock()
	defer b.mu.RUnlock()
	newest := make([]OutageOf, 0, limit+1)
	for _, i := range services {
		for _, o := range slices.Backward(b.rows[i].outages) {
			at, _ := slices.BinarySearchFunc(newest, o.Begin, func(x OutageOf, t time.Time) int {
				return cmp.Or(t.Compare(x.Outage.Begin), -1) // Behind those that began at the same time.
			})
			if at == limit {
				break
			}
			newest = slices.Insert(newest, at, OutageOf{i, o})
			newest = newest[:min(limit, len(newest))]
		}
	}
	for n, o := range newest {
		newest[n].Outage = o.Outage.Settled(b.Services()[o.Service], now)
	}
	return newest
}

// LastOutages returns the newest outage of each of these services that has had one, as it stands at now.
func (b *Board) LastOutages(services []int, now time.Time) []OutageOf {
	b.mu.RLock()
	defer b.mu.RUnlock()
	var last []OutageOf
	for _, i := range services {
		if n := len(b.rows[i].outages); n > 0 {
			last = append(last, OutageOf{i, b.rows[i].outages[n-1].Settled(b.Services()[i], now)})
		}
	}
	return last
}
