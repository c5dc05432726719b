package incident

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// plan is a schedule that held from an instant on.
type plan struct {
	at time.Time
	Schedule
	read  parts
	wrong error // Nobody can read it: it has no occurrences.
}

func planAt(at time.Time, s Schedule) plan {
	p := plan{at: at, Schedule: s}
	p.read, _, p.wrong = s.parts()
	return p
}

func (p plan) expand(from, to time.Time) []slot {
	if p.wrong != nil {
		return nil
	}
	return p.read.expand(p.Schedule, from, to)
}

// step is an event that moves the times of a maintenance. One of until, moved, status is set.
type step struct {
	at     time.Time // When it was said.
	key    string    // Of the occurrence; empty for all, or for the only one.
	moved  *Moved
	until  time.Time
	status Status    // in_progress, verifying, completed, cancelled.
	when   time.Time // Of status: when it was so.
}

// Occurrence is one time that a maintenance is, was or will be, as known at an instant.
type Occurrence struct {
	Key      string    // Its original start on the wall, such as 20261201T0300; empty when there is only one.
	Planned  Span      // As the schedule has it.
	Start    time.Time // Zero while it waits for somebody to begin it.
	End      time.Time // Zero while it goes on until somebody ends it.
	Phase    Status
	Moved    bool
	Extended bool
	Early    bool       // Ended before it was planned to.
	Late     []Span     // Parts that were declared afterwards: they count as outage.
	Affected []Affected // What is declared of services while it goes on.
}

// Span is a time, without its end.
type Span struct{ From, To time.Time }

// forever stands for an end that nobody knows.
var forever = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// maintenance gathers what moves the times, from the updates as they were edited.
func (f *folding) maintenance() {
	if f.Kind != KindMaintenance {
		f.plans, f.steps = nil, nil
		return
	}
	for _, u := range f.Updates {
		if u.Withdrawn {
			continue
		}
		switch u.Status {
		case InProgress, Verifying, Completed, Cancelled:
			f.steps = append(f.steps, step{at: u.RecordedAt, key: u.Occurrence, status: u.Status, when: u.ShownAt})
			if u.Status == Cancelled || u.Status == Completed {
				f.Sequence++
			}
		case Investigating, Identified, Monitoring, Resolved, Postmortem, Scheduled, Active:
		}
	}
	slices.SortStableFunc(f.steps, func(a, b step) int { return a.at.Compare(b.at) })
	if len(f.plans) > 0 {
		now := f.plans[len(f.plans)-1].Schedule
		f.Schedule = &now
	}
}

// Occurrences returns those of a maintenance that overlap [from, to) as it is known at now, oldest first: also the
// cancelled ones. No job begins or ends them, so every server says the same. What lies more than a year ahead is not
// expanded.
func (i *Incident) Occurrences(from, to, now time.Time) []Occurrence {
	if len(i.plans) == 0 {
		return nil
	}
	if limit := now.AddDate(1, 0, 1); to.After(limit) {
		to = limit
	}
	var all []Occurrence
	slots := i.expand(from.Add(-2*maxWindow), to.Add(2*maxWindow))
	for _, key := range i.keys(slots) {
		if o, is := i.occurrence(key, slots, now); is && o.overlaps(from, to) {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b Occurrence) int {
		return cmp.Or(a.begin().Compare(b.begin()), cmp.Compare(a.Key, b.Key))
	})
	return all[:min(len(all), maxCount)]
}

func (o Occurrence) begin() time.Time {
	if o.Start.IsZero() {
		return o.Planned.From
	}
	return o.Start
}

func (o Occurrence) overlaps(from, to time.Time) bool {
	end := o.End
	if end.IsZero() {
		end = forever
	}
	return o.begin().Before(to) && (end.After(from) || o.begin().Equal(end) && !end.Before(from))
}

// series tells whether its occurrences have names.
func (i *Incident) series() bool {
	return slices.ContainsFunc(i.plans, func(p plan) bool { return p.Rule != "" })
}

// named is the slot under the key that it has among the plans of this maintenance.
func (i *Incident) named(p plan, s slot) slot {
	if s.key == "" && i.series() {
		s.key = compact(p.Start)
	}
	return s
}

func compact(wall string) string {
	t, err := time.Parse(WallFormat, wall)
	if err != nil {
		return ""
	}
	return t.Format(keyFormat)
}

