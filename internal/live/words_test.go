package live

import (
	"slices"
	"statuspage/internal/board"
	"statuspage/internal/incident"
	"statuspage/internal/sse"
	"statuspage/internal/status"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// newTeller is a page of two services with a book.
func newTeller(t *testing.T) (*Live, *incident.Book, func()) {
	t.Helper()
	var services []status.Service
	for _, id := range []string{"a", "b"} {
		services = append(services, status.Service{ID: id, Name: id, URL: "https://" + id, Interval: 24 * time.Hour, Timeout: time.Second})
	}
	brd, err := board.New(services, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	book, broker := incident.NewBook(0), sse.NewBroker(1000, 1000, time.Now)
	l := followWith(t, brd, broker, book)
	brd.Apply([]status.Signal{upSignal("a"), upSignal("b")})
	return l, book, func() {
		l.Halt()
		broker.Close()
	}
}

// event makes one of an incident at an instant.
func event(t *testing.T, id string, at time.Time, c incident.Content) incident.Event {
	t.Helper()
	e, err := incident.New(incident.Stamp{At: at, Incident: id, Actor: "human:ana"}, c)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func fault(text string) *incident.Opened {
	return &incident.Opened{Kind: incident.KindIncident, Title: "Fault", Words: incident.Words{
		Status: incident.Investigating, Text: text, Impacts: []incident.Affected{{Service: "a", State: incident.MajorOutage}},
	}}
}

// TestWordsMeanTheSameOnEachServer: who comes from another server, which got the same words in another order, is sent nothing; what
// it lacks is sent, and nothing else.
func TestWordsMeanTheSameOnEachServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		one, oneBook, stopOne := newTeller(t)
		defer stopOne()
		two, twoBook, stopTwo := newTeller(t)
		defer stopTwo()
		time.Sleep(time.Second)
		now := time.Now()
		id := incident.NewID(now)
		events := []incident.Event{
			event(t, id, now, fault("Words 0.")),
			event(t, id, now.Add(time.Microsecond), &incident.Posted{Words: incident.Words{Status: incident.Identified, Text: "Words 1."}}),
		}
		b := &browser{t: t, shows: map[string]string{}}
		b.visit(one)
		oneBook.Apply(events, now)
		for _, e := range slices.Backward(events) {
			twoBook.Apply([]incident.Event{e, e}, now)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		sent := b.read()
		for _, want := range []string{"banner", "going", "s-a", "said"} {
			if !slices.Contains(sent, want) {
				t.Errorf("%q were sent, and not %s", sent, want)
			}
		}
		if slices.Contains(sent, "s-b") || slices.Contains(sent, "planned") || strings.Count(b.shows["said"], "Words 1.") != 1 {
			t.Errorf("%q were sent; said is %s", sent, b.shows["said"])
		}
		if sent := b.visit(two); len(sent) != 0 {
			t.Errorf("the other server sends %q of what it shows already", sent)
		}
		twoBook.Apply([]incident.Event{event(t, id, now.Add(2*time.Microsecond), &incident.Posted{Words: incident.Words{Status: incident.Monitoring, Text: "Words 2."}})}, now)
		time.Sleep(time.Second)
		synctest.Wait()
		b.read()
		b.leave()
		if sent := b.visit(one); !slices.Equal(sent, []string{"going", "said"}) {
			t.Errorf("a server that is behind sends %q, want what differs", sent)
		}
		b.leave()
	})
}

// TestMaintenanceBeginsByTheClock on every open page, and ends so, though nobody writes and nothing is measured.
func TestMaintenanceBeginsByTheClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, book, stop := newTeller(t)
		defer stop()
		time.Sleep(time.Until(time.Now().Truncate(time.Hour).Add(time.Hour + time.Second)))
		now := time.Now().UTC()
		book.Apply([]incident.Event{event(t, incident.NewID(now), now, &incident.Opened{
			Kind: incident.KindMaintenance, Title: "Disks", Schedule: &incident.Schedule{Start: now.Add(5 * time.Minute).Format(incident.WallFormat), Minutes: 2, Zone: "UTC"},
			Words: incident.Words{Status: incident.Scheduled, Impacts: []incident.Affected{{Service: "b", State: incident.UnderMaintenance}}},
		})}, now)
		b := &browser{t: t, shows: map[string]string{}}
		time.Sleep(time.Second)
		synctest.Wait()
		b.visit(l)
		defer b.leave()
		check := func(when, state, said string, going, planned bool) {
			t.Helper()
			synctest.Wait()
			b.read()
			if !strings.Contains(b.shows["s-b"], `data-s="`+state+`"`) || !strings.Contains(b.shows["said"], said) || strings.Contains(b.shows["going"], "Disks") != going || strings.Contains(b.shows["planned"], "Disks") != planned {
				t.Errorf("%s: row %.60s, said %s, going %t, planned %t", when, b.shows["s-b"], b.shows["said"], strings.Contains(b.shows["going"], "Disks"), strings.Contains(b.shows["planned"], "Disks"))
			}
		}
		check("before", "up", "Disks. Planned", false, true)
		time.Sleep(5 * time.Minute)
		check("while", "maintenance", "Disks. Under way", true, false)
		time.Sleep(2 * time.Minute)
		check("afterwards", "up", "Disks. Completed", false, false)
	})
}
