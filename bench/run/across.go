package main

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

var pages = lineup{"page servers", true, []string{"web", "web", "web", "web", "web", "scheduler,worker"}}

// across measures how long a change takes to the browsers of servers that did not measure it.
func (l scaleSection) across(ctx context.Context) error {
	target, endTarget, err := l.target(ctx, "-vary", "40ms")
	if err != nil {
		return err
	}
	defer endTarget()
	f, end, err := l.fleet(ctx, spec{services: 20, interval: 10 * time.Second, target: target, seedHours: 2}, pages)
	if err != nil {
		return err
	}
	defer end()
	servers := f.of("web")
	t, endTab, err := watchedPage(ctx, servers[len(servers)-1])
	if err != nil {
		return err
	}
	defer endTab()
	start := time.Now()
	each := pick(l.lab, 1000, 40)
	looked, err := l.watchAll(ctx, servers, each)
	if err != nil {
		return err
	}
	group := fmt.Sprintf("Change → browsers of %d other servers, %d viewers in all", len(servers), each*len(servers))
	l.addWatched(group, looked)
	return l.addPaints(ctx, group, t, target, start.Add(3*time.Second), "", "< 1000")
}

// watchAll lets so many viewers look at each server, at the same time.
func (l scaleSection) watchAll(ctx context.Context, servers []*product, each int) ([]*watched, error) {
	looked := make([]*watched, len(servers))
	all, ctx := errgroup.WithContext(ctx)
	for i, p := range servers {
		all.Go(func() error {
			stream, err := p.stream(ctx)
			if err != nil {
				return err
			}
			looked[i], err = l.watch(ctx, p, stream, each, "-within", "2s", "-for", l.span(time.Minute, 10*time.Second).String())
			return err
		})
	}
	return looked, all.Wait()
}

func (l scaleSection) addWatched(group string, looked []*watched) {
	var p50, cpu, memory []float64
	var p99, longest float64
	var frames, missing, unshown, lost int
	for _, w := range looked {
		p50, cpu, memory = append(p50, w.Answered.P50), append(cpu, w.CPU), append(memory, w.RSSAfter/(1<<20))
		p99, longest = max(p99, w.Answered.P99), max(longest, w.Answered.Max)
		frames, missing, unshown, lost = frames+w.Frames, missing+w.Missing, unshown+w.Unshown, lost+w.Lost
	}
	l.Add(group, "answered → received, p50", "ms", median(p50))
	l.Add(group, "answered → received, p99", "ms", p99, "< 1000")
	l.Add(group, "answered → received, longest", "ms", longest)
	l.Add(group, "frames of all servers", "", float64(frames))
	l.Add(group, "changes that a server did not send", "", float64(unshown), "= 0")
	l.Add(group, "deliveries that did not come", "", float64(missing), "= 0")
	l.Add(group, "viewers dropped", "", float64(lost), "= 0")
	l.Add(group, "CPU of a page server", "cores", median(cpu))
	l.Add(group, "memory of a page server", "MiB", median(memory))
}
