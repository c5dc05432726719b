package live

import (
	"statuspage/internal/page"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"statuspage/views"
	"strings"
	"time"
)

const (
	// filterFrom is the number of services above which the page offers a search.
	filterFrom = 20
	// KioskView is the value of the parameter view for a page without controls.
	KioskView = "tv"
	// RefreshSeconds is how often a page without JavaScript asks again, or one that no stream reaches.
	RefreshSeconds = 30
	beatSeconds    = int(sse.Heartbeat / time.Second)
)

// Composition says how the page is put together from a variant.
type Composition struct {
	Stream bool // It is kept fresh.
	Kiosk  bool
	Query  string // Only services whose name, group or address has it in it, in letters of any size.
	State  string // Only services in this state; empty for all.
}

// Plain tells whether the page is what all see.
func (p Composition) Plain() bool { return !p.Kiosk && p.Query == "" && p.State == "" }

// Compose draws the page from the parts of a variant as they stand, and tells their version.
func (l *Live) Compose(e *Variant, p Composition) (html []byte, version uint64) {
	l.mu.Lock()
	rows := append([]part(nil), e.rows...)
	heads := append([]part(nil), e.heads...)
	states := append([]status.Outcome(nil), l.tally.states...)
	words := e.words
	banner, all, version, digest := e.banner, l.tally.all, e.version.Load(), e.digest()
	l.mu.Unlock()

	k := e.prefers
	keep := []views.Pair{{Name: "q", Value: p.Query}, {Name: "state", Value: p.State}}
	if p.Kiosk {
		keep = append(keep, views.Pair{Name: "view", Value: KioskView})
	}
	b := views.Board{
		Banner: drawn(banner.html), Partial: all.Partial, Window: k.Window.Name, Look: k.Query(), Cells: k.Window.Cells, Windows: l.page.Windows(k, "/", keep...),
	}
	if p.Stream {
		b.Stream = l.page.Base.At("/events?") + k.Query() + "&since=" + l.names.id(version) + digest
	}
	found := 0
	for i, g := range l.page.Groups {
		view := views.Group{ID: g.ID, Name: g.Name, Description: g.Description, State: drawn(heads[i].html)}
		for _, id := range g.Services {
			if n := l.at[id]; p.shows(l.services[n].Service, states[n]) {
				view.Rows = append(view.Rows, drawn(rows[n].html))
			}
		}
		if found += len(view.Rows); len(view.Rows) > 0 {
			b.Groups = append(b.Groups, view)
		}
	}
	if len(rows) > filterFrom {
		b.Filter = p.filter(k, found)
	}
	if found == 0 && len(rows) > 0 {
		b.Nothing = k.Lang.T("filter.none")
	}
	headline := views.Headline(k.Lang, all)
	head := l.page.Head(k, "/", headline+" · "+l.page.Title, append([]views.Pair{k.WindowPair()}, keep...)...)
	head.Description = headline + ". " + head.Description
	head.Kiosk, head.Feeds = p.Kiosk, l.page.Feeds(k, nil)
	keepFresh(&head, all.Word())
	b.Words = views.WordsView(head, drawn(words[0].html), drawn(words[1].html), drawn(words[2].html))
	return l.paint.bytes(views.Page(head, b)), version
}

// keepFresh says in the head of a page in which state its subject is, and how the page stays true.
func keepFresh(head *views.Head, state string) {
	head.State, head.Refresh, head.Beat, head.Scripts, head.Live = state, RefreshSeconds, beatSeconds, true, true
}

// KeepFresh makes a page ask for itself now and then, which has no stream; id detail is what of it is put in place.
func KeepFresh(head *views.Head) {
	keepFresh(head, status.Unknown.String())
	head.Plain = true
}

// shows tells whether a service passes the filter.
func (p Composition) shows(s status.Service, state status.Outcome) bool {
	if p.State != "" && state.String() != p.State {
		return false
	}
	q := strings.ToLower(p.Query)
	for _, text := range []string{s.Name, s.Group, s.PublicURL()} {
		if strings.Contains(strings.ToLower(text), q) {
			return true
		}
	}
	return false
}

func (p Composition) filter(k page.Preferences, found int) *views.Filter {
	f := &views.Filter{Query: p.Query, State: p.State, Found: k.Lang.T("filter.found", found)}
	f.States = append(f.States, views.Choice{Text: k.Lang.T("filter.any"), Current: p.State == ""})
	for _, o := range []status.Outcome{status.Down, status.Degraded, status.Unknown, status.Up} {
		f.States = append(f.States, views.Choice{Text: k.Lang.T("state." + o.String()), Code: o.String(), Current: p.State == o.String()})
	}
	return f
}
