package monitor

import (
	"sync/atomic"
	"time"
)

// rarely lets a line into the log each minute at most: what befalls all checks at once would fill the disk.
type rarely struct {
	last atomic.Int64 // Unix seconds.
	left atomic.Int64 // How many it did not let in since.
}

// now tells whether a line may be written, and how many were not since the last.
func (r *rarely) now(at time.Time) (left int64, ok bool) {
	now, before := at.Unix(), r.last.Load()
	if now >= before && now-before < 60 || !r.last.CompareAndSwap(before, now) {
		r.left.Add(1)
		return 0, false
	}
	return r.left.Swap(0), true
}
