package live

import (
	"bytes"
	"maps"
	"slices"
	"statuspage/internal/figures"
	"statuspage/views"
	"time"

	"github.com/a-h/templ"
)

// draw draws the rows of services, their headings and the banner of a variant, and returns
// what changed as the partials of a frame; mu must be held.
func (l *Live) draw(e *Variant, services []int, version uint64, now time.Time) []byte {
	var frame bytes.Buffer
	put := func(place int, id string, c templ.Component) {
		if html := l.paint.bytes(c); e.put(place, html, version) {
			frame.Write(l.paint.bytes(views.Partial(id, drawn(html))))
		}
	}
	groups := make(map[int]bool)
	for _, i := range services {
		groups[l.group[i]] = true
		put(1+i, views.DOMID(l.services[i].ID), l.paint.row(l.services[i], e.prefers, now))
	}
	for _, i := range slices.Sorted(maps.Keys(groups)) {
		if g, s := l.page.Groups[i], l.tally.standing[i]; g.Name != "" {
			put(1+len(e.rows)+i, views.GroupDOMID(g.ID), views.GroupState(g.ID, s.Word(), views.GroupText(e.prefers.Lang, s)))
		}
	}
	if e.said != l.outlook {
		e.said = l.outlook
		for n, c := range l.paint.words(l.outlook, e.prefers, now) {
			put(e.firstWords()+n, views.WordIDs[n], c)
		}
	}
	news := figures.News(l.services, l.tally.states, l.tally.all, now)
	news.Quiet = l.tally.quiet()
	put(0, "banner", views.BannerView(views.BuildBanner(l.page.Title, l.tally.all, l.board.Newest(), l.note(), news, l.page.Local(e.prefers))))
	if frame.Len() > 0 {
		e.version.Store(version)
	}
	e.drawn = true
	e.stale.Store(false)
	return frame.Bytes()
}
