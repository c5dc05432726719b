package main

import (
	"context"
	"fmt"
	"slices"
	"statuspage/bench/proc"
	"statuspage/bench/report"
	"statuspage/e2e/harness"
	"statuspage/internal/status"
	"strconv"
	"time"
)

var probesPart = part{
	name: "probes", title: "Probes on schedule", measure: measureProbes,
	about: "A target in a process of its own notes when each path was asked. The planned instants follow from the service's id and interval; *start* is from the planned " +
		"instant to the target's first sight of the request, so connecting is in it. CPU is the product's, with storing in SQLite and drawing the page; nobody watches the page. " +
		"A run counts as run when the target was asked for it and its signal came out of the product. *Bare exchanges* are those of a process that asks the same target as often, in Go, " +
		"and does nothing but write the request and read the answer.",
}

// schedule is one case: so many checks, how often, and how.
type schedule struct {
	name      string
	services  int
	interval  time.Duration
	keepAlive bool
	hang      int // One target in so many never answers; 0 for none.
	cpu       string
	rss       string
}

var schedules = []schedule{
	{"1,000 checks each 10 s, kept connections", 1000, 10 * time.Second, true, 0, "≤ 0.12", "≤ 80"},
	{"1,000 checks each 10 s, a fresh connection each", 1000, 10 * time.Second, false, 0, "≤ 0.25", "≤ 80"},
	{"10,000 checks each 60 s, kept connections", 10_000, time.Minute, true, 0, "≤ 0.12", ""},
	{"10,000 checks each 60 s, a fresh connection each", 10_000, time.Minute, false, 0, "≤ 0.25", ""},
	{"1,000 checks each 10 s, one target in twenty hangs", 1000, 10 * time.Second, false, 20, "", ""},
}

// probesSection is the measuring of its section, with what the lab has.
type probesSection struct{ *lab }

