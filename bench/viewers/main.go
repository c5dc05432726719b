//go:build linux

// Command viewers opens many event streams at once and measures what each delivery costs and
// how long it takes. One thread reads all of them with epoll, so that it takes as little as
// possible of the machine that it shares with what it measures.
//
//	viewers -url http://127.0.0.1:8000/events?window=1h -n 10000 -pid 1234 -for 20s
//
// It prints one object of JSON. The instant of publishing is not visible from outside; what
// stands for it is the first receipt of a frame by any viewer, and, with -target, the instant
// at which the target answered the probe that the frame shows.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"statuspage/bench/proc"
	"time"
)

// options are the flags.
type options struct {
	url, target    string
	n, stalled     int
	pid            int
	plain          bool
	within, length time.Duration
	settle, idle   time.Duration
	patience       time.Duration
}

// result is what is printed.
type result struct {
	Viewers       int     `json:"viewers"`
	ConnectedIn   float64 `json:"connected_in_s"` // From the first connect to the first bytes of the last stream.
	Refused       int     `json:"refused"`        // Attempts that were turned away and repeated.
	Lost          int     `json:"lost"`           // Streams that the product ended.
	Frames        int     `json:"frames"`
	Deliveries    int     `json:"deliveries"`
	Missing       int     `json:"missing"` // Frames times viewers less deliveries, of frames in the window.
	Unshown       int     `json:"unshown"` // Answers of the target that no frame shows, but for those of the last second.
	FrameBytes    float64 `json:"frame_bytes"`
	RSSBefore     int64   `json:"rss_before"`
	RSSAfter      int64   `json:"rss_after"`
	IdleCPU       float64 `json:"idle_cpu"`        // Seconds a second, before the viewers.
	CPU           float64 `json:"cpu"`             // Seconds a second, with them.
	CPUMicros     float64 `json:"cpu_us"`          // A delivery, without the idle share.
	Spread        delays  `json:"spread_ms"`       // From first receipt to each receipt.
	Answered      delays  `json:"answered_ms"`     // From the target's answer to each receipt.
	StalledClosed int     `json:"stalled_dropped"` // Streams that nobody reads which the product has ended.
}

// delays are milliseconds.
type delays struct {
	N   int     `json:"n"`
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func main() {
	var o options
	flag.StringVar(&o.url, "url", "", "address of the stream")
	flag.StringVar(&o.target, "target", "", "address of the target that is probed")
	flag.IntVar(&o.n, "n", 1000, "viewers")
	flag.IntVar(&o.stalled, "stalled", 0, "viewers more that connect and never read")
	flag.IntVar(&o.pid, "pid", 0, "process of the product")
	flag.BoolVar(&o.plain, "plain", false, "accept no compression; else all that browsers accept, of which zstd is understood here")
	flag.DurationVar(&o.within, "within", 0, "spread the connects over so long; 0 means 4,000 a second")
	flag.DurationVar(&o.settle, "settle", 2*time.Second, "wait so long when all are connected")
	flag.DurationVar(&o.length, "for", 10*time.Second, "measure so long")
	flag.DurationVar(&o.idle, "idle", 3*time.Second, "measure the product so long before")
	flag.DurationVar(&o.patience, "patience", time.Minute, "give up when so long after the first connect not all are connected")
	flag.Parse()
	r, err := run(o)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "viewers:", err)
		os.Exit(1)
	}
}

func run(o options) (*result, error) {
	if o.within <= 0 {
		o.within = time.Duration(o.n) * time.Second / 4000
	}
	l, err := newLoop(o)
	if err != nil {
		return nil, err
	}
	defer l.close()
	r := &result{Viewers: o.n}
	before, err := proc.Read(o.pid)
	if err != nil {
		return nil, err
	}
	time.Sleep(o.idle)
	idle, err := proc.Read(o.pid)
	if err != nil {
		return nil, err
	}
	if o.idle > 0 {
		r.IdleCPU = (idle.CPU - before.CPU).Seconds() / idle.At.Sub(before.At).Seconds()
	}
	if r.ConnectedIn, err = l.connectAll(); err != nil {
		return nil, err
	}
	if err := l.run(time.Now().Add(o.settle)); err != nil {
		return nil, err
	}
	l.lost = 0
	start, err := proc.Read(o.pid)
	if err != nil {
		return nil, err
	}
	l.begin()
	if err := l.run(start.At.Add(o.length)); err != nil {
		return nil, err
	}
	end, err := proc.Read(o.pid)
	if err != nil {
		return nil, err
	}
	// What was under way at the end still arrives, and belongs to a frame of the window.
	l.ended = time.Now()
	if err := l.run(time.Now().Add(500 * time.Millisecond)); err != nil {
		return nil, err
	}
	r.RSSBefore, r.RSSAfter = idle.RSS, end.RSS
	r.Lost, r.Refused, r.StalledClosed = l.lost, l.refused, l.stalledClosed
	r.CPU = (end.CPU - start.CPU).Seconds() / end.At.Sub(start.At).Seconds()
	l.sum(r)
	if r.Deliveries > 0 {
		r.CPUMicros = (r.CPU - r.IdleCPU) * end.At.Sub(start.At).Seconds() * 1e6 / float64(r.Deliveries)
		r.FrameBytes = float64(l.bytes) / float64(r.Deliveries)
	}
	return r, answers(o, l, start.At, r)
}
