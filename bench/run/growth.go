package main

import (
	"context"
	"fmt"
	"time"
)

var growthPart = part{
	name: "growth", title: "Cost as it grows", measure: measureGrowth,
	about: "Services with a full hour, checked each 10 s (10,000 of them each minute) over kept connections and stored in SQLite, first with nobody on the page, then with one viewer. What " +
		"the CPU of a probe grows by with the viewer is what drawing and framing its change costs. A page in a huge window is rebuilt less often, see ARCHITECTURE.md.",
}

func measureGrowth(ctx context.Context, l *lab, _ int) error {
	for _, n := range pick(l, []int{10, 100, 1000, 10_000}, []int{10, 100}) {
		interval := 10 * time.Second
		if n >= 10_000 {
			interval = time.Minute
		}
		if err := l.grown(ctx, n, interval); err != nil {
			return fmt.Errorf("%d services: %w", n, err)
		}
	}
	return nil
}

func (l *lab) grown(ctx context.Context, n int, interval time.Duration) error {
	target, endTarget, err := l.target(ctx, "-vary", "10ms")
	if err != nil {
		return err
	}
	defer endTarget()
	p, end, err := l.filled(ctx, spec{services: n, interval: interval, keepAlive: true, target: target, seedHours: 1})
	if err != nil {
		return err
	}
	defer end()
	time.Sleep(pick(l, 15*time.Second, 4*time.Second)) // Past the first runs; and no visit is recent.
	length := l.span(max(30*time.Second, interval), 5*time.Second)
	quiet, before, err := p.cost(ctx, length)
	if err != nil {
		return err
	}
	page, err := get(ctx, p.URL+"/", "Accept-Encoding", "gzip")
	if err != nil {
		return err
	}
	stream, err := p.stream(ctx)
	if err != nil {
		return err
	}
	probes, err := p.metric(ctx, "statuspage_probes_total")
	if err != nil {
		return err
	}
	start, err := usage(p.Process)
	if err != nil {
		return err
	}
	w, err := l.watch(ctx, p, stream, 1, "-idle", "0s", "-settle", "0s", "-for", length.String())
	if err != nil {
		return err
	}
	after, err := usage(p.Process)
	if err != nil {
		return err
	}
	more, err := p.metric(ctx, "statuspage_probes_total")
	if err != nil {
		return err
	}
	changes := max(1, more-probes)
	watched := (after.CPU - start.CPU).Seconds() / changes
	group := fmt.Sprintf("%d services", n)
	l.Add(group, "CPU, nobody watches", "% of a core", 100*quiet*before)
	l.Add(group, "CPU of 1,000 probes, nobody watches", "s", 1000*quiet)
	l.Add(group, "CPU of 1,000 probes, one viewer", "s", 1000*watched)
	l.Add(group, "drawing and framing a change", "µs", 1e6*max(0, watched-quiet))
	l.Add(group, "bytes of a change for a viewer", "bytes", w.FrameBytes*float64(w.Frames)/changes)
	l.Add(group, "memory", "MiB", float64(after.RSS)/(1<<20))
	l.Add(group, "memory a service", "KiB", float64(after.RSS)/1024/float64(n))
	l.Add(group, "gzipped page", "bytes", float64(len(page)))
	l.Add(group, "answered → received, p99", "ms", w.Answered.P99)
	return nil
}

// cost is the CPU of a probe in seconds, and the number of probes in a second.
func (p *product) cost(ctx context.Context, length time.Duration) (each, rate float64, err error) {
	probes, err := p.metric(ctx, "statuspage_probes_total")
	if err != nil {
		return 0, 0, err
	}
	before, err := usage(p.Process)
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(length)
	after, err := usage(p.Process)
	if err != nil {
		return 0, 0, err
	}
	more, err := p.metric(ctx, "statuspage_probes_total")
	if err != nil {
		return 0, 0, err
	}
	n := max(1, more-probes)
	return (after.CPU - before.CPU).Seconds() / n, n / after.At.Sub(before.At).Seconds(), nil
}
