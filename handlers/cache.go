package handlers

import "sync"

// cacheBytes bounds the answers kept of one version: asked for ever other parameters, the
// cache is emptied, never grown.
const cacheBytes = 32 << 20

// cache keeps answers made from one version of the board; a newer version empties it.
type cache struct {
	mu      sync.RWMutex
	version uint64
	made    map[string]*entity
	size    int // Bytes of all made.
}

// get returns the answer of that key, built at most a few times a version.
func (c *cache) get(version uint64, key string, build func() ([]byte, error)) (*entity, error) {
	c.mu.RLock()
	e, ok := c.made[key]
	ok = ok && c.version == version
	c.mu.RUnlock()
	if ok {
		return e, nil
	}
	body, err := build()
	if err != nil {
		return nil, err
	}
	e = newEntity(body)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.made == nil || c.version != version || c.size+e.size() > cacheBytes {
		c.version, c.made, c.size = version, make(map[string]*entity), 0
	}
	if old := c.made[key]; old != nil {
		c.size -= old.size()
	}
	if e.size() <= cacheBytes {
		c.size += e.size()
		c.made[key] = e
	}
	return e, nil
}
