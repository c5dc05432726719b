// Package answer is how bytes go out: entities in their codings, with tags, compressed once and shared by
// all readers; caches of them; the headers that every answer carries; problems in words for the public.
package answer

import (
	"sync"

	"github.com/gofiber/fiber/v2/utils"
)

// cacheBytes and cacheEntries bound the answers kept of one version, in two halves.
const (
	cacheBytes   = 32 << 20
	cacheEntries = 8192
	maxAddress   = 256 // Bytes of an address under which an answer is kept.
)

// Cache keeps answers made from one version of the board; a newer version empties it. Asked for ever other parameters it
// does not grow: when the half that is being filled is full, the other is let go and they change places. What was asked
// for since stays, so that nobody takes from others the answers that all ask for.
type Cache struct {
	mu      sync.RWMutex
	version uint64
	made    map[string]*Entity
	before  map[string]*Entity // The half that goes next; an answer of it that is asked for moves over.
	size    int                // Bytes of all made.
}

// Get returns the answer of that key, built at most a few times a version.
func (c *Cache) Get(version uint64, key string, build func() ([]byte, error)) (*Entity, error) {
	if e := c.At(version, utils.UnsafeBytes(key)); e != nil {
		return e, nil
	}
	body, err := build()
	if err != nil {
		return nil, err
	}
	e := New(body)
	c.keep(version, key, e)
	return e, nil
}

// At returns the answer that was kept for this very address, if it is of that version.
func (c *Cache) At(version uint64, address []byte) *Entity {
	c.mu.RLock()
	if c.version != version {
		c.mu.RUnlock()
		return nil
	}
	e, aging := c.made[string(address)], (*Entity)(nil)
	if e == nil {
		aging = c.before[string(address)]
	}
	c.mu.RUnlock()
	if aging != nil {
		c.keep(version, string(address), aging)
		return aging
	}
	return e
}

// KeepAt keeps an answer under the address that led to it as well, so that the next reader is
// answered without reading the address. All addresses that lead to it share its codings.
func (c *Cache) KeepAt(version uint64, address []byte, e *Entity) {
	// Another form of address could be the key of another answer.
	if len(address) > maxAddress || len(address) == 0 || address[0] != '/' || c.At(version, address) == e {
		return
	}
	c.keep(version, string(address), e)
}

// Len is how many answers are kept, however many addresses lead to one.
func (c *Cache) Len() (n int) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, half := range []map[string]*Entity{c.made, c.before} {
		for key := range half {
			if key == "" || key[0] != '/' {
				n++
			}
		}
	}
	return n
}

// Forget lets all of it go.
func (c *Cache) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made, c.before, c.size = nil, nil, 0
}

func (c *Cache) keep(version uint64, key string, e *Entity) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version < c.version {
		return
	}
	switch {
	case c.made == nil || c.version != version:
		c.version, c.made, c.before, c.size = version, make(map[string]*Entity), nil, 0
	case c.size+e.size() > cacheBytes/2 || len(c.made) >= cacheEntries/2:
		c.made, c.before, c.size = make(map[string]*Entity), c.made, 0
	}
	if old := c.made[key]; old != nil {
		c.size -= old.size()
	}
	if e.size() <= cacheBytes/2 {
		c.size += e.size()
		c.made[key] = e
	}
}
