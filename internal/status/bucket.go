package status

import "time"

// Bucket is what was measured of one service in one hour or day of UTC: the stores'
// rollups, which outlive the signals.
type Bucket struct {
	Service  string // Empty on rows of other writers; then URL tells whose it is.
	URL      string
	Start    time.Time
	Counts                 // Expected is not stored.
	Quarters *[4]Counts    // The same by quarters of the hour; nil for a day, and where Spread tells them.
	Duration time.Duration // Sum over all measurements.
}

// QuarterHour is the step that days of all zones are made of.
const QuarterHour = 15 * time.Minute

// Spread is how counts of an hour lie in its quarters where nothing else is known. Those of an hour
// without a failure that was measured at an even pace lie so, which is why stores and board keep
// the quarters of all others only.
func Spread(c Counts) (quarters [4]Counts) {
	for i := range quarters {
		share := func(n int) int { return n*(i+1)/4 - n*i/4 }
		quarters[i] = Counts{Up: share(c.Up), Degraded: share(c.Degraded), Down: share(c.Down)}
	}
	return quarters
}

// SetQuarters keeps the quarters of an hour where Spread doesn't tell them.
func (b *Bucket) SetQuarters(quarters [4]Counts) {
	if b.Quarters = nil; quarters != Spread(b.Counts) {
		b.Quarters = &quarters
	}
}

// Join adds up two parts of a bucket.
func (b Bucket) Join(other Bucket) Bucket {
	quarters, others := b.InQuarters(), other.InQuarters()
	for i := range quarters {
		quarters[i] = quarters[i].Add(others[i])
	}
	split := b.Quarters != nil || other.Quarters != nil
	b.Counts, b.Duration = b.Add(other.Counts), b.Duration+other.Duration
	if b.Quarters = nil; split {
		b.SetQuarters(quarters)
	}
	return b
}

// InQuarters is what an hour measured in each of its quarters.
func (b Bucket) InQuarters() [4]Counts {
	if b.Quarters != nil {
		return *b.Quarters
	}
	return Spread(b.Counts)
}
