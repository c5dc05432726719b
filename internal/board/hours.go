package board

import (
	"math"
	"statuspage/internal/status"
	"time"
)

// hours keeps the counts of the newest maxHours hours of UTC, six bytes each.
type hours struct {
	newest int64    // Number of the newest hour since 1970.
	ring   []counts // By number modulo its length, which grows up to maxHours as far as there are counts.
}

// firstHours is the length of the ring at first: a service without a past needs no more.
const firstHours = 48

// counts is a bucket without its head. An hour has at most 3,600 measurements a region.
type counts struct{ up, degraded, down uint16 }

func clip(n int) uint16 { return uint16(min(max(n, 0), math.MaxUint16)) }

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

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

// add counts in the hour of t, unless it is older than what is kept.
func (h *hours) add(t time.Time, c counts) {
	hour := hourOf(t)
	if h.ring == nil {
		h.ring, h.newest = make([]counts, firstHours), hour
	}
	if hour <= h.newest-maxHours {
		return
	}
	h.reach(hour)
	n := int64(len(h.ring))
	for ; h.newest < hour; h.newest++ {
		if hour-h.newest > n {
			h.newest = hour - n // All that is kept will be overwritten.
		}
		h.ring[(h.newest+1)%n] = counts{}
	}
	at := &h.ring[hour%n]
	*at = counts{clip(int(at.up) + int(c.up)), clip(int(at.degraded) + int(c.degraded)), clip(int(at.down) + int(c.down))}
}

// reach makes the ring long enough for an hour and all that is kept already.
func (h *hours) reach(hour int64) {
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
		grown[old%int64(len(grown))] = h.ring[old%had]
	}
	h.ring = grown
}

// at returns the counts of the hour that t lies in.
func (h *hours) at(t time.Time) status.Counts {
	hour := hourOf(t)
	n := int64(len(h.ring))
	if n == 0 || hour > h.newest || hour <= h.newest-n {
		return status.Counts{}
	}
	c := h.ring[hour%n]
	return status.Counts{Up: int(c.up), Degraded: int(c.degraded), Down: int(c.down)}
}

// clearBefore forgets all hours before the one that t lies in.
func (h *hours) clearBefore(t time.Time) {
	limit := hourOf(t)
	if h.ring == nil {
		return
	}
	n := int64(len(h.ring))
	for hour := h.newest - n + 1; hour < limit && hour <= h.newest; hour++ {
		h.ring[hour%n] = counts{}
	}
}

// addFrom adds the counts that another has from an hour on.
func (h *hours) addFrom(hour int64, other *hours) {
	n := int64(len(other.ring))
	for hour = max(hour, other.newest-n+1); n > 0 && hour <= other.newest; hour++ {
		h.add(time.Unix(hour*3600, 0), other.ring[hour%n])
	}
}
