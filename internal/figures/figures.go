// Package figures says what a page, a group or a service comes to: its state, uptime and latency over a window, from
// the board as far as it reaches, else from the history. Page, badges and the answers for other tools all ask here, so that
// they tell the same.
package figures

import (
	"statuspage/internal/board"
	"statuspage/internal/incident"
	"statuspage/internal/page"
	"statuspage/internal/past"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/badge"
	"strings"
	"sync"
	"time"
)

const (
	// PageSubject is the name of the whole page as a subject; no service may have it.
	PageSubject = "page"
	// GroupPrefix stands before the id of a group.
	GroupPrefix = "group:"
	// BoardReach is how far back the board's counts are complete.
	BoardReach = 91 * 24 * time.Hour
	// MaxWindow is how far back figures of a window may reach.
	MaxWindow = 90 * status.Day
)

// Subject is what figures are of.
type Subject struct {
	Name     string // As addresses have it: a service's id, "group:" and a group's, or "page".
	Title    string
	Services []*board.Service
}

// Single tells whether it is one service.
func (s Subject) Single() bool {
	return s.Name != PageSubject && !strings.HasPrefix(s.Name, GroupPrefix)
}

// Figures reads from one board, and from the history behind it.
type Figures struct {
	board *board.Board
	page  *page.Page
	past  *past.Reader
	words *incident.Lookout
	sums  sums
}

// New returns the figures of a page, and of what people say of its services.
func New(b *board.Board, p *page.Page, history *past.Reader, words *incident.Lookout) *Figures {
	return &Figures{board: b, page: p, past: history, words: words}
}

// Page is the whole page as a subject.
func (f *Figures) Page() Subject { return Subject{PageSubject, f.page.Title, f.board.Services()} }

// Find finds a subject by its name.
func (f *Figures) Find(name string) (Subject, bool) {
	if name == PageSubject {
		return f.Page(), true
	}
	if id, isGroup := strings.CutPrefix(name, GroupPrefix); isGroup {
		g, ok := f.page.Group(id)
		if !ok {
			return Subject{}, false
		}
		s := Subject{Name: name, Title: g.Name}
		for _, id := range g.Services {
			if svc, shown := f.board.Find(id); shown {
				s.Services = append(s.Services, svc)
			}
		}
		return s, true
	}
	svc, ok := f.board.Find(name)
	if !ok {
		return Subject{}, false
	}
	return Subject{name, svc.Name, []*board.Service{svc}}, true
}

// sums keeps what a group or the page comes to, so that asking for it costs the same however many services there are.
type sums struct {
	mu   sync.Mutex
	kept map[string]sum // By subject, of which there are the page and the groups.
}

type sum struct {
	version uint64
	words   *incident.Outlook
	at      time.Time
	all     views.Standing
}

// sumAge is for how long a sum is right without a signal: states change by time alone, too.
const sumAge = time.Second

// Standing is the states of a subject's services at now, counted at most once a version and second.
func (f *Figures) Standing(s Subject, now time.Time) views.Standing {
	if len(s.Services) == 1 {
		return f.stand(s.Services, now)
	}
	version, words := f.board.Version(), f.words.At(now)
	f.sums.mu.Lock()
	defer f.sums.mu.Unlock()
	if k, ok := f.sums.kept[s.Name]; ok && k.version == version && k.words == words && now.Sub(k.at) < sumAge && !now.Before(k.at) {
		return k.all
	}
	all := f.stand(s.Services, now)
	if f.sums.kept == nil {
		f.sums.kept = make(map[string]sum)
	}
	f.sums.kept[s.Name] = sum{version, words, now, all}
	return all
}

// stand is the states of services at an instant.
func (f *Figures) stand(services []*board.Service, now time.Time) (all views.Standing) {
	words := f.words.At(now)
	for _, svc := range services {
		all.States[incident.Overall(svc.State(now), words.State(svc.ID))]++
		all.Partial = all.Partial || len(svc.Regions) > 0
		if words.State(svc.ID) > incident.UnderMaintenance {
			all.Declared++
		}
		if words.Maintained(svc.ID) {
			all.Maintenance++
		}
	}
	return all
}

// State is the outcome that the page gives a service at now: what was measured, or what people say, if that is worse.
func (f *Figures) State(svc *board.Service, now time.Time) status.Outcome {
	return incident.Overall(svc.State(now), f.words.At(now).State(svc.ID))
}

// Shown is the same as one of Statuspage's states.
func (f *Figures) Shown(svc *board.Service, now time.Time) incident.State {
	return incident.Shown(incident.Measured(svc.State(now)), f.words.At(now).State(svc.ID))
}

// Words are what people say at now.
func (f *Figures) Words(now time.Time) *incident.Outlook { return f.words.At(now) }

// Uptime counts the measurements of services in the window that ends at now.
func Uptime(services []*board.Service, window time.Duration, now time.Time) status.Counts {
	var sum status.Counts
	for _, svc := range services {
		sum = sum.Add(svc.Uptime(window, now))
	}
	return sum
}

// Hours sums the last day up by the hour.
func Hours(services []*board.Service, now time.Time) []badge.Hour {
	all := make([]badge.Hour, status.LastDay.Cells)
	for _, svc := range services {
		for n, cell := range svc.Row(status.LastDay, time.UTC, now).Cells {
			h := &all[n]
			h.Start = cell.Start
			h.State = max(h.State, cell.Outcome)
			h.Up, h.Slow, h.Down, h.Missing = h.Up+cell.Up, h.Slow+cell.Degraded, h.Down+cell.Down, h.Missing+cell.Missing()
		}
	}
	return all
}