// expand returns what each plan has in [from, to), by key. What doesn't come again has no range: it may go on since long
// ago, until somebody ends it.
func (i *Incident) expand(from, to time.Time) []map[string]slot {
	if !i.series() {
		from, to = time.Time{}, forever
	}
	all := make([]map[string]slot, len(i.plans))
	for n, p := range i.plans {
		all[n] = map[string]slot{}
		for _, s := range p.expand(from, to) {
			s = i.named(p, s)
			all[n][s.key] = s
		}
	}
	return all
}

// keys names the occurrences among slots. Another schedule leaves alone what had begun when it was made, and makes
// nothing that would have begun before.
func (i *Incident) keys(slots []map[string]slot) []string {
	seen := map[string]bool{}
	for n := range slots {
		for key, s := range slots[n] {
			if key == "" || i.holds(n, s.start) {
				seen[key] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// holds tells whether plan n is the one that has a say about an occurrence of a series that it begins at start.
func (i *Incident) holds(n int, start time.Time) bool {
	return (n == 0 || !start.Before(i.plans[n].at)) && (n == len(i.plans)-1 || start.Before(i.plans[n+1].at))
}

// find returns one occurrence by its key.
func (i *Incident) find(key string, now time.Time) (Occurrence, bool) {
	var from, to time.Time
	if key != "" {
		wall, err := time.Parse(keyFormat, key)
		if err != nil {
			return Occurrence{}, false
		}
		from, to = wall.Add(-around), wall.Add(around+maxWindow)
	}
	return i.occurrence(key, i.expand(from, to), now)
}

// window is what one occurrence looks like after some of the events.
type window struct {
	planned    slot
	start, end time.Time // End is forever while nobody knows.
	waits      bool      // Nobody has begun it, and it needs somebody.
	verifying  time.Time
	cancelled  bool
	moved      bool
	extended   bool
	early      bool
}

func (w window) span() Span {
	if w.cancelled || w.waits {
		return Span{}
	}
	return Span{w.start, w.end}
}

// occurrence puts one together: what each event made of it, and so which of its time was announced.
func (i *Incident) occurrence(key string, planned []map[string]slot, now time.Time) (Occurrence, bool) {
	last := -1 // The plan that has the say.
	slots, has := make([]slot, len(i.plans)), make([]bool, len(i.plans))
	for n := range i.plans {
		slots[n], has[n] = planned[n][key]
		if has[n] && (key == "" || i.holds(n, slots[n].start)) {
			last = n
		}
	}
	if last < 0 {
		return Occurrence{}, false
	}
	var after []window // What it was, from an instant on.
	var since []time.Time
	note := func(at time.Time, n int, steps []step) {
		after, since = append(after, i.window(i.plans[n], slots[n], key, steps)), append(since, at)
	}
	said := 0
	for n := range last + 1 {
		if !has[n] {
			after, since = append(after, window{cancelled: true}), append(since, i.plans[n].at)
			continue
		}
		for said < len(i.steps) && i.steps[said].at.Before(i.plans[n].at) {
			said++
		}
		note(i.plans[n].at, n, i.steps[:said])
		for said < len(i.steps) && (n == last || i.steps[said].at.Before(i.plans[n+1].at)) {
			said++
			note(i.steps[said-1].at, n, i.steps[:said])
		}
	}
	w := after[len(after)-1]
	o := Occurrence{
		Key: key, Planned: Span{w.planned.start, w.planned.end}, Start: w.start, End: w.end,
		Moved: w.moved || last > 0 && key == "" && has[0] && slots[0] != slots[last], Extended: w.extended, Early: w.early, Phase: w.phase(now), Affected: i.during(key),
	}
	if w.waits {
		o.Start = time.Time{}
	}
	if w.waits || w.end.Equal(forever) {
		o.End = time.Time{}
	}
	o.Late = []Span{w.span()}
	for n, before := range after {
		until := forever
		if n+1 < len(since) {
			until = since[n+1]
		}
		o.Late = without(o.Late, both(before.span(), Span{since[n], until}))
	}
	if len(o.Late) == 0 {
		o.Late = nil
	}
	return o, true
}

// window is what the steps make of a planned time.
func (i *Incident) window(p plan, s slot, key string, steps []step) window {
	w := window{planned: s, start: s.start, end: s.end, waits: p.ManualStart && key == ""}
	if p.ManualEnd && key == "" {
		w.end = forever
	}
	for _, t := range steps {
		goesOn := !t.when.Before(w.start) && t.when.Before(w.end)
		if t.key != key && (t.key != "" || t.status != Cancelled && !goesOn) {
			continue
		}
		switch {
		case t.moved != nil:
			w.move(t.moved, p)
		case !t.until.IsZero():
			if t.key == key && t.until.After(w.start) {
				w.extended = w.extended || t.until.After(w.end)
				w.end = t.until
			}
		default:
			w.say(t)
		}
	}
	return w
}

func (w *window) move(m *Moved, p plan) {
	wall, err := time.Parse(WallFormat, m.Start)
	if err != nil || p.wrong != nil || m.Minutes < 1 || time.Duration(m.Minutes)*time.Minute > maxWindow {
		return
	}
	w.start, w.moved = instantOf(wall, p.read.loc), true
	w.end = w.start.Add(time.Duration(m.Minutes) * time.Minute)
}

// say takes what somebody said about the phase.
func (w *window) say(t step) {
	switch t.status {
	case InProgress:
		if w.waits || t.when.Before(w.start) {
			w.start = t.when
			if !w.end.After(w.start) { // Begun by hand after its planned end: it takes as long as it was to take.
				w.end = w.start.Add(w.planned.end.Sub(w.planned.start))
			}
		}
		w.waits, w.cancelled = false, false
	case Verifying:
		w.verifying = t.when
	case Completed, Cancelled:
		if t.when.After(w.start) && !w.waits {
			w.early = w.early || t.when.Before(w.planned.end) && t.when.Before(w.end)
			if t.when.Before(w.end) { // Said later, it is words: it had ended.
				w.end = t.when
			}
			return
		}
		w.cancelled = true
	case Investigating, Identified, Monitoring, Resolved, Postmortem, Scheduled, Active:
	}
}

func (w window) phase(now time.Time) Status {
	switch {
	case w.cancelled:
		return Cancelled
	case w.waits || now.Before(w.start):
		return Scheduled
	case !now.Before(w.end):
		return Completed
	case !w.verifying.IsZero() && !now.Before(w.verifying):
		return Verifying
	default:
		return InProgress
	}
}

// during is what is declared of services while an occurrence goes on.
func (i *Incident) during(key string) []Affected {
	states := map[string]State{}
	for _, u := range i.Updates {
		if u.Withdrawn || u.Occurrence != "" && u.Occurrence != key {
			continue
		}
		for _, a := range u.Impacts {
			states[a.Service] = a.State
		}
	}
	return affected(states)
}

// Now is the occurrence that counts for who looks at now: the one that goes on, else the next, else the last.
func (i *Incident) Now(now time.Time) (Occurrence, bool) {
	all := i.Occurrences(now.Add(-maxWindow), now.AddDate(1, 0, 0), now)
	if len(all) == 0 {
		all = i.Occurrences(time.UnixMicro(0), now.AddDate(1, 0, 0), now)
	}
	for _, wanted := range [][]Status{{InProgress, Verifying}, {Scheduled}} {
		for _, o := range all {
			if slices.Contains(wanted, o.Phase) {
				return o, true
			}
		}
	}
	if len(all) == 0 { // The only one may be further away than what is expanded.
		return i.find("", now)
	}
	return all[len(all)-1], true
}

// both is where two spans overlap.
func both(a, b Span) Span {
	s := a
	if b.From.After(s.From) {
		s.From = b.From
	}
	if b.To.Before(s.To) {
		s.To = b.To
	}
	if !s.From.Before(s.To) {
		return Span{}
	}
	return s
}

// without takes a span out of others.
func without(all []Span, out Span) (left []Span) {
	for _, s := range all {
		if s.From.Equal(s.To) {
			continue
		}
		hole := both(s, out)
		if hole == (Span{}) {
			left = append(left, s)
			continue
		}
		if s.From.Before(hole.From) {
			left = append(left, Span{s.From, hole.From})
		}
		if hole.To.Before(s.To) {
			left = append(left, Span{hole.To, s.To})
		}
	}
	return left
}
