package views

import (
	"cmp"
	"slices"
	"statuspage/internal/incident"
	"statuspage/internal/incident/markdown"
	"statuspage/views/lang"
	"strings"
	"time"

	"github.com/a-h/templ"
)

const (
	// plannedAhead is how far ahead maintenance stands on the page; its calendar goes further.
	plannedAhead = 14 * 24 * time.Hour
	maxPlanned   = 10
	maxGoing     = 50 // Drawn in full; nobody reads more.
	maxDates     = 30 // Of a series, on its page.
	goingDOMID   = "going"
	plannedDOMID = "planned"
)

// Incidents are what people say now: what goes on, and what is planned.
type Incidents struct {
	Going, Planned []IncidentRow
	More           int // Going on, and not drawn.
}

// IncidentRow is one incident, maintenance or notice, with its newest words.
type IncidentRow struct {
	DOMID, Href, Title string
	Kind               string // incident, maintenance, notice.
	State              string // As data-s has it, by what is declared.
	Phase              string
	When               string // Since when, or from when to when.
	At                 string // Its beginning for machines.
	Affected           []AffectedRow
	Words              templ.Component // Nil without any.
	Updated, UpdatedAt string          // When the newest words were written.
	Edited             string          // Empty unless they were.
	Note               string          // Such as that it was declared afterwards.
}

// AffectedRow is what is declared of one service.
type AffectedRow struct{ Name, Href, State, StateText string }

// IncidentView is the page of one.
type IncidentView struct {
	IncidentRow
	Crumbs     []Link
	Over       bool
	Facts      []Fact
	Dates      []DateRow // Of a series.
	Timeline   []UpdateRow
	Postmortem templ.Component // Nil without one.
	Said       templ.Component // The newest words, for screen readers.
	Stream     string
}

// DateRow is one time of a maintenance that comes again.
type DateRow struct{ DOMID, At, When, Phase, Note string }

// UpdateRow is one entry of a timeline, newest first.
type UpdateRow struct {
	DOMID, Href       string
	Phase             string
	At, Time          string
	Edited, Withdrawn string // Sentences; empty unless they are so.
	Words             templ.Component
	Changes           []string
}

// IncidentInput is what the builders need besides the incidents.
type IncidentInput struct {
	Services func(id string) (name string, there bool)
	Now      time.Time
}

