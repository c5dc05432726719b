// Package chaos breaks what surrounds the product, and the product itself, while it works: the
// real binary, real targets that keep a log of what they were asked, a real QuestDB, real
// disks. Each test counts what went in and what came out. docs/faults.md is the list.
//
// CHAOS=full takes the time that production would; CHAOS_SEED repeats a run's choices.
package chaos

import (
	"flag"
	"math/rand/v2"
	"os"
	"statuspage/e2e/harness"
	"strconv"
	"sync"
	"testing"
	"time"
)

// patience bounds every wait for something that comes by itself.
const patience = 60 * time.Second

// full chooses the long form of every test.
var full = os.Getenv("CHAOS") == "full"

func pick[T any](long, short T) T {
	if full {
		return long
	}
	return short
}

var seed = sync.OnceValue(func() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("CHAOS_SEED"), 10, 64); err == nil {
		return n
	}
	return uint64(time.Now().UnixNano())
})

// chance returns a source of choices of its own for a test, and says how to repeat them.
func chance(t *testing.T) *rand.Rand {
	t.Helper()
	t.Logf("CHAOS_SEED=%d", seed())
	var name uint64
	for _, b := range []byte(t.Name()) {
		name = name*31 + uint64(b)
	}
	return rand.New(rand.NewPCG(seed(), name))
}

// between returns a time from low to high.
func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)))
}

func TestMain(m *testing.M) {
	flag.Parse()
	// Most of the time is spent waiting for what the product does by itself.
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		_ = flag.Set("test.parallel", "6")
	}
	code := m.Run()
	stopShared()
	harness.Remove()
	os.Exit(code)
}

// waitFor polls until something holds, and says what did not.
func waitFor(t *testing.T, what string, holds func() bool) {
	t.Helper()
	harness.WaitFor(t, patience, what, holds)
}
