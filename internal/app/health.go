package app

import (
	"statuspage/handlers/ops"
	"statuspage/internal/past"
	"statuspage/monitor"
	"statuspage/views"
	"sync/atomic"
)

// health is how this process is, as its page, its operator and who balances load are told.
type health struct {
	roles   Roles
	store   storage
	past    *past.Filler
	node    *node            // Nil for one process.
	monitor *monitor.Monitor // Nil for a page server.
	alerts  *alerts          // Nil for a process that tells nobody.

	stopping atomic.Bool
	refused  atomic.Bool // The configuration that was read last is not the one that runs.
}

// note is what the page says of our own troubles.
func (h *health) note() views.Note {
	var now monitor.Stats
	if h.monitor != nil {
		now = h.monitor.Stats()
	}
	switch {
	case h.alone():
		return views.NoteAlone
	case now.NetworkDown:
		return views.NoteNetwork
	case now.Unsaved > 0:
		return views.NoteUnsaved
	case h.past.Tried() && !h.past.Filled():
		return views.NoteUnread
	default:
		return views.NoNote
	}
}

// alone tells whether neither Redis nor the database of several processes can be reached.
func (h *health) alone() bool {
	return h.node != nil && h.past.Tried() && !h.node.link.State().Up && !h.store.State().Up
}

// unsaved is how many signals no disk has.
func (h *health) unsaved() int64 {
	if h.monitor == nil {
		return 0
	}
	return h.monitor.Stats().Unsaved
}

func (h *health) readiness() ops.Readiness {
	state := h.store.State()
	r := ops.Readiness{
		Ready: h.past.Tried() && !h.stopping.Load(), Board: "loading", Store: "away",
		Engine: state.Engine, Outbox: state.Outbox, Unsaved: int(h.unsaved()), Config: "current",
	}
	if h.refused.Load() {
		r.Config = "refused"
	}
	if h.past.Filled() {
		r.Board = "filled"
	}
	if state.Up {
		r.Store = "up"
	}
	if h.alerts != nil {
		r.Mail = h.alerts.Mail()
	}
	if h.node != nil {
		r.Role, r.Queue = h.roles.String(), "away"
		if h.node.link.State().Up {
			r.Queue = "up"
		}
	}
	return r
}