func measureProbes(ctx context.Context, in *lab, _ int) error {
	l := probesSection{in}
	for _, s := range schedules {
		if l.quick && s.services > 1000 {
			continue
		}
		if err := l.schedule(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

func (l probesSection) schedule(ctx context.Context, s schedule) error {
	target, endTarget, err := l.target(ctx, "-hang-every", strconv.Itoa(s.hang))
	if err != nil {
		return err
	}
	defer endTarget()
	bare, err := l.exchanges(ctx, target, s)
	if err != nil {
		return err
	}
	p, end, err := l.filled(ctx, spec{services: s.services, interval: s.interval, keepAlive: s.keepAlive, target: target})
	if err != nil {
		return err
	}
	defer end()
	// The first runs after a start are at instants of their own, and all connections are new.
	time.Sleep(pick(l.lab, s.interval+5*time.Second, 5*time.Second))
	before, err := usage(p.Process)
	if err != nil {
		return err
	}
	length := l.span(max(time.Minute, s.interval), s.interval)
	time.Sleep(length)
	after, err := usage(p.Process)
	if err != nil {
		return err
	}
	time.Sleep(s.interval/2 + time.Second) // What hangs ends too, and its signal is kept.
	return l.punctuality(ctx, p, s, before, after, bare)
}

// exchanges measures what asking alone costs: CPU seconds of 1,000.
func (l probesSection) exchanges(ctx context.Context, target string, s schedule) (seconds float64, err error) {
	args := []string{"-ask", target, "-checks", strconv.Itoa(s.services), "-every", s.interval.String()}
	if !s.keepAlive {
		args = append(args, "-fresh")
	}
	if s.hang > 0 {
		return 0, nil
	}
	c, err := harness.Start(ctx, "", nil, l.bin("ceiling"), args...)
	if err != nil {
		return 0, err
	}
	defer c.End()
	if _, err := c.Await(`asking=(\S+)`); err != nil {
		return 0, err
	}
	time.Sleep(pick(l.lab, s.interval, time.Second)) // All connections that are kept are there.
	before, err := usage(c)
	if err != nil {
		return 0, err
	}
	time.Sleep(l.span(20*time.Second, 5*time.Second))
	after, err := usage(c)
	if err != nil {
		return 0, err
	}
	asked := after.At.Sub(before.At).Seconds() * float64(s.services) / s.interval.Seconds()
	return 1000 * (after.CPU - before.CPU).Seconds() / asked, nil
}

// punctuality compares what was planned between two instants with what happened.
func (l probesSection) punctuality(ctx context.Context, p *product, s schedule, before, after proc.Usage, bare float64) error {
	seen, err := visits(ctx, p.spec.target, before.At.Add(-s.interval))
	if err != nil {
		return err
	}
	signals, err := p.signals(ctx, int(2*after.At.Sub(before.At)/s.interval)+5)
	if err != nil {
		return err
	}
	skipped, err := p.metric(ctx, "statuspage_probes_skipped_total")
	if err != nil {
		return err
	}
	services := p.spec.all()
	if s.hang > 0 { // Of interest are the others.
		n := 0
		services = slices.DeleteFunc(services, func(status.Service) bool { n++; return n%s.hang == 0 })
	}
	t := count(services, before.At, after.At, seen, func(id string, slot time.Time) bool {
		return slices.ContainsFunc(signals[id], func(r record) bool { return r.Received.Equal(slot) })
	})
	if t.asked == 0 {
		return fmt.Errorf("the target was asked for none of %d runs: %s", t.planned, p.Tail())
	}
	l.addTally(s.name, t, "≤ 100")
	cpu := 1000 * (after.CPU - before.CPU).Seconds() / float64(t.stored)
	l.Add(s.name, "CPU of 1,000 probes", "s", cpu, s.cpu)
	if bare > 0 {
		l.Add(s.name, "CPU of 1,000 bare exchanges", "s", bare)
		l.Add(s.name, "CPU of probes ÷ that of bare exchanges", "×", cpu/bare)
	}
	l.Add(s.name, "memory", "MiB", float64(after.RSS)/(1<<20), s.rss)
	l.Add(s.name, "skipped by the product since its start", "", skipped)
	return nil
}

// tally is what became of planned runs.
type tally struct {
	planned, asked, stored int
	late                   []float64 // Milliseconds from the planned instant to the target, sorted.
}

// count compares what was planned between two instants with what the target saw and what
// was stored.
func count(services []status.Service, from, to time.Time, seen map[string][][2]int64, stored func(id string, slot time.Time) bool) tally {
	var t tally
	for _, svc := range services {
		for slot := svc.Next(from); slot.Before(to); slot = svc.Next(slot.Add(time.Microsecond)) {
			t.planned++
			if ms, was := start(slot, svc, seen[svc.ID]); was {
				t.asked++
				t.late = append(t.late, ms)
			}
			if stored(svc.ID, slot) {
				t.stored++
			}
		}
	}
	slices.Sort(t.late)
	return t
}

func (l *lab) addTally(group string, t tally, p99 string) {
	l.Add(group, "planned runs", "", float64(t.planned))
	l.Add(group, "of them asked", "%", 100*float64(t.asked)/float64(t.planned), "≥ 100")
	l.Add(group, "of them with a signal", "%", 100*float64(t.stored)/float64(t.planned), "≥ 100")
	l.Add(group, "start, p50", "ms", report.Quantile(t.late, 0.5))
	l.Add(group, "start, p99", "ms", report.Quantile(t.late, 0.99), p99)
	l.Add(group, "start, latest", "ms", t.late[len(t.late)-1])
}

// start is how many milliseconds after its slot the target was asked.
func start(slot time.Time, svc status.Service, visits [][2]int64) (ms float64, was bool) {
	us := slot.UnixMicro()
	for _, v := range visits {
		if v[0] >= us-5000 && v[0] < us+svc.Interval.Microseconds()/2 {
			return float64(v[0]-us) / 1000, true
		}
	}
	return 0, false
}
