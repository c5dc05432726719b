package views

import (
	"slices"
	"statuspage/views/chart"
	"strconv"
	"time"
)

// Chart is the response time of a service, as a picture and as a table.
type Chart struct {
	Window  string // Name, as in addresses.
	Label   string // What the picture says, for those who don't see it.
	Choices []Choice
	Drawn   []Drawing
	Rows    []ChartRow // Newest first.
	Empty   bool
	Note    string
}

// Drawing is the picture in one size.
type Drawing struct {
	chart.Layout
	ViewBox string
	Scale   []ChartTick
	Times   []ChartTime
}

// ChartTick is a line of the latency scale.
type ChartTick struct{ Y, Text string }

// ChartTime is a label of the time scale.
type ChartTime struct{ X, Text string }

// ChartRow is one stretch in the table.
type ChartRow struct{ At, Time, P50, P95 string }

// BuildChart lays points out and puts them into words; step is how long each takes.
func BuildChart(window string, points []chart.Point, step time.Duration, to Local) Chart {
	l := to.Lang
	c := Chart{Window: window, Empty: true}
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
	for _, size := range []chart.Size{chart.Wide, chart.Narrow} {
		c.Drawn = append(c.Drawn, draw(points, size, when, to))
	}
	var highest time.Duration
	for _, p := range points {
		if p.Measured {
			c.Empty = false
			highest = max(highest, p.P95)
		}
	}
	for _, p := range slices.Backward(points) {
		row := ChartRow{At: p.Start.UTC().Format(time.RFC3339), Time: when(p), P50: "–", P95: "–"}
		if p.Measured {
			row.P50, row.P95 = l.Milliseconds(p.P50), l.Milliseconds(p.P95)
		}
		c.Rows = append(c.Rows, row)
	}
	c.Label = l.T("chart.label", window, l.Milliseconds(highest))
	return c
}

func draw(points []chart.Point, size chart.Size, when func(chart.Point) string, to Local) Drawing {
	d := Drawing{Layout: chart.Lay(points, size), ViewBox: "0 0 " + strconv.Itoa(size.Width) + " " + strconv.Itoa(size.Height)}
	for _, t := range d.Ticks {
		d.Scale = append(d.Scale, ChartTick{t.At, axisLatency(t.Value, to)})
	}
	every := max(1, (len(points)+size.Labels-1)/size.Labels)
	for i := 0; i < len(points); i += every {
		d.Times = append(d.Times, ChartTime{d.Xs[i], when(points[i])})
	}
	return d
}

// axisLatency writes a value of the scale without idle decimals.
func axisLatency(d time.Duration, to Local) string {
	if d < time.Second {
		return to.Lang.Decimal(strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', -1, 64)) + " ms"
	}
	return to.Lang.Decimal(strconv.FormatFloat(d.Seconds(), 'f', -1, 64)) + " s"
}
