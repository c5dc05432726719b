package handlers

import "sync"

// cacheBytes bounds the answers kept of one version: asked for ever other parameters, the
// cache is emptied, never grown.
const (
	cacheBytes   = 32 << 20
	cacheEntries = 8192
	maxAddress   = 256 // Bytes of an address under which an answer is kept.
)

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
	e.keep = true
	c.keep(version, key, e)
	return e, nil
}

// at returns the answer that was kept for this very address, if it is of that version.
func (c *cache) at(version uint64, address []byte) *entity {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.version != version {
		return nil
	}
	return c.made[string(address)]
}

// keepAt keeps an answer under the address that led to it as well, so that the next reader is
// answered without reading the address. All addresses that lead to it share its codings.
func (c *cache) keepAt(version uint64, address []byte, e *entity) {
	// Another form of address could be the key of another answer.
	if len(address) > maxAddress || len(address) == 0 || address[0] != '/' || c.at(version, address) == e {
		return
	}
	c.keep(version, string(address), e)
}

func (c *cache) keep(version uint64, key string, e *entity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version < c.version {
		return
	}
	if c.made == nil || c.version != version || c.size+e.size() > cacheBytes || len(c.made) >= cacheEntries {
		c.version, c.made, c.size = version, make(map[string]*entity), 0
	}
	if old := c.made[key]; old != nil {
		c.size -= old.size()
	}
	if e.size() <= cacheBytes {
		c.size += e.size()
		c.made[key] = e
	}
}
