package handlers

import "sync"

// cacheBytes bounds the answers kept of one version: asked for ever other parameters, the
// cache is emptied, never grown.
const cacheBytes = 32 << 20

// cache keeps answers made from one version of the board; a newer version empties it.
type cache struct {
	mu      sync.RWMutex
	version uint64
	bodies  map[string][]byte
	size    int // Bytes in bodies.
}

// get returns the body of that key, made by build at most a few times a version.
func (c *cache) get(version uint64, key string, build func() ([]byte, error)) ([]byte, error) {
	c.mu.RLock()
	body, ok := c.bodies[key]
	ok = ok && c.version == version
	c.mu.RUnlock()
	if ok {
		return body, nil
	}
	body, err := build()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bodies == nil || c.version != version || c.size+len(body) > cacheBytes {
		c.version, c.bodies, c.size = version, make(map[string][]byte), 0
	}
	if len(body) <= cacheBytes {
		c.size += len(body) - len(c.bodies[key])
		c.bodies[key] = body
	}
	return body, nil
}
