package handlers

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"statuspage/internal/board"
	"statuspage/internal/hub"
	"statuspage/internal/status"
	"statuspage/views"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/a-h/templ"
)

const (
	// coalesce is how long a change waits for others, so that a burst is one frame.
	coalesce = 40 * time.Millisecond
	// pageEvery is the least time between two rebuilds of the page; a frame never waits for it.
	pageEvery = 200 * time.Millisecond
	// pageShare keeps rebuilding a huge page from taking more than a tenth of the time.
	pageShare = 10
	// pageOldest bounds how old a page may be all the same.
	pageOldest = time.Second
	// pageAttention is for how long after a visit the page is kept fresh in advance.
	pageAttention = 10 * time.Second
	// streamBacklog is how many frames a viewer may lag behind before it is dropped.
	streamBacklog = 16
	// detailSamples is how many signals a service's own page lists.
	detailSamples = 30
)

// live turns changes of the board into bytes, once each, and hands the same bytes to all
// readers: rows and banner for the stream, the whole page, records for /signals/stream.
type live struct {
	board *board.Board
	now   func() time.Time
	log   *slog.Logger
	site  Site
	note  func() string
	epoch string // Of this process: versions of another one mean nothing here.

	frames  hub.Hub[[]byte]   // For the page.
	details []hub.Hub[[]byte] // For the services' own pages, by service.
	signals hub.Hub[[]byte]   // For /signals/stream.

	page     atomic.Pointer[ready]
	version  atomic.Uint64 // Of the newest frame; written under mu.
	visited  atomic.Int64  // Unix nanoseconds of the newest request for the page.
	building sync.Mutex    // One rebuild at a time.

	mu     sync.Mutex // Rows, banner and the subscriptions move together.
	rows   []renderedRow
	banner renderedRow
	seen   uint64 // Board version up to which signals are published.
}

// renderedRow is what a target of the stream last looked like.
type renderedRow struct {
	html    []byte
	version uint64 // Of the frame that brought it.
	state   status.Outcome
}

// ready is a page with the version that it shows.
type ready struct {
	entity
	version uint64
	built   time.Time
}

