//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// lastAnswers are those whose frames may come after the end.
const lastAnswers = time.Second

// begin starts to measure.
func (l *loop) begin() { l.measuring = true }

// received notes that a viewer has all of a frame.
func (l *loop) received(s *stream) {
	now := time.Now()
	f := l.frames[s.id]
	if f == nil {
		f = &frame{first: now, outside: !l.measuring || !l.ended.IsZero()}
		l.frames[s.id] = f
	}
	if f.outside {
		return
	}
	f.delays = append(f.delays, int32(now.Sub(f.first).Microseconds()))
	l.deliveries++
	l.bytes += int64(s.bytes)
	if s.first {
		f.shows = shownService.FindAllString(string(s.text), -1)
		slices.Sort(f.shows)
		f.shows = slices.Compact(f.shows)
	}
}

// sum works out the deliveries.
func (l *loop) sum(r *result) {
	var all []float64
	for id, f := range l.frames {
		if f.outside {
			delete(l.frames, id)
			continue
		}
		r.Missing += max(0, r.Viewers-len(f.delays))
		for _, d := range f.delays {
			all = append(all, float64(d)/1000)
		}
	}
	r.Frames, r.Deliveries, r.Spread = len(l.frames), l.deliveries, quantiles(all)
}

func quantiles(ms []float64) delays {
	if len(ms) == 0 {
		return delays{}
	}
	slices.Sort(ms)
	at := func(q float64) float64 { return ms[min(len(ms)-1, int(q*float64(len(ms))))] }
	return delays{N: len(ms), P50: at(0.5), P99: at(0.99), Max: ms[len(ms)-1]}
}

// answers asks the target when it answered, and pairs each answer with the first frame after
// it that shows the service.
func answers(o options, l *loop, since time.Time, r *result) error {
	if o.target == "" {
		return nil
	}
	seen, err := visits(o.target, since)
	if err != nil {
		return err
	}
	var all []float64
	for path, pairs := range seen {
		name := strings.TrimPrefix(path, "/")
		for i, p := range pairs {
			next := int64(1) << 62
			if i+1 < len(pairs) {
				next = pairs[i+1][1]
			}
			var shown *frame
			for _, f := range l.frames {
				at := f.first.UnixMicro()
				if at >= p[1] && at < next && slices.Contains(f.shows, name) && (shown == nil || f.first.Before(shown.first)) {
					shown = f
				}
			}
			if shown == nil {
				if p[1] < l.ended.Add(-lastAnswers).UnixMicro() {
					r.Unshown++
				}
				continue
			}
			offset := float64(shown.first.UnixMicro()-p[1]) / 1000
			for _, d := range shown.delays {
				all = append(all, offset+float64(d)/1000)
			}
		}
	}
	r.Answered = quantiles(all)
	return nil
}

func visits(target string, since time.Time) (map[string][][2]int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/seen?since=%d", target, since.UnixMicro()), nil)
	if err != nil {
		return nil, err
	}
	res, err := (&http.Client{}).Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close() //nolint:errcheck // Read to its end.
	var seen map[string][][2]int64
	err = json.NewDecoder(res.Body).Decode(&seen)
	return seen, err
}
