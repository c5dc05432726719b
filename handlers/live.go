package handlers

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"maps"
	"math"
	"slices"
	"statuspage/internal/board"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/lang"
	"sync"
	"sync/atomic"
	"time"

	"github.com/a-h/templ"
)

const (
	// coalesce is how long a change waits for others, so that a burst is one frame.
	coalesce = 40 * time.Millisecond
	// pageEvery is the least time between two rebuilds of the page; a frame never waits for it.
	pageEvery = 400 * time.Millisecond
	// pageShare keeps rebuilding a huge page from taking more than a twentieth of the time.
	pageShare = 20
	// pageOldest bounds how old a page may be all the same.
	pageOldest = time.Second
	// pageAttention is for how long after a visit the page is kept fresh in advance.
	pageAttention = 10 * time.Second
	// streamBacklog is how many frames a viewer may lag behind before it is dropped.
	streamBacklog = 16
	// signalBacklog is that of /signals/stream.
	signalBacklog = 64
)

// live turns changes of the board into bytes, once each, and hands the same bytes to all
// readers: frames and pages of each edition, records for /signals/stream.
type live struct {
	board  *board.Board
	now    func() time.Time
	log    *slog.Logger
	site   Site
	dress  views.Site
	note   func() views.Note
	epoch  string // Of this process: versions of another one mean nothing here, their digests do.
	layout string // Of the page: one of another can't be mended, only loaded anew.
	groups []status.Group
	group  []int // Of each service.
	every  []int // Services.

	hall    *sse.Hall
	signals *sse.Stream   // For /signals/stream.
	version atomic.Uint64 // Of the newest change that was drawn; written under mu.

	mu       sync.Mutex                        // Editions, their rows and the subscriptions move together.
	editions atomic.Pointer[map[look]*edition] // The map is never changed, but replaced.
	details  map[string]*detailEdition
	states   []status.Outcome // As last drawn; written by set alone.
	standing []views.Standing // Of each group.
	all      views.Standing
	touched  []uint64 // By service, the version that last changed its row.
	seen     uint64   // Board version up to which signals are published.
	next     *live    // What took this one's place.
}

// newLive goes on where the one before stands, which has ended; nil at first.
func newLive(o Options, hall *sse.Hall, before *live) *live {
	n := len(o.Board.Services())
	l := &live{
		board:   o.Board,
		now:     o.Now,
		log:     o.Log,
		site:    o.Site,
		dress:   o.Site.dress(),
		note:    o.Note,
		epoch:   rand.Text()[:8], // Not the time: several may start at once.
		layout:  layout(o.Board, o.Site),
		groups:  status.Groups(o.Board.Services(), o.Site.Groups),
		group:   make([]int, n),
		every:   make([]int, n),
		hall:    hall,
		signals: hall.Stream(signalBacklog),
		details: make(map[string]*detailEdition),
		states:  make([]status.Outcome, n),
		touched: make([]uint64, n),
	}
	l.standing = make([]views.Standing, len(l.groups))
	for i, g := range l.groups {
		for _, service := range g.Services {
			l.every[service], l.group[service] = service, i
			for _, s := range l.standings(service) {
				s.States[status.Unknown]++
				s.Partial = s.Partial || watchesRegions(o.Board.Services()[service])
			}
		}
	}
	l.editions.Store(&map[look]*edition{})
	l.seen = l.board.Version()
	l.version.Store(1) // "Seen nothing" is 0.
	if before != nil {
		l.epoch, l.signals, l.seen = before.epoch, before.signals, before.seenVersion()
		l.version.Store(before.version.Load() + 1)
		for i := range l.touched {
			l.touched[i] = l.version.Load()
		}
	}
	l.open(look{status.LastHour, lang.Default(), l.board.Location()}) // Drawn for its first visitor.
	return l
}

