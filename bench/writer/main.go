// Command writer writes signals into a store as the product does, at a rate or all at once,
// and tells how that went as one object of JSON.
//
//	writer -mode sustain -database questdb://… -outbox outbox.db -rate 5000 -for 30s
//	writer -mode fill    -database questdb://… -outbox outbox.db -n 200000     # the store is away
//	writer -mode drain   -database questdb://… -outbox outbox.db               # and is back
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"statuspage/db"
	"statuspage/internal/status"
	"time"
)

const (
	services = 1000
	tick     = 100 * time.Millisecond // Between batches.
	patience = 5 * time.Minute        // For the outbox to empty.
)

// result is what is printed.
type result struct {
	Written   int     `json:"written"`
	Seconds   float64 `json:"seconds"` // Until the last was durable.
	WriteP50  float64 `json:"write_p50_ms"`
	WriteP99  float64 `json:"write_p99_ms"`
	MaxOutbox int     `json:"max_outbox"`
	Drained   float64 `json:"drained_s"` // From then until the store had all of them.
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "writer:", err)
		os.Exit(1)
	}
}

func run() error {
	mode := flag.String("mode", "sustain", "sustain, fill or drain")
	database := flag.String("database", "", "store to write to")
	outbox := flag.String("outbox", "outbox.db", "file of the outbox")
	rate := flag.Int("rate", 5000, "signals a second")
	length := flag.Duration("for", 10*time.Second, "how long to sustain it")
	n := flag.Int("n", 200_000, "signals to fill the outbox with")
	flag.Parse()
	ctx := context.Background()
	d, err := db.Open(ctx, *database, db.Options{Outbox: *outbox})
	if err != nil {
		return err
	}
	var r result
	switch *mode {
	case "sustain":
		err = sustain(ctx, d, *rate, *length, &r)
	case "fill":
		err = fill(ctx, d, *n, &r)
	case "drain":
	default:
		err = fmt.Errorf("unknown mode %q", *mode)
	}
	if err == nil && *mode != "fill" {
		r.MaxOutbox = max(r.MaxOutbox, d.State().Outbox)
		start := time.Now()
		wait, cancel := context.WithTimeout(ctx, patience)
		err = d.WaitDrained(wait)
		cancel()
		r.Drained = time.Since(start).Seconds()
	}
	if err := errors.Join(err, d.Close()); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// batch is n signals of an instant, one of each service in turn.
func batch(at time.Time, from, n int) []status.Signal {
	signals := make([]status.Signal, n)
	for i := range signals {
		k := from + i
		id := fmt.Sprintf("svc-%05d", k%services)
		signals[i] = status.Signal{
			Received: at.UTC().Add(time.Duration(i) * time.Microsecond).Truncate(time.Microsecond), Service: id, URL: "http://127.0.0.1:9/" + id,
			HTTPStatus: 200, Available: true, Outcome: status.Up, Duration: time.Duration(1000+k%997) * time.Microsecond,
		}
	}
	return signals
}

// sustain writes at the rate. A write that takes longer than its turn delays those after it,
// and what it holds up is made up for at once, as the recorder does.
func sustain(ctx context.Context, d *db.Database, rate int, length time.Duration, r *result) error {
	start := time.Now()
	var took []float64
	for passed := time.Duration(0); passed < length; {
		time.Sleep(time.Until(start.Add(passed + tick)))
		passed = min(time.Since(start), length)
		due := int(passed.Seconds()*float64(rate)) - r.Written
		begun := time.Now()
		if err := d.Write(ctx, batch(begun, r.Written, due)); err != nil {
			return err
		}
		took = append(took, time.Since(begun).Seconds()*1000)
		r.Written += due
		r.MaxOutbox = max(r.MaxOutbox, d.State().Outbox)
	}
	r.Seconds = time.Since(start).Seconds()
	slices.Sort(took)
	r.WriteP50, r.WriteP99 = took[len(took)/2], took[min(len(took)-1, len(took)*99/100)]
	return nil
}

func fill(ctx context.Context, d *db.Database, n int, r *result) error {
	start := time.Now()
	for r.Written < n {
		size := min(services, n-r.Written)
		if err := d.Write(ctx, batch(start.Add(time.Duration(r.Written)*time.Millisecond), r.Written, size)); err != nil {
			return err
		}
		r.Written += size
	}
	r.Seconds, r.MaxOutbox = time.Since(start).Seconds(), d.State().Outbox
	return nil
}
