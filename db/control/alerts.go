package control

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"statuspage/internal/status"
	"time"
)

// ErrDecided tells that somebody else has decided the same: what is known of alerts must be read again.
var ErrDecided = errors.New("decided by another")

// Alert is that a channel is told of one trouble of one service, from the decision until the end is told. There is one
// for each service, kind and channel.
type Alert struct {
	Service, Kind, Channel string

	Phase    string    // A word of who decides.
	Since    time.Time // Of the first bad slot.
	Decided  time.Time
	Due      time.Time // When the next message about it may be sent.
	Told     time.Time // Of the last message; zero before the first.
	Batch    string    // Id of the message that told it first.
	Unstable bool
	Reason   string // In the public vocabulary.

	version int64 // As it was read; it grows with each change.
}

// Delivery is one message to one channel.
type Delivery struct {
	ID       string // The same in each attempt.
	Channel  string
	Body     string // A word of who sends.
	State    string
	Created  time.Time
	Attempts int
	Next     time.Time // Before it nobody tries again.
	Done     time.Time // Zero while it waits.
	Error    string    // Of the last attempt.
}

// The states of deliveries. All but the first are for ever.
const (
	Waiting = "waiting"
	Sent    = "sent"
	Merged  = "merged" // Its content went with a later one.
	Failed  = "failed"
	Expired = "expired"
)

// Decision is how one alert changes.
type Decision struct {
	Alert       // As it becomes; of one that was read before, with what else it had.
	Begins bool // There was none.
	Ends   bool // There is none afterwards.
}

const alertColumns = `service, kind, channel, phase, since, decided, due, told, batch, unstable, reason, version`

func scanAlert(r row) (a Alert, err error) {
	var since, decided, due, told, unstable int64
	err = r.Scan(&a.Service, &a.Kind, &a.Channel, &a.Phase, &since, &decided, &due, &told, &a.Batch, &unstable, &a.Reason, &a.version)
	a.Since, a.Decided, a.Due, a.Told, a.Unstable = instant(since), instant(decided), instant(due), instant(told), unstable != 0
	return a, err
}

// Alerts are all that are not over.
func (s *Store) Alerts(ctx context.Context) ([]Alert, error) {
	return all(ctx, s, scanAlert, `SELECT `+alertColumns+` FROM alerts ORDER BY service, kind, channel`)
}

// Decide makes decisions with the messages that follow from them, all or none. ErrDecided tells that an alert is not as
// it was read, or that a message is there already.
func (s *Store) Decide(ctx context.Context, decisions []Decision, messages []Delivery) error {
	err := s.change(ctx, func(tx *sql.Tx) error {
		for _, d := range decisions {
			if err := decide(ctx, tx, d); err != nil {
				return err
			}
		}
		for _, m := range messages {
			_, err := tx.ExecContext(ctx, `INSERT INTO deliveries (id, turn, channel, body, state, created, attempts, next, done, error)
				VALUES ($1, (SELECT COALESCE(MAX(turn), 0) + 1 FROM deliveries), $2, $3, $4, $5, 0, $6, 0, '')`,
				m.ID, m.Channel, m.Body, Waiting, stamp(m.Created), stamp(m.Next))
			if err != nil {
				return decided(err)
			}
		}
		return nil
	})
	if errors.Is(err, ErrDecided) {
		return err
	}
	return unavailable(err)
}

