package live

import (
	"statuspage/handlers/answer"
	"statuspage/internal/page"
	"time"
)

const (
	// pageEvery is the least time between two rebuilds of the page; a frame never waits for it.
	pageEvery = 400 * time.Millisecond
	// pageShare keeps rebuilding a huge page from taking more than a twentieth of the time.
	pageShare = 20
	// pageOldest bounds how old a page may be all the same.
	pageOldest = time.Second
)

// Ready is a page with the version that it shows.
type Ready struct {
	answer.Entity
	version uint64
	built   time.Time
}

// AtHand is the plain page as these preferences want it, if somebody has it already; nil otherwise.
func (l *Live) AtHand(k page.Preferences) *Ready {
	if l.variants.all()[k] == nil {
		return nil
	}
	e, shared := l.Variant(k)
	if !shared {
		return nil
	}
	return l.Current(e)
}

// Current is the plain page of a variant, at most pageOldest behind. While visitors come, it
// is made in advance; the first after a lull waits for it to be made.
func (l *Live) Current(e *Variant) *Ready {
	if p := e.page.Load(); l.isFresh(e, p) {
		return p
	}
	e.building.Lock()
	defer e.building.Unlock()
	if !l.isFresh(e, e.page.Load()) { // Else somebody has made it meanwhile.
		l.build(e)
	}
	return e.page.Load()
}

func (l *Live) isFresh(e *Variant, p *Ready) bool {
	return p != nil && (p.version == e.version.Load() || time.Since(p.built) < pageOldest)
}

// rebuildVisited makes the pages that somebody visits in advance, and returns the instant
// before which that should not be done again.
func (l *Live) rebuildVisited() (next time.Time) {
	var visited []*Variant
	for _, e := range l.variants.all() {
		if e.visitedLately() && e.page.Load() != nil {
			visited = append(visited, e)
		}
	}
	start := time.Now()
	for _, e := range visited {
		l.rebuild(e)
	}
	return time.Now().Add(max(pageEvery, min(time.Since(start)*pageShare, pageOldest)))
}

func (l *Live) rebuild(e *Variant) {
	e.building.Lock()
	defer e.building.Unlock()
	l.build(e)
}

// build puts the page together from the rows as they stand; building must be held.
func (l *Live) build(e *Variant) {
	built := time.Now()
	html, version := l.Compose(e, Composition{Stream: true})
	p := &Ready{Entity: answer.Entity{Body: html, Tag: l.names.id(version) + "." + e.tag}, version: version, built: built}
	if before := e.page.Load(); before != nil {
		p.Prepare(&before.Entity)
	}
	e.page.Store(p)
}
