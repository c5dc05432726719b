package answer

import (
	"strconv"
	"testing"
)

func TestCacheIsBoundedAndForgetsOldVersions(t *testing.T) {
	t.Parallel()
	var c Cache
	made := 0
	get := func(version uint64, key string, size int) {
		t.Helper()
		e, err := c.Get(version, key, func() ([]byte, error) {
			made++
			return make([]byte, size), nil
		})
		if err != nil || len(e.Body) != size {
			t.Fatalf("%s: %d bytes, %v; want %d", key, len(e.Body), err, size)
		}
	}
	get(0, "a", 10)
	get(0, "a", 10)
	get(1, "a", 10)
	if made != 2 {
		t.Errorf("made %d times, want once a version", made)
	}
	c.size = cacheBytes/2 - 5 // As if so much were kept.
	get(1, "b", 10)
	if c.size != 20 || len(c.made) != 1 {
		t.Errorf("%d bytes in %d answers kept after a half was full, want the newest only", c.size, len(c.made))
	}
	get(1, "huge", cacheBytes+1)
	if c.size > cacheBytes || c.made["huge"] != nil {
		t.Error("an answer larger than the bound is kept")
	}
}

// TestAskedForAnswersStay fills the cache with answers that nobody asks for again, between those that all ask for.
func TestAskedForAnswersStay(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"by number": 1, "by bytes": 1 << 20} {
		var c Cache
		made := map[string]int{}
		get := func(key string) {
			_, _ = c.Get(1, key, func() ([]byte, error) {
				made[key]++
				return make([]byte, size), nil
			})
		}
		for i := range 3 * cacheEntries / min(size, 100) {
			get(strconv.Itoa(i))
			get("hot")
			if i%7 == 0 && c.At(1, []byte("hot")) == nil {
				t.Fatalf("%s: what is asked for all the time is gone after %d others", name, i)
			}
			if kept := len(c.made) + len(c.before); kept > cacheEntries || kept*2*size > cacheBytes+4*size {
				t.Fatalf("%s: %d answers of %d bytes are kept", name, kept, size)
			}
		}
		if made["hot"] != 1 {
			t.Errorf("%s: what is asked for all the time is made %d times", name, made["hot"])
		}
		get("0")
		if made["0"] != 2 {
			t.Errorf("%s: nothing was ever let go", name)
		}
	}
}
