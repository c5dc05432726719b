package status

import (
	"maps"
	"math"
	"slices"
	"time"
)

// BinsPerOctave is how finely a Histogram tells latencies apart: a bin reaches from one
// latency to another 9 % above it, so that a percentile is right within 4.5 %.
const BinsPerOctave = 8

// Histogram counts latencies by bin. Histograms add up, which percentiles don't: that of a
// day is the sum of its hours.
type Histogram map[int]int

// Bin is the number of the bin that a latency falls into: floor(8·log2 of its microseconds).
// The stores compute the same in SQL.
func Bin(latency time.Duration) int {
	us := latency.Microseconds()
	if us < 1 {
		return 0
	}
	return int(math.Floor(math.Log(float64(us)) * BinsPerOctave / math.Ln2))
}

// binMiddle is the geometric middle of a bin.
func binMiddle(bin int) time.Duration {
	us := math.Exp2((float64(bin) + 0.5) / BinsPerOctave)
	return time.Duration(us * float64(time.Microsecond))
}

// Add takes the counts of another histogram in.
func (h Histogram) Add(other Histogram) {
	for bin, n := range other {
		h[bin] += n
	}
}

// Count is the number of latencies counted.
func (h Histogram) Count() int {
	sum := 0
	for _, n := range h {
		sum += n
	}
	return sum
}

// Mean is the mean of the latencies counted, each taken for the middle of its bin; 0 for an empty histogram.
func (h Histogram) Mean() time.Duration {
	sum, n := 0.0, 0
	for bin, count := range h {
		sum += float64(binMiddle(bin)) * float64(count)
		n += count
	}
	return time.Duration(sum / float64(max(n, 1)))
}

// Percentiles returns the latencies below which the given percentages (ascending, above 0,
// up to 100) of all lie, by nearest rank; zeroes for an empty histogram.
func (h Histogram) Percentiles(percent ...float64) []time.Duration {
	out := make([]time.Duration, len(percent))
	total := h.Count()
	if total == 0 {
		return out
	}
	next, below := 0, 0
	for _, bin := range slices.Sorted(maps.Keys(h)) {
		below += h[bin]
		for next < len(percent) && below >= rank(percent[next], total) {
			out[next] = binMiddle(bin)
			next++
		}
	}
	return out
}

// Percentiles returns the same of latencies that are at hand one by one, exactly. It sorts them.
func Percentiles(latencies []time.Duration, percent ...float64) []time.Duration {
	out := make([]time.Duration, len(percent))
	if len(latencies) == 0 {
		return out
	}
	slices.Sort(latencies)
	for i, p := range percent {
		out[i] = latencies[rank(p, len(latencies))-1]
	}
	return out
}

// rank is the nearest rank of a percentile: https://en.wikipedia.org/wiki/Percentile#The_nearest-rank_method
func rank(percent float64, total int) int {
	return min(max(int(math.Ceil(percent/100*float64(total))), 1), total)
}

// LatencyHour is the latencies of one service in one hour of UTC. Only measurements that
// found it available count: a timeout is no response time.
type LatencyHour struct {
	Start time.Time
	Histogram
}

// AppendLatency adds n latencies of a bin to hours that come in order of time.
func AppendLatency(hours []LatencyHour, start time.Time, bin, n int) []LatencyHour {
	if last := len(hours) - 1; last < 0 || !hours[last].Start.Equal(start) {
		hours = append(hours, LatencyHour{Start: start, Histogram: Histogram{}})
	}
	hours[len(hours)-1].Histogram[bin] += n
	return hours
}
