package handlers

import (
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/status"
	"statuspage/views"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

const (
	// filterFrom is the number of services above which the page offers a search.
	filterFrom = 20
	maxQuery   = 100 // Letters of a search.
	kioskView  = "tv"
)

// composition says how the page is put together from an edition.
type composition struct {
	stream bool // It is kept fresh.
	kiosk  bool
	query  string
	state  string // Only services in this state; empty for all.
}

func (p composition) plain() bool { return !p.kiosk && p.query == "" && p.state == "" }

// page answers GET /.
func (s *Server) page(c *fiber.Ctx) error {
	k, err := s.look(c)
	if err != nil {
		return err
	}
	e, shared := s.live.edition(k)
	p := composition{stream: shared, kiosk: c.Query("view") == kioskView, query: strings.TrimSpace(c.Query("q")), state: c.Query("state")}
	switch {
	case len(p.query) > maxQuery:
		return answer.Unprocessable("q must be at most " + strconv.Itoa(maxQuery) + " letters.")
	case p.state != "" && !isState(p.state):
		return answer.Unprocessable("state must be up, degraded, down or unknown.")
	case p.plain() && shared:
		return answer.SendPage(c, &s.live.current(e).Entity)
	}
	key := answer.Key("page", k.key(), p.state, strconv.FormatBool(p.kiosk), strconv.FormatBool(p.stream), p.query)
	made, err := s.pages.Get(s.live.version.Load(), key, func() ([]byte, error) {
		html, _ := s.live.compose(e, p)
		return html, nil
	})
	if err != nil {
		return err
	}
	return answer.SendPage(c, made)
}

func isState(wire string) bool {
	for o := status.Unknown; o <= status.Down; o++ {
		if o.String() == wire {
			return true
		}
	}
	return false
}

// compose draws the page from the parts of an edition as they stand, and tells their version.
func (l *live) compose(e *edition, p composition) (html []byte, version uint64) {
	l.mu.Lock()
	rows := append([]part(nil), e.rows...)
	heads := append([]part(nil), e.heads...)
	states := append([]status.Outcome(nil), l.states...)
	banner, all, version, digest := e.banner, l.all, e.version.Load(), e.digest()
	l.mu.Unlock()

	k := e.look
	keep := []views.Pair{{Name: "q", Value: p.query}, {Name: "state", Value: p.state}}
	if p.kiosk {
		keep = append(keep, views.Pair{Name: "view", Value: kioskView})
	}
	b := views.Board{
		Banner: drawn(banner.html), Partial: all.Partial, Window: k.window.Name, Cells: k.window.Cells, Windows: l.windowChoices(k, "/", keep...),
	}
	if p.stream {
		b.Stream = l.dress.Base.At("/events?") + k.query() + "&since=" + l.id(version) + digest
	}
	found := 0
	for i, g := range l.groups {
		view := views.Group{ID: g.ID, Name: g.Name, Description: g.Description, State: drawn(heads[i].html)}
		for _, n := range g.Services {
			if p.shows(l.board.Services()[n], states[n]) {
				view.Rows = append(view.Rows, drawn(rows[n].html))
			}
		}
		if found += len(view.Rows); len(view.Rows) > 0 {
			b.Groups = append(b.Groups, view)
		}
	}
	if len(rows) > filterFrom {
		b.Filter = l.filter(k, p, found)
	}
	if found == 0 && len(rows) > 0 {
		b.Nothing = k.lang.T("filter.none")
	}
	headline := views.Headline(k.lang, all)
	head := l.head(k, "/", headline+" · "+l.site.Title, append([]views.Pair{windowPair(k)}, keep...)...)
	head.Description = headline + ". " + head.Description
	head.State, head.Refresh, head.Beat, head.Scripts, head.Live, head.Kiosk = all.Worst().String(), refreshSeconds, beatSeconds, true, true, p.kiosk
	head.Feeds = l.pageFeeds(k, nil)
	return l.bytes(views.Page(head, b)), version
}

// shows tells whether a service passes the filter.
func (p composition) shows(s status.Service, state status.Outcome) bool {
	if p.state != "" && state.String() != p.state {
		return false
	}
	q := strings.ToLower(p.query)
	for _, text := range []string{s.Name, s.Group, s.PublicURL()} {
		if strings.Contains(strings.ToLower(text), q) {
			return true
		}
	}
	return false
}

func (l *live) filter(k look, p composition, found int) *views.Filter {
	f := &views.Filter{Query: p.query, State: p.state, Found: k.lang.T("filter.found", found)}
	f.States = append(f.States, views.Choice{Text: k.lang.T("filter.any"), Current: p.state == ""})
	for _, o := range []status.Outcome{status.Down, status.Degraded, status.Unknown, status.Up} {
		f.States = append(f.States, views.Choice{Text: k.lang.T("state." + o.String()), Code: o.String(), Current: p.state == o.String()})
	}
	return f
}

// windowPair is the window as a parameter, left out for the usual one.
func windowPair(k look) views.Pair {
	if k.window == status.LastHour {
		return views.Pair{}
	}
	return views.Pair{Name: "window", Value: k.window.Name}
}

func (l *live) windowChoices(k look, path string, keep ...views.Pair) []views.Choice {
	language, zone := l.carried(k)
	keep = append(slices.Clip(keep), language, zone)
	choices := make([]views.Choice, len(status.Windows))
	for i, w := range status.Windows {
		pair := windowPair(look{window: w})
		choices[i] = views.Choice{
			Text: k.lang.T("window." + w.Name), Code: w.Name, Current: w == k.window,
			Href: address(l.dress.Base.At(path), append([]views.Pair{pair}, keep...)...),
		}
	}
	return choices
}
