package board

import (
	"statuspage/internal/status"
	"time"
)

// History gathers what a store counted in the hours before Before, of all services of a
// board. It is not for several goroutines.
type History struct {
	before time.Time
	limit  time.Time // What is later is of the future.
	board  *Board
	hours  []hours
}

// NewHistory begins to gather the counts of the hours before the one that an instant lies in.
func (l Loader) NewHistory(before time.Time) *History {
	b := l.board
	return &History{before: before.Truncate(time.Hour), limit: b.limit(), board: b, hours: make([]hours, len(b.rows))}
}

// Add takes the counts of an hour, or a part of them. Services that the board does not show,
// and hours that are not before, are left out.
func (h *History) Add(b status.Bucket) {
	if i, shown := h.board.owner(b.Service, b.URL); shown && b.Start.Before(h.before) && !b.Start.After(h.limit) {
		h.hours[i].add(hourOf(b.Start), quarters(b))
	}
}

// SetHistory replaces the counts of all hours before those of the history by it.
func (l Loader) SetHistory(h *History) {
	b := l.board
	b.mu.Lock()
	defer b.mu.Unlock()
	limit := b.limit()
	for i, r := range h.board.rows {
		r.cut(limit)
		h.hours[i].addFrom(hourOf(h.before), &r.hours)
		r.hours = h.hours[i]
		r.remember()
	}
	b.version++ // Whoever keeps answers by version shall make them anew.
}
