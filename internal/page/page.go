// Package page says what one page shows and in which dress: its services and groups, title, address, pictures
// and colours, and what a visitor prefers of how to see it. It knows nothing of measurements.
package page

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"regexp"
	"statuspage/internal/status"
	"statuspage/views"
	"time"
)

// Settings are what the operator says of a page.
type Settings struct {
	Title   string
	ID      string // As Statuspage's APIs have it; empty for one that follows from the title.
	BaseURL string // Absolute, without a slash at the end; empty when not configured.
	Demo    bool
	Groups  []status.Group // In the order of the page; services are filled in.
	Logo    Picture        // Before the title.
	Icon    Picture        // In place of ours, which shows the state.
	CSS     []byte         // After our style sheet.
	Accent  Accent
	Header  []views.Link
	Footer  []views.Link
}

// idLength is how long an id is that nobody has set, as those of Statuspage are.
const idLength = 12

// Page is a page of one configuration; it never changes.
type Page struct {
	Settings

	Groups []status.Group // With their services.
	Zone   *time.Location // In which days begin unless the visitor wants another.
	Base   views.Base     // The path of BaseURL.
	Dress  views.Site
	// Layout names what the page is made of besides its rows: ids of events of different layouts can't be
	// compared. It is the same after a restart with the same configuration.
	Layout string
}

// New returns the page of these services, whose days begin at midnight in zone.
func New(s Settings, services []status.Service, zone *time.Location) *Page {
	p := &Page{Settings: s, Groups: status.Groups(services, s.Groups), Zone: zone, Base: s.base()}
	p.Dress = s.dress(p.Base)
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q %q %q %v %+v\n", s.Title, s.BaseURL, zone, s.Groups, p.Dress) // Never fails.
	for _, s := range services {
		_, _ = fmt.Fprintf(h, "%q %q %q %q %v %v\n", s.ID, s.Name, s.Group, s.PublicURL(), s.Interval, s.Timeout)
	}
	if p.ID == "" {
		sum := sha256.Sum256([]byte(s.Title))
		p.ID = hex.EncodeToString(sum[:idLength/2])
	}
	p.Layout = hex.EncodeToString(h.Sum(nil)[:4])
	return p
}

// Group finds a group by its id.
func (p *Page) Group(id string) (status.Group, bool) {
	for _, g := range p.Groups {
		if g.ID == id {
			return g, true
		}
	}
	return status.Group{}, false
}

// pathForm is that of a path which stands in pages as it is.
var pathForm = regexp.MustCompile(`^(?:/[A-Za-z0-9._~-]+)+$`)

// base is the path of the configured address.
func (s Settings) base() views.Base {
	u, err := url.Parse(s.BaseURL)
	if err != nil || !pathForm.MatchString(u.Path) {
		return ""
	}
	return views.Base(u.Path)
}
