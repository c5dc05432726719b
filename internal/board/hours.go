package board

import (
	"math"
	"statuspage/internal/status"
	"time"
)

// hours keeps the counts of the newest maxHours hours of UTC, six bytes each.
type hours struct {
	newest int64    // Number of the newest hour since 1970.
	ring   []counts // By number modulo maxHours; nil before the first measurement.
}

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
		h.ring, h.newest = make([]counts, maxHours), hour
	}
	if hour <= h.newest-maxHours {
		return
	}
	for ; h.newest < hour; h.newest++ {
		if hour-h.newest > maxHours {
			h.newest = hour - maxHours // All that is kept will be overwritten.
		}
		h.ring[(h.newest+1)%maxHours] = counts{}
	}
	at := &h.ring[hour%maxHours]
	*at = counts{clip(int(at.up) + int(c.up)), clip(int(at.degraded) + int(c.degraded)), clip(int(at.down) + int(c.down))}
}

// at returns the counts of the hour that t lies in.
func (h *hours) at(t time.Time) status.Counts {
	hour := hourOf(t)
	if h.ring == nil || hour > h.newest || hour <= h.newest-maxHours {
		return status.Counts{}
	}
	c := h.ring[hour%maxHours]
	return status.Counts{Up: int(c.up), Degraded: int(c.degraded), Down: int(c.down)}
}

// clearBefore forgets all hours before the one that t lies in.
func (h *hours) clearBefore(t time.Time) {
	limit := hourOf(t)
	if h.ring == nil {
		return
	}
	for hour := h.newest - maxHours + 1; hour < limit && hour <= h.newest; hour++ {
		h.ring[hour%maxHours] = counts{}
	}
}
