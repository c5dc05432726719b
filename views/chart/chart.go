// Package chart lays out the response-time chart: scales, ticks and paths in the units of an
// SVG's view box. It draws nothing itself and knows no words.
package chart

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Point is what is known of one stretch of time.
type Point struct {
	Start    time.Time
	P50, P95 time.Duration
	Measured bool // Else there is a gap here.
}

// Size is a view box. Text in it has one size, so a narrow screen gets a picture of its own
// rather than a wide one made small.
type Size struct {
	Name          string
	Width, Height int
	Labels        int // Of the time scale, at most.
}

// The sizes in which a chart is drawn; the style sheet shows the one that fits.
var (
	Wide   = Size{"wide", 720, 220, 6}
	Narrow = Size{"narrow", 320, 190, 3}
)

// Around the plot, in units of the view box.
const (
	plotLeft   = 52
	plotRight  = 10
	plotTop    = 12
	plotBottom = 26
	labelBase  = 6 // From the bottom.
	labelGap   = 6 // Between the scale's labels and the plot.
)

const (
	wantedTicks           = 4
	smallestTop           = 10 * time.Millisecond // A flat line near zero is no mountain range.
	markRadius            = 1.6
	coordinatesPerSegment = 12 // Letters, about; sizes the builders.
)

// Tick is a line of the scale with its value.
type Tick struct {
	At    string // Coordinate.
	Value time.Duration
}

// Layout is a chart ready to be drawn.
type Layout struct {
	Size
	Label       struct{ X, Y string } // Where the labels of the latency end, and those of the time stand.
	Left, Right string                // Of the plot.
	Band        string                // Path between p50 and p95.
	Line        string                // Path of p50.
	Edge        string                // Path of p95.
	Dots        []Dot                 // Stretches without a neighbour, which a line can't show.
	Ticks       []Tick                // Of the latency.
	Xs          []string              // Left edge of every point's stretch, for labels.
	Step        string                // Width of a stretch.
}

// Dot is a single stretch.
type Dot struct{ X, Y, R string }

// Lay lays points out, evenly spaced.
func Lay(points []Point, size Size) Layout {
	left, right, top, bottom := float64(plotLeft), float64(size.Width-plotRight), float64(plotTop), float64(size.Height-plotBottom)
	var highest time.Duration
	for _, p := range points {
		if p.Measured {
			highest = max(highest, p.P95, p.P50)
		}
	}
	ticks, limit := niceTicks(max(highest, smallestTop))
	y := func(d time.Duration) float64 {
		return bottom - float64(d)/float64(limit)*(bottom-top)
	}
	l := Layout{Size: size, Left: coordinate(left), Right: coordinate(right)}
	l.Label.X, l.Label.Y = coordinate(left-labelGap), coordinate(float64(size.Height-labelBase))
	for _, t := range ticks {
		l.Ticks = append(l.Ticks, Tick{coordinate(y(t)), t})
	}
	if len(points) == 0 {
		return l
	}
	step := (right - left) / float64(len(points))
	l.Step = coordinate(step)
	x := func(i int) float64 { return left + (float64(i)+0.5)*step }
	for i := range points {
		l.Xs = append(l.Xs, coordinate(left+float64(i)*step))
	}
	var line, edge, band strings.Builder
	for from := 0; from < len(points); from++ {
		if !points[from].Measured {
			continue
		}
		to := from
		for to+1 < len(points) && points[to+1].Measured {
			to++
		}
		if to == from {
			l.Dots = append(l.Dots, Dot{coordinate(x(from)), coordinate(y(points[from].P50)), coordinate(markRadius)})
		}
		segment(&line, from, to, x, func(i int) float64 { return y(points[i].P50) }, "M")
		segment(&edge, from, to, x, func(i int) float64 { return y(points[i].P95) }, "M")
		segment(&band, from, to, x, func(i int) float64 { return y(points[i].P95) }, "M")
		segment(&band, to, from, x, func(i int) float64 { return y(points[i].P50) }, "L")
		band.WriteByte('Z')
		from = to
	}
	l.Line, l.Edge, l.Band = line.String(), edge.String(), band.String()
	return l
}

// segment writes the points from one index to another, in either direction.
func segment(b *strings.Builder, from, to int, x func(int) float64, y func(int) float64, begin string) {
	step := 1
	if to < from {
		step = -1
	}
	b.Grow((to - from + 1) * step * coordinatesPerSegment)
	for i := from; ; i += step {
		b.WriteString(begin + coordinate(x(i)) + " " + coordinate(y(i)))
		if begin = "L"; i == to {
			return
		}
	}
}

// niceTicks divides the scale at 1, 2 or 5 times a power of ten, after Heckbert, "Nice
// numbers for graph labels", Graphics Gems, 1990; milliseconds stay round above a second.
func niceTicks(highest time.Duration) (ticks []time.Duration, limit time.Duration) {
	rough := float64(highest) / wantedTicks
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	step := 10 * power
	for _, f := range []float64{1, 2, 5} {
		if f*power >= rough {
			step = f * power
			break
		}
	}
	for n := 0; ; n++ {
		t := time.Duration(float64(n) * step)
		ticks = append(ticks, t)
		if t >= highest {
			return ticks, t
		}
	}
}

func coordinate(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
