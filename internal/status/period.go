package status

import "time"

// Period is a window of the recent past that uptime is asked for.
type Period struct {
	Name   string
	Length time.Duration
}

// Periods are the windows on offer, shortest first.
var Periods = []Period{
	{"1h", time.Hour},
	{"24h", 24 * time.Hour},
	{"7d", 7 * 24 * time.Hour},
	{"30d", 30 * 24 * time.Hour},
	{"90d", 90 * 24 * time.Hour},
}

// FindPeriod returns the period of that name.
func FindPeriod(name string) (Period, bool) {
	for _, p := range Periods {
		if p.Name == name {
			return p, true
		}
	}
	return Period{}, false
}
