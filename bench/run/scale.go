package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"statuspage/bench/proc"
	"time"
)

var scalePart = part{
	name: "scale", title: "Several processes", measure: measureScale,
	about: "The same checks in several processes of the product that share a queue, in one process with a queue, and in one without; each on a QuestDB of its own, and on a Redis of its own " +
		"that writes no disk. Start and runs are as under *Probes on schedule*; a run has a signal when QuestDB has its row. CPU is that of all processes of the product together; that of " +
		"QuestDB has its idle share in it. Memory is that of the largest process of its role. Each process keeps the connections of as many checks as a quarter of its descriptors, " +
		"5,000 of 20,000; the others' runs connect anew, with one worker as with four. *Several less one* is more than the queue: so many processes also wake up and write so many more batches. " +
		"The targets are four processes, for their descriptors' sake.\n\n" +
		"*Change → browsers of other servers*: one process plans and measures 20 services each 10 s, whose answers take up to 40 ms by chance, so that each changes its row. Five page servers " +
		"that measure nothing have a fifth of the viewers each (`bench/viewers`), the last of them headless Chromium as well. Times are from the target's answer; p99 and longest are those of the slowest server.",
}

// scaleTargets share the kept connections of all workers: a process may have 20,000 descriptors.
const scaleTargets = 4

var (
	oneProcess = lineup{"one process", false, []string{"all"}}
	oneQueued  = lineup{"one process with a queue", true, []string{"all"}}
	several    = lineup{"1 page server, 4 workers, 2 schedulers", true, []string{"web", "worker", "worker", "worker", "worker", "scheduler", "scheduler"}}
)

// costs are CPU of a probe in microseconds.
type costs struct{ ours, redis float64 }

// scaleSection is the measuring of its section, with what the lab has.
type scaleSection struct{ *lab }

func measureScale(ctx context.Context, in *lab, _ int) error {
	l := scaleSection{in}
	took := map[string]costs{}
	for _, u := range []lineup{several, oneQueued, oneProcess} {
		c, err := l.lineup(ctx, u)
		if err != nil {
			return fmt.Errorf("%s: %w", u.name, err)
		}
		took[u.name] = c
	}
	one, queued, all := took[oneProcess.name], took[oneQueued.name], took[several.name]
	const group = "What a queue costs a probe"
	l.Add(group, "in our process, one with a queue less one without", "µs", queued.ours-one.ours)
	l.Add(group, "in Redis, one process", "µs", queued.redis)
	l.Add(group, "in all our processes, several less one without a queue", "µs", all.ours-one.ours)
	l.Add(group, "in Redis, several processes", "µs", all.redis)
	return l.across(ctx)
}

// lineup measures how the checks run.
func (l scaleSection) lineup(ctx context.Context, u lineup) (costs, error) {
	s := spec{services: pick(l.lab, 20_000, 200), interval: pick(l.lab, time.Minute, 5*time.Second), timeout: pick(l.lab, 10*time.Second, time.Second), keepAlive: true}
	targets := make([]string, scaleTargets)
	for i := range targets {
		url, end, err := l.target(ctx)
		if err != nil {
			return costs{}, err
		}
		defer end()
		targets[i] = url
	}
	s.target, s.targets = targets[0], targets[1:]
	f, end, err := l.fleet(ctx, s, u)
	if err != nil {
		return costs{}, err
	}
	defer end()
	time.Sleep(s.interval + 5*time.Second) // Each check has run once.
	before, err := f.usage()
	if err != nil {
		return costs{}, err
	}
	from := time.Now()
	time.Sleep(l.span(2*s.interval, 2*s.interval)) // Slots are spread over all of an interval.
	after, err := f.usage()
	if err != nil {
		return costs{}, err
	}
	to := time.Now()
	time.Sleep(min(15*time.Second, s.interval*3/4) + 2*time.Second) // No run begins later (docs/adr/0012), and its signal is on disk.
	group := fmt.Sprintf("%d checks each %.0f s, %s", s.services, s.interval.Seconds(), u.name)
	n, err := l.addRuns(ctx, group, f, targets, from, to)
	if err != nil {
		return costs{}, err
	}
	return l.addCosts(group, f, before, after, n), nil
}

// addRuns tells what became of the runs that were planned between two instants, and how many
// there were. The members end for it.
func (l scaleSection) addRuns(ctx context.Context, group string, f *fleet, targets []string, from, to time.Time) (probes int, err error) {
	services := f.members[0].spec.all()
	interval := services[0].Interval
	seen := map[string][][2]int64{}
	for _, target := range targets {
		v, err := visits(ctx, target, from.Add(-interval))
		if err != nil {
			return 0, err
		}
		maps.Copy(seen, v)
	}
	skipped, err := f.metric(ctx, "statuspage_probes_skipped_total")
	if err != nil {
		return 0, err
	}
	dropped, err := f.metric(ctx, "statuspage_queue_dropped_total")
	if err != nil {
		return 0, err
	}
	f.stop()
	stored, err := f.stored(ctx)
	if err != nil {
		return 0, err
	}
	t := count(services, from, to, seen, func(id string, slot time.Time) bool { return stored[key{id, slot.UnixMicro()}] })
	if t.asked == 0 {
		return 0, fmt.Errorf("the targets were asked for none of %d runs: %s", t.planned, f.members[0].Tail())
	}
	l.addTally(group, t, "≤ 500")
	l.Add(group, "skipped by the product since its start", "", skipped+dropped)
	return t.asked, nil
}

// key is what a signal is known by.
type key struct {
	service string
	slot    int64 // Unix microseconds.
}

// stored are the signals that QuestDB has.
func (f *fleet) stored(ctx context.Context) (map[key]bool, error) {
	if err := f.questdb.settled(ctx); err != nil {
		return nil, err
	}
	rows, err := f.questdb.query(ctx, "SELECT service, cast(received AS long) FROM signals")
	if err != nil {
		return nil, err
	}
	all := make(map[key]bool, len(rows))
	for _, r := range rows {
		service, _ := r[0].(string)
		slot, _ := r[1].(float64) // Exact: below 2^53.
		all[key{service, int64(slot)}] = true
	}
	return all, nil
}

// addCosts tells what the processes took for so many probes.
func (l scaleSection) addCosts(group string, f *fleet, before, after map[string]proc.Usage, probes int) costs {
	cpu := func(kind string) float64 { return (after[kind].CPU - before[kind].CPU).Seconds() / float64(probes) }
	roles := slices.DeleteFunc(slices.Sorted(maps.Keys(after)), func(kind string) bool { return kind == kindRedis || kind == kindQuestDB })
	ours := 0.0
	for _, role := range roles {
		ours += cpu(role)
	}
	l.Add(group, "CPU of 1,000 probes", "s", 1000*ours)
	for _, role := range roles {
		if len(roles) > 1 {
			l.Add(group, fmt.Sprintf("of it role %s, %d of them", role, len(f.of(role))), "s", 1000*cpu(role))
		}
	}
	if f.redis != nil {
		l.Add(group, "CPU of Redis, 1,000 probes", "s", 1000*cpu(kindRedis))
	}
	l.Add(group, "CPU of QuestDB, 1,000 probes", "s", 1000*cpu(kindQuestDB))
	for _, role := range roles {
		l.Add(group, "memory, role "+role, "MiB", float64(after[role].RSS)/(1<<20))
	}
	if f.redis != nil {
		l.Add(group, "memory, Redis", "MiB", float64(after[kindRedis].RSS)/(1<<20))
	}
	return costs{1e6 * ours, 1e6 * cpu(kindRedis)}
}
