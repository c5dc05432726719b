package auth

import (
	"fmt"
	"hash/maphash"
	"statuspage/internal/status"
	"sync"
	"time"
)

const (
	trySets = 256
	tryWays = 8 // Accounts or addresses of a set.

	freeTries = 5                // Failures that cost nothing yet: people mistype.
	firstWait = 2 * time.Second  // Then each failure doubles what the one before cost,
	longest   = 15 * time.Minute // up to this: an hour has four tries for a guesser.
	forgotten = time.Hour        // After the last failure.
)

// LockedError is the answer to who has failed too often: when to come back.
type LockedError struct{ Wait time.Duration }

func (e *LockedError) Error() string { return fmt.Sprintf("locked for %v", e.Wait) }

// Unwrap makes it status.ErrUnavailable, for who looks no closer.
func (*LockedError) Unwrap() error { return status.ErrUnavailable }

// tries counts failures of accounts, or of addresses. It knows 2,048 of them in some 64 KB that never grow; a new one takes
// the place of that in its set which has failed least. Which share a set is not to be guessed from outside.
type tries struct {
	seed maphash.Seed
	mu   sync.Mutex
	sets [trySets][tryWays]try
}

type try struct {
	key      uint64 // 0 for none.
	failures uint16
	at       time.Time // Of the last failure.
}

func newTries() *tries { return &tries{seed: maphash.MakeSeed()} }

// until is when the next one is let through.
func (t *try) until() time.Time {
	if t.failures < freeTries {
		return time.Time{}
	}
	return t.at.Add(min(longest, firstWait<<min(t.failures-freeTries, 10)))
}

// begin counts a try as a failure, which a success takes back, so that many at once are not all let through. A locked one is not
// counted: who waits gets in.
func (t *tries) begin(key uint64, now time.Time) (wait time.Duration) {
	if key == 0 {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := t.find(key, now)
	if wait := mine.until().Sub(now); wait > 0 && mine.failures >= freeTries {
		return wait
	}
	mine.failures, mine.at = min(mine.failures+1, freeTries+20), now
	return 0
}

// locked tells how long a key has to wait, without counting anything.
func (t *tries) locked(key uint64, now time.Time) time.Duration {
	if key == 0 {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.set(key) {
		if w.key == key && w.failures >= freeTries {
			return max(0, w.until().Sub(now))
		}
	}
	return 0
}

// fail counts a failure that was not counted before.
func (t *tries) fail(key uint64, now time.Time) { t.begin(key, now) }

// undo takes one try back, which was none or has succeeded.
func (t *tries) undo(key uint64) {
	t.change(key, func(w *try) { w.failures = max(w.failures, 1) - 1 })
}

// succeeded forgets the failures of a key.
func (t *tries) succeeded(key uint64) {
	t.change(key, func(w *try) { *w = try{} })
}

func (t *tries) change(key uint64, how func(*try)) {
	if key == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	ways := t.set(key)
	for i := range ways {
		if ways[i].key == key {
			how(&ways[i])
		}
	}
}

func (t *tries) set(key uint64) *[tryWays]try {
	return &t.sets[maphash.Comparable(t.seed, key)%trySets]
}

// find is the place of a key, whose failures are forgotten in time.
func (t *tries) find(key uint64, now time.Time) *try {
	ways := t.set(key)
	mine := &ways[0]
	for i := range ways {
		w := &ways[i]
		if w.key != 0 && now.Sub(w.at) >= forgotten {
			*w = try{}
		}
		if w.key == key {
			return w
		}
		if w.failures < mine.failures || w.failures == mine.failures && w.at.Before(mine.at) {
			mine = w
		}
	}
	*mine = try{key: key}
	return mine
}
