package db

import (
	"context"
	"log/slog"
	"statuspage/db/outbox"
	"statuspage/internal/status"
	"time"
)

// forwardGap is between batches for a server, which shows them when it has them.
const forwardGap = time.Second

// Forwarder keeps signals in an outbox until a receiver has them. Nothing is read back. Where the disk is full or
// read-only at the start, nothing is kept until that is over.
type Forwarder struct{ late *late[forwarding] }

type forwarding struct {
	box  *outbox.Outbox
	ship *shipper
}

// Forward opens the outbox in the file at path, and ships from it until Close.
func Forward(ctx context.Context, path string, to Receiver, log *slog.Logger) (*Forwarder, error) {
	late, err := openLate(ctx, log, func(ctx context.Context) (*forwarding, error) {
		box, err := outbox.Open(ctx, path, outbox.Options{Log: log})
		if err != nil {
			return nil, err
		}
		return &forwarding{box, startShipper(to, box, forwardGap, log)}, nil
	})
	if err != nil {
		return nil, err
	}
	return &Forwarder{late}, nil
}

// Write makes the signals durable in the outbox, all or none. They leave it in order.
func (f *Forwarder) Write(ctx context.Context, signals []status.Signal) error {
	p, err := f.late.now()
	if err != nil {
		return err
	}
	if err := p.box.Append(ctx, signals); err != nil {
		return err
	}
	p.ship.wake()
	return nil
}

// State returns at once. Its Up is of the receiver.
func (f *Forwarder) State() State {
	p, err := f.late.now()
	if err != nil {
		return State{Err: err}
	}
	s, b := p.ship.state(), p.box.Status()
	return State{Open: true, Up: s.up, Since: s.since, Err: s.err, Outbox: b.Depth, OldestPending: b.Oldest}
}

// Close makes a last attempt to empty the outbox, of a few seconds. What waits is there at the next start.
func (f *Forwarder) Close() error {
	p := f.late.end()
	if p == nil {
		return nil
	}
	p.ship.close()
	return p.box.Close()
}
