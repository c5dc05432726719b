// Command seed fills a store with the past that the services of a configuration could have
// had: signals at their real slots, with slow days, outages of minutes and hours, and holes
// in which nobody measured. The same seed gives the same past.
//
//	go run ./bench/seed -config statuspage.yaml -database sqlite:///data/seeded.db -days 90
package main

import (
	"context"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"statuspage/db"
	"statuspage/internal/config"
	"statuspage/internal/status"
	"time"
)

const batch = 5000

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run() error {
	var o config.Overrides
	flag.StringVar(&o.File, "config", "", "configuration whose services are given a past")
	flag.StringVar(&o.Database, "database", "", "store to fill")
	days := flag.Int("days", 90, "how far back")
	seed := flag.Uint64("seed", 1, "of the random numbers")
	flag.Parse()
	cfg, err := config.Load(o, os.Getenv, os.ReadFile)
	if err != nil {
		return err
	}
	ctx := context.Background()
	store, err := db.Open(ctx, string(cfg.Database), db.Options{Outbox: cfg.Outbox})
	if err != nil {
		return err
	}
	now, rows := time.Now(), 0
	for i, check := range cfg.Checks {
		p := newPast(check.Service, now.AddDate(0, 0, -*days), now, rand.New(rand.NewPCG(*seed, uint64(i))))
		for signals := p.next(batch); len(signals) > 0; signals = p.next(batch) {
			if err := store.Write(ctx, signals); err != nil {
				return err
			}
			rows += len(signals)
		}
	}
	if err := store.WaitDrained(ctx); err != nil {
		return err
	}
	fmt.Printf("%d signals of %d services over %d days\n", rows, len(cfg.Checks), *days)
	return store.Close()
}

// past makes up one service's signals, slot by slot.
type past struct {
	svc       status.Service
	at, until time.Time
	random    *rand.Rand
	base      float64 // Usual latency, milliseconds.
	downUntil time.Time
	reason    status.Reason
	holeUntil time.Time
	slowUntil time.Time
}

func newPast(svc status.Service, from, until time.Time, random *rand.Rand) *past {
	return &past{svc: svc, at: svc.Next(from), until: until, random: random, base: 20 + random.Float64()*200}
}

func (p *past) next(n int) []status.Signal {
	var signals []status.Signal
	for ; len(signals) < n && p.at.Before(p.until); p.at = p.svc.Next(p.at.Add(time.Microsecond)) {
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
