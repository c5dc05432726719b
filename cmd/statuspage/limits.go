package main

import (
	"math"
	"statuspage/handlers/gate"
	"statuspage/internal/config"
	"syscall"
)

const (
	// ownFiles is how many files and sockets stores, probers and the rest may need beside visitors: so
	// many, and two for each check that runs at the same time as the others.
	ownFiles      = 128
	filesPerCheck = 2
	// keptShare is the part of all files, one in so many, that connections which checks keep may
	// take: half of what is left to us at worst. The other half is for running probes.
	keptShare = 4
)

// limits is what visitors may take, by the configuration and by what the machine gives us.
func limits(cfg *config.Config) gate.Limits {
	l := cfg.Limits
	return gate.Limits{
		Requests:    gate.Limit{N: l.Requests.N, Everybody: l.Requests.Explicit},
		Streams:     gate.Limit{N: l.Streams.N, Everybody: l.Streams.Explicit},
		Proxies:     cfg.Proxies,
		Connections: connections(openFiles(), len(cfg.Checks)),
	}
}

// connections leaves what we need ourselves of the files that may be open, but never takes more
// than half of them from visitors.
func connections(files uint64, checks int) int {
	own := min(uint64(ownFiles+filesPerCheck*checks), files/2)
	return int(max(1, min(files-own, math.MaxInt32)))
}

// keptConnections is how many checks may keep a connection; 0, which is no limit, where nobody
// says how many files there may be.
func keptConnections(files uint64) int { return int(min(files/keptShare, math.MaxInt32)) }

// openFiles is how many files the process may have open, and 0 where nobody says.
func openFiles() uint64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0
	}
	return r.Cur
}

// noCore keeps memory, which holds secrets, out of files: 0 would be enough for a file, 1 keeps a collector of
// core dumps from getting one too (core(5)).
func noCore() {
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: 1, Max: 1}) // Less is always allowed.
}
