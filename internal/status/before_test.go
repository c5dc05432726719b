package status

import (
	"testing"
	"time"
)

// TestTimeBeforeTheFirstMeasurementIsNotMissing watches a service that began within the hour: cells before are
// neither missing nor without data.
func TestTimeBeforeTheFirstMeasurementIsNotMissing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 29, 12, 30, 0, 0, time.UTC)
	svc := Service{ID: "a", Interval: time.Minute, Timeout: time.Second, Terms: []Term{{Since: now.Add(-10 * time.Minute), Interval: time.Minute, Timeout: time.Second}}}
	counts := map[string]int{}
	for _, c := range Minutes(nil, svc, now) {
		switch {
		case c.Before && c.Expected > 0:
			t.Errorf("%v is before the first measurement, and %d were due", c.Start, c.Expected)
		case c.Before:
			counts["before"]++
		default:
			counts["watched"]++
		}
	}
	if counts["before"] != 49 || counts["watched"] != 11 {
		t.Errorf("of the hour there are %v, want 49 before and 11 watched", counts)
	}
	none := func(time.Time, time.Time) Counts { return Counts{} }
	for i, c := range Days(none, svc, now, 90, time.UTC) {
		if c.Before != (i < 89) {
			t.Errorf("day %d: before is %t", i, c.Before)
		}
	}
	svc.Terms = nil
	for _, c := range Minutes(nil, svc, now) {
		if c.Before {
			t.Fatal("where nothing tells when it began, nothing is before")
		}
	}
}
