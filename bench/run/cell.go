package main

import (
	"context"
	"fmt"
	"slices"
	"statuspage/bench/report"
	"strings"
	"time"
)

var cellPart = part{
	name: "cell", title: "From probe to cell", measure: measureCell,
	about: "From the instant at which the target answered a probe to the first paint after the service's row changed in headless Chromium, with 1,000 " +
		"other viewers connected and 20 services that are checked every 10 s. The target answers after up to 40 ms by chance, so that every signal changes its row; " +
		"that time is before the answer and does not count. A probe that the browser never showed is counted below.",
}

// watchRows notes when each row was painted anew: a mutation is seen before the paint, a
// message posted from the frame's callback comes after it.
const watchRows = `(() => {
	window.painted = [];
	const ids = new Set();
	new MutationObserver(records => {
		for (const r of records) {
			const nodes = [r.target, ...r.addedNodes];
			for (const n of nodes) {
				const e = n.nodeType === 1 ? n : n.parentElement;
				const row = e && e.closest('tr[id^="s-"]');
				if (row) ids.add(row.id.slice(2));
			}
		}
		if (!ids.size || window.pending) return;
		window.pending = true;
		requestAnimationFrame(() => {
			const channel = new MessageChannel();
			channel.port1.onmessage = () => {
				const at = Math.round((performance.timeOrigin + performance.now()) * 1000);
				for (const id of ids) window.painted.push([id, String(at)]);
				ids.clear();
				window.pending = false;
			};
			channel.port2.postMessage(0);
		});
	}).observe(document.body, {childList: true, subtree: true, attributes: true, characterData: true});
	return true;
})()`

func measureCell(ctx context.Context, l *lab, _ int) error {
	target, endTarget, err := l.target(ctx, "-vary", "40ms")
	if err != nil {
		return err
	}
	defer endTarget()
	p, end, err := l.filled(ctx, spec{services: 20, interval: 10 * time.Second, target: target, seedHours: 2})
	if err != nil {
		return err
	}
	defer end()
	t, endTab, err := watchedPage(ctx, p)
	if err != nil {
		return err
	}
	defer endTab()
	stream, err := p.stream(ctx)
	if err != nil {
		return err
	}
	start := time.Now()
	viewers := pick(l, 1000, 100)
	w, err := l.watch(ctx, p, stream, viewers, "-idle", "0s", "-for", l.span(time.Minute, 10*time.Second).String())
	if err != nil {
		return err
	}
	group := fmt.Sprintf("%d viewers beside the browser", viewers)
	if err := l.addPaints(ctx, group, t, target, start.Add(3*time.Second), "< 300", "< 600"); err != nil {
		return err
	}
	l.Add(group, "viewers dropped", "", float64(w.Lost), "= 0")
	return nil
}

// watchedPage opens the page in a browser that notes when rows are painted.
func watchedPage(ctx context.Context, p *product) (*tab, func(), error) {
	t, end, err := newTab(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err = t.open(p.URL + "/"); err == nil {
		_, err = eval[bool](t, watchRows)
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return t, end, nil
}

// addPaints adds how long after the target's answers, from an instant until now, the browser showed them.
func (l *lab) addPaints(ctx context.Context, group string, t *tab, target string, from time.Time, p50, p99 string) error {
	ended := time.Now()
	time.Sleep(time.Second)
	painted, err := eval[[][2]string](t, "window.painted")
	if err != nil {
		return err
	}
	seen, err := visits(ctx, target, from)
	if err != nil {
		return err
	}
	ms, missed := paintDelays(seen, painted, ended)
	if len(ms) == 0 {
		return fmt.Errorf("the browser showed none of %d answers; %d rows were painted", missed, len(painted))
	}
	l.Add(group, "answered → painted, p50", "ms", report.Quantile(ms, 0.5), p50)
	l.Add(group, "answered → painted, p99", "ms", report.Quantile(ms, 0.99), p99)
	l.Add(group, "answered → painted, longest", "ms", ms[len(ms)-1])
	l.Add(group, "probes", "", float64(len(ms)))
	l.Add(group, "probes that were never shown", "", float64(missed))
	return nil
}

// paintDelays pairs each answer with the first paint of its row after it and before the next
// answer. Rows also change by the passing of time, which comes far behind.
func paintDelays(seen map[string][][2]int64, painted [][2]string, until time.Time) (ms []float64, missed int) {
	paints := map[string][]int64{}
	for _, p := range painted {
		var at int64
		if _, err := fmt.Sscan(p[1], &at); err == nil {
			paints[p[0]] = append(paints[p[0]], at)
		}
	}
	for path, pairs := range seen {
		at := paints[strings.TrimPrefix(path, "/")]
		for i, p := range pairs {
			if p[1] > until.UnixMicro() {
				break
			}
			n, _ := slices.BinarySearch(at, p[1])
			if n == len(at) || i+1 < len(pairs) && at[n] >= pairs[i+1][1] {
				missed++
				continue
			}
			ms = append(ms, float64(at[n]-p[1])/1000)
		}
	}
	slices.Sort(ms)
	return ms, missed
}
