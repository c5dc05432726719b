package incident

import (
	"cmp"
	"slices"
	"statuspage/internal/status"
	"time"
)

// Declaration is what one incident or maintenance says of a service at an instant.
type Declaration struct {
	Affected
	Incident string
	Kind     Kind
}

// Declared returns what is declared at now, by service, the worst first: what the page says of a service besides what
// was measured.
func Declared(all []*Incident, now time.Time) map[string][]Declaration {
	by := map[string][]Declaration{}
	for _, i := range all {
		if !i.Public(now) || i.StartedAt.After(now) && i.Kind != KindMaintenance {
			continue
		}
		for _, a := range i.declares(now) {
			by[a.Service] = append(by[a.Service], Declaration{a, i.ID, i.Kind})
		}
	}
	for _, some := range by {
		slices.SortFunc(some, func(a, b Declaration) int {
			return cmp.Or(cmp.Compare(b.State, a.State), cmp.Compare(a.Incident, b.Incident))
		})
	}
	return by
}

func (i *Incident) declares(now time.Time) []Affected {
	if i.Kind != KindMaintenance {
		return i.Affected
	}
	states := map[string]State{}
	for _, o := range i.Occurrences(now, now.Add(time.Microsecond), now) {
		if o.Phase != InProgress && o.Phase != Verifying {
			continue
		}
		for _, a := range o.Affected {
			states[a.Service] = max(states[a.Service], a.State)
		}
	}
	return affected(states)
}

// Measured is the state that a measured outcome stands for.
func Measured(o status.Outcome) State {
	switch o {
	case status.Up:
		return Operational
	case status.Degraded:
		return DegradedPerformance
	case status.Down:
		return MajorOutage
	case status.Unknown:
	}
	return NoState
}

// Shown is what the page says of a service: what was measured and what is declared, whichever is worse. People may worsen
// what was measured, or explain it; they can't cover it. Where nothing was measured, a bad word counts and a
// good one doesn't.
func Shown(measured, declared State) State {
	if measured == NoState && declared <= Operational {
		return NoState
	}
	return max(measured, declared)
}

// Indicator is how bad it is on the page as a whole, with these states of its services.
func Indicator(states []State) Impact {
	worst, majors := NoState, 0
	for _, s := range states {
		worst = max(worst, s)
		if s == MajorOutage {
			majors++
		}
	}
	return impactOf(worst, majors, len(states))
}

// Mask is a time in which a service was under maintenance. Measurements go on below it.
type Mask struct {
	Span
	Service  string
	State    State
	Incident string
	Late     bool // Declared after it had begun: it explains, and counts as outage all the same.
}

// Masks returns the masks of maintenance that overlap [from, to), as known at now, by service, then start. What has not
// come yet is no mask.
func Masks(all []*Incident, from, to, now time.Time) (masks []Mask) {
	if to.After(now) {
		to = now
	}
	for _, i := range all {
		if i.Kind != KindMaintenance || !i.Public(now) {
			continue
		}
		for _, o := range i.Occurrences(from, to, now) {
			if o.Phase == Cancelled || o.Phase == Scheduled {
				continue
			}
			whole := Span{o.Start, o.End}
			if o.End.IsZero() {
				whole.To = forever
			}
			whole = both(whole, Span{from, to})
			announced := []Span{whole}
			for _, late := range o.Late {
				announced = without(announced, late)
			}
			for _, a := range o.Affected {
				for _, s := range announced {
					masks = append(masks, Mask{Span: s, Service: a.Service, State: a.State, Incident: i.ID})
				}
				for _, late := range o.Late {
					if s := both(late, whole); s != (Span{}) {
						masks = append(masks, Mask{Span: s, Service: a.Service, State: a.State, Incident: i.ID, Late: true})
					}
				}
			}
		}
	}
	slices.SortFunc(masks, func(a, b Mask) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), a.From.Compare(b.From), a.To.Compare(b.To), cmp.Compare(a.Incident, b.Incident))
	})
	return slices.DeleteFunc(masks, func(m Mask) bool { return !m.From.Before(m.To) })
}

// Excused tells whether a service was under a maintenance at t that had been announced.
func Excused(masks []Mask, service string, t time.Time) bool {
	return slices.ContainsFunc(masks, func(m Mask) bool {
		return m.Service == service && !m.Late && !t.Before(m.From) && t.Before(m.To)
	})
}
