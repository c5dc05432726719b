package main

import (
	"context"
	"encoding/json"
	"fmt"
	"statuspage/e2e/harness"
	"strconv"
	"strings"
	"time"
)

var viewersPart = part{
	name: "viewers", title: "Live viewers", measure: measureViewers,
	about: "`bench/viewers` opens so many streams on the page of 20 services with a full hour, each checked every 20 s, so about one frame a second " +
		"reaches every viewer (each second beside viewers that don't read, so that the kernel's buffers fill). Memory is what the product's resident set grew by, CPU its user and system time less what it took without viewers, " +
		"by the number of frames delivered. Viewers accept what browsers accept. The product writes a frame to all viewers in turn; *publish → received* is from the first receipt of a frame by any " +
		"viewer to each receipt, *answered → received* from the target's answer to each receipt, so the store's commit and the wait for " +
		"other changes (40 ms) are in it, and the generator's own time to read so many sockets on the same two cores is in both. " +
		"*Bare writes* is a process that does nothing but one write(2) of as many bytes a viewer and second: the kernel hands a packet over loopback to its reader within that call, and bills the writer for it.",
}

// watched is what bench/viewers prints.
type watched struct {
	ConnectedIn   float64 `json:"connected_in_s"`
	Refused       int     `json:"refused"`
	Lost          int     `json:"lost"`
	Frames        int     `json:"frames"`
	Deliveries    int     `json:"deliveries"`
	Missing       int     `json:"missing"`
	Unshown       int     `json:"unshown"`
	FrameBytes    float64 `json:"frame_bytes"`
	RSSBefore     float64 `json:"rss_before"`
	RSSAfter      float64 `json:"rss_after"`
	CPU           float64 `json:"cpu"`
	CPUMicros     float64 `json:"cpu_us"`
	Spread        delays  `json:"spread_ms"`
	Answered      delays  `json:"answered_ms"`
	StalledClosed int     `json:"stalled_dropped"`
}

type delays struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// watch lets n viewers look at a product for a while.
func (l *lab) watch(ctx context.Context, p *product, stream string, n int, more ...string) (*watched, error) {
	return l.watchProcess(ctx, p.Process, stream, n, append(more, "-target", p.spec.target)...)
}

func (l *lab) watchProcess(ctx context.Context, p *harness.Process, stream string, n int, more ...string) (*watched, error) {
	args := append([]string{
		"-url", stream, "-n", strconv.Itoa(n), "-pid", strconv.Itoa(p.PID()),
		"-for", l.span(30*time.Second, 4*time.Second).String(), "-idle", pick(l, 10*time.Second, 2*time.Second).String(),
	}, more...)
	out, err := output(ctx, "", l.bin("viewers"), args...)
	if err != nil {
		return nil, fmt.Errorf("%w; the product says: %s", err, p.Tail())
	}
	w := &watched{}
	return w, json.Unmarshal(out, w)
}

func viewersSpec(target string) spec {
	return spec{services: 20, interval: 20 * time.Second, target: target, seedHours: 2}
}

// viewersSection is the measuring of its section, with what the lab has.
type viewersSection struct{ *lab }

func measureViewers(ctx context.Context, in *lab, _ int) error {
	l := viewersSection{in}
	target, end, err := l.target(ctx, "-vary", "40ms")
	if err != nil {
		return err
	}
	defer end()
	counts := pick(l.lab, l.viewers, "500,2000")
	for text := range strings.SplitSeq(counts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("number of viewers: %w", err)
		}
		if err := l.crowd(ctx, target, n); err != nil {
			return err
		}
	}
	if err := l.crowd(ctx, target, pick(l.lab, 10_000, 500), "-plain"); err != nil {
		return err
	}
	if err := l.stalled(ctx, target); err != nil {
		return err
	}
	return l.herd(ctx, target)
}

