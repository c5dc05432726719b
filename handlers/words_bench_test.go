package handlers

import (
	"fmt"
	"log/slog"
	"net/http"
	"statuspage/handlers/gate"
	"statuspage/internal/board"
	"statuspage/internal/incident"
	"statuspage/internal/status"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// pastOf is a book of so many incidents and maintenances that are over, one in ten of them maintenance, over two years.
func pastOf(tb testing.TB, n int, now time.Time) *incident.Book {
	tb.Helper()
	var events []incident.Event
	for i := range n {
		at := now.Add(-time.Duration(n-i) * 2 * 365 * 24 * time.Hour / time.Duration(n)).Truncate(time.Microsecond)
		o := &incident.Opened{Kind: incident.KindIncident, Title: fmt.Sprintf("Fault %d", i), Words: incident.Words{Status: incident.Investigating, Text: "We **look** at it.", Impacts: []incident.Affected{{Service: "web", State: incident.PartialOutage}}}}
		end := incident.Resolved
		if i%10 == 0 {
			o.Kind, o.Words.Status, end = incident.KindMaintenance, incident.Scheduled, incident.Completed
			o.Words.Impacts[0].State = incident.UnderMaintenance
			o.Schedule = &incident.Schedule{Start: at.Add(time.Minute).UTC().Format(incident.WallFormat), Minutes: 60, Zone: "UTC"}
		}
		id := fmt.Sprintf("%012d", i)
		for k, c := range []incident.Content{o, &incident.Posted{Words: incident.Words{Status: end, Text: "Over."}}} {
			e, err := incident.New(incident.Stamp{At: at.Add(time.Duration(k) * 20 * time.Minute), Incident: id, Actor: "human:ana"}, c)
			if err != nil {
				tb.Fatal(err)
			}
			events = append(events, e)
		}
	}
	b := incident.NewBook(0)
	b.Apply(events, now)
	return b
}

// BenchmarkTenThousandPastIncidents is what a reader costs who asks right after a signal, so that nothing is kept, and what an outlook does.
func BenchmarkTenThousandPastIncidents(b *testing.B) {
	now := time.Now()
	bd, err := board.New([]status.Service{{ID: "web", Name: "Website", URL: "https://web.example", Interval: time.Minute, Timeout: time.Second}}, time.UTC)
	if err != nil {
		b.Fatal(err)
	}
	book := pastOf(b, 10_000, now)
	s, err := New(Options{Board: bd, Log: slog.New(slog.DiscardHandler), MaxViewers: 10, Limits: gate.Limits{Requests: gate.Limit{N: 1_000_000_000}}, Words: incident.NewLookout(book)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Shutdown() })
	b.Run("outlook", func(b *testing.B) {
		for b.Loop() {
			incident.NewLookout(book).At(now).Log()
		}
	})
	for _, path := range []string{"/history?tz=UTC", "/history.atom", "/api/v2/incidents.json", "/calendar.ics"} {
		n := 0
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				var c fasthttp.RequestCtx
				n++ // Another look each time: none is kept.
				c.Request.SetRequestURI(fmt.Sprintf("%s&month=%s", path, now.AddDate(0, -n%24, 0).Format("2006-01")))
				if path[len(path)-1] != 'C' {
					c.Request.SetRequestURI(path)
					c.Request.Header.SetHost(fmt.Sprintf("h%d.example", n))
				}
				s.server().serve(&c)
				if c.Response.StatusCode() != http.StatusOK {
					b.Fatalf("%s: %d", path, c.Response.StatusCode())
				}
			}
		})
	}
}
