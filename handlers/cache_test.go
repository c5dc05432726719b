package handlers

import "testing"

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
	c.size = cacheBytes - 5 // As if so much were kept.
	get(1, "b", 10)
	if c.size != 20 || len(c.made) != 1 {
		t.Errorf("%d bytes in %d answers kept after the cache was full, want the newest only", c.size, len(c.made))
	}
	get(1, "huge", cacheBytes+1)
	if c.size > cacheBytes || c.made["huge"] != nil {
		t.Error("an answer larger than the bound is kept")
	}
}