func newLive(o Options) *live {
	l := &live{
		board:   o.Board,
		now:     o.Now,
		log:     o.Log,
		site:    o.Site,
		note:    o.Note,
		epoch:   strconv.FormatInt(o.Now().UnixMilli(), 36),
		details: make([]hub.Hub[[]byte], len(o.Board.Services())),
		rows:    make([]renderedRow, len(o.Board.Services())),
	}
	l.seen = l.board.Version()
	l.render(nil, true)
	l.rebuild()
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
		next         time.Time // Not before then is the page rebuilt.
		waiting      bool
	)
	defer func() { sub.Close() }()
	l.mu.Lock()
	l.seen = max(l.seen, version)
	l.mu.Unlock()
	l.render(nil, true) // What happened between newLive and the subscription.
	for {
		changed := false
		select {
		case <-ctx.Done():
			return
		case c, ok := <-sub.C:
			if !ok { // We lagged: take the board as it is.
				version, sub = l.board.Subscribe()
				l.publishSignals(version, l.board.Between(l.seenVersion(), version))
				changed = l.render(nil, true)
				break
			}
			changes := l.collect(ctx, c, sub.C)
			dirty := make(map[int]bool)
			var signals []board.Signal
			for _, c := range changes {
				for _, s := range c.Signals {
					dirty[s.Service] = true
				}
				signals = append(signals, c.Signals...)
			}
			l.publishSignals(changes[len(changes)-1].Version, signals)
			changed = l.render(dirty, false)
		case <-second.C:
			now := l.now()
			if m := now.Truncate(time.Minute); !m.Equal(minute) {
				minute, changed = m, l.render(nil, true)
			} else {
				changed = l.render(l.overdue(now), false)
			}
		case <-rebuild.C:
			waiting = false
			next = l.rebuild()
		}
		if changed && !waiting && time.Since(time.Unix(0, l.visited.Load())) < pageAttention {
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
	for i := range l.rows {
		if l.board.State(i, now) != l.rows[i].state {
			if late == nil {
				late = make(map[int]bool)
			}
			late[i] = true
		}
	}
	return late
}

// render draws the dirty rows (or all) and the banner anew, and publishes what differs
// from before in one frame. It tells whether anything did.
func (l *live) render(dirty map[int]bool, all bool) bool {
	now := l.now()
	services := l.board.Services()
	l.mu.Lock()
	defer l.mu.Unlock()
	version := l.version.Load() + 1
	var frame bytes.Buffer
	for i := range services {
		if !all && !dirty[i] {
			continue
		}
		row := l.board.Row(i, status.LastHour, l.board.Location(), now)
		html := l.draw(views.RowView(views.BuildRow(views.RowInput(row), l.board.Location())))
		if bytes.Equal(html, l.rows[i].html) {
			continue
		}
		l.rows[i] = renderedRow{html: html, version: version, state: row.State}
		part := l.draw(views.Partial(views.DOMID(services[i].ID), drawn(html)))
		frame.Write(part)
		if l.details[i].Len() > 0 {
			part = append(part, l.draw(views.Partial("detail", views.Detail(l.detail(i, now))))...)
			l.details[i].Publish(sseFrame(l.id(version), "", part))
		}
	}
	states := make([]status.Outcome, len(l.rows))
	for i := range l.rows {
		states[i] = l.rows[i].state
	}
	banner := views.BuildBanner(l.site.Title, states, l.board.Newest(), l.note(), l.board.Location())
	if html := l.draw(views.BannerView(banner)); !bytes.Equal(html, l.banner.html) {
		l.banner = renderedRow{html: html, version: version}
		frame.Write(l.draw(views.Partial("banner", drawn(html))))
	}
	if frame.Len() == 0 {
		return false
	}
	l.version.Store(version)
	l.frames.Publish(sseFrame(l.id(version), "", frame.Bytes()))
	return true
}

// current is the page for a visitor, at most pageOldest behind. While visitors come, the
// page is made in advance; the first after a lull waits for it to be made.
func (l *live) current() *ready {
	l.visited.Store(time.Now().UnixNano())
	if p := l.page.Load(); l.isFresh(p) {
		return p
	}
	l.building.Lock()
	defer l.building.Unlock()
	if !l.isFresh(l.page.Load()) { // Else somebody has made it meanwhile.
		l.build()
	}
	return l.page.Load()
}

func (l *live) isFresh(p *ready) bool {
	return p.version == l.version.Load() || time.Since(p.built) < pageOldest
}

// rebuild makes the page in advance, and returns the instant before which that should not
// be done again.
func (l *live) rebuild() (next time.Time) {
	l.building.Lock()
	defer l.building.Unlock()
	start := time.Now()
	l.build()
	return time.Now().Add(max(pageEvery, min(time.Since(start)*pageShare, pageOldest)))
}

// build puts the page together from the rows as they stand; building must be held.
func (l *live) build() {
	built := time.Now()
	l.mu.Lock()
	rows := append([]renderedRow(nil), l.rows...)
	banner, version := l.banner, l.version.Load()
	l.mu.Unlock()
	states := make([]status.Outcome, len(rows))
	for i := range rows {
		states[i] = rows[i].state
	}
	b := views.BuildBanner(l.site.Title, states, l.board.Newest(), "", l.board.Location())
	head := views.Head{
		Title: b.Title, SiteName: l.site.Title, Demo: l.site.Demo,
		Refresh: refreshSeconds, Stream: "/events?since=" + l.id(version),
	}
	p := newReady(l.draw(views.Page(head, drawn(banner.html), l.groups(rows))), l.id(version))
	p.version, p.built = version, built
	l.page.Store(p)
}

// groups puts the rows below their headings, in the order in which the operator named them.
func (l *live) groups(rows []renderedRow) []views.Group {
	var groups []views.Group
	at := map[string]int{}
	for i, s := range l.board.Services() {
		g, known := at[s.Group]
		if !known {
			g = len(groups)
			at[s.Group] = g
			groups = append(groups, views.Group{ID: "g" + strconv.Itoa(g), Name: s.Group})
		}
		groups[g].Rows = append(groups[g].Rows, drawn(rows[i].html))
	}
	return groups
}

// watch returns what a viewer who has seen version since lacks, and the frames after that.
// Snapshot and subscription are one step, so that nothing falls between them.
func (l *live) watch(since string) (catchUp []byte, sub *hub.Subscription[[]byte]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := l.parse(since)
	var missed []byte
	for i, s := range l.board.Services() {
		if l.rows[i].version > seen {
			missed = append(missed, l.draw(views.Partial(views.DOMID(s.ID), drawn(l.rows[i].html)))...)
		}
	}
	if l.banner.version > seen {
		missed = append(missed, l.draw(views.Partial("banner", drawn(l.banner.html)))...)
	}
	if missed != nil {
		catchUp = sseFrame(l.id(l.version.Load()), "", missed)
	}
	return catchUp, l.frames.Subscribe(streamBacklog)
}

// watchService is watch for a service's own page.
func (l *live) watchService(service int, since string) (catchUp []byte, sub *hub.Subscription[[]byte]) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rows[service].version > l.parse(since) {
		missed := l.draw(views.Partial(views.DOMID(l.board.Services()[service].ID), drawn(l.rows[service].html)))
		missed = append(missed, l.draw(views.Partial("detail", views.Detail(l.detail(service, l.now()))))...)
		catchUp = sseFrame(l.id(l.version.Load()), "", missed)
	}
	return catchUp, l.details[service].Subscribe(streamBacklog)
}

