package board

import (
	"math/rand/v2"
	"slices"
	"statuspage/internal/status"
	"testing"
	"time"
)

// TestOutagesAreFoundByTime compares with going over all of them.
func TestOutagesAreFoundByTime(t *testing.T) {
	t.Parallel()
	b := newBoard(t, "a", "a-b", "c", "never")
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	now := start.AddDate(0, 0, 90)
	r := rand.New(rand.NewPCG(1, 2))
	past := make(map[string][]status.Outage)
	var all []OutageOf // Newest first, in the order of services where several began together.
	for _, svc := range b.Services()[:3] {
		at, id := start, svc.ID
		for range 50 {
			at = at.Add(time.Hour * time.Duration(1+r.IntN(30)))
			past[id] = append(past[id], status.Outage{Service: id, Begin: at, Last: at, End: at.Add(time.Minute)})
		}
		last := &past[id][49]
		last.Begin, last.Last, last.End = now.Add(-10*time.Second), now.Add(-10*time.Second), time.Time{}
		for n := range past[id] {
			all = append(all, OutageOf{svc, past[id][n]})
		}
	}
	slices.SortStableFunc(all, func(x, y OutageOf) int { return y.Outage.Begin.Compare(x.Outage.Begin) })
	b.Loader().SetOutages(now, past)
	same := func(what string, got, want []OutageOf) {
		t.Helper()
		if !slices.EqualFunc(got, want, func(x, y OutageOf) bool { return x.Service == y.Service && x.Outage.ID() == y.Outage.ID() }) {
			t.Errorf("%s: %d outages, want these %d: %v", what, len(got), len(want), want)
		}
	}
	for range 100 {
		from := start.Add(time.Duration(r.IntN(80*24)) * time.Hour)
		until := from.Add(time.Duration(r.IntN(20*24)) * time.Hour)
		var want []OutageOf
		before := false
		for _, o := range all {
			before = before || o.Outage.Begin.Before(from)
			if !o.Outage.Begin.Before(from) && o.Outage.Begin.Before(until) {
				want = append(want, o)
			}
		}
		got, earlier := b.OutagesBetween(from, until, now)
		same("between", got, want)
		if earlier != before {
			t.Errorf("before %v there are some: %v, want %v", from, earlier, before)
		}
	}
	for _, limit := range []int{1, 10, 149, 150, 151} {
		same("newest", b.NewestOutages(b.Services(), limit, now), all[:min(limit, len(all))])
	}
	same("last", b.LastOutages(b.Services(), now), all[:3])
	for _, o := range all {
		if got, ok := b.Outage(o.Outage.ID(), now); !ok || got.Service != o.Service || !got.Outage.Begin.Equal(o.Outage.Begin) {
			t.Errorf("%s: %v, %v", o.Outage.ID(), got, ok)
		}
	}
	for _, id := range []string{"", "a", "a-", "-20260301T000000Z", "never-20260301T000000Z", "none-20260301T000000Z", all[0].Outage.ID() + "x", "a-20260301T000000", "a-b-20190101T000000Z"} {
		if _, ok := b.Outage(id, now); ok {
			t.Errorf("there is an outage %q", id)
		}
	}
	later := now.Add(time.Hour)
	if last := b.LastOutages(b.Services()[:1], later)[0].Outage; !last.Lapsed {
		t.Error("an outage that nobody measured on is not told as lapsed")
	}
}
