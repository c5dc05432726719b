package status

import (
	"strconv"
	"time"
)

// Counts adds up measurements. All arithmetic on them is in integers.
type Counts struct {
	Up, Degraded, Down int
	Expected           int // Measurements that were due; Measured may exceed it after a restart.

	Weight Weight // Zero where nobody said what a measurement stands for.
}

// Weight is the time that measurements stand for, in milliseconds: one of each minute tells of
// twelve times as much as one of each five seconds, and weighs as much in shares.
type Weight struct{ Available, Measured, Due int64 }

// Each returns c with the time that each of its measurements stands for, so that sums with those of
// another interval, or another service, are shares of time.
func (c Counts) Each(interval time.Duration) Counts {
	ms := interval.Milliseconds()
	c.Weight = Weight{int64(c.Available()) * ms, int64(c.Measured()) * ms, int64(c.Expected) * ms}
	return c
}

// Measured is the number of measurements made.
func (c Counts) Measured() int { return c.Up + c.Degraded + c.Down }

// Available is the number of measurements that found the service available.
func (c Counts) Available() int { return c.Up + c.Degraded }

// Missing is the number of measurements that were due and not made.
func (c Counts) Missing() int { return max(0, c.Expected-c.Measured()) }

// Add returns the sum of both.
func (c Counts) Add(d Counts) Counts {
	return Counts{
		c.Up + d.Up, c.Degraded + d.Degraded, c.Down + d.Down, c.Expected + d.Expected,
		Weight{c.Weight.Available + d.Weight.Available, c.Weight.Measured + d.Weight.Measured, c.Weight.Due + d.Weight.Due},
	}
}

// Count returns c with one more measurement of the given outcome; Unknown counts nothing.
func (c Counts) Count(o Outcome) Counts {
	switch o {
	case Up:
		c.Up++
	case Degraded:
		c.Degraded++
	case Down:
		c.Down++
	case Unknown:
	}
	return c
}

// Worst is the worst outcome counted, Unknown when nothing was measured.
func (c Counts) Worst() Outcome {
	switch {
	case c.Down > 0:
		return Down
	case c.Degraded > 0:
		return Degraded
	case c.Up > 0:
		return Up
	default:
		return Unknown
	}
}

// Share is what Uptime is made of: how much was available of what was measured, in one unit.
func (c Counts) Share() (available, measured int64) {
	if c.Weight.Measured > 0 {
		return c.Weight.Available, c.Weight.Measured
	}
	return int64(c.Available()), int64(c.Measured())
}

// Uptime is the share of the measured time in which the service was available, as "99.98"; ok is
// false when nothing was measured.
func (c Counts) Uptime() (percent string, ok bool) {
	available, measured := c.Share()
	return Percent(available, measured), measured > 0
}

// Coverage is the share of the due measurements that were made, by the time they stand for, as "97"
// or "97.25".
func (c Counts) Coverage() string {
	if c.Weight.Due > 0 {
		return Percent(min(c.Weight.Measured, c.Weight.Due), c.Weight.Due)
	}
	return Percent(min(c.Measured(), c.Expected), c.Expected)
}

// Percent formats part of whole with at most two decimals, cut off and never rounded up:
// "100" means all of it, "0" none of it, and what lies below the last decimal is "<0.01".
func Percent[N int | int64](part, whole N) string {
	if whole <= 0 || part <= 0 {
		return "0"
	}
	if part >= whole {
		return "100"
	}
	hundredths := int64(part) * 10_000 / int64(whole)
	if hundredths == 0 {
		return "<0.01"
	}
	digits := strconv.FormatInt(hundredths/100, 10)
	if rest := hundredths % 100; rest != 0 {
		digits += "." + string(rune('0'+rest/10))
		if rest%10 != 0 {
			digits += string(rune('0' + rest%10))
		}
	}
	return digits
}
