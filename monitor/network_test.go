package monitor

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// outages are the times at which our own network is away.
type outages [][2]time.Time

// away tells whether the network is away at some instant of [from, to].
func (o outages) away(from, to time.Time) bool {
	for _, one := range o {
		if !to.Before(one[0]) && from.Before(one[1]) {
			return true
		}
	}
	return false
}

// outagesUntil draws outages of at least a second, with times between them that may be as short as a blink.
func outagesUntil(end time.Time, random *rand.Rand) (all outages) {
	lasting := func(least, most time.Duration) time.Duration {
		return least + time.Duration(random.Int64N(int64(most-least)))
	}
	at := time.Now().Add(lasting(0, 20*time.Second))
	if random.IntN(4) == 0 {
		at = time.Now().Add(-time.Second) // Away at the start.
	}
	for at.Before(end) {
		long := lasting(1100*time.Millisecond, 3*time.Second)
		if random.IntN(2) == 0 {
			long = lasting(1100*time.Millisecond, 20*time.Second)
		}
		all = append(all, [2]time.Time{at, at.Add(long)})
		if at = at.Add(long); random.IntN(3) == 0 {
			at = at.Add(lasting(time.Millisecond, 2*time.Second))
			continue
		}
		at = at.Add(lasting(2*time.Second, 40*time.Second))
	}
	return all
}

// connects waits as a connection does: what is lost is sent again after one second, three, seven. It tells whether there
// is one by the timeout.
func (o outages) connects(ctx context.Context, timeout time.Duration) bool {
	const trip = 15 * time.Millisecond
	began := time.Now()
	for _, again := range []time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second} {
		if again+trip > timeout {
			break
		}
		rest(ctx, again-time.Since(began))
		sent := time.Now()
		if rest(ctx, trip); !o.away(sent, time.Now()) {
			return true
		}
	}
	rest(ctx, timeout-time.Since(began))
	return false
}

func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// ways are how targets that nothing is wrong with fail while our network is away.
var ways = map[string]func(ctx context.Context, o outages, c check.Check, random time.Duration) probe.Result{
	"refused at once": func(ctx context.Context, o outages, c check.Check, _ time.Duration) probe.Result {
		if o.away(time.Now(), time.Now()) {
			return down(status.ConnectionRefused)
		}
		return up(ctx, c)
	},
	"packets are lost": func(ctx context.Context, o outages, c check.Check, _ time.Duration) probe.Result {
		began := time.Now()
		if !o.connects(ctx, c.Timeout) {
			return down(status.Timeout)
		}
		if time.Since(began) > 200*time.Millisecond {
			return probe.Result{Outcome: status.Degraded, Reason: status.Slow, HTTPStatus: 200, Duration: time.Since(began)}
		}
		return up(ctx, c)
	},
	"one question, never asked again": func(ctx context.Context, o outages, c check.Check, _ time.Duration) probe.Result {
		if o.away(time.Now(), time.Now().Add(15*time.Millisecond)) {
			rest(ctx, c.Timeout)
			return down(status.DNS)
		}
		return up(ctx, c)
	},
	"cut in the middle of an answer": func(ctx context.Context, o outages, c check.Check, random time.Duration) probe.Result {
		began := time.Now()
		if rest(ctx, random%c.Timeout); o.away(began, time.Now()) {
			return down(status.ConnectionReset)
		}
		return up(ctx, c)
	},
}

// TestOutagesOfOurOwnAreNeverOfTheTargets lets our network go away and come back at any instant, while nothing is
// wrong with any target: whatever that looks like from here, no signal says down or slow.
func TestOutagesOfOurOwnAreNeverOfTheTargets(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		for _, refusing := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d, canaries refuse: %v", seed, refusing), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { outagesOfOurs(t, seed, refusing) })
			})
		}
	}
}

func outagesOfOurs(t *testing.T, seed uint64, refusing bool) {
	t.Helper()
	const lasts = 8 * time.Minute
	random := rand.New(rand.NewPCG(seed, 14))
	network := outagesUntil(time.Now().Add(lasts), random)
	var checks []check.Check
	measure := func(ctx context.Context, c check.Check) probe.Result {
		if way, ok := ways[c.Target]; ok {
			return way(ctx, network, c, time.Duration(rand.Int64N(int64(time.Minute))))
		}
		return down(status.ConnectionRefused) // The one that is broken.
	}
	for name := range ways {
		for _, interval := range []time.Duration{time.Second, 3 * time.Second, 17 * time.Second, time.Minute} {
			c := checkOf(name+" "+interval.String()+" "+strconv.FormatUint(seed, 10), interval)
			c.Target, c.Timeout = name, interval*9/10
			if random.IntN(2) == 0 {
				c.Timeout = interval / 4
			}
			checks = append(checks, c)
		}
	}
	if random.IntN(2) == 0 { // Few that run keep the canaries less busy.
		checks = checks[:1+random.IntN(3)]
	}
	broken := checkOf("broken", 2*time.Second)
	if seed%3 > 0 { // Without it nothing but outages of ours has the canaries asked.
		checks = append(checks, broken)
	}
	x := &fixture{skipped: map[string]int{}, events: &events{}}
	m, err := New(Options{
		Checks: checks, Store: x.events, Board: x.events, Log: slog.New(slog.DiscardHandler), Probe: map[string]probe.Func{"http": measure}, Canary: []string{"canary.invalid:1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	m.canary.ask = func(ctx context.Context) answer {
		began := time.Now()
		switch {
		case refusing && network.away(began, began), !network.connects(ctx, canaryTimeout):
			return silent
		case time.Since(began) >= promptly:
			return late
		default:
			return prompt
		}
	}
	x.Monitor = m
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(lasts)
	synctest.Wait()
	for _, c := range checks {
		if n := x.count(c.ID, status.Down) + x.count(c.ID, status.Degraded); n != 0 && c.ID != broken.ID {
			t.Errorf("%s: %d signals of failures that were ours", c.ID, n)
		}
	}
	// What is really broken is told in every stretch that leaves time for it.
	at, from := x.received("broken"), time.Now().Add(-lasts)
	for _, one := range append(network, [2]time.Time{time.Now()}) {
		if seed%3 > 0 && one[0].Sub(from) > 12*time.Second {
			told := 0
			for _, s := range at {
				if s.After(from) && s.Before(one[0]) {
					told++
				}
			}
			if least := int(one[0].Sub(from)/broken.Interval) - 4; told < least {
				t.Errorf("%d signals of what is down between two outages of %v, want %d", told, one[0].Sub(from), least)
			}
		}
		from = one[1]
	}
	x.end(t)
}
