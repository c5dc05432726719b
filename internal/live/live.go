// Package live turns changes of the board into bytes, once each, and hands the same bytes to all readers: frames and
// pages in every variant that somebody looks at, records for /signals/stream. Snapshot and subscription are one
// step under one lock, so that nothing falls between what a page shows and what its stream brings.
package live

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"statuspage/internal/board"
	"statuspage/internal/incident"
	"statuspage/internal/page"
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
	// streamBacklog is how many frames a viewer may lag behind before it is dropped.
	streamBacklog = 16
)

// Options are what a Live needs; all of them.
type Options struct {
	Board  *board.Board
	Page   *page.Page
	Note   func() views.Note // What the page has to say of the product's own state.
	Now    func() time.Time
	Log    *slog.Logger
	Broker *sse.Broker
	Words  *incident.Lookout // What people say.
}

// Live follows the board of one configuration. It is safe for concurrent use.
//
// What is guarded by mu moves together: the version, what every variant shows at it, what the services' states
// come to, and who is subscribed. A place of a part never changes in the life of a Live: the banner's is 0, the
// services' follow in the order of the board, then the headings.
type Live struct {
	board  *board.Board
	page   *page.Page
	note   func() views.Note
	now    func() time.Time
	log    *slog.Logger
	broker *sse.Broker
	words  *incident.Lookout
	names  names
	paint  painter

	services []*board.Service
	at       map[string]int // Of each service, its index in services.
	every    []int          // All of these.
	group    []int          // Of each service.
	records  *Records

	version  atomic.Uint64 // Of the newest change that was drawn; written under mu.
	mu       sync.Mutex
	variants variants
	details  map[detailOf]*detail
	telling  map[wordsOf]*told
	outlook  *incident.Outlook // As it was drawn last.
	worded   uint64            // The version that last changed it.
	tally    tally
	touched  []uint64 // By service, the version that last changed its row.
	next     *Live    // What took this one's place.

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// New begins to follow the board, until Halt. It goes on where the one before stands, which has been halted; nil at
// first.
func New(o Options, before *Live) (*Live, error) {
	if o.Board == nil || o.Page == nil || o.Note == nil || o.Now == nil || o.Log == nil || o.Broker == nil || o.Words == nil {
		return nil, fmt.Errorf("live: all options are needed: %w", status.ErrInvalid)
	}
	services := o.Board.Services()
	n := len(services)
	l := &Live{
		board: o.Board, page: o.Page, note: o.Note, now: o.Now, log: o.Log, broker: o.Broker, words: o.Words,
		names:    newNames(o.Page.Layout),
		paint:    painter{o.Page, o.Log, o.Words, o.Board},
		outlook:  o.Words.At(o.Now()),
		services: services,
		at:       make(map[string]int, n),
		every:    make([]int, n),
		group:    make([]int, n),
		details:  make(map[detailOf]*detail),
		telling:  make(map[wordsOf]*told),
		touched:  make([]uint64, n),
	}
	for i, svc := range services {
		l.at[svc.ID], l.every[i] = i, i
	}
	for g, group := range o.Page.Groups {
		for _, id := range group.Services {
			l.group[l.at[id]] = g
		}
	}
	l.tally = newTally(services, l.group, len(o.Page.Groups))
	l.variants = variants{page: o.Page, broker: o.Broker, services: n}
	l.variants.clear()
	l.version.Store(1) // "Seen nothing" is 0.
	if before == nil {
		l.records = newRecords(o.Board, o.Broker, l.names.epoch, o.Log)
	} else {
		l.names.epoch, l.records = before.names.epoch, before.records
		l.records.follow(o.Board)
		l.version.Store(before.version.Load() + 1)
		for i := range l.touched {
			l.touched[i] = l.version.Load()
		}
	}
	l.variants.open(o.Page.Usual(lang.Default())) // Drawn for its first visitor.
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.running.Go(func() { l.run(ctx) })
	return l, nil
}

// Halt ends what follows the board; what was made can be asked for still.
func (l *Live) Halt() {
	l.cancel()
	l.running.Wait()
}

// renewal tells a browser to load its page anew: it has other services, or another dress, than
// the rows that come from now on. An event without data would not be heard.
var renewal = sse.Event("", "renew", []byte("page"))

// Retire makes room for another: whoever watches a page is told to load it anew, and what
// was drawn is let go.
func (l *Live) Retire(next *Live) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = next
	for _, e := range l.variants.all() {
		e.frames.Publish(renewal)
	}
	for _, d := range l.details {
		d.frames.Publish(renewal)
	}
	for _, t := range l.telling {
		t.frames.Publish(renewal)
	}
	l.variants.clear()
	clear(l.details)
	clear(l.telling)
}

