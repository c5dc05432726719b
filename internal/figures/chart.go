package figures

import (
	"context"
	"statuspage/internal/board"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/chart"
	"time"
)

// LiveChart is the window of the chart that is drawn from memory and kept fresh.
const LiveChart = "24h"

// ChartWindow is how much time a chart shows, and how much of it one point stands for.
type ChartWindow struct {
	Name         string
	Length, step time.Duration
}

// ChartWindows are those that a chart may have, the shortest first.
var ChartWindows = []ChartWindow{
	{LiveChart, 24 * time.Hour, board.HalfHour},
	{"7d", 7 * 24 * time.Hour, 2 * time.Hour},
	{"30d", 30 * 24 * time.Hour, 6 * time.Hour},
	{"90d", 90 * 24 * time.Hour, 24 * time.Hour},
}

// FindChart finds the window of a chart by its name.
func FindChart(name string) (ChartWindow, bool) {
	for _, w := range ChartWindows {
		if w.Name == name {
			return w, true
		}
	}
	return ChartWindow{}, false
}

// starts are where the points of a chart at now begin, and where the last of them ends.
func (w ChartWindow) starts(now time.Time, zone *time.Location) []time.Time {
	n := int(w.Length / w.step)
	starts := make([]time.Time, n+1)
	first := now.UTC().Truncate(time.Hour).Add(time.Hour - w.Length)
	switch {
	case w.Name == LiveChart:
		first = now.Truncate(w.step).Add(w.step - w.Length)
	case w.step == 24*time.Hour: // A day may have 23 hours, or 25.
		y, m, d := now.In(zone).Date()
		for i := range starts {
			starts[i] = time.Date(y, m, d-n+1+i, 0, 0, 0, 0, zone)
		}
		return starts
	}
	for i := range starts {
		starts[i] = first.Add(time.Duration(i) * w.step)
	}
	return starts
}

// ChartOfDay is the chart of the last day, from memory.
func ChartOfDay(svc *board.Service, now time.Time, to views.Local) views.Chart {
	w := ChartWindows[0]
	starts := w.starts(now, to.Zone)
	points := make([]chart.Point, len(starts)-1)
	for i := range points {
		p50, p95, measured := svc.Latency(starts[i])
		points[i] = chart.Point{Start: starts[i], P50: p50, P95: p95, Measured: measured}
	}
	return views.BuildChart(w.Name, points, w.step, to)
}

// recall reads once what the board can't know of the last day: quick checks fill its samples within hours, and
// the process may have begun since. Without the store the chart begins later, and is asked for again.
func (f *Figures) recall(ctx context.Context, svc *board.Service, from time.Time) {
	until, unread := svc.Unread(from)
	if !unread {
		return
	}
	if hours, err := f.past.Latencies(ctx, svc.Known(), from.Truncate(time.Hour), until); err == nil {
		svc.SetLatencies(hours)
	}
}

func point(start time.Time, p []time.Duration) chart.Point {
	return chart.Point{Start: start, P50: p[0], P95: p[1], Measured: p[0] > 0}
}

// Chart is that of any window; a longer one than a day is read from the history.
func (f *Figures) Chart(ctx context.Context, svc *board.Service, w ChartWindow, now time.Time, to views.Local) views.Chart {
	if w.Name == LiveChart {
		f.recall(ctx, svc, w.starts(now, to.Zone)[0])
		return ChartOfDay(svc, now, to)
	}
	starts := w.starts(now, to.Zone)
	var midnights []time.Time
	if w.step == 24*time.Hour {
		midnights = starts[:len(starts)-1]
	}
	hours, err := f.past.Latencies(ctx, svc.Known(), starts[0], now, midnights...)
	if err != nil {
		return views.Chart{Window: w.Name, Note: to.Lang.T("history.away")}
	}
	points := make([]chart.Point, len(starts)-1)
	next := 0
	for i := range points {
		sum := status.Histogram{}
		for ; next < len(hours) && hours[next].Start.Before(starts[i+1]); next++ {
			if !hours[next].Start.Before(starts[i]) {
				sum.Add(hours[next].Histogram)
			}
		}
		points[i] = point(starts[i], sum.Percentiles(50, 95))
	}
	return views.BuildChart(w.Name, points, w.step, to)
}

// HourlyMeans is the mean latency of every hour of a window that was measured in, oldest first.
func (f *Figures) HourlyMeans(ctx context.Context, svc *board.Service, w ChartWindow, now time.Time) (starts []time.Time, means []time.Duration, err error) {
	first := now.UTC().Truncate(time.Hour).Add(time.Hour - w.Length)
	if w.Name == LiveChart && svc.Reaches(first) {
		for start := first; start.Before(now); start = start.Add(time.Hour) {
			if m, measured := mean(svc.Latencies(start, start.Add(time.Hour))); measured {
				starts, means = append(starts, start), append(means, m)
			}
		}
		return starts, means, nil
	}
	hours, err := f.past.Latencies(ctx, svc.Known(), first, now)
	for _, h := range hours {
		if h.Count() > 0 {
			starts, means = append(starts, h.Start), append(means, h.Mean())
		}
	}
	return starts, means, err
}