func (l *live) detail(service int, now time.Time) views.ServiceDetail {
	s := l.board.Services()[service]
	d := views.ServiceDetail{
		ID: s.ID, Name: s.Name, URL: s.PublicURL(),
		Every:   "every " + shortDuration(s.Interval),
		Samples: views.BuildSamples(l.board.Recent(service, detailSamples), l.board.Location()),
	}
	d.Markdown, d.HTML = badgeSnippets(l.site.BaseURL, s)
	for _, p := range status.Periods {
		d.Uptimes = append(d.Uptimes, views.BuildUptime(p.Name, l.board.Uptime(service, p.Length, now)))
	}
	return d
}

// id is the name of a version in event ids, stream addresses and entity tags.
func (l *live) id(version uint64) string { return l.epoch + "-" + strconv.FormatUint(version, 10) }

// parse reads an id; anything but a version of this process means "seen nothing".
func (l *live) parse(id string) uint64 {
	epoch, n, _ := strings.Cut(id, "-")
	version, err := strconv.ParseUint(n, 10, 64)
	if epoch != l.epoch || err != nil {
		return 0
	}
	return version
}

// draw renders a component to bytes. Writing to memory cannot fail, and our components
// return no errors of their own; should one do so all the same, the log says it.
func (l *live) draw(c templ.Component) []byte {
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

// newReady makes an entity of a page, which is always worth compressing, with its version
// as the tag.
func newReady(body []byte, tag string) *ready {
	return &ready{entity: entity{body: body, gzip: compress(body), etag: tag}}
}

// shortDuration writes an interval as people do: 30 s, 5 min, 1h30m.
func shortDuration(d time.Duration) string {
	switch {
	case d < time.Minute || d%time.Minute != 0 && d < time.Hour:
		return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + " s"
	case d < time.Hour:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func badgeSnippets(base string, s status.Service) (markdown, html string) {
	page, image := base+views.ServicePath(s.ID), base+"/badge/"+s.ID+".svg"
	name := strings.NewReplacer("[", "(", "]", ")", "<", "", ">", "", `"`, "", "&", "and").Replace(s.Name)
	return fmt.Sprintf("[![%s](%s)](%s)", name, image, page),
		fmt.Sprintf(`<a href="%s"><img src="%s" alt="%s" height="20"></a>`, page, image, name)
}
