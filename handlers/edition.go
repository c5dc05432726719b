package handlers

import (
	"bytes"
	"maps"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"sync"
	"sync/atomic"
	"time"

	"github.com/a-h/templ"
)

const (
	// maxRare bounds the looks beside the usual ones that are kept drawn and live at a time; who wants yet
	// another gets a page that refreshes itself.
	maxRare = 58
	// maxEditionRows bounds the same by rows, of which each takes some 8 KB.
	maxEditionRows = 20_000
	minRare        = 2
)

// edition is the page in one look: its rows, its frames, and the page put together. Its rows
// are guarded by live.mu.
type edition struct {
	look    look
	tag     string // The look in entity tags.
	rows    []part // By service.
	heads   []part // By group.
	banner  part
	sums    [digestSums]uint32 // Of the parts, see digest.
	drawn   bool               // Its rows are there.
	stale   atomic.Bool        // Changes were not drawn, since nobody looked.
	version atomic.Uint64      // Of the newest frame.
	frames  *sse.Stream
	missed  catchUps

	page     atomic.Pointer[ready]
	visited  atomic.Int64 // Unix nanoseconds of the newest request for the page.
	building sync.Mutex   // One rebuild at a time.
}

// part is what a target of the stream last looked like.
type part struct {
	html    []byte
	sum     uint32 // Of the html, the same in every process.
	version uint64 // Of the frame that brought it.
}

// ready is a page with the version that it shows.
type ready struct {
	answer.Entity
	version uint64
	built   time.Time
}

func (e *edition) active() bool { return e.frames.Len() > 0 || e.visitedLately() }

func (e *edition) visitedLately() bool {
	return time.Since(time.Unix(0, e.visited.Load())) < pageAttention
}

// edition returns the edition of a look, drawn; shared is false when the house is full of
// others, and this one is for one request only. The usual case takes no lock.
func (l *live) edition(k look) (e *edition, shared bool) {
	if e, shared = (*l.editions.Load())[k]; !shared {
		e, shared = l.open(k)
	}
	e.visited.Store(time.Now().UnixNano())
	if e.stale.Load() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.refresh(e)
	}
	return e, shared
}

// refresh draws what was not drawn while nobody looked; mu must be held.
func (l *live) refresh(e *edition) {
	if e.stale.Load() {
		l.draw(e, l.every, l.version.Load(), l.now())
	}
}

func (l *live) open(k look) (e *edition, shared bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	editions := maps.Clone(*l.editions.Load())
	if e, shared = editions[k]; shared {
		return e, shared
	}
	e = &edition{
		look: k, rows: make([]part, len(l.board.Services())), heads: make([]part, len(l.groups)),
		frames: l.hall.Stream(streamBacklog), tag: answer.New([]byte(k.key())).Tag[:6],
	}
	e.stale.Store(true)
	if shared = l.usual(k) || l.makeRoom(editions); shared {
		editions[k] = e
		l.editions.Store(&editions)
	}
	return e, shared
}

// usual tells whether a look is that of visitors without wishes, one in each language. These have their editions whoever
// wants what else.
func (l *live) usual(k look) bool {
	return k.window == status.LastHour && k.zone.String() == l.board.Location().String()
}

// maxRare is how many editions of other looks there may be.
func (l *live) maxRare() int {
	return min(maxRare, max(minRare, maxEditionRows/max(1, len(l.board.Services()))))
}

// makeRoom lets the edition of a look that is not usual go that nobody has visited for the longest time and nobody
// watches, when there are as many as there may be.
func (l *live) makeRoom(editions map[look]*edition) bool {
	var oldest *edition
	rare := 0
	for k, e := range editions {
		if l.usual(k) {
			continue
		}
		rare++
		if e.frames.Len() == 0 && (oldest == nil || e.visited.Load() < oldest.visited.Load()) {
			oldest = e
		}
	}
	if rare < l.maxRare() {
		return true
	}
	if oldest == nil {
		return false
	}
	delete(editions, oldest.look)
	return true
}

// shelfTime is after how long without a visitor an edition lets go of what it has drawn.
const shelfTime = time.Minute

// shelve lets editions that nobody has looked at for a while forget what they have drawn: with many
// services that is most of the memory, and drawing it again takes some 30 µs a service.
func (l *live) shelve() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range *l.editions.Load() {
		if e.frames.Len() > 0 || time.Since(time.Unix(0, e.visited.Load())) < shelfTime || !e.drawn {
			continue
		}
		e.stale.Store(true)
		e.page.Store(nil)
		clear(e.rows)
		clear(e.heads)
		e.banner, e.sums = part{}, [digestSums]uint32{}
		e.missed, e.drawn = catchUps{}, false
	}
}

