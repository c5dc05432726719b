package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"statuspage/internal/board"
	"statuspage/internal/sse"
)

// renewal tells a browser to load its page anew: it has other services, or another dress, than
// the rows that come from now on. An event without data would not be heard.
var renewal = sse.Event("", "renew", []byte("page"))

// layout names what a page is made of besides its rows: ids of different layouts can't be
// compared. It is the same after a restart with the same configuration.
func layout(b *board.Board, site Site) string {
	h := sha256.New()
	_, _ = fmt.Fprintf(h, "%q %q %q %v %+v\n", site.Title, site.BaseURL, b.Location(), site.Groups, site.dress()) // Never fails.
	for _, s := range b.Services() {
		_, _ = fmt.Fprintf(h, "%q %q %q %q %v %v\n", s.ID, s.Name, s.Group, s.PublicURL(), s.Interval, s.Timeout)
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}

// retire makes room for another: whoever watches a page is told to load it anew, and what
// was drawn is let go.
func (l *live) retire(next *live) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.next = next
	for _, e := range *l.editions.Load() {
		e.frames.Publish(renewal)
	}
	for _, d := range l.details {
		d.frames.Publish(renewal)
	}
	l.editions.Store(&map[look]*edition{})
	clear(l.details)
}
