package handlers

import (
	"strconv"
	"testing"
)

func TestCacheIsBoundedAndForgetsOldVersions(t *testing.T) {
	t.Parallel()
	var c cache
	made := 0
	get := func(version uint64, key string, size int) {
		t.Helper()
		e, err := c.get(version, key, func() ([]byte, error) {
			made++
			return make([]byte, size), nil
		})
		if err != nil || len(e.body) != size {
			t.Fatalf("%s: %d bytes, %v; want %d", key, len(e.body), err, size)
		}
	}
	get(0, "a", 10)
	get(0, "a", 10)
	get(1, "a", 10)
	if made != 2 {
		t.Errorf("made %d times, want once a version", made)
	}
	for i := range 6 {
		get(1, strconv.Itoa(i), cacheBytes/4)
		if c.size > cacheBytes {
			t.Fatalf("%d bytes kept, want at most %d", c.size, cacheBytes)
		}
	}
	get(1, "huge", cacheBytes+1)
	if c.size > cacheBytes {
		t.Errorf("an answer larger than the bound is kept")
	}
}
