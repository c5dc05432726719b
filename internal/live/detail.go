package live

import (
	"statuspage/internal/board"
	"statuspage/internal/page"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"time"

	"github.com/a-h/templ"
)

// detailOf names the page of a service, or of one of its outages, in one way to see it.
type detailOf struct {
	service string
	outage  string // Its id; empty for the page of the service.
	prefers page.Preferences
}

// detail is the stream of one service's page, there while somebody watches.
type detail struct {
	service *board.Service
	frames  *sse.Stream
}

// ServicePage begins the page of one service: what of it is kept fresh, and by which stream. The caller fills in the rest.
func (l *Live) ServicePage(svc *board.Service, k page.Preferences, keep ...views.Pair) (views.Head, views.ServiceView) {
	now, version := l.now(), l.Version()
	head := l.page.ServiceHead(k, svc.Service, append([]views.Pair{k.WindowPair()}, keep...)...)
	state := l.paint.state(svc, l.words.At(now), now)
	head.Title = l.paint.serviceTitle(svc, k, state)
	keepFresh(&head, l.paint.wordOf(svc, state, now))
	return head, views.ServiceView{
		Partial: len(svc.Regions) > 0,
		ID:      svc.ID, Name: svc.Name, URL: svc.PublicURL(), About: k.Lang.T("every", k.Lang.Duration(svc.Interval)),
		Window: k.Window.Name, Cells: k.Window.Cells,
		Row:    l.paint.openRow(svc, k, now),
		Detail: views.DetailView(head, l.paint.detail(svc, k, now)),
		Stream: l.page.Base.At("/events?service="+svc.ID) + "&" + k.Query() + "&since=" + l.names.id(version),
	}
}

// Cells is the row of a service with each cell as a link.
func (l *Live) Cells(svc *board.Service, k page.Preferences) templ.Component {
	return l.paint.openRow(svc, k, l.now())
}

// renderDetails sends the pages of the dirty services (or all) to those who watch them; mu
// must be held.
func (l *Live) renderDetails(dirty map[int]bool, all bool, version uint64, now time.Time) {
	for of, d := range l.details {
		if d.frames.Len() == 0 {
			delete(l.details, of)
			continue
		}
		if all || dirty[l.at[of.service]] {
			d.frames.Publish(sse.Event(l.names.id(version), "", l.frameOf(of, d.service, now)))
		}
	}
}

// frameOf draws what is live on the page of a service or of an outage.
func (l *Live) frameOf(of detailOf, svc *board.Service, now time.Time) []byte {
	if of.outage == "" {
		return l.paint.detailFrame(svc, of.prefers, now)
	}
	o, known := l.board.Outage(of.outage, now)
	if !known {
		return nil
	}
	return l.paint.bytes(views.Partial("detail", views.OutageDetail(views.Head{Lang: of.prefers.Lang, Site: l.page.Dress}, l.paint.outage(o, of.prefers, now))))
}

// OutagePage is the page of an outage, which is kept fresh while that goes on.
func (l *Live) OutagePage(o board.OutageOf, k page.Preferences) templ.Component {
	now, version := l.now(), l.Version()
	view := l.paint.outage(o, k, now)
	head := l.page.Head(k, views.OutagePath(o.Outage), view.Title)
	head.Description = view.Headline + ": " + view.Reason + "."
	if o.Outage.Ongoing() {
		keepFresh(&head, status.Down.String())
		view.Stream = l.page.Base.At("/events?outage="+o.Outage.ID()) + "&" + k.Query() + "&since=" + l.names.id(version)
	}
	return views.OutagePage(head, view)
}

// WatchOutage is Watch for the page of an outage.
func (l *Live) WatchOutage(o board.OutageOf, k page.Preferences, since string, g sse.Guest) (catchUp *sse.Events, viewer sse.Joining) {
	return l.watchDetail(detailOf{o.Service.ID, o.Outage.ID(), k}, o.Service, since, g)
}

// WatchService is Watch for a service's own page.
func (l *Live) WatchService(svc *board.Service, k page.Preferences, since string, g sse.Guest) (catchUp *sse.Events, viewer sse.Joining) {
	return l.watchDetail(detailOf{svc.ID, "", k}, svc, since, g)
}

func (l *Live) watchDetail(of detailOf, svc *board.Service, since string, g sse.Guest) (catchUp *sse.Events, viewer sse.Joining) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d, there := l.details[of]
	if !there {
		d = &detail{service: svc, frames: l.broker.Stream(streamBacklog)}
		l.details[of] = d
	}
	switch seen, foreign := l.names.parse(since); {
	case foreign || l.next != nil:
		catchUp = sse.NewEvents(renewal)
	case l.touched[l.at[svc.ID]] > seen.version:
		catchUp = sse.NewEvents(sse.Event(l.names.id(l.version.Load()), "", l.frameOf(of, svc, l.now())))
	}
	return catchUp, d.frames.Join(g)
}
