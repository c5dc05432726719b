package db

import (
	"context"
	"iter"
	"statuspage/internal/incident"
	"time"
)

// AppendEvents makes events durable, all or none, as Write does with signals.
func (d *Database) AppendEvents(ctx context.Context, events []incident.Event) error {
	p, err := d.late.now()
	if err != nil {
		return err
	}
	if p.box == nil {
		return p.store.AppendEvents(ctx, events)
	}
	if err := p.box.AppendEvents(ctx, events); err != nil {
		return err
	}
	p.ship.wake()
	return nil
}

// Events yields the events with an at of since or later, by at, then id, each once: those in the store, and those that
// wait for it. While the store is away it yields those that wait, and then the error.
func (d *Database) Events(ctx context.Context, since time.Time) iter.Seq2[incident.Event, error] {
	p, err := d.late.now()
	if err != nil {
		return absent{err}.Events(ctx, since)
	}
	if p.box == nil {
		return p.store.Events(ctx, since)
	}
	return func(yield func(incident.Event, error) bool) {
		waiting, err := p.box.Events(ctx, since)
		if err != nil {
			yield(incident.Event{}, err)
			return
		}
		for e, err := range p.store.Events(ctx, since) {
			if err != nil {
				for _, w := range waiting {
					if !yield(w, nil) {
						return
					}
				}
				yield(incident.Event{}, err)
				return
			}
			for len(waiting) > 0 && waiting[0].Compare(e) <= 0 {
				if waiting[0].Compare(e) < 0 && !yield(waiting[0], nil) {
					return
				}
				waiting = waiting[1:]
			}
			if !yield(e, nil) {
				return
			}
		}
		for _, w := range waiting {
			if !yield(w, nil) {
				return
			}
		}
	}
}

// CountEvents tells how many events are in the store; those that wait for it are not counted.
func (d *Database) CountEvents(ctx context.Context) (int, error) { return d.store().CountEvents(ctx) }
