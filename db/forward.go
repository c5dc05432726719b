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

// Forwarder keeps signals in an outbox until a receiver has them. Nothing is read back.
type Forwarder struct {
	box  *outbox.Outbox
	ship *shipper
}

// Forward opens the outbox in the file at path, and ships from it until Close.
func Forward(ctx context.Context, path string, to Receiver, log *slog.Logger) (*Forwarder, error) {
	box, err := outbox.Open(ctx, path, outbox.Options{Log: log})
	if err != nil {
		return nil, err
	}
	return &Forwarder{box, startShipper(to, box, forwardGap, log)}, nil
}

// Write makes the signals durable in the outbox, all or none. They leave it in order.
func (f *Forwarder) Write(ctx context.Context, signals []status.Signal) error {
	if err := f.box.Append(ctx, signals); err != nil {
		return err
	}
	f.ship.wake()
	return nil
}

// State returns at once. Its Up is of the receiver.
func (f *Forwarder) State() State {
	s, b := f.ship.state(), f.box.Status()
	return State{Up: s.up, Since: s.since, Err: s.err, Outbox: b.Depth, OldestPending: b.Oldest}
}

// Close makes a last attempt to empty the outbox, of a few seconds. What waits is there at the next start.
func (f *Forwarder) Close() error {
	f.ship.close()
	return f.box.Close()
}
