package board

import (
	"math"
	"slices"
	"statuspage/internal/status"
	"time"
)

// hours keeps the counts of the newest maxHours hours of UTC, six bytes each. Of hours that were
// not measured at an even pace, or with failures, it keeps the quarters as well: days of
// some zones begin at a half or a quarter past.
type hours struct {
	newest int64     // Number of the newest hour since 1970.
	ring   []counts  // By number modulo its length, which grows up to maxHours as far as there are counts.
	uneven []quarter // Oldest first; an hour is here exactly when evenly(its counts) is not what it has.
}

// quarter is an hour by its quarters.
type quarter struct {
	hour  int64
	parts [4]counts
}

// firstHours is the length of the ring at first: a service without a past needs no more.
const firstHours = 48

// counts is a bucket without its head. An hour has at most 3,600 measurements a region.
type counts struct{ up, degraded, down uint16 }

func clip(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }

func countsOf(c status.Counts) counts { return counts{clip(c.Up), clip(c.Degraded), clip(c.Down)} }

func (c counts) counts() status.Counts {
	return status.Counts{Up: int(c.up), Degraded: int(c.degraded), Down: int(c.down)}
}

func (c counts) plus(o status.Outcome) counts {
	switch o {
	case status.Up:
		c.up++
	case status.Degraded:
		c.degraded++
	case status.Down:
		c.down++
	case status.Unknown:
	}
	return c
}

func (c counts) add(d counts) counts {
	return counts{clip(int(c.up) + int(d.up)), clip(int(c.degraded) + int(d.degraded)), clip(int(c.down) + int(d.down))}
}

func (c counts) less(d counts) counts {
	return counts{clip(int(c.up) - int(d.up)), clip(int(c.degraded) - int(d.degraded)), clip(int(c.down) - int(d.down))}
}

// quarters is a bucket by its quarters.
func quarters(b status.Bucket) (parts [4]counts) {
	for i, q := range b.InQuarters() {
		parts[i] = countsOf(q)
	}
	return parts
}

func whole(parts [4]counts) (sum counts) {
	for _, p := range parts {
		sum = sum.add(p)
	}
	return sum
}

// evenly is status.Spread of counts.
func evenly(c counts) (parts [4]counts) {
	share := func(n uint16, i int) uint16 { return uint16(int(n)*(i+1)/4 - int(n)*i/4) }
	for i := range parts {
		parts[i] = counts{share(c.up, i), share(c.degraded, i), share(c.down, i)}
	}
	return parts
}

func hourOf(t time.Time) int64 { return floor(t.Unix(), 3600) }

func floor(n, by int64) int64 {
	if n < 0 {
		return -((by - 1 - n) / by)
	}
	return n / by
}

// place is where the ring keeps an hour; those before 1970 have places too.
func place(hour, length int64) int64 { return (hour%length + length) % length }

func quarterOf(t time.Time) int { return int(floor(t.Unix(), 900) - 4*hourOf(t)) }

// count adds one measurement, unless it is older than what is kept.
func (h *hours) count(t time.Time, o status.Outcome) {
	var parts [4]counts
	parts[quarterOf(t)] = counts{}.plus(o)
	h.add(hourOf(t), parts)
}

// change counts a measurement as another outcome than before.
func (h *hours) change(t time.Time, was, now status.Outcome) {
	h.count(t, now)
	if hour := hourOf(t); h.keeps(hour) {
		parts := h.parts(hour)
		q := quarterOf(t)
		parts[q] = parts[q].less(counts{}.plus(was))
		h.put(hour, parts)
	}
}

// add adds to an hour, unless it is older than what is kept.
func (h *hours) add(hour int64, parts [4]counts) {
	if !h.reach(hour) {
		return
	}
	kept := h.parts(hour)
	for i := range kept {
		kept[i] = kept[i].add(parts[i])
	}
	h.put(hour, kept)
}

// set replaces the counts of an hour, unless it is older than what is kept.
func (h *hours) set(hour int64, parts [4]counts) {
	if h.reach(hour) {
		h.put(hour, parts)
	}
}

// put keeps the counts of an hour that the ring has a place for.
func (h *hours) put(hour int64, parts [4]counts) {
	sum := whole(parts)
	h.ring[place(hour, int64(len(h.ring)))] = sum
	at, found := h.find(hour)
	switch even := evenly(sum) == parts; {
	case found && even:
		h.uneven = slices.Delete(h.uneven, at, at+1)
	case found:
		h.uneven[at].parts = parts
	case !even:
		h.uneven = slices.Insert(h.uneven, at, quarter{hour, parts})
	}
}

func (h *hours) find(hour int64) (at int, found bool) {
	if n := len(h.uneven); n == 0 || h.uneven[n-1].hour < hour {
		return n, false // The usual case.
	}
	return slices.BinarySearchFunc(h.uneven, hour, func(q quarter, hour int64) int { return int(q.hour - hour) })
}