func decide(ctx context.Context, tx *sql.Tx, d Decision) error {
	unstable := 0
	if d.Unstable {
		unstable = 1
	}
	var done sql.Result
	var err error
	switch {
	case d.Begins:
		_, err = tx.ExecContext(ctx, `INSERT INTO alerts (`+alertColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)`,
			d.Service, d.Kind, d.Channel, d.Phase, stamp(d.Since), stamp(d.Decided), stamp(d.Due), stamp(d.Told), d.Batch, unstable, d.Reason)
		return decided(err)
	case d.Ends:
		done, err = tx.ExecContext(ctx, `DELETE FROM alerts WHERE service = $1 AND kind = $2 AND channel = $3 AND version = $4`, d.Service, d.Kind, d.Channel, d.version)
	default:
		done, err = tx.ExecContext(ctx, `UPDATE alerts SET phase = $1, due = $2, told = $3, batch = $4, unstable = $5, reason = $6, version = version + 1
			WHERE service = $7 AND kind = $8 AND channel = $9 AND version = $10`,
			d.Phase, stamp(d.Due), stamp(d.Told), d.Batch, unstable, d.Reason, d.Service, d.Kind, d.Channel, d.version)
	}
	if err = one(done, err); errors.Is(err, status.ErrNotFound) {
		return ErrDecided
	}
	return err
}

// Left is the alert as the store has it after the decision.
func (d Decision) Left() Alert {
	a := d.Alert
	if !d.Begins {
		a.version++
	}
	return a
}

func decided(err error) error {
	if errors.Is(taken(err), ErrTaken) {
		return ErrDecided
	}
	return err
}

const deliveryColumns = `id, channel, body, state, created, attempts, next, done, error`

func scanDelivery(r row) (d Delivery, err error) {
	var created, next, done int64
	err = r.Scan(&d.ID, &d.Channel, &d.Body, &d.State, &created, &d.Attempts, &next, &done, &d.Error)
	d.Created, d.Next, d.Done = instant(created), instant(next), instant(done)
	return d, err
}

// WaitingDeliveries are those that are to be sent to a channel, in the order in which they were decided, whatever the clock did meanwhile.
func (s *Store) WaitingDeliveries(ctx context.Context, channel string, limit int) ([]Delivery, error) {
	return all(ctx, s, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries WHERE state = $1 AND channel = $2 ORDER BY turn, id LIMIT $3`, Waiting, channel, limit)
}

// WaitingChannels names the channels that something waits for.
func (s *Store) WaitingChannels(ctx context.Context) ([]string, error) {
	return all(ctx, s, func(r row) (name string, err error) { return name, r.Scan(&name) }, `SELECT DISTINCT channel FROM deliveries WHERE state = $1 ORDER BY channel`, Waiting)
}

// Deliveries are the newest, whatever became of them.
func (s *Store) Deliveries(ctx context.Context, limit int) ([]Delivery, error) {
	return all(ctx, s, scanDelivery, `SELECT `+deliveryColumns+` FROM deliveries ORDER BY turn DESC, id LIMIT $1`, limit)
}

// SetDelivery notes what became of an attempt.
func (s *Store) SetDelivery(ctx context.Context, d Delivery) error {
	return unavailable(one(s.db.ExecContext(ctx, `UPDATE deliveries SET state = $1, attempts = $2, next = $3, done = $4, error = $5 WHERE id = $6 AND state = $7`,
		d.State, d.Attempts, stamp(d.Next), stamp(d.Done), d.Error, d.ID, Waiting)))
}

// MergeDeliveries gives one that waits the content of earlier ones, which are not sent any more.
func (s *Store) MergeDeliveries(ctx context.Context, into Delivery, earlier []Delivery, now time.Time) error {
	return unavailable(s.change(ctx, func(tx *sql.Tx) error {
		for _, d := range earlier {
			if err := one(tx.ExecContext(ctx, `UPDATE deliveries SET state = $1, done = $2 WHERE id = $3 AND state = $4`, Merged, stamp(now), d.ID, Waiting)); err != nil {
				return err
			}
		}
		return one(tx.ExecContext(ctx, `UPDATE deliveries SET body = $1, attempts = $2, next = $3 WHERE id = $4 AND state = $5`, into.Body, into.Attempts, stamp(into.Next), into.ID, Waiting))
	}))
}

// SweepDeliveries removes those that were done before an instant.
func (s *Store) SweepDeliveries(ctx context.Context, before time.Time) error {
	_, err := s.db.ExecContext(ctx, `DELETE FROM deliveries WHERE state <> $1 AND done <= $2`, Waiting, stamp(before))
	return unavailable(err)
}

// Lead makes holder the one process that decides on alerts, until an instant, unless another is.
func (s *Store) Lead(ctx context.Context, holder string, now, until time.Time) (bool, error) {
	done, err := s.db.ExecContext(ctx, `UPDATE leases SET holder = $1, until = $2 WHERE name = 'alerts' AND (holder = $1 OR until <= $3)`, holder, stamp(until), stamp(now))
	if err == nil {
		var n int64
		n, err = done.RowsAffected()
		return n > 0, unavailable(err)
	}
	return false, unavailable(fmt.Errorf("lease: %w", err))
}
