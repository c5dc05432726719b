package app

import (
	"math"
	"statuspage/handlers/gate"
	"statuspage/internal/app/probing"
	"statuspage/internal/config"
)

const (
	// ownFiles is how many files and sockets stores, probers and the rest may need beside visitors: so
	// many, and two for each check that runs at the same time as the others.
	ownFiles      = 128
	filesPerCheck = 2
)

// limits is what visitors may take, by the configuration and by what the machine gives us.
func limits(cfg *config.Config) gate.Limits {
	l := cfg.Limits
	return gate.Limits{
		Requests:    gate.Limit{N: l.Requests.N, Everybody: l.Requests.Explicit},
		Streams:     gate.Limit{N: l.Streams.N, Everybody: l.Streams.Explicit},
		Proxies:     cfg.Proxies,
		Connections: connections(probing.OpenFiles(), len(cfg.Checks)),
	}
}

// connections leaves what we need ourselves of the files that may be open, but never takes more
// than half of them from visitors.
func connections(files uint64, checks int) int {
	own := min(uint64(ownFiles+filesPerCheck*checks), files/2)
	return int(max(1, min(files-own, math.MaxInt32)))
}
