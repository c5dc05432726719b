package chart

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestGapsAreNotBridged(t *testing.T) {
	t.Parallel()
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	l := Lay([]Point{
		{P50: ms(10), P95: ms(20), Measured: true},
		{P50: ms(10), P95: ms(20), Measured: true},
		{},
		{P50: ms(10), P95: ms(40), Measured: true},
		{},
		{P50: ms(10), P95: ms(20), Measured: true},
		{P50: ms(30), P95: ms(50), Measured: true},
	}, Wide)
	if got := strings.Count(l.Line, "M"); got != 3 {
		t.Errorf("the line has %d pieces, want 3: %s", got, l.Line)
	}
	if len(l.Dots) != 1 {
		t.Errorf("%d dots, want one for the stretch that stands alone", len(l.Dots))
	}
	if got := strings.Count(l.Band, "Z"); got != 3 || len(l.Xs) != 7 {
		t.Errorf("the band has %d pieces and there are %d stretches", got, len(l.Xs))
	}
}

func TestTicksAreRound(t *testing.T) {
	t.Parallel()
	for highest, want := range map[time.Duration][]time.Duration{
		7 * time.Millisecond:    {0, 2 * time.Millisecond, 4 * time.Millisecond, 6 * time.Millisecond, 8 * time.Millisecond},
		180 * time.Millisecond:  {0, 50 * time.Millisecond, 100 * time.Millisecond, 150 * time.Millisecond, 200 * time.Millisecond},
		9400 * time.Millisecond: {0, 5 * time.Second, 10 * time.Second},
	} {
		got, limit := niceTicks(highest)
		if !slices.Equal(got, want) || limit < highest {
			t.Errorf("ticks up to %v = %v, want %v", highest, got, want)
		}
	}
	if l := Lay(nil, Narrow); len(l.Ticks) == 0 || l.Line != "" {
		t.Errorf("a chart of nothing = %+v", l)
	}
}
