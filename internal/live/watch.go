package live

import (
	"statuspage/internal/sse"
	"statuspage/views"
)

// Watch lets a viewer in who has seen version since, and returns what it lacks. Snapshot and
// subscription are one step, so that nothing falls between them.
func (l *Live) Watch(e *Variant, since string, g sse.Guest) (catchUp *sse.Events, viewer sse.Joining) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen, foreign := l.names.parse(since)
	if foreign || l.next != nil {
		return sse.NewEvents(renewal), e.frames.Join(g)
	}
	l.refresh(e)
	return e.missed.get(e.version.Load(), seen, func() *sse.Events { return l.missed(e, seen) }), e.frames.Join(g)
}

// missed is everything that differs from what was seen, as one event.
func (l *Live) missed(e *Variant, s seen) *sse.Events {
	var missed []byte
	lacks := e.lacks(s)
	add := func(place int, id string) {
		if p := e.part(place); lacks(place, *p) {
			missed = append(missed, l.paint.bytes(views.Partial(id, drawn(p.html)))...)
		}
	}
	for i, s := range l.services {
		add(1+i, views.DOMID(s.ID))
	}
	for i, g := range l.page.Groups {
		if g.Name != "" {
			add(1+len(e.rows)+i, views.GroupDOMID(g.ID))
		}
	}
	for n, id := range views.WordIDs {
		add(e.firstWords()+n, id)
	}
	add(0, "banner")
	if missed == nil {
		return nil
	}
	return sse.NewEvents(sse.Event(l.names.id(l.version.Load())+e.digest(), "", missed))
}

// catchUps keeps what viewers of a variant lacked at its present version: after a restart
// they all come at once, and all lack the same. It is guarded by Live.mu.
type catchUps struct {
	version uint64
	made    map[seen]*sse.Events
}

// maxCatchUps bounds what is kept; viewers who lag by other versions are rare.
const maxCatchUps = 8

func (c *catchUps) get(version uint64, s seen, build func() *sse.Events) *sse.Events {
	if c.made == nil || c.version != version || len(c.made) >= maxCatchUps {
		c.version, c.made = version, make(map[seen]*sse.Events)
	}
	event, ok := c.made[s]
	if !ok {
		event = build()
		c.made[s] = event
	}
	return event
}