// Version is the number of the newest change that was drawn.
func (l *Live) Version() uint64 { return l.version.Load() }

// Records are the signals as they come.
func (l *Live) Records() *Records { return l.records }

// run follows the board until ctx ends.
func (l *Live) run(ctx context.Context) {
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
	written := make(chan struct{}, 1)
	defer l.words.Watch(func() {
		select {
		case written <- struct{}{}:
		default: // It will be looked at.
		}
	})()
	// What happened before the subscription.
	l.records.catchUp(version)
	l.render(nil, true)
	for {
		changed := false
		select {
		case <-ctx.Done():
			return
		case c, ok := <-sub.C:
			if !ok { // We lagged: take the board as it is.
				version, sub = l.board.Subscribe()
				l.records.catchUp(version)
				changed = l.render(nil, true)
				break
			}
			changes := l.collect(ctx, c, sub.C)
			dirty := make(map[int]bool)
			var signals []board.Signal
			for _, c := range changes {
				for _, s := range c.Signals {
					dirty[l.at[s.Service.ID]] = true
				}
				for _, t := range c.Transitions {
					dirty[l.at[t.Service.ID]] = true
				}
				signals = append(signals, c.Signals...)
			}
			l.records.publish(changes[len(changes)-1].Version, signals)
			changed = l.render(dirty, false)
		case <-second.C:
			now := l.now()
			if m := now.Truncate(time.Minute); !m.Equal(minute) {
				minute, changed = m, l.render(nil, true)
				l.mu.Lock()
				l.variants.shelve()
				l.mu.Unlock()
			} else {
				l.board.Elapse(now) // What it finds comes as a change.
				changed = l.reword()
			}
		case <-written:
			changed = l.reword()
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
func (l *Live) collect(ctx context.Context, first board.Change, more <-chan board.Change) []board.Change {
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

// render draws the dirty rows (or all) anew in every variant that somebody looks at, and
// publishes what differs from before, one frame a variant. It tells whether a page that is
// visited has changed. A variant that nobody looks at is drawn when somebody does. What it takes
// grows with the rows that are dirty, not with those there are.
func (l *Live) render(dirty map[int]bool, all bool) (changed bool) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	version := l.version.Load() + 1
	words := l.words.At(now)
	reworded := words != l.outlook
	if reworded {
		dirty = l.alsoDirty(dirty, words)
		l.outlook, l.worded = words, version
	}
	services := l.every
	if !all {
		services = slices.Sorted(maps.Keys(dirty))
	}
	some := all || reworded || len(services) > 0
	if some {
		for _, i := range services {
			at := l.services[i].Standing(now)
			l.tally.set(i, l.paint.state(l.services[i], words, now), saidOf(l.services[i].ID, words))
			l.tally.ended(at.Outage)
			l.touched[i] = version
		}
		l.version.Store(version)
	}
	for _, e := range l.variants.all() {
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
		e.frames.Publish(sse.Event(l.names.id(version)+e.digest(), "", frame))
		changed = changed || e.visitedLately()
	}
	l.renderDetails(dirty, all, version, now)
	if reworded {
		l.renderWords(version, now)
	}
	return changed
}

// drawn is a component that was rendered before.
func drawn(html []byte) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, err := w.Write(html)
		return err
	})
}
