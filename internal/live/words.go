package live

import (
	"bytes"
	"statuspage/internal/board"
	"statuspage/internal/incident"
	"statuspage/internal/page"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"time"

	"github.com/a-h/templ"
)

const (
	// wordParts are what goes on, what is planned, and what was said last.
	wordParts = len(views.WordIDs)
	// saidReach is how far back something is the last that was said: who comes later reads it as past.
	saidReach = 24 * time.Hour
)

// reword draws what people have written, or time has changed, since the last look; it tells whether a page that is visited
// has changed.
func (l *Live) reword() bool {
	l.mu.Lock()
	same := l.words.At(l.now()) == l.outlook
	l.mu.Unlock()
	return !same && l.render(nil, false)
}

// alsoDirty adds to the dirty rows those of which another outlook says something else; mu must be held.
func (l *Live) alsoDirty(dirty map[int]bool, next *incident.Outlook) map[int]bool {
	if dirty == nil {
		dirty = map[int]bool{}
	}
	for _, id := range l.outlook.Differ(next) {
		if i, is := l.at[id]; is {
			dirty[i] = true
		}
	}
	return dirty
}

func saidOf(service string, words *incident.Outlook) declared {
	return declared{worse: words.State(service) > incident.UnderMaintenance, maintained: words.Maintained(service)}
}

// state is the outcome that the page gives a service: what was measured, or what is declared, if that is worse.
func (p *painter) state(svc *board.Service, words *incident.Outlook, now time.Time) status.Outcome {
	return incident.Overall(svc.State(now), words.State(svc.ID))
}

// wordOf is a state of a service as the style sheet and icons have it.
func (p *painter) wordOf(svc *board.Service, state status.Outcome, now time.Time) string {
	one := views.Standing{}
	one.States[state]++
	one.Maintenance = count(p.said.At(now).Maintained(svc.ID))
	return one.Word()
}

// declare adds to a row what people say of its service.
func (p *painter) declare(r views.Row, from board.Row, k page.Preferences, now time.Time) views.Row {
	words := p.said.At(now)
	r.Declare(from.State, words.State(from.Service.ID), words.Maintained(from.Service.ID), k.Lang)
	if masks := words.Masks(from.Service.ID); len(masks) > 0 {
		r.Mask(from.Cells, masks, k.Lang)
	}
	return r
}

// words draws what stands above the grid, in the order of views.WordIDs.
func (p *painter) words(o *incident.Outlook, k page.Preferences, now time.Time) [wordParts]templ.Component {
	head, to := views.Head{Lang: k.Lang, Site: p.page.Dress}, p.page.Local(k)
	v := views.BuildIncidents(o.All, p.inWords(now), to)
	return [wordParts]templ.Component{views.GoingList(head, v), views.PlannedView(head, v), p.lastSaid(o, now, nil, k)}
}

// lastSaid is what screen readers are told: the newest words alone, once.
func (p *painter) lastSaid(o *incident.Outlook, now time.Time, of func(*incident.Incident) bool, k page.Preferences) templ.Component {
	newest, is := o.Newest(now.Add(-saidReach), of)
	if !is {
		return views.SaidView("")
	}
	return views.SaidView(views.SaidText(newest, k.Lang))
}

func (p *painter) inWords(now time.Time) views.IncidentInput {
	return views.IncidentInput{Now: now, Services: func(id string) (string, bool) {
		if svc, is := p.board.Find(id); is {
			return svc.Name, true
		}
		return "", false
	}}
}

// wordsOf names the page of an incident in one way to see it.
type wordsOf struct {
	incident string
	prefers  page.Preferences
}

// told is the stream of one incident's page, there while somebody watches.
type told struct {
	frames *sse.Stream
	last   []byte // The frame that was sent last.
}

// Outlook is what people say at this moment.
func (l *Live) Outlook() *incident.Outlook { return l.words.At(l.now()) }

// Naming is how incidents name the services of the page.
func (l *Live) Naming() views.IncidentInput { return l.paint.inWords(l.now()) }

// Incident finds what visitors may see of one.
func (l *Live) Incident(id string) (*incident.Incident, bool) {
	i, is := l.Outlook().Incident(id)
	return i, is && i.Public(l.now())
}

// IncidentPage is the page of an incident, kept fresh by a stream of its own.
func (l *Live) IncidentPage(i *incident.Incident, k page.Preferences) (views.Head, views.IncidentView) {
	now, version := l.now(), l.Version()
	v := views.BuildIncidentView(i, l.paint.inWords(now), l.page.Local(k))
	head := l.page.Head(k, incident.Path(i.ID), v.Title+" · "+l.page.Title)
	head.Description = v.Title + ": " + v.Phase + "."
	head.Feeds = l.page.Feeds(k, nil)
	keepFresh(&head, v.State)
	v.Said = l.paint.lastSaid(l.Outlook(), now, only(i.ID), k)
	v.Stream = l.page.Base.At("/events?incident="+i.ID) + "&" + k.Query() + "&since=" + l.names.id(version)
	return head, v
}

func only(id string) func(*incident.Incident) bool {
	return func(i *incident.Incident) bool { return i.ID == id }
}

// wordsFrame draws everything that is live on an incident's page; nil when it is not to be seen any more.
func (l *Live) wordsFrame(of wordsOf, now time.Time) []byte {
	i, is := l.outlook.Incident(of.incident)
	if !is || !i.Public(now) {
		return nil
	}
	var frame bytes.Buffer
	head := views.Head{Lang: of.prefers.Lang, Site: l.page.Dress}
	v := views.BuildIncidentView(i, l.paint.inWords(now), l.page.Local(of.prefers))
	frame.Write(l.paint.bytes(views.Partial(views.IncidentTitleID, views.IncidentTitle(v))))
	frame.Write(l.paint.bytes(views.Partial(v.DOMID, views.IncidentDetail(head, v))))
	frame.Write(l.paint.bytes(views.Partial(views.SaidID, l.paint.lastSaid(l.outlook, now, only(i.ID), of.prefers))))
	return frame.Bytes()
}

// renderWords sends the pages of incidents that have changed to those who watch them; mu must be held.
func (l *Live) renderWords(version uint64, now time.Time) {
	for of, t := range l.telling {
		if t.frames.Len() == 0 {
			delete(l.telling, of)
			continue
		}
		frame := l.wordsFrame(of, now)
		switch {
		case frame == nil: // It was removed: the page that is loaded anew says so.
			t.frames.Publish(renewal)
		case !bytes.Equal(frame, t.last):
			t.frames.Publish(sse.Event(l.names.id(version), "", frame))
		}
		t.last = frame
	}
}

// WatchIncident is Watch for an incident's own page.
func (l *Live) WatchIncident(id string, k page.Preferences, since string, g sse.Guest) (catchUp *sse.Events, viewer sse.Joining) {
	l.mu.Lock()
	defer l.mu.Unlock()
	of := wordsOf{id, k}
	t, there := l.telling[of]
	if !there {
		t = &told{frames: l.broker.Stream(streamBacklog)}
		l.telling[of] = t
	}
	switch seen, foreign := l.names.parse(since); {
	case foreign || l.next != nil:
		catchUp = sse.NewEvents(renewal)
	case l.worded > seen.version || seen.digest != "":
		if frame := l.wordsFrame(of, l.now()); frame != nil {
			catchUp = sse.NewEvents(sse.Event(l.names.id(l.version.Load()), "", frame))
		}
	}
	return catchUp, t.frames.Join(g)
}
