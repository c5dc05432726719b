package figures

import (
	"statuspage/internal/board"
	"statuspage/internal/status"
	"statuspage/views"
	"time"
)

// News names the services that are not up, the worst first and else in the operator's order. The states are those of
// the services, and all is what they come to.
func News(services []*board.Service, states []status.Outcome, all views.Standing, now time.Time) views.News {
	n := views.News{Now: now}
	for _, worst := range all.Affected() {
		for i, svc := range services {
			if len(n.Items) == views.MaxNews {
				return n
			}
			if states[i] != worst {
				continue
			}
			at := svc.Standing(now)
			in := views.NewsInput{Service: svc.Service, State: worst, Last: at.Last, Regions: at.Regions}
			if worst == status.Down && at.Outage != nil && at.Outage.Ongoing() {
				in.Outage = *at.Outage
			}
			n.Items = append(n.Items, in)
		}
	}
	return n
}

// News is that of the whole page.
func (f *Figures) News(all views.Standing, now time.Time) views.News {
	services := f.board.Services()
	if len(all.Affected()) == 0 {
		return views.News{Now: now}
	}
	states := make([]status.Outcome, len(services))
	for i, svc := range services {
		states[i] = f.State(svc, now)
	}
	return News(services, states, all, now)
}
