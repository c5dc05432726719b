package handlers

import (
	"context"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/chart"
	"time"
)

// liveChart is the window of the chart that is drawn from memory and kept fresh.
const liveChart = "24h"

// chartSteps are the windows of the chart, with the time that one point stands for.
var chartSteps = map[string]struct{ length, step time.Duration }{
	liveChart: {24 * time.Hour, 30 * time.Minute},
	"7d":      {7 * 24 * time.Hour, 2 * time.Hour},
	"30d":     {30 * 24 * time.Hour, 6 * time.Hour},
	"90d":     {90 * 24 * time.Hour, 24 * time.Hour},
}

var chartOrder = []string{liveChart, "7d", "30d", "90d"}

// chartOfDay is the chart of the last day, from the samples in memory.
func (l *live) chartOfDay(service int, k look, now time.Time) views.Chart {
	w := chartSteps[liveChart]
	first := now.Truncate(w.step).Add(w.step - w.length)
	points := make([]chart.Point, w.length/w.step)
	for i := range points {
		start := first.Add(time.Duration(i) * w.step)
		points[i] = point(start, status.Percentiles(l.board.Latencies(service, start, start.Add(w.step)), 50, 95))
	}
	return views.BuildChart(liveChart, points, w.step, l.local(k))
}

func point(start time.Time, p []time.Duration) chart.Point {
	return chart.Point{Start: start, P50: p[0], P95: p[1], Measured: p[0] > 0}
}

// chart is that of any window; a longer one than a day is read from the history.
func (s *Server) chart(ctx context.Context, service int, k look, window string, now time.Time) views.Chart {
	c := s.chartWithout(ctx, service, k, window, now)
	for _, name := range chartOrder {
		c.Choices = append(c.Choices, views.Choice{
			Text: views.PeriodText(k.lang, chartSteps[name].length), Code: name, Current: name == window,
			Href: address(s.live.dress.Base.At(views.ServicePath(s.board.Services()[service].ID)), windowPair(k), views.Pair{Name: "chart", Value: name}),
		})
	}
	return c
}

func (s *Server) chartWithout(ctx context.Context, service int, k look, window string, now time.Time) views.Chart {
	if window == liveChart {
		return s.live.chartOfDay(service, k, now)
	}
	w := chartSteps[window]
	first := now.UTC().Truncate(time.Hour).Add(time.Hour - w.length)
	if w.step == 24*time.Hour {
		y, m, d := now.In(k.zone).Date()
		first = time.Date(y, m, d-int(w.length/w.step)+1, 0, 0, 0, 0, k.zone)
	}
	var midnights []time.Time
	if w.step == 24*time.Hour {
		for i := range int(w.length / w.step) {
			midnights = append(midnights, first.AddDate(0, 0, i))
		}
	}
	hours, err := s.past.Latencies(ctx, s.board.Services()[service], first, now, midnights...)
	if err != nil {
		return views.Chart{Window: window, Note: k.lang.T("history.away")}
	}
	points := make([]chart.Point, w.length/w.step)
	next := 0
	for i := range points {
		start, end := first.Add(time.Duration(i)*w.step), first.Add(time.Duration(i+1)*w.step)
		if w.step == 24*time.Hour { // A day may have 23 hours, or 25.
			start, end = first.AddDate(0, 0, i), first.AddDate(0, 0, i+1)
		}
		sum := status.Histogram{}
		for ; next < len(hours) && hours[next].Start.Before(end); next++ {
			if !hours[next].Start.Before(start) {
				sum.Add(hours[next].Histogram)
			}
		}
		points[i] = point(start, sum.Percentiles(50, 95))
	}
	return views.BuildChart(window, points, w.step, s.live.local(k))
}
