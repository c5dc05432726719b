package figures

import (
	"statuspage/views/statuspage"
	"time"
)

// Statuspage is the page for the forms of Statuspage, at an absolute address.
func (f *Figures) Statuspage(base string, now time.Time) *statuspage.Site {
	words := f.words.At(now)
	s := &statuspage.Site{
		ID: f.page.ID, Name: f.page.Title, URL: base, Zone: f.page.Zone.String(), Updated: f.board.Newest(), Groups: f.page.Groups, Now: now,
	}
	for _, i := range words.All {
		if i.UpdatedAt.After(s.Updated) && i.Public(now) {
			s.Updated = i.UpdatedAt
		}
	}
	services := f.board.Services()
	changed := make(map[string]time.Time, len(services))
	for _, o := range f.board.LastOutages(services, now) {
		if changed[o.Service.ID] = o.Outage.End; o.Outage.Ongoing() {
			changed[o.Service.ID] = o.Outage.Begin
		}
	}
	for _, svc := range services {
		s.Services = append(s.Services, statuspage.Service{Service: svc.Service, State: f.Shown(svc, now), Changed: changed[svc.ID]})
	}
	return s
}
