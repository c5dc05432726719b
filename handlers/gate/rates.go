package gate

import (
	"hash/maphash"
	"sync"
	"time"
)

const (
	rateSets  = 8192
	rateWays  = 8 // Addresses of a set.
	rateLocks = 64
	// burst is how many nanoseconds' worth of requests may come at once.
	burst = 2 * int64(time.Second)
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
	return r.use(key, now, r.every, burst)
}

// free tells whether what an address has taken is within bounds, or says how long to wait.
func (r *rates) free(key uint64, now int64) (wait time.Duration, ok bool) {
	return r.use(key, now, 0, burst)
}

// charge takes nanoseconds from an address, which may be more than it has, up to twice what may come at once.
func (r *rates) charge(key uint64, now, cost int64) { r.use(key, now, cost, 2*burst) }

// use takes what something costs, unless that is more than it may come to.
func (r *rates) use(key uint64, now, cost, most int64) (wait time.Duration, ok bool) {
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
	if ahead := free + cost - now; ahead > most {
		return time.Duration(ahead - most), false
	}
	mine.free = free + cost
	return 0, true
}
