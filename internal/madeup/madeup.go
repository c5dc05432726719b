// Package madeup makes up a past that services could have had: signals at their real slots, with slow days, outages of
// minutes and hours, and holes in which nobody measured. The same seed gives the same past.
package madeup

import (
	"cmp"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"statuspage/internal/status"
	"time"
)

// batch is about how many signals are handed out at a time: enough that the cost of a commit
// does not matter.
const batch = 10_000

// History yields what was measured of the services in [from, to), in batches. Batches follow
// each other in time, since all stores are fastest where rows come in the order of their
// key; the next one is made up while the one before is written.
func History(services []status.Service, from, to time.Time, seed uint64) iter.Seq[[]status.Signal] {
	perSecond := 0.0
	pasts := make([]*past, len(services))
	for i, s := range services {
		perSecond += 1 / s.Interval.Seconds()
		pasts[i] = newPast(s, from, rand.New(rand.NewPCG(seed, uint64(i))))
	}
	step := max(time.Duration(batch/max(perSecond, 0.01)*float64(time.Second)), time.Second)
	return func(yield func([]status.Signal) bool) {
		made, ended := make(chan []status.Signal, 1), make(chan struct{})
		defer close(ended)
		go func() {
			defer close(made)
			for end := from; end.Before(to); {
				end = end.Add(step)
				if end.After(to) {
					end = to
				}
				select {
				case made <- together(pasts, end):
				case <-ended:
					return
				}
			}
		}()
		for signals := range made {
			if !yield(signals) {
				return
			}
		}
	}
}

// together is what all services add until end, oldest first.
func together(pasts []*past, end time.Time) []status.Signal {
	signals := make([]status.Signal, 0, batch*11/10)
	for _, p := range pasts {
		signals = p.until(end, signals)
	}
	slices.SortFunc(signals, func(a, b status.Signal) int {
		return cmp.Or(a.Received.Compare(b.Received), cmp.Compare(a.Service, b.Service))
	})
	return signals
}

// past makes up one service's signals, slot by slot.
type past struct {
	svc       status.Service
	at        time.Time
	random    *rand.Rand
	base      float64 // Usual latency, milliseconds.
	downUntil time.Time
	reason    status.Reason
	holeUntil time.Time
	slowUntil time.Time
}

func newPast(svc status.Service, from time.Time, random *rand.Rand) *past {
	return &past{svc: svc, at: svc.Next(from), random: random, base: 20 + random.Float64()*200}
}

// until makes up what comes before end.
func (p *past) until(end time.Time, signals []status.Signal) []status.Signal {
	for ; p.at.Before(end); p.at = p.svc.Next(p.at.Add(time.Microsecond)) {
		p.events()
		if p.at.Before(p.holeUntil) {
			continue
		}
		signals = append(signals, p.signal())
	}
	return signals
}

// events begins an outage about every twelve days, a slow time every six, a hole every twenty.
func (p *past) events() {
	perSlot := func(every time.Duration) bool { return p.random.Float64() < float64(p.svc.Interval)/float64(every) }
	if p.at.After(p.downUntil) && perSlot(12*24*time.Hour) {
		p.downUntil = p.at.Add(time.Duration(p.random.ExpFloat64() * float64(25*time.Minute)))
		p.reason = []status.Reason{status.Timeout, status.ConnectionRefused, status.UnexpectedStatus, status.DNS}[p.random.IntN(4)]
	}
	if perSlot(6 * 24 * time.Hour) {
		p.slowUntil = p.at.Add(time.Duration(p.random.ExpFloat64() * float64(time.Hour)))
	}
	if perSlot(20 * 24 * time.Hour) {
		p.holeUntil = p.at.Add(time.Duration(p.random.ExpFloat64() * float64(3*time.Hour)))
	}
}

func (p *past) signal() status.Signal {
	daily := 1 + 0.4*math.Sin(float64(p.at.Hour())/24*2*math.Pi)
	ms := p.base * daily * math.Exp(p.random.NormFloat64()*0.25)
	s := status.Signal{
		Received: p.at, Service: p.svc.ID, URL: p.svc.URL, HTTPStatus: 200, Available: true, Outcome: status.Up,
		Duration: time.Duration(ms*1000) * time.Microsecond,
	}
	switch {
	case p.at.Before(p.downUntil):
		s.Outcome, s.Available, s.Reason, s.HTTPStatus = status.Down, false, p.reason, status.NoHTTPStatus
		if p.reason == status.UnexpectedStatus {
			s.HTTPStatus = 503
		}
		if p.reason == status.Timeout {
			s.Duration = p.svc.Timeout
		}
	case p.at.Before(p.slowUntil):
		s.Outcome, s.Reason, s.Duration = status.Degraded, status.Slow, s.Duration*8
	}
	return s
}
