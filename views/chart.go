package views

import (
	"statuspage/views/chart"
	"strconv"
	"time"
)

// Chart is the response time of a service, as a picture and as a table.
type Chart struct {
	Window  string // Name, as in addresses.
	Label   string // What the picture says, for those who don't see it.
	Choices []Choice
	Ranges  string
	Layout  chart.Layout
	Ticks   []ChartTick
	Times   []ChartTime
	Rows    []ChartRow // Newest first.
	Empty   bool
	Note    string
}

// ChartTick is a line of the latency scale.
type ChartTick struct{ Y, Text string }

// ChartTime is a label of the time scale.
type ChartTime struct{ X, Text string }

// ChartRow is one stretch in the table.
type ChartRow struct{ At, Time, P50, P95 string }

// timeLabels is how many labels the time scale has at most.
const timeLabels = 6

// BuildChart lays points out and puts them into words; step is how long each takes.
func BuildChart(window string, points []chart.Point, step time.Duration, to Local) Chart {
	l := to.Lang
	c := Chart{Window: window, Layout: chart.Lay(points), Empty: true}
	for _, t := range c.Layout.Ticks {
		c.Ticks = append(c.Ticks, ChartTick{t.At, axisLatency(t.Value, to)})
	}
	when := func(p chart.Point) string {
		at := p.Start.In(to.Zone)
		if step >= 24*time.Hour {
			return l.ShortDate(at)
		}
		if len(points)*int(step/time.Minute) > 36*60 {
			return l.ShortDate(at) + " " + l.Clock(at)
		}
		return l.Clock(at)
	}
	every := max(1, (len(points)+timeLabels-1)/timeLabels)
	var highest time.Duration
	for i, p := range points {
		if i%every == 0 {
			c.Times = append(c.Times, ChartTime{c.Layout.Xs[i], when(p)})
		}
		if p.Measured {
			c.Empty = false
			highest = max(highest, p.P95)
		}
	}
	for i := len(points) - 1; i >= 0; i-- {
		p := points[i]
		row := ChartRow{At: p.Start.UTC().Format(time.RFC3339), Time: when(p), P50: "–", P95: "–"}
		if p.Measured {
			row.P50, row.P95 = l.Milliseconds(p.P50), l.Milliseconds(p.P95)
		}
		c.Rows = append(c.Rows, row)
	}
	c.Label = l.T("chart.label", window, l.Milliseconds(highest))
	return c
}

// axisLatency writes a value of the scale without idle decimals.
func axisLatency(d time.Duration, to Local) string {
	if d < time.Second {
		return to.Lang.Decimal(strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', -1, 64)) + " ms"
	}
	return to.Lang.Decimal(strconv.FormatFloat(d.Seconds(), 'f', -1, 64)) + " s"
}
