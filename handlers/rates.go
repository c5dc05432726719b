package handlers

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	rateSets  = 8192
	rateWays  = 8 // Addresses of a set.
	rateLocks = 64
	// burstSeconds is how many seconds' worth of requests may come at once.
	burstSeconds = 2
)

// rates holds addresses to so many requests a second. It knows the last 65,536 of them in one
// megabyte that never grows; a new one takes the place of that which has asked least of late
// in its set, whose allowance is all but whole again. Which addresses share a set is not to be
// guessed from outside.
//
// Of each address it keeps one instant, by which all that it has asked for is worn off (the
// generic cell rate algorithm): a token bucket without a clock of its own.
type rates struct {
	every int64 // Nanoseconds that a request takes to wear off.
	seed  maphash.Seed
	locks [rateLocks]sync.Mutex
	sets  [rateSets][rateWays]rate
}

type rate struct {
	key  uint64 // 0 for none.
	free int64  // Nanoseconds of our clock.
}

func newRates(perSecond int) *rates {
	return &rates{every: int64(time.Second) / int64(perSecond), seed: maphash.MakeSeed()}
}

// take lets one request of an address through at an instant, or says how long to wait.
func (r *rates) take(key uint64, now int64) (wait time.Duration, ok bool) {
	set := maphash.Comparable(r.seed, key) % rateSets
	lock := &r.locks[set%rateLocks]
	lock.Lock()
	defer lock.Unlock()
	ways := &r.sets[set]
	mine := &ways[0]
	for i := range ways {
		if ways[i].key == key {
			mine = &ways[i]
			break
		}
		if ways[i].free < mine.free {
			mine = &ways[i]
		}
	}
	if mine.key != key {
		*mine = rate{key: key}
	}
	free := max(mine.free, now)
	if ahead := free + r.every - now; ahead > burstSeconds*int64(time.Second) {
		return time.Duration(ahead - burstSeconds*int64(time.Second)), false
	}
	mine.free = free + r.every
	return 0, true
}
