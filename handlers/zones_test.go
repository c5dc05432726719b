package handlers

import (
	"context"
	"statuspage/internal/status"
	"strings"
	"testing"
	"time"
)

// TestDaysOfZonesWithHalfHours: an outage right after midnight is on the page of its own day, with its
// latencies, in memory and behind it.
func TestDaysOfZonesWithHalfHours(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Asia/Kolkata", "Asia/Kathmandu", "Australia/Eucla", "Europe/Budapest"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		y, m, d := time.Now().In(zone).AddDate(0, 0, -120).Date()
		midnight := time.Date(y, m, d, 0, 0, 0, 0, zone)
		before := midnight.AddDate(0, 0, -1)
		h := &shelf{}
		for at := before; at.Before(midnight.AddDate(0, 0, 1)); at = at.Add(time.Minute) {
			s := status.Signal{Service: "web", Received: at.UTC().Add(30 * time.Second), Outcome: status.Up, Available: true, HTTPStatus: 200, Duration: 40 * time.Millisecond}
			switch after := at.Sub(midnight); {
			case after >= 0 && after < 10*time.Minute:
				s.Outcome, s.Available, s.Reason, s.HTTPStatus = status.Down, false, status.Timeout, -1
			case after >= 10*time.Minute && after < 40*time.Minute:
				s.Duration = 7 * time.Second
			}
			h.signals = append(h.signals, s)
		}
		s := newSite(t, func(o *Options) { o.History = h })
		day := func(at time.Time) string { return "/services/web/" + at.Format("2006-01-02") + "?tz=" + name }
		lacks := func(body string, texts ...string) {
			for _, text := range texts {
				if strings.Contains(body, text) {
					t.Errorf("%s: the page has %q", name, text)
				}
			}
		}
		lacks(s.wants(day(before), "1,440 up, 0 slow, 0 down, 0 missing", "00:00–"), "6.75 s", `data-s="down"`)
		s.wants(day(midnight), "1,430 up, 0 slow, 10 down, 0 missing", "p99 6.75 s", "00:00–")
	}
}

// TestAnHourIsCutOnce asks for the latencies of two days that meet within an hour.
func TestAnHourIsCutOnce(t *testing.T) {
	t.Parallel()
	hour := time.Now().UTC().Truncate(time.Hour).Add(-50 * time.Hour)
	h := &shelf{}
	for minute := range 60 {
		s := status.Signal{Service: "a", Received: hour.Add(time.Duration(minute) * time.Minute), Outcome: status.Up, Available: true, Duration: time.Millisecond}
		if minute >= 45 {
			s.Duration = time.Second
		}
		h.signals = append(h.signals, s)
	}
	p := newPast(h, time.Now)
	svc := status.Service{ID: "a", Interval: time.Minute}
	cut := hour.Add(45 * time.Minute)
	for range 2 {
		first, err := p.latencies(t.Context(), svc, hour.Add(-24*time.Hour), cut, cut)
		if err != nil || len(first) != 1 || first[0].Count() != 45 {
			t.Errorf("before the cut: %+v, %v; want 45 latencies", first, err)
		}
		second, err := p.latencies(t.Context(), svc, cut, cut.Add(24*time.Hour), cut)
		if err != nil || len(second) != 1 || second[0].Count() != 15 {
			t.Errorf("after the cut: %+v, %v; want 15 latencies", second, err)
		}
		whole, err := p.latencies(t.Context(), svc, hour, hour.Add(time.Hour))
		if err != nil || len(whole) != 1 || whole[0].Count() != 60 {
			t.Errorf("without a cut: %+v, %v; want 60 latencies", whole, err)
		}
	}
	h.signals = h.signals[:0] // Pruned: the sums outlive the signals.
	p = newPast(latenciesOnly{h, []status.LatencyHour{{Start: hour, Histogram: status.Histogram{80: 60}}}}, time.Now)
	first, err := p.latencies(t.Context(), svc, hour.Add(-24*time.Hour), cut, cut)
	if err != nil || len(first) != 1 || first[0].Count() != 60 {
		t.Errorf("an hour without its signals: %+v, %v; want it whole where it begins", first, err)
	}
}

// latenciesOnly is a history whose signals are gone.
type latenciesOnly struct {
	*shelf
	hours []status.LatencyHour
}

func (l latenciesOnly) LatenciesOf(context.Context, status.Service, time.Time, time.Time) ([]status.LatencyHour, error) {
	return l.hours, nil
}
