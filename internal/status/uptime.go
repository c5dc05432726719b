package status

import "strconv"

// Counts adds up measurements. All arithmetic on them is in integers.
type Counts struct {
	Up, Degraded, Down int
	Expected           int // Measurements that were due; Measured may exceed it after a restart or a changed interval.
}

// Measured is the number of measurements made.
func (c Counts) Measured() int { return c.Up + c.Degraded + c.Down }

// Available is the number of measurements that found the service available.
func (c Counts) Available() int { return c.Up + c.Degraded }

// Missing is the number of measurements that were due and not made.
func (c Counts) Missing() int { return max(0, c.Expected-c.Measured()) }

// Add returns the sum of both.
func (c Counts) Add(d Counts) Counts {
	return Counts{c.Up + d.Up, c.Degraded + d.Degraded, c.Down + d.Down, c.Expected + d.Expected}
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

// Uptime is the share of measurements that found the service available, as "99.98"; ok is
// false when nothing was measured.
func (c Counts) Uptime() (percent string, ok bool) {
	return Percent(c.Available(), c.Measured()), c.Measured() > 0
}

// Coverage is the share of the due measurements that were made, as "97" or "97.25".
func (c Counts) Coverage() string {
	return Percent(min(c.Measured(), c.Expected), c.Expected)
}

// Percent formats part of whole with at most two decimals, cut off and never rounded up:
// "100" means all of it, "0" none of it, and what lies below the last decimal is "<0.01".
func Percent(part, whole int) string {
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