// reach makes room for an hour, and tells whether it is kept.
func (h *hours) reach(hour int64) bool {
	if h.ring == nil {
		h.ring, h.newest = make([]counts, firstHours), hour
	}
	if hour <= h.newest-maxHours {
		return false
	}
	h.grow(hour)
	n := int64(len(h.ring))
	for ; h.newest < hour; h.newest++ {
		if hour-h.newest > n {
			h.newest = hour - n // All that is kept will be overwritten.
		}
		h.ring[place(h.newest+1, n)] = counts{}
	}
	old := 0
	for old < len(h.uneven) && h.uneven[old].hour <= h.newest-n {
		old++
	}
	if old > 0 {
		h.uneven = slices.Delete(h.uneven, 0, old)
	}
	return hour > h.newest-n
}

// grow makes the ring long enough for an hour and all that is kept already.
func (h *hours) grow(hour int64) {
	had := int64(len(h.ring))
	need := h.newest - hour + 1
	if hour > h.newest {
		need = had + hour - h.newest // The oldest may hold counts.
	}
	if need <= had || had == maxHours {
		return
	}
	grown := make([]counts, min(maxHours, max(2*had, need)))
	for old := h.newest - had + 1; old <= h.newest; old++ {
		grown[place(old, int64(len(grown)))] = h.ring[place(old, had)]
	}
	h.ring = grown
}

func (h *hours) keeps(hour int64) bool {
	n := int64(len(h.ring))
	return n > 0 && hour <= h.newest && hour > h.newest-n
}

// at returns the counts of an hour.
func (h *hours) at(hour int64) counts {
	if !h.keeps(hour) {
		return counts{}
	}
	return h.ring[place(hour, int64(len(h.ring)))]
}

// parts returns the counts of an hour by its quarters.
func (h *hours) parts(hour int64) [4]counts {
	if at, found := h.find(hour); found {
		return h.uneven[at].parts
	}
	return evenly(h.at(hour))
}

// between is status.Count of what is kept.
func (h *hours) between(from, to time.Time) (sum status.Counts) {
	if len(h.ring) == 0 {
		return sum
	}
	first := -floor(-from.Unix(), 900) // The first quarter that begins in the range.
	if from.Nanosecond() > 0 && from.Unix()%900 == 0 {
		first++
	}
	end := -floor(-to.Unix(), 900)
	if to.Nanosecond() > 0 && to.Unix()%900 == 0 {
		end++
	}
	oldest := 4 * (h.newest - int64(len(h.ring)) + 1)
	first, end = max(first, oldest), min(end, 4*(h.newest+1))
	for first < end {
		hour := floor(first, 4)
		if first == 4*hour && end >= first+4 {
			sum = sum.Add(h.at(hour).counts())
			first += 4
			continue
		}
		sum = sum.Add(h.parts(hour)[first-4*hour].counts())
		first++
	}
	return sum
}

// begun is the beginning of the oldest quarter in which anything was measured.
func (h *hours) begun() (time.Time, bool) {
	if len(h.ring) == 0 {
		return time.Time{}, false
	}
	for hour := h.newest - int64(len(h.ring)) + 1; hour <= h.newest; hour++ {
		if h.at(hour) == (counts{}) {
			continue
		}
		for i, p := range h.parts(hour) {
			if p != (counts{}) {
				return time.Unix(hour*3600+int64(i)*900, 0).UTC(), true
			}
		}
	}
	return time.Time{}, false
}

// clearBefore forgets all hours before one.
func (h *hours) clearBefore(limit int64) {
	if h.ring == nil {
		return
	}
	n := int64(len(h.ring))
	for hour := h.newest - n + 1; hour < limit && hour <= h.newest; hour++ {
		h.ring[place(hour, n)] = counts{}
	}
	at, _ := h.find(limit)
	h.uneven = slices.Delete(h.uneven, 0, at)
}

// cutAfter forgets all hours after one.
func (h *hours) cutAfter(limit int64) {
	if h.ring == nil || h.newest <= limit {
		return
	}
	n := int64(len(h.ring))
	for hour := max(limit+1, h.newest-n+1); hour <= h.newest; hour++ {
		h.ring[place(hour, n)] = counts{}
	}
	at, _ := h.find(limit + 1)
	h.uneven = slices.Delete(h.uneven, at, len(h.uneven))
	h.newest = limit
}

// addFrom adds the counts that another has from an hour on.
func (h *hours) addFrom(hour int64, other *hours) {
	n := int64(len(other.ring))
	for hour = max(hour, other.newest-n+1); n > 0 && hour <= other.newest; hour++ {
		if other.at(hour) != (counts{}) {
			h.add(hour, other.parts(hour))
		}
	}
}
