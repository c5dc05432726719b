package views

import (
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"strings"
	"time"
)

// Banner is the overall state in words.
type Banner struct {
	State    string
	Headline string
	Detail   string
	Title    string // Of the browser's tab.
	Icon     string // Address of the icon that goes with the state.
	At       string // Planned instant of the newest signal, RFC 3339; empty when there is none.
	Updated  string // The same for people.
	Note     string // What we have to say of ourselves, such as a store that is away.
	News     []NewsItem
	More     *Link // To the services that News has no room for; nil when there are none.
}

// MaxNews is how many services the banner names.
const MaxNews = 5

// News is which services are not up, the worst first, at most MaxNews, and when the last outage ended while all
// are up; the zero time when there was none.
type News struct {
	Items []NewsInput
	Quiet time.Time
	Now   time.Time
}

// Note is what we have to say of ourselves: the end of a key of the catalogue.
type Note string

// What there may be to say.
const (
	NoNote      Note = ""
	NoteAlone   Note = "alone"   // Of several processes, this one reaches neither the others nor the store.
	NoteNetwork Note = "network" // Our own network is down.
	NoteUnsaved Note = "unsaved" // No disk takes new signals.
	NoteUnread  Note = "unread"  // The store can't be read.
)

// Standing is the states of services. Partial says that some are watched from regions: degraded
// may mean down in some of them then, not slow.
type Standing struct {
	status.States
	Partial     bool
	Declared    int // Of how many people say something worse than that all is well, maintenance left out.
	Maintenance int // How many are under maintenance, whatever is measured of them.
}

// Word is the state of services in one word, as the style sheet and icons have it: maintenance, where nothing is worse.
func (s Standing) Word() string {
	if worst := s.Worst(); worst != status.Up || s.Maintenance == 0 {
		return worst.String()
	}
	return "maintenance"
}

// BuildBanner sums the states of all services up.
func BuildBanner(title string, s Standing, newest time.Time, note Note, news News, to Local) Banner {
	l := to.Lang
	b := Banner{Updated: l.T("banner.nosignal")}
	if note != NoNote {
		b.Note = l.T("note." + string(note))
	}
	if !newest.IsZero() {
		b.At = newest.UTC().Format("2006-01-02T15:04:05.000Z")
		b.Updated = l.T("banner.last", newest.In(to.Zone).Format("15:04:05 MST"))
	}
	b.State = s.Word()
	b.Icon = to.Base.At(IconPath(b.State))
	b.Headline = Headline(l, s)
	switch {
	case s.All() == 0:
		b.Detail = l.T("banner.empty.detail")
	case s.Known() == 0:
		b.Detail = l.T("banner.unknown.detail")
	case s.States[status.Up] < s.All():
		b.Detail = tally(l, s)
	case !news.Quiet.IsZero():
		b.Detail = l.T("banner.quiet", l.Duration(max(time.Minute, news.Now.Sub(news.Quiet)).Truncate(time.Minute)))
	}
	for _, in := range news.Items {
		b.News = append(b.News, BuildNews(in, news.Now, to))
	}
	if n := s.affected() - len(b.News); n > 0 && len(b.News) > 0 {
		b.More = &Link{l.T("incident.more", n), to.Base.At("/?state=" + b.State)}
	}
	b.Title = b.Headline + " · " + title
	if len(b.News) == 1 && b.More == nil && s.All() > 1 {
		b.Title = l.T("banner.named."+s.word(s.Worst()), b.News[0].Name) + " · " + title
	}
	return b
}

// affected is how many services there is news of. Where none has data, that is news of none.
func (s Standing) affected() int {
	if s.Known() == 0 {
		return 0
	}
	return s.All() - s.States[status.Up]
}

// Affected lists the states that there is news of, the worst first.
func (s Standing) Affected() (worst []status.Outcome) {
	if s.affected() == 0 {
		return nil
	}
	for _, o := range []status.Outcome{status.Down, status.Degraded, status.Unknown} {
		if s.States[o] > 0 {
			worst = append(worst, o)
		}
	}
	return worst
}

// Headline says the state of services in one sentence, with the number of those affected.
func Headline(l *lang.Language, s Standing) string {
	worst, all := s.Worst(), s.All()
	affected := s.States[worst]
	switch {
	case all == 0:
		return l.T("banner.empty")
	case worst == status.Unknown && s.Known() == 0:
		return l.T("banner.unknown")
	case worst == status.Up && s.Maintenance > 0:
		return l.T("banner.maintenance", s.Maintenance, all)
	case all == 1:
		return l.T("banner.one." + s.word(worst))
	case affected == all:
		return l.T("banner.all."+s.word(worst), all)
	default:
		return l.T("banner.some."+s.word(worst), affected, all)
	}
}

// word is the last part of the key of an outcome.
func (s Standing) word(o status.Outcome) string {
	if o == status.Degraded && (s.Partial || s.Declared > 0) {
		return "partial"
	}
	return o.String()
}

// tally lists how many services are in which state.
func tally(l *lang.Language, s Standing) string {
	var parts []string
	for _, o := range []status.Outcome{status.Up, status.Degraded, status.Down, status.Unknown} {
		if n := s.States[o]; n > 0 {
			parts = append(parts, l.Number(n)+" "+l.T("cell."+s.word(o)))
		}
	}
	return strings.Join(parts, ", ")
}

// GroupText says the state of a group in a few words.
func GroupText(l *lang.Language, s Standing) string {
	worst := s.Worst()
	n := s.States[worst]
	if worst == status.Up && s.Maintenance > 0 {
		text := DeclaredText(l, incident.UnderMaintenance)
		if s.Maintenance == s.All() {
			return upperFirst(text)
		}
		return l.T("group.some", s.Maintenance, s.All(), text)
	}
	if n == s.All() {
		return l.T("group.all." + s.word(worst))
	}
	return l.T("group.some", n, s.All(), l.T("cell."+s.word(worst)))
}
