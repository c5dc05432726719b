package control_test

import (
	"errors"
	"statuspage/db/control"
	"statuspage/internal/status"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func fired(service string) control.Decision {
	return control.Decision{Begins: true, Alert: control.Alert{
		Service: service, Kind: "down", Channel: "ops", Phase: "pending", Since: now.Add(-time.Minute), Decided: now, Due: now.Add(20 * time.Second), Reason: "timeout",
	}}
}

func message(id string) control.Delivery {
	return control.Delivery{ID: id, Channel: "ops", Body: `{"x":"'; DROP TABLE alerts; --"}`, Created: now, Next: now}
}

// alertsAreDecidedOnce: of many who decide the same at once one does, and all that belongs to a decision is there or nothing.
func alertsAreDecidedOnce(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	var both sync.WaitGroup
	var won atomic.Int64
	for range 8 {
		both.Go(func() {
			switch err := s.Decide(ctx, []control.Decision{fired("api")}, []control.Delivery{message("m1")}); {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, control.ErrDecided):
				t.Errorf("one of many: %v", err)
			}
		})
	}
	both.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d have decided the same", won.Load())
	}
	if err := s.Decide(ctx, []control.Decision{fired("web")}, []control.Delivery{message("m1")}); !errors.Is(err, control.ErrDecided) {
		t.Errorf("a message that is there: %v", err)
	}
	known, err := s.Alerts(ctx)
	if err != nil || len(known) != 1 || known[0].Service != "api" || !known[0].Due.Equal(now.Add(20*time.Second)) || !known[0].Told.IsZero() || known[0].Reason != "timeout" {
		t.Fatalf("alerts %+v, %v", known, err)
	}
	told := control.Decision{Alert: known[0]}
	told.Phase, told.Told, told.Batch, told.Unstable = "told", now, "m1", true
	if err := s.Decide(ctx, []control.Decision{told}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Decide(ctx, []control.Decision{told}, []control.Delivery{message("m2")}); !errors.Is(err, control.ErrDecided) {
		t.Errorf("of what was read before: %v", err)
	}
	over := control.Decision{Alert: told.Left(), Ends: true}
	if err := s.Decide(ctx, []control.Decision{over}, []control.Delivery{message("m3")}); err != nil {
		t.Errorf("the end: %v", err)
	}
	if known, err := s.Alerts(ctx); err != nil || len(known) != 0 {
		t.Errorf("after the end: %+v, %v", known, err)
	}
	if waiting, err := s.WaitingDeliveries(ctx, "ops", 10); err != nil || len(waiting) != 2 || waiting[0].ID != "m1" || waiting[1].ID != "m3" || waiting[0].Body != message("").Body {
		t.Errorf("waiting: %+v, %v", waiting, err)
	}
}

// deliveriesEndOnce: what waits is sent, merged or given up, once, and swept later.
func deliveriesEndOnce(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	if err := s.Decide(ctx, nil, []control.Delivery{message("b"), message("a"), message("c")}); err != nil {
		t.Fatal(err)
	}
	tried := message("b")
	tried.State, tried.Attempts, tried.Next, tried.Error = control.Waiting, 1, now.Add(time.Minute), "away"
	if err := s.SetDelivery(ctx, tried); err != nil {
		t.Fatal(err)
	}
	if names, err := s.WaitingChannels(ctx); err != nil || len(names) != 1 || names[0] != "ops" {
		t.Errorf("channels that wait: %v, %v", names, err)
	}
	waiting, err := s.WaitingDeliveries(ctx, "ops", 10)
	if err != nil || len(waiting) != 3 || waiting[0].Attempts != 1 || !waiting[0].Next.Equal(now.Add(time.Minute)) || waiting[0].Error != "away" {
		t.Fatalf("after an attempt: %+v, %v", waiting, err)
	}
	into := waiting[2]
	into.Body = "all"
	if err := s.MergeDeliveries(ctx, into, waiting[:2], now); err != nil {
		t.Fatal(err)
	}
	if err := s.MergeDeliveries(ctx, into, waiting[:2], now); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("merged twice: %v", err)
	}
	into.State, into.Done = control.Sent, now
	if err := s.SetDelivery(ctx, into); err != nil {
		t.Error(err)
	}
	if err := s.SetDelivery(ctx, into); !errors.Is(err, status.ErrNotFound) {
		t.Errorf("sent twice: %v", err)
	}
	all, err := s.Deliveries(ctx, 10)
	if err != nil || len(all) != 3 || all[2].State != control.Merged || all[0].State != control.Sent || all[0].Body != "all" {
		t.Errorf("all: %+v, %v", all, err)
	}
	if err := s.SweepDeliveries(ctx, now); err != nil {
		t.Error(err)
	}
	if all, err := s.Deliveries(ctx, 10); err != nil || len(all) != 0 {
		t.Errorf("swept: %+v, %v", all, err)
	}
}

// oneLeads: another takes over when the first has not said for too long that it is there.
func oneLeads(t *testing.T, url string) {
	s, ctx := open(t, url), t.Context()
	lead := func(who string, at time.Time) bool {
		is, err := s.Lead(ctx, who, at, at.Add(15*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	if !lead("a", now) || lead("b", now.Add(14*time.Second)) || !lead("a", now.Add(14*time.Second)) || !lead("b", now.Add(29*time.Second)) || lead("a", now.Add(30*time.Second)) {
		t.Error("two lead, or nobody")
	}
}
