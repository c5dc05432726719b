package handlers

import (
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