// draw draws the rows of services, their headings and the banner of an edition, and returns
// what changed as the partials of a frame; mu must be held.
func (l *live) draw(e *edition, services []int, version uint64, now time.Time) []byte {
	var frame bytes.Buffer
	put := func(place int, id string, c templ.Component) {
		if html := l.bytes(c); e.put(place, html, version) {
			frame.Write(l.bytes(views.Partial(id, drawn(html))))
		}
	}
	groups := make(map[int]bool)
	for _, i := range services {
		groups[l.group[i]] = true
		put(1+i, views.DOMID(l.board.Services()[i].ID), l.row(i, e.look, now))
	}
	for _, i := range slices.Sorted(maps.Keys(groups)) {
		if g, s := l.groups[i], l.standing[i]; g.Name != "" {
			put(1+len(e.rows)+i, views.GroupDOMID(g.ID), views.GroupState(g.ID, s.Worst().String(), views.GroupText(e.look.lang, s)))
		}
	}
	put(0, "banner", views.BannerView(views.BuildBanner(l.site.Title, l.all, l.board.Newest(), l.note(), l.local(e.look))))
	if frame.Len() > 0 {
		e.version.Store(version)
	}
	e.drawn = true
	e.stale.Store(false)
	return frame.Bytes()
}

func (l *live) row(service int, k look, now time.Time) templ.Component {
	row := l.board.Row(service, k.window, k.zone, now)
	return views.RowView(views.BuildRow(views.RowInput(row), l.local(k)))
}

// watchesRegions tells whether any of the services is watched from regions.
func watchesRegions(services ...status.Service) bool {
	return slices.ContainsFunc(services, func(s status.Service) bool { return len(s.Regions) > 0 })
}

// watch lets a viewer in who has seen version since, and returns what it lacks. Snapshot and
// subscription are one step, so that nothing falls between them.
func (l *live) watch(e *edition, since string, g sse.Guest) (catchUp *sse.Events, viewer sse.Joining) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen, foreign := l.parse(since)
	if foreign || l.next != nil {
		return sse.NewEvents(renewal), e.frames.Join(g)
	}
	l.refresh(e)
	return e.missed.get(e.version.Load(), seen, func() *sse.Events { return l.missed(e, seen) }), e.frames.Join(g)
}

// missed is everything that differs from what was seen, as one event.
func (l *live) missed(e *edition, s seen) *sse.Events {
	var missed []byte
	lacks := e.lacks(s)
	add := func(place int, id string) {
		if p := e.part(place); lacks(place, *p) {
			missed = append(missed, l.bytes(views.Partial(id, drawn(p.html)))...)
		}
	}
	for i, s := range l.board.Services() {
		add(1+i, views.DOMID(s.ID))
	}
	for i, g := range l.groups {
		if g.Name != "" {
			add(1+len(e.rows)+i, views.GroupDOMID(g.ID))
		}
	}
	add(0, "banner")
	if missed == nil {
		return nil
	}
	return sse.NewEvents(sse.Event(l.id(l.version.Load())+e.digest(), "", missed))
}

// catchUps keeps what viewers of an edition lacked at its present version: after a restart
// they all come at once, and all lack the same. It is guarded by live.mu.
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

// current is the plain page of an edition, at most pageOldest behind. While visitors come, it
// is made in advance; the first after a lull waits for it to be made.
func (l *live) current(e *edition) *ready {
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

func (l *live) isFresh(e *edition, p *ready) bool {
	return p != nil && (p.version == e.version.Load() || time.Since(p.built) < pageOldest)
}

// rebuildVisited makes the pages that somebody visits in advance, and returns the instant
// before which that should not be done again.
func (l *live) rebuildVisited() (next time.Time) {
	var visited []*edition
	for _, e := range *l.editions.Load() {
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

func (l *live) rebuild(e *edition) {
	e.building.Lock()
	defer e.building.Unlock()
	l.build(e)
}

// build puts the page together from the rows as they stand; building must be held.
func (l *live) build(e *edition) {
	built := time.Now()
	html, version := l.compose(e, composition{stream: true})
	p := &ready{Entity: answer.Entity{Body: html, Tag: l.id(version) + "." + e.tag}, version: version, built: built}
	if before := e.page.Load(); before != nil {
		p.Prepare(&before.Entity)
	}
	e.page.Store(p)
}
