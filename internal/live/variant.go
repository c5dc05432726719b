package live

import (
	"maps"
	"statuspage/handlers/answer"
	"statuspage/internal/incident"
	"statuspage/internal/page"
	"statuspage/internal/sse"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxRare bounds the variants beside the usual ones, one in each language, that are kept drawn and live at a time;
	// who wants yet another gets a page that refreshes itself. Visitors without wishes have theirs whoever wants what else.
	maxRare = 58
	// maxVariantRows bounds the same by rows, of which each takes some 700 bytes.
	maxVariantRows = 20_000
	minRare        = 2

	// pageAttention is for how long after a visit the page is kept fresh in advance.
	pageAttention = 10 * time.Second
)

// Variant is the page as visitors of the same preferences see it: its rows, its frames, and the page put together. Its
// rows are guarded by Live.mu.
type Variant struct {
	prefers page.Preferences
	tag     string // The preferences in entity tags.
	rows    []part // By service.
	heads   []part // By group.
	banner  part
	words   [wordParts]part
	said    *incident.Outlook  // What words were drawn of; nil before.
	sums    [digestSums]uint32 // Of the parts, see digest.
	drawn   bool               // Its rows are there.
	stale   atomic.Bool        // Changes were not drawn, since nobody looked.
	version atomic.Uint64      // Of the newest frame.
	frames  *sse.Stream
	missed  catchUps

	page     atomic.Pointer[Ready]
	visited  atomic.Int64 // Unix nanoseconds of the newest request for the page.
	building sync.Mutex   // One rebuild at a time.
}

// part is what a target of the stream last looked like.
type part struct {
	html    []byte
	sum     uint32 // Of the html, the same in every process.
	version uint64 // Of the frame that brought it.
}

func (e *Variant) active() bool { return e.frames.Len() > 0 || e.visitedLately() }

func (e *Variant) visitedLately() bool {
	return time.Since(time.Unix(0, e.visited.Load())) < pageAttention
}

// Variant returns the page as these preferences want it, drawn; shared is false when there are too many
// others, and this one is for one request only.
func (l *Live) Variant(k page.Preferences) (e *Variant, shared bool) {
	if e, shared = l.variants.all()[k]; !shared {
		l.mu.Lock()
		e, shared = l.variants.open(k)
		l.mu.Unlock()
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
func (l *Live) refresh(e *Variant) {
	if e.stale.Load() {
		l.draw(e, l.every, l.version.Load(), l.now())
	}
}

// MaxRare is how many variants of other preferences than the usual there may be.
func (l *Live) MaxRare() int { return l.variants.most() }

// variants are those that are kept, by the preferences that they serve. The map is never changed, but replaced, so
// that the usual case takes no lock; who replaces it holds Live.mu.
type variants struct {
	page     *page.Page
	broker   *sse.Broker
	services int // How many each draws.
	kept     atomic.Pointer[map[page.Preferences]*Variant]
}

func (v *variants) clear() { v.kept.Store(&map[page.Preferences]*Variant{}) }

func (v *variants) all() map[page.Preferences]*Variant { return *v.kept.Load() }

// open finds a variant or makes it, and tells whether it is one that is kept.
func (v *variants) open(k page.Preferences) (e *Variant, shared bool) {
	kept := maps.Clone(v.all())
	if e, shared = kept[k]; shared {
		return e, shared
	}
	e = &Variant{
		prefers: k, rows: make([]part, v.services), heads: make([]part, len(v.page.Groups)),
		frames: v.broker.Stream(streamBacklog), tag: answer.New([]byte(k.Query())).Tag[:6],
	}
	e.stale.Store(true)
	if shared = v.page.IsUsual(k) || v.makeRoom(kept); shared {
		kept[k] = e
		v.kept.Store(&kept)
	}
	return e, shared
}

// most is how many there may be of other preferences than the usual.
func (v *variants) most() int {
	return min(maxRare, max(minRare, maxVariantRows/max(1, v.services)))
}

// makeRoom lets the variant go that is not usual, that nobody has visited for the longest time and nobody
// watches, when there are as many as there may be.
func (v *variants) makeRoom(kept map[page.Preferences]*Variant) bool {
	var oldest *Variant
	rare := 0
	for k, e := range kept {
		if v.page.IsUsual(k) {
			continue
		}
		rare++
		if e.frames.Len() == 0 && (oldest == nil || e.visited.Load() < oldest.visited.Load()) {
			oldest = e
		}
	}
	if rare < v.most() {
		return true
	}
	if oldest == nil {
		return false
	}
	delete(kept, oldest.prefers)
	return true
}

// shelfTime is after how long without a visitor a variant lets go of what it has drawn.
const shelfTime = time.Minute

// shelve lets variants that nobody has looked at for a while forget what they have drawn: with many
// services that is most of the memory, and drawing it again takes some 30 µs a service.
func (v *variants) shelve() {
	for _, e := range v.all() {
		if e.frames.Len() > 0 || time.Since(time.Unix(0, e.visited.Load())) < shelfTime || !e.drawn {
			continue
		}
		e.stale.Store(true)
		e.page.Store(nil)
		clear(e.rows)
		clear(e.heads)
		e.banner, e.words, e.said, e.sums = part{}, [wordParts]part{}, nil, [digestSums]uint32{}
		e.missed, e.drawn = catchUps{}, false
	}
}