// run follows the board until ctx ends.
func (l *live) run(ctx context.Context) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	rebuild := time.NewTimer(0)
	defer rebuild.Stop()
	var (
		version, sub = l.board.Subscribe()
		minute       = l.now().Truncate(time.Minute)
		next         time.Time // Not before then are pages rebuilt.
		waiting      bool
	)
	defer func() { sub.Close() }()
	// What happened before the subscription.
	l.publishSignals(version, l.board.Between(l.seenVersion(), version, math.MaxInt))
	l.render(nil, true)
	for {
		changed := false
		select {
		case <-ctx.Done():
			return
		case c, ok := <-sub.C:
			if !ok { // We lagged: take the board as it is.
				version, sub = l.board.Subscribe()
				l.publishSignals(version, l.board.Between(l.seenVersion(), version, math.MaxInt))
				changed = l.render(nil, true)
				break
			}
			changes := l.collect(ctx, c, sub.C)
			dirty := make(map[int]bool)
			var signals []board.Signal
			for _, c := range changes {
				for _, s := range c.Signals {
					dirty[int(s.Service)] = true
				}
				signals = append(signals, c.Signals...)
			}
			l.publishSignals(changes[len(changes)-1].Version, signals)
			changed = l.render(dirty, false)
		case <-second.C:
			now := l.now()
			if m := now.Truncate(time.Minute); !m.Equal(minute) {
				minute, changed = m, l.render(nil, true)
				l.shelve()
			} else {
				changed = l.render(l.overdue(now), false)
			}
		case <-rebuild.C:
			waiting = false
			next = l.rebuildVisited()
		}
		if changed && !waiting {
			waiting = true
			rebuild.Reset(max(0, time.Until(next)))
		}
	}
}

// collect waits a moment for changes that come together with the first.
func (l *live) collect(ctx context.Context, first board.Change, more <-chan board.Change) []board.Change {
	changes := []board.Change{first}
	timer := time.NewTimer(coalesce)
	defer timer.Stop()
	for {
		select {
		case c, ok := <-more:
			if !ok {
				return changes
			}
			changes = append(changes, c)
		case <-timer.C:
			return changes
		case <-ctx.Done():
			return changes
		}
	}
}

// overdue lists the services whose state has changed by the passing of time alone.
func (l *live) overdue(now time.Time) map[int]bool {
	var late map[int]bool
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.states {
		if l.board.State(i, now) != l.states[i] {
			if late == nil {
				late = make(map[int]bool)
			}
			late[i] = true
		}
	}
	return late
}

// standings are those that count a service: its group's, and that of all.
func (l *live) standings(service int) [2]*views.Standing {
	return [2]*views.Standing{&l.standing[l.group[service]], &l.all}
}

// set notes the state of a service where it counts; mu must be held.
func (l *live) set(service int, now status.Outcome) {
	for _, s := range l.standings(service) {
		s.States[l.states[service]]--
		s.States[now]++
	}
	l.states[service] = now
}

// render draws the dirty rows (or all) anew in every edition that somebody looks at, and
// publishes what differs from before, one frame an edition. It tells whether a page that is
// visited has changed. An edition that nobody looks at is drawn when somebody does. What it takes
// grows with the rows that are dirty, not with those there are.
func (l *live) render(dirty map[int]bool, all bool) (changed bool) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	version := l.version.Load() + 1
	services := l.every
	if !all {
		services = slices.Sorted(maps.Keys(dirty))
	}
	some := all || len(services) > 0
	if some {
		for _, i := range services {
			l.set(i, l.board.State(i, now))
			l.touched[i] = version
		}
		l.version.Store(version)
	}
	for _, e := range *l.editions.Load() {
		if !e.active() {
			if some {
				e.stale.Store(true)
			}
			continue
		}
		toDraw := services
		if e.stale.Load() {
			toDraw = l.every
		}
		frame := l.draw(e, toDraw, version, now)
		if len(frame) == 0 {
			continue
		}
		l.version.Store(version) // The banner alone may change, by a note.
		e.frames.Publish(sse.Event(l.id(version)+e.digest(), "", frame))
		changed = changed || e.visitedLately()
	}
	l.renderDetails(dirty, all, version, now)
	return changed
}

// bytes renders a component. Writing to memory cannot fail, and our components return no
// errors of their own; should one do so all the same, the log says it.
func (l *live) bytes(c templ.Component) []byte {
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		l.log.Error("render", "error", err)
	}
	return b.Bytes()
}

// drawn is a component that was rendered before.
func drawn(html []byte) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := w.Write(html)
		return err
	})
}