// crowd measures n viewers on a product that has had none before.
func (l viewersSection) crowd(ctx context.Context, target string, n int, more ...string) error {
	p, end, err := l.filled(ctx, viewersSpec(target))
	if err != nil {
		return err
	}
	defer end()
	heapBefore, err := p.metric(ctx, "go_memstats_heap_inuse_bytes")
	if err != nil {
		return err
	}
	stream, err := p.stream(ctx)
	if err != nil {
		return err
	}
	// The page is kept fresh in advance for ten seconds after a visit, which is not idle.
	time.Sleep(pick(l.lab, 11*time.Second, 0))
	heap := make(chan float64, 1)
	go func() { // While they look.
		time.Sleep(pick(l.lab, 10*time.Second, 2*time.Second) + l.span(30*time.Second, 4*time.Second)/2 + time.Duration(n)*time.Second/4000)
		h, _ := p.metric(ctx, "go_memstats_heap_inuse_bytes") // 0 where it can't be had.
		heap <- h
	}()
	w, err := l.watch(ctx, p, stream, n, more...)
	if err != nil {
		return err
	}
	group := fmt.Sprintf("%d viewers", n)
	if len(more) > 0 {
		group += " that accept no compression"
	}
	goal := func(g string) string {
		if n == 10_000 || l.quick {
			return g
		}
		return ""
	}
	l.Add(group, "memory a viewer", "KiB", (w.RSSAfter-w.RSSBefore)/1024/float64(n), goal("≤ 2"))
	l.Add(group, "Go heap in use, a viewer", "KiB", (<-heap-heapBefore)/1024/float64(n))
	l.Add(group, "CPU a delivery", "µs", w.CPUMicros, goal("≤ 9"))
	if goal("there is one") != "" {
		bare, err := l.bare(ctx, n, int(w.FrameBytes))
		if err != nil {
			return err
		}
		l.Add(group, "CPU of a bare write", "µs", bare)
		l.Add(group, "CPU a delivery ÷ that of a bare write", "×", w.CPUMicros/bare)
	}
	l.Add(group, "bytes a delivery", "bytes", w.FrameBytes)
	l.Add(group, "CPU of the product", "cores", w.CPU)
	l.Add(group, "publish → received, p50", "ms", w.Spread.P50)
	l.Add(group, "publish → received, p99", "ms", w.Spread.P99, goal("< 150"))
	l.Add(group, "publish → received, longest", "ms", w.Spread.Max)
	l.Add(group, "answered → received, p50", "ms", w.Answered.P50)
	l.Add(group, "answered → received, p99", "ms", w.Answered.P99)
	l.Add(group, "frames", "", float64(w.Frames))
	l.Add(group, "deliveries that did not come", "", float64(w.Missing), "= 0")
	l.Add(group, "viewers dropped", "", float64(w.Lost), "= 0")
	l.Add(group, "all connected after", "s", w.ConnectedIn)
	return nil
}

// bare measures what a write of so many bytes to each of n viewers costs, and nothing else.
func (l viewersSection) bare(ctx context.Context, n, size int) (micros float64, err error) {
	c, err := harness.Start(ctx, "", nil, l.bin("ceiling"), "-stream", strconv.Itoa(size))
	if err != nil {
		return 0, err
	}
	defer c.End()
	url, err := c.Await(`url=(http://\S+)`)
	if err != nil {
		return 0, err
	}
	w, err := l.watchProcess(ctx, c, url, n, "-plain")
	if err != nil {
		return 0, err
	}
	return w.CPUMicros, nil
}

// stalled measures how the others fare beside viewers that do not read.
func (l viewersSection) stalled(ctx context.Context, target string) error {
	s := viewersSpec(target)
	s.interval = time.Second // More frames than the kernel's buffers have room for.
	p, end, err := l.filled(ctx, s)
	if err != nil {
		return err
	}
	defer end()
	readers, asleep := pick(l.lab, 1000, 200), pick(l.lab, 200, 50)
	group := fmt.Sprintf("%d viewers, %d of others that never read", readers, asleep)
	for _, more := range [][]string{nil, {"-stalled", strconv.Itoa(asleep)}} {
		stream, err := p.stream(ctx)
		if err != nil {
			return err
		}
		w, err := l.watch(ctx, p, stream, readers, more...)
		if err != nil {
			return err
		}
		with := "without them"
		if more != nil {
			with = "with them"
			l.Add(group, "of those that never read, dropped", "", float64(w.StalledClosed))
			l.Add(group, "memory grew by", "MiB", (w.RSSAfter-w.RSSBefore)/(1<<20))
		}
		l.Add(group, "publish → received, p99, "+with, "ms", w.Spread.P99)
		l.Add(group, "publish → received, longest, "+with, "ms", w.Spread.Max)
		l.Add(group, "readers dropped, "+with, "", float64(w.Lost), "= 0")
	}
	return nil
}

// herd measures a restart after which everybody comes back at once, each with an id of the
// process before, so that each is sent every row.
func (l viewersSection) herd(ctx context.Context, target string) error {
	n := pick(l.lab, 10_000, 1000)
	dir, remove, err := l.scratch()
	if err != nil {
		return err
	}
	defer remove()
	s := viewersSpec(target)
	if s.listen, err = harness.FreeAddress(); err != nil {
		return err
	}
	if err := l.prepare(ctx, dir, s); err != nil {
		return err
	}
	before, err := l.product(ctx, dir, s)
	if err != nil {
		return err
	}
	stream, err := before.stream(ctx)
	before.End()
	if err != nil {
		return err
	}
	p, err := l.product(ctx, dir, s)
	if err != nil {
		return err
	}
	defer p.End()
	w, err := l.watch(ctx, p, stream, n, "-within", "2s", "-idle", "0s", "-settle", "1s")
	if err != nil {
		return err
	}
	skipped, err := p.metric(ctx, "statuspage_probes_skipped_total")
	if err != nil {
		return err
	}
	group := fmt.Sprintf("%d reconnects within 2 s after a restart", n)
	l.Add(group, "all connected after", "s", w.ConnectedIn, "≤ 5")
	l.Add(group, "attempts that were refused", "", float64(w.Refused))
	l.Add(group, "probes skipped", "", skipped, "= 0")
	l.Add(group, "memory after", "MiB", w.RSSAfter/(1<<20))
	return nil
}
