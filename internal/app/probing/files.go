package probing

import (
	"math"
	"syscall"
)

// keptShare is the part of all files, one in so many, that connections which checks keep may
// take: half of what is left to us at worst. The other half is for running probes.
const keptShare = 4

// keptConnections is how many checks may keep a connection; 0, which is no limit, where nobody
// says how many files there may be.
func keptConnections(files uint64) int { return int(min(files/keptShare, math.MaxInt32)) }

// OpenFiles is how many files the process may have open, and 0 where nobody says.
func OpenFiles() uint64 {
	var r syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r); err != nil {
		return 0
	}
	return r.Cur
}
