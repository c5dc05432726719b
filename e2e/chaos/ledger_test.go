package chaos

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// span is a time in which a target's request may have no signal: that around a kill.
type span struct{ from, to time.Time }

// unsaved is how long before a kill a request may have come whose signal nobody has: its probe
// (timeout) had to end, and its batch to be written, within the recorder's two seconds; all takes
// longer while other tests run.
var unsaved = pick(timeout+2*time.Second, 5*time.Second)

// ledger is the count of what went in and what came out.
type ledger struct {
	requests int // That the targets saw.
	stored   int // Signals in the store.
	shown    int // Signals that somebody saw.
	excused  int // Requests without a signal, around a kill.
	unheard  int // Timeouts whose request did not reach the target.
	starved  int // Requests that the product may have without a signal: it told that it stood still meanwhile.
}

// starved counts, by test, what processes told before they ended of runs that they dropped
// because they had not been running themselves for a second.
var starved sync.Map

// balance compares what the targets were asked, what visitors saw and what is stored.
// Every signal that was shown is stored, once, as it was shown; every stored one was measured,
// and says what the target answered; every request is stored, but for those within excused.
func balance(t *testing.T, x *targets, w *witness, stored []record, excused []span) ledger {
	t.Helper()
	l := ledger{stored: len(stored), shown: w.count()}
	if n, ok := starved.Load(t.Name()); ok {
		l.starved, _ = n.(int)
		t.Logf("the machine let the product stand still: %d runs dropped", l.starved)
	}
	byKey := map[key]record{}
	byService := map[string][]record{}
	for _, r := range stored {
		if _, twice := byKey[r.key()]; twice {
			t.Errorf("%v is stored twice", r.key())
		}
		byKey[r.key()] = r
		byService[r.Service] = append(byService[r.Service], r)
	}
	lost := 0
	for k, r := range w.seen {
		switch got, found := byKey[k]; {
		case !found:
			if lost++; lost <= 5 {
				t.Errorf("%v was shown and is lost", k)
			}
		case got != r:
			t.Errorf("shown  %+v\nstored %+v", r, got)
		}
	}
	if lost > 5 {
		t.Errorf("%d signals were shown and are lost", lost)
	}
	asked := x.requests()
	for _, id := range x.services {
		l.requests += len(asked[id])
		l.pair(t, id, asked[id], byService[id], excused)
	}
	t.Logf("targets saw %d requests; %d signals stored; %d shown; %d requests around kills without a signal; %d timeouts before the target",
		l.requests, l.stored, l.shown, l.excused, l.unheard)
	if l.stored == 0 {
		t.Error("nothing is stored")
	}
	return l
}

// pair finds for each signal of a service its request, in order.
func (l *ledger) pair(t *testing.T, id string, asked []request, stored []record, excused []span) {
	t.Helper()
	slices.SortFunc(stored, func(a, b record) int { return strings.Compare(a.Received, b.Received) })
	used := make([]bool, len(asked))
	made := 0
	// Those that timed out come last: their request may not have reached the target, and the
	// next one is not theirs.
	for _, late := range []bool{false, true} {
		for _, s := range stored {
			if late != (s.Reason == "timeout") {
				continue
			}
			i := find(asked, used, s)
			switch {
			case i >= 0:
				used[i] = true
			case late:
				l.unheard++
			default:
				if made++; made <= 3 {
					t.Errorf("%+v is stored, and nobody asked", s)
				}
			}
		}
	}
	if made > 3 {
		t.Errorf("%s: %d signals are stored, and nobody asked", id, made)
	}
	for i, r := range asked {
		if used[i] {
			continue
		}
		if l.starved > 0 {
			l.starved--
			continue
		}
		if !slices.ContainsFunc(excused, func(s span) bool { return r.at.After(s.from) && r.at.Before(s.to) }) {
			t.Errorf("%s was asked at %v (answered %d), and no signal says so", id, r.at.UTC().Format(time.RFC3339Nano), r.code)
			continue
		}
		l.excused++
	}
}

// find returns the first request that has no signal yet and may be that of s, or -1.
func find(asked []request, used []bool, s record) int {
	latest := interval + timeout
	if s.Reason == "timeout" { // On a machine that starves, a target hears of a probe when it is long over.
		latest += 2 * interval
	}
	for i, r := range asked {
		delay := r.at.Sub(s.at())
		if !used[i] && delay > -10*time.Millisecond && delay < latest && fits(s, r) {
			return i
		}
	}
	return -1
}

// fits tells whether a signal is what the prober should have made of a request.
func fits(s record, r request) bool {
	if s.Reason == "timeout" { // A busy machine may answer too late.
		return s.HTTPStatus == noAnswer && !s.Available
	}
	up := r.code >= 200 && r.code < 300
	return s.HTTPStatus == r.code && s.Available == up && (s.Reason == "") == up && (s.Outcome == "up") == up
}