// BuildIncidents puts what goes on and what is planned into words: the worst first, then the newest; of maintenance the next.
func BuildIncidents(all []*incident.Incident, in IncidentInput, to Local) Incidents {
	var v Incidents
	type going struct {
		*incident.Incident
		row   IncidentRow
		worst incident.State
	}
	var now []going
	type planned struct {
		row  IncidentRow
		from time.Time
	}
	var next []planned
	for _, i := range all {
		if !i.Public(in.Now) {
			continue
		}
		if i.Kind != incident.KindMaintenance {
			if !i.Status.Over() {
				now = append(now, going{i, in.row(i, i.Affected, to), worst(i.Affected)})
			}
			continue
		}
		soon := true // Of a series only the next one is shown.
		for _, o := range i.Occurrences(in.Now, in.Now.Add(plannedAhead), in.Now) {
			switch o.Phase {
			case incident.InProgress, incident.Verifying:
				now = append(now, going{i, in.occurrenceRow(i, o, to), worst(o.Affected)})
			case incident.Scheduled:
				if soon {
					next, soon = append(next, planned{in.occurrenceRow(i, o, to), o.Planned.From}), false
				}
			default: // It is over.
			}
		}
	}
	slices.SortStableFunc(now, func(a, b going) int {
		return cmp.Or(cmp.Compare(b.worst, a.worst), b.StartedAt.Compare(a.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	slices.SortStableFunc(next, func(a, b planned) int { return a.from.Compare(b.from) })
	v.More = max(0, len(now)-maxGoing)
	for _, g := range now[:min(len(now), maxGoing)] {
		v.Going = append(v.Going, g.row)
	}
	for _, p := range next[:min(len(next), maxPlanned)] {
		v.Planned = append(v.Planned, p.row)
	}
	return v
}

func worst(all []incident.Affected) (w incident.State) {
	for _, a := range all {
		w = max(w, a.State)
	}
	return w
}

// declaredState is the data-s of a declared state.
func declaredState(s incident.State) string {
	switch s {
	case incident.Operational:
		return "up"
	case incident.UnderMaintenance:
		return "maintenance"
	case incident.DegradedPerformance:
		return "degraded"
	case incident.PartialOutage, incident.MajorOutage:
		return "down"
	case incident.NoState:
	}
	return "unknown"
}

// DeclaredText is the word for a declared state.
func DeclaredText(l *lang.Language, s incident.State) string {
	if s == incident.NoState {
		return l.T("state.unknown")
	}
	return l.T("incident.state." + s.String())
}

// PhaseText is the word for a phase.
func PhaseText(l *lang.Language, s incident.Status) string { return l.T("incident.phase." + string(s)) }

// words draws Markdown; goldmark has left nothing in it that is not ours (internal/incident/markdown).
func words(text string) templ.Component {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return templ.Raw(markdown.HTML(text))
}

func (in IncidentInput) row(i *incident.Incident, all []incident.Affected, to Local) IncidentRow {
	l := to.Lang
	r := IncidentRow{
		DOMID: "i-" + i.ID, Href: to.Base.At(incident.Path(i.ID)), Title: i.Title, Kind: string(i.Kind), State: declaredState(worst(all)),
		Phase: PhaseText(l, i.Status), At: i.StartedAt.UTC().Format(time.RFC3339),
		When: l.T("incident.since", moment(i.StartedAt, to)), Affected: in.affected(all, to),
	}
	if u, is := i.Newest(); is {
		r.say(u, to)
	}
	return r
}

// say puts an update into a row as its newest words.
func (r *IncidentRow) say(u incident.Update, to Local) {
	r.Words, r.Updated, r.UpdatedAt, r.Edited = words(u.Text), moment(u.ShownAt, to), u.ShownAt.UTC().Format(time.RFC3339), ""
	if u.Revision > 0 {
		r.Edited = to.Lang.T("incident.edited", moment(u.RevisedAt, to))
	}
}

func (in IncidentInput) occurrenceRow(i *incident.Incident, o incident.Occurrence, to Local) IncidentRow {
	r := in.row(i, o.Affected, to)
	if u, is := i.NewestOf(o.Key); is {
		r.say(u, to)
	}
	r.DOMID = "i-" + incident.OccurrenceID(i.ID, o.Key)
	switch {
	case o.Phase == incident.Scheduled:
		r.State = declaredState(incident.UnderMaintenance)
	case o.Phase.Over():
		r.Affected = nil // It is over: nothing is declared any more.
	}
	r.Phase, r.When, r.At, r.Note = PhaseText(to.Lang, o.Phase), period(o, to), begin(o).UTC().Format(time.RFC3339), occurrenceNote(o, to.Lang)
	return r
}

func begin(o incident.Occurrence) time.Time {
	if o.Start.IsZero() {
		return o.Planned.From
	}
	return o.Start
}

// moment is an instant with its day, and its zone: words about maintenance are read in other zones than they are written in.
func moment(t time.Time, to Local) string {
	t = t.In(to.Zone)
	return to.Lang.ShortDate(t) + t.Format(" 15:04 MST")
}

// period is from when to when.
func period(o incident.Occurrence, to Local) string {
	from, until := begin(o).In(to.Zone), o.End
	if until.IsZero() {
		if o.Start.IsZero() {
			until = o.Planned.To
		} else {
			return to.Lang.T("incident.since", moment(from, to))
		}
	}
	return span(from, until, to)
}

func span(from, until time.Time, to Local) string {
	begin, end := from.In(to.Zone), until.In(to.Zone)
	text := to.Lang.ShortDate(begin) + begin.Format(" 15:04 – ")
	if begin.Format(DayPath) != end.Format(DayPath) {
		text += to.Lang.ShortDate(end) + " "
	}
	return text + end.Format("15:04 MST")
}

func occurrenceNote(o incident.Occurrence, l *lang.Language) string {
	var notes []string
	if o.Moved {
		notes = append(notes, l.T("incident.moved"))
	}
	if o.Extended {
		notes = append(notes, l.T("incident.extended"))
	}
	if o.Early {
		notes = append(notes, l.T("incident.early"))
	}
	if len(o.Late) > 0 {
		notes = append(notes, l.T("incident.late"))
	}
	return strings.Join(notes, " · ")
}

func (in IncidentInput) affected(all []incident.Affected, to Local) (rows []AffectedRow) {
	for _, a := range all {
		name, href := in.service(a.Service, to)
		rows = append(rows, AffectedRow{name, href, declaredState(a.State), DeclaredText(to.Lang, a.State)})
	}
	return rows
}

// service is a service's name and page; one that is not watched any more has its id, and none.
func (in IncidentInput) service(id string, to Local) (name, href string) {
	name, there := in.Services(id)
	if !there {
		return id, ""
	}
	return name, to.Base.At(ServicePath(id))
}

// BuildTold puts something of the history into words.
func BuildTold(t incident.Told, in IncidentInput, to Local) ToldRow {
	var r IncidentRow
	if t.Kind == incident.KindMaintenance {
		r = in.occurrenceRow(t.Incident, t.Occurrence, to)
	} else {
		r = in.row(t.Incident, t.Affected, to)
		if !t.To.IsZero() {
			r.When = span(t.From, t.To, to)
		}
	}
	if !t.To.IsZero() {
		r.State, r.Affected = "up", nil
	}
	return ToldRow{IncidentRow: r}
}

// BuildIncidentView puts one into words for its own page.
func BuildIncidentView(i *incident.Incident, in IncidentInput, to Local) IncidentView {
	l := to.Lang
	v := IncidentView{
		IncidentRow: in.row(i, i.Affected, to),
		Crumbs:      []Link{{l.T("all.services"), to.Base.At("/")}, {l.T("history"), to.Base.At("/history")}},
		Over:        i.Over(in.Now),
	}
	if i.Kind == incident.KindMaintenance {
		in.maintenance(&v, i, to)
	} else {
		v.times(i, in.Now, to)
	}
	if v.Over {
		v.State = "up"
	}
	for _, u := range slices.Backward(i.Updates) {
		v.Timeline = append(v.Timeline, in.update(v.Href, i, u, to))
	}
	if i.Postmortem != nil {
		v.Postmortem = words(i.Postmortem.Text)
	}
	return v
}

func (v *IncidentView) times(i *incident.Incident, now time.Time, to Local) {
	l, end := to.Lang, now
	v.Facts = []Fact{{l.T("outage.begin"), moment(i.StartedAt, to), ""}}
	if i.ResolvedAt.IsZero() {
		v.Facts = append(v.Facts, Fact{l.T("outage.end"), l.T("outage.ongoing"), ""})
	} else {
		end = i.ResolvedAt
		v.Facts = append(v.Facts, Fact{l.T("outage.end"), moment(end, to), ""})
	}
	v.Facts = append(v.Facts, Fact{l.T("outage.duration"), l.Duration(max(0, end.Sub(i.StartedAt))), ""})
}

func (in IncidentInput) maintenance(v *IncidentView, i *incident.Incident, to Local) {
	o, is := i.Now(in.Now)
	if !is {
		return
	}
	row := in.occurrenceRow(i, o, to)
	row.DOMID = v.DOMID
	v.IncidentRow = row
	v.Facts = []Fact{{to.Lang.T("incident.when"), row.When, row.Note}}
	if i.Schedule != nil {
		v.Facts = append(v.Facts, Fact{to.Lang.T("zone"), i.Schedule.Zone, ""})
	}
	if o.Key == "" {
		return
	}
	for _, o := range i.Occurrences(in.Now.Add(-plannedAhead), in.Now.AddDate(1, 0, 0), in.Now) {
		if len(v.Dates) == maxDates {
			break
		}
		v.Dates = append(v.Dates, DateRow{"o-" + strings.ToLower(o.Key), begin(o).UTC().Format(time.RFC3339), period(o, to), PhaseText(to.Lang, o.Phase), occurrenceNote(o, to.Lang)})
	}
}

func (in IncidentInput) update(page string, i *incident.Incident, u incident.Update, to Local) UpdateRow {
	l := to.Lang
	r := UpdateRow{
		DOMID: u.ID, Href: page + "#" + u.ID, Phase: PhaseText(l, u.Status), At: u.ShownAt.UTC().Format(time.RFC3339), Time: moment(u.ShownAt, to), Words: words(u.Text),
	}
	if u.Withdrawn {
		r.Withdrawn, r.Words = l.T("incident.withdrawn", moment(u.RevisedAt, to)), nil
		return r
	}
	if u.Revision > 0 {
		r.Edited = l.T("incident.edited", moment(u.RevisedAt, to))
	}
	if i.Kind == incident.KindIncident {
		for _, c := range u.Changes {
			name, _ := in.service(c.Service, to)
			r.Changes = append(r.Changes, l.T("incident.change", name, DeclaredText(l, c.From), DeclaredText(l, c.To)))
		}
	}
	return r
}
