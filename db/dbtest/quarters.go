package dbtest

import (
	"fmt"
	"statuspage/db"
	"statuspage/internal/status"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// quartersOfHours compares the quarters of hours with what was written, measured evenly and not.
func quartersOfHours(t *testing.T, s db.Store) {
	hour := T0.Truncate(time.Hour)
	want := map[string][4]status.Counts{}
	var all []status.Signal
	add := func(service string, after time.Duration, o status.Outcome) {
		sig := Signal(service, 0, o)
		sig.Received = hour.Add(after)
		all = append(all, sig)
		key := fmt.Sprint(service, " ", sig.Received.Truncate(time.Hour).Unix())
		quarters := want[key]
		q := &quarters[sig.Received.Sub(sig.Received.Truncate(time.Hour))/status.QuarterHour]
		*q = q.Count(o)
		want[key] = quarters
	}
	for minute := range 180 {
		at := time.Duration(minute) * time.Minute
		add("even", at, status.Up)
		switch {
		case minute < 60:
			add("failing", at, status.Up)
		case minute < 85:
			add("failing", at, status.Down)
		default:
			add("failing", at, status.Degraded)
		}
		if minute >= 20 && minute != 100 {
			add("begun", at, status.Up)
		}
		if minute%10 == 3 {
			add("seldom", at, status.Up)
		}
	}
	all[0].Outcome, all[0].Available = status.Down, false // And better on a second look.
	write(t, s, all...)
	all[0].Outcome, all[0].Available = status.Up, true
	write(t, s, all[0])
	Poll(t, func() string {
		got := map[string][4]status.Counts{}
		for b, err := range s.Hours(t.Context(), hour, hour.Add(3*time.Hour)) {
			if err != nil {
				return err.Error()
			}
			key := fmt.Sprint(b.Service, " ", b.Start.Unix())
			quarters := got[key]
			for i, q := range b.InQuarters() {
				quarters[i] = quarters[i].Add(q)
			}
			got[key] = quarters
		}
		return cmp.Diff(want, got)
	})
	for _, service := range []string{"even", "failing", "begun", "seldom"} {
		svc := status.Service{ID: service, URL: "https://" + service + ".example"}
		hours, err := s.HoursOf(t.Context(), svc, hour, hour.Add(3*time.Hour))
		if err != nil || len(hours) != 3 {
			t.Errorf("%s has %d hours, %v; want 3", service, len(hours), err)
		}
		for _, b := range hours {
			if diff := cmp.Diff(want[fmt.Sprint(service, " ", b.Start.Unix())], b.InQuarters()); diff != "" {
				t.Errorf("%s at %v (-want +got):\n%s", service, b.Start, diff)
			}
			if service == "even" && b.Quarters != nil {
				t.Errorf("%s at %v comes with quarters, which costs memory and says nothing", service, b.Start)
			}
		}
	}
}
