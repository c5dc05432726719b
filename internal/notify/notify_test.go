package notify_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"statuspage/db/control"
	"statuspage/internal/board"
	"statuspage/internal/notify"
	"statuspage/internal/notify/channel"
	"statuspage/internal/status"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// house is a board that is measured, and a notifier over it that may be ended and begun again.
type house struct {
	t        *testing.T
	services []status.Service
	board    *board.Board
	url      string
	settings notify.Settings
	away     atomic.Bool
	wrap     func(notify.Store) notify.Store                  // Nil: the store as it is.
	refuse   func(c channel.Channel, m channel.Message) error // Nil: everything is taken.

	mu   sync.Mutex
	sent []sent

	n   *notify.Notifier
	end func()
}

type sent struct {
	channel string
	at      time.Time
	channel.Message
}

func named(names ...string) (all []channel.Channel) {
	for _, name := range names {
		for _, k := range channel.Kinds() {
			if k.Name == "slack" {
				all = append(all, k.New(name))
			}
		}
	}
	return all
}

func newHouse(t *testing.T, services int, rules ...notify.Rule) *house {
	h := &house{t: t, url: "sqlite:///" + filepath.Join(t.TempDir(), "control.db")}
	for i := range services {
		h.services = append(h.services, status.Service{ID: fmt.Sprintf("s%03d", i), Name: fmt.Sprintf("Service %d", i), URL: fmt.Sprintf("http://s%d", i), Interval: time.Minute, Timeout: 10 * time.Second})
	}
	for i := range rules {
		r := &rules[i]
		r.After, r.Recover = max(1, r.After), max(1, r.Recover)
		if r.On == nil {
			r.On = []string{channel.Down}
		}
		if r.To == nil {
			r.To = []string{"ops"}
		}
		for _, s := range h.services {
			r.Services = append(r.Services, s.ID)
		}
	}
	h.settings = notify.Settings{Page: "Acme", URL: "https://status.example", Rules: rules, Channels: named("ops", "duty")}
	h.board = h.fresh()
	return h
}

func (h *house) fresh() *board.Board {
	b, err := board.New(h.services, time.UTC)
	if err != nil {
		h.t.Fatal(err)
	}
	return b
}

// start begins a life of the notifier; restart ends one as kill -9 would, as far as the store can tell.
func (h *house) start() {
	store, err := control.Open(context.Background(), h.url)
	if err != nil {
		h.t.Fatal(err)
	}
	h.n = notify.New(notify.Options{
		Settings: h.settings, Board: h.board, Log: slog.New(slog.DiscardHandler), Ready: func() bool { return true }, Silent: func(string) bool { return h.away.Load() },
		Open: func(context.Context) (notify.Store, error) {
			if h.wrap != nil {
				return h.wrap(store), nil
			}
			return store, nil
		},
	})
	h.n.SendBy(func(_ context.Context, c channel.Channel, m channel.Message) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.refuse != nil {
			if err := h.refuse(c, m); err != nil {
				return err
			}
		}
		h.sent = append(h.sent, sent{c.Name, time.Now(), m})
		return nil
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); h.n.Run(ctx) }()
	h.end = func() { cancel(); <-done; _ = store.Close() }
	synctest.Wait()
}

// restart has the board read its past from the store of signals, as a start does.
func (h *house) restart() {
	h.end()
	before := h.board
	h.board = h.fresh()
	var past []status.Signal
	for i, svc := range before.Services() {
		for _, s := range svc.Recent(120) {
			past = append(past, h.signal(i, s.Time(), s.Outcome))
		}
	}
	h.board.Loader().Backfill(past)
	h.start()
}

func (h *house) signal(i int, at time.Time, o status.Outcome) status.Signal {
	s := status.Signal{Received: at, Service: h.services[i].ID, URL: h.services[i].URL, Outcome: o, Available: o.Available()}
	if o == status.Down {
		s.Reason = status.Timeout
	}
	return s
}

// run measures for slots minutes; outcome says what is found, Unknown for nothing.
func (h *house) run(slots int, outcome func(service, slot int) status.Outcome) {
	order := make([]int, len(h.services))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(h.services[a].Phase(), h.services[b].Phase()) })
	start := time.Now().Truncate(time.Minute).Add(time.Minute)
	for slot := range slots {
		for _, i := range order {
			at := start.Add(time.Duration(slot)*time.Minute + h.services[i].Phase())
			o := outcome(i, slot)
			if o == status.Unknown {
				continue
			}
			time.Sleep(time.Until(at))
			h.board.Apply([]status.Signal{h.signal(i, at, o)})
		}
	}
	time.Sleep(time.Until(start.Add(time.Duration(slots)*time.Minute - time.Second)))
}

func (h *house) told() []sent {
	synctest.Wait()
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.sent)
}

// story is what a channel was told, a word each message: its lines' states and how many.
func (h *house) story(name string) string {
	var words []string
	for _, m := range h.told() {
		if m.channel != name {
			continue
		}
		n := map[string]int{}
		for _, l := range m.Lines {
			n[l.State]++
		}
		var parts []string
		for _, state := range []string{channel.Begins, channel.Lasts, channel.Unstable, channel.Ends} {
			if n[state] > 0 {
				parts = append(parts, fmt.Sprintf("%s %d", state, n[state]))
			}
		}
		words = append(words, strings.Join(parts, "+"))
	}
	return strings.Join(words, ", ")
}

func always(o status.Outcome) func(int, int) status.Outcome {
	return func(int, int) status.Outcome { return o }
}

// during is down in [from, to) and up else.
func during(from, to int) func(int, int) status.Outcome {
	return func(_, slot int) status.Outcome {
		if slot >= from && slot < to {
			return status.Down
		}
		return status.Up
	}
}

const gathered = 20 * time.Second

// TestOneMessageForAnOutage: three hundred services down for five minutes are one message and one of their recovery.
func TestOneMessageForAnOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 300, notify.Rule{After: 2, Recover: 2, Gather: gathered})
		h.start()
		defer func() { h.end() }()
		h.run(20, during(5, 10))
		if got, want := h.story("ops"), "begins 300, ends 300"; got != want {
			t.Errorf("told: %s, want %s", got, want)
		}
		if len(h.told()) == 2 && len(h.told()[1].Closes) != 1 {
			t.Errorf("the recovery closes %v", h.told()[1].Closes)
		}
		h.run(5, always(status.Up))
		if n := len(h.told()); n != 2 {
			t.Errorf("%d messages in the end", n)
		}
	})
}

// TestStories are what a channel hears of what happens to one service.
func TestStories(t *testing.T) {
	t.Parallel()
	minutes := func(text string) func(int, int) status.Outcome {
		return func(_, slot int) status.Outcome {
			return map[byte]status.Outcome{'U': status.Up, 'D': status.Down, 's': status.Degraded, '.': status.Unknown}[text[slot]]
		}
	}
	for name, c := range map[string]struct {
		rule  notify.Rule
		slots string
		ops   string
		duty  string
	}{
		"an outage":                         {notify.Rule{After: 2, Recover: 2}, "UUDDDUUU", "begins 1, ends 1", ""},
		"one bad slot":                      {notify.Rule{After: 2, Recover: 2}, "UUDUUUDUUU", "", ""},
		"one good slot within":              {notify.Rule{After: 2, Recover: 2}, "UDDDUDDDUUU", "begins 1, ends 1", ""},
		"no data":                           {notify.Rule{After: 1}, "UUU......UUU", "", ""},
		"no data between two bad slots":     {notify.Rule{After: 2}, "UUD......DUUU", "", ""},
		"no data is no recovery":            {notify.Rule{After: 2}, "UDDD......", "begins 1", ""},
		"no data within an outage":          {notify.Rule{After: 2}, "UDDD......DDDUU", "begins 1, ends 1", ""},
		"down from the first slot on":       {notify.Rule{After: 2}, "DDDDU", "begins 1, ends 1", ""},
		"gone before it is told":            {notify.Rule{After: 1, Gather: 5 * time.Minute}, "UUDUUUUUUUUU", "", ""},
		"slow is not asked for":             {notify.Rule{After: 1}, "UsssssUU", "", ""},
		"slow":                              {notify.Rule{After: 2, Recover: 2, On: []string{channel.Slow}}, "UssssUUU", "begins 1, ends 1", ""},
		"down is no end of slow":            {notify.Rule{After: 2, Recover: 2, On: []string{channel.Slow}}, "UsssDDDDsUU", "begins 1, ends 1", ""},
		"reminders":                         {notify.Rule{After: 1, Remind: 3 * time.Minute}, "UDDDDDDDDDDU", "begins 1, lasts 1, lasts 1, lasts 1, ends 1", ""},
		"escalation":                        {notify.Rule{After: 1, Then: []notify.Step{{After: 5 * time.Minute, To: []string{"duty"}}}}, "UDDDDDDDDDU", "begins 1, ends 1", "begins 1, ends 1"},
		"over before somebody else is told": {notify.Rule{After: 1, Then: []notify.Step{{After: 5 * time.Minute, To: []string{"duty"}}}}, "UDDDUUUUUUUU", "begins 1, ends 1", ""},
		"no reminder of what nobody knows":  {notify.Rule{After: 1, Remind: 3 * time.Minute}, "UDD..........DU", "begins 1, lasts 1, ends 1", ""},
		"no escalation either":              {notify.Rule{After: 1, Then: []notify.Step{{After: 5 * time.Minute, To: []string{"duty"}}}}, "UDD..........U", "begins 1, ends 1", ""},
		"a flapper is told once to all":     {notify.Rule{After: 1, Recover: 1, Then: []notify.Step{{After: 5*time.Minute + 30*time.Second, To: []string{"duty"}}}}, "UDUDUDUDDDDDDDUUDDDDDDDDUUUDDDDDDUUUUUUUUUUUUUUUUUUUUUUUUU", "begins 1, ends 1, begins 1, ends 1, unstable 1, ends 1", "unstable 1, ends 1"},
		"two channels":                      {notify.Rule{After: 1, To: []string{"ops", "duty"}}, "UDDDU", "begins 1, ends 1", "begins 1, ends 1"},
		"a flapper is told once":            {notify.Rule{After: 1, Recover: 2}, "UDUDUDUDUDUDUDUDUDUDUDUDUDUD", "begins 1, unstable 1", ""},
		"and of its end":                    {notify.Rule{After: 1, Recover: 2}, "UDUDUDUDUDUDUDUD" + strings.Repeat("U", 30), "begins 1, unstable 1, ends 1", ""},
		"a flapper that stays down":         {notify.Rule{After: 1, Recover: 2}, "UDUDUDUDUDUDUDU" + strings.Repeat("D", 30), "begins 1, unstable 1", ""},
		"which then recovers":               {notify.Rule{After: 1, Recover: 2}, "UDUDUDUDUDUDUDU" + strings.Repeat("D", 30) + "UUU", "begins 1, unstable 1, ends 1", ""},
		"a slow flapper":                    {notify.Rule{After: 2, Recover: 2}, strings.Repeat("DDUU", 20), "begins 1, ends 1, begins 1, ends 1, begins 1, unstable 1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for restart := -1; restart < len(c.slots); restart++ {
				synctest.Test(t, func(t *testing.T) {
					h := newHouse(t, 1, c.rule)
					h.start()
					defer func() { h.end() }()
					h.run(len(c.slots), func(i, slot int) status.Outcome {
						if slot == restart {
							h.restart()
						}
						return minutes(c.slots)(i, slot)
					})
					if ops, duty := h.story("ops"), h.story("duty"); ops != c.ops || duty != c.duty {
						t.Errorf("restarted at %d: ops hears %q, duty %q; want %q and %q", restart, ops, duty, c.ops, c.duty)
					}
				})
			}
		})
	}
}

// TestThirtyDaysOfNoise: with one bad slot in a hundred there is a message where two follow each other, and one of their end; a
// restart at any slot changes nothing.
func TestThirtyDaysOfNoise(t *testing.T) {
	t.Parallel()
	const services, slots = 2, 30 * 24 * 60
	for seed := range uint64(1) {
		r := rand.New(rand.NewPCG(seed, 1))
		found := make([][]status.Outcome, services)
		want := 0
		for i := range found {
			found[i] = make([]status.Outcome, slots)
			for s := range found[i] {
				if found[i][s] = status.Up; r.IntN(100) == 0 {
					found[i][s] = status.Down
				}
			}
			want += outages(found[i])
		}
		restarts := map[int]bool{}
		for range 40 {
			restarts[r.IntN(slots)] = true
		}
		for name, at := range map[string]map[int]bool{"in one life": nil, "in many": restarts} {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, services, notify.Rule{After: 2, Recover: 2})
				h.start()
				defer func() { h.end() }()
				h.run(slots, func(i, slot int) status.Outcome {
					if i == 0 && at[slot] {
						h.restart()
					}
					return found[i][slot]
				})
				h.run(3, always(status.Up))
				begins, ends := 0, 0
				ids := map[string]bool{}
				for _, m := range h.told() {
					if ids[m.ID] {
						t.Errorf("message %s twice", m.ID)
					}
					ids[m.ID] = true
					for _, l := range m.Lines {
						switch l.State {
						case channel.Begins:
							begins++
						case channel.Ends:
							ends++
						default:
							t.Errorf("%s of %s", l.State, l.Service)
						}
					}
				}
				if begins != want || ends != want || want < 5 {
					t.Errorf("seed %d, %s: %d beginnings and %d ends, want %d", seed, name, begins, ends, want)
				}
			})
		}
	}
}

// outages counts by hand what two bad slots in a row begin and two good ones end.
func outages(found []status.Outcome) (n int) {
	down, bad, good := false, 0, 0
	for _, o := range found {
		if o == status.Down {
			bad, good = bad+1, 0
		} else {
			bad, good = 0, good+1
		}
		if !down && bad == 2 {
			down = true
			n++
		}
		if down && good == 2 {
			down = false
		}
	}
	return n
}

// TestNothingWhileOurNetworkIsAway, and what is true afterwards is told.
func TestNothingWhileOurNetworkIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 3, notify.Rule{After: 1})
		h.start()
		defer func() { h.end() }()
		h.run(3, always(status.Up))
		h.away.Store(true)
		h.run(3, always(status.Down))
		if got := h.story("ops"); got != "" {
			t.Errorf("told while nobody could know: %s", got)
		}
		h.away.Store(false)
		h.run(3, func(i, _ int) status.Outcome { return []status.Outcome{status.Up, status.Up, status.Down}[i] })
		if got := h.story("ops"); got != "begins 1" {
			t.Errorf("afterwards: %s", got)
		}
	})
}

// TestChannelAway: a channel that is away for a day stops no other, loses nothing, and is told in one message.
func TestChannelAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 2, notify.Rule{After: 1, To: []string{"ops", "duty"}})
		var away atomic.Bool
		away.Store(true)
		attempts := map[string]int{}
		h.refuse = func(c channel.Channel, m channel.Message) error {
			if c.Name == "ops" && away.Load() {
				attempts[m.ID]++
				return notify.ErrorOf(false)
			}
			return nil
		}
		h.start()
		defer func() { h.end() }()
		h.run(24*60, func(i, slot int) status.Outcome { return during(10, 20+i*2000)(i, slot) })
		if got := h.story("duty"); got != "begins 1, begins 1, ends 1" && got != "begins 2, ends 1" {
			t.Errorf("duty hears %s", got)
		}
		if h.n.Healthy() {
			t.Error("healthy, with a channel away")
		}
		tries := 0
		for _, n := range attempts {
			tries += n
		}
		if tries < 48 || tries > 140 {
			t.Errorf("%d attempts in a day", tries)
		}
		h.restart()
		away.Store(false)
		h.run(40, func(i, _ int) status.Outcome { return []status.Outcome{status.Up, status.Down}[i] })
		if got := h.story("ops"); got != "begins 1+ends 1" {
			t.Errorf("ops hears %s", got)
		}
		if !h.n.Healthy() {
			t.Error("not healthy, with everything back")
		}
	})
}

// TestRefusedForGood is counted, tried no more, and does not hold up what comes after.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 1, notify.Rule{After: 1})
		tries := 0
		h.refuse = func(_ channel.Channel, m channel.Message) error {
			if m.Lines[0].State == channel.Begins {
				tries++
				return notify.ErrorOf(true)
			}
			return nil
		}
		h.start()
		defer func() { h.end() }()
		h.run(30, during(2, 5))
		if got := h.story("ops"); got != "ends 1" || tries != 1 {
			t.Errorf("ops hears %q after %d tries", got, tries)
		}
		h.n.Each(func(name string, c *notify.Counts) {
			if name == "ops" && (c.Failed.Load() != 1 || c.Told.Load() != 1 || c.Waiting.Load() != 0) {
				t.Errorf("counted: %d failed, %d told, %d waiting", c.Failed.Load(), c.Told.Load(), c.Waiting.Load())
			}
		})
	})
}

// TestKilledBetween: whether the process dies before the decision, between it and sending, or between sending and keeping that it was
// sent, nothing is lost; what is sent twice has the same id.
func TestKilledBetween(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 1, notify.Rule{After: 1})
		h.start()
		ids := map[string]int{}
		var die atomic.Bool
		die.Store(true)
		h.refuse = func(_ channel.Channel, m channel.Message) error {
			ids[m.ID]++
			if die.Load() {
				return errors.Join(notify.ErrorOf(false)) // The channel has it, and we never hear.
			}
			return nil
		}
		h.run(5, during(2, 9))
		die.Store(false)
		h.restart()
		h.run(8, always(status.Up))
		h.end()
		if got := h.story("ops"); got != "begins 1, ends 1" && got != "begins 1+ends 1" && got != "ends 1" || len(ids) != 2 {
			t.Errorf("ops hears %s by ids %v", got, ids)
		}
	})
}

// TestOfSeveralOneDecides: two notifiers over one store tell everything once, and the second goes on when the first has gone.
func TestOfSeveralOneDecides(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 5, notify.Rule{After: 1})
		store, err := control.Open(context.Background(), h.url)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		var mu sync.Mutex
		var told []string
		begin := func() (end func()) {
			n := notify.New(notify.Options{
				Settings: h.settings, Board: h.board, Shared: true, Log: slog.New(slog.DiscardHandler), Ready: func() bool { return true }, Silent: func(string) bool { return false },
				Open: func(context.Context) (notify.Store, error) { return store, nil },
			})
			n.SendBy(func(_ context.Context, _ channel.Channel, m channel.Message) error {
				mu.Lock()
				defer mu.Unlock()
				for _, l := range m.Lines {
					told = append(told, l.Service+" "+l.State)
				}
				return nil
			})
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan struct{})
			go func() { defer close(done); n.Run(ctx) }()
			return func() { cancel(); <-done }
		}
		first, second := begin(), begin()
		h.run(6, during(2, 99))
		first()
		time.Sleep(time.Minute)
		h.run(6, always(status.Up))
		second()
		slices.Sort(told)
		var want []string
		for _, s := range h.services {
			want = append(want, s.ID+" "+channel.Begins, s.ID+" "+channel.Ends)
		}
		slices.Sort(want)
		if !slices.Equal(told, want) {
			t.Errorf("told %v, want %v", told, want)
		}
	})
}

// TestRestartChangesNothing: of whatever is measured, noise, silence and flapping, a channel hears the same in one life and in
// many.
func TestRestartChangesNothing(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 7))
		const services, slots = 3, 60
		found := make([][]status.Outcome, services)
		for i := range found {
			found[i] = make([]status.Outcome, slots)
			now := status.Up
			for s := range found[i] {
				if r.IntN(4) == 0 {
					now = []status.Outcome{status.Up, status.Up, status.Up, status.Down, status.Down, status.Degraded, status.Unknown}[r.IntN(7)]
				}
				found[i][s] = now
			}
		}
		restarts := map[[2]int]bool{}
		for range r.IntN(8) + 1 {
			restarts[[2]int{r.IntN(services), r.IntN(slots)}] = true
		}
		rule := notify.Rule{
			After: 1 + r.IntN(3), Recover: 1 + r.IntN(3), Gather: []time.Duration{0, gathered}[r.IntN(2)], Remind: []time.Duration{0, 7*time.Minute + 30*time.Second}[r.IntN(2)], // At no instant at which something is measured.
			On: []string{channel.Down, channel.Slow}, Then: []notify.Step{{After: 5*time.Minute + 30*time.Second, To: []string{"duty"}}},
		}
		var stories [2]string
		for life := range stories {
			synctest.Test(t, func(t *testing.T) {
				h := newHouse(t, services, rule)
				h.start()
				defer func() { h.end() }()
				h.run(slots, func(i, slot int) status.Outcome {
					if life == 1 && restarts[[2]int{i, slot}] {
						h.restart()
					}
					return found[i][slot]
				})
				var b strings.Builder
				for _, name := range []string{"ops", "duty"} {
					for _, m := range h.told() {
						if m.channel == name {
							fmt.Fprintf(&b, "%s %s:", name, m.ID[:6])
							for _, l := range m.Lines {
								fmt.Fprintf(&b, " %s %s %s", l.Service, l.Kind, l.State)
							}
							b.WriteByte('\n')
						}
					}
				}
				stories[life] = b.String()
			})
		}
		if stories[0] != stories[1] {
			t.Errorf("seed %d, %+v: in one life\n%sand in many\n%s", seed, rule, stories[0], stories[1])
		}
	}
}

// away is a store that can't be asked while it is away.
type awayStore struct {
	notify.Store
	away *atomic.Bool
}

func (s awayStore) Decide(ctx context.Context, d []control.Decision, m []control.Delivery) error {
	if s.away.Load() {
		return status.ErrUnavailable
	}
	return s.Store.Decide(ctx, d, m)
}

func (s awayStore) SetDelivery(ctx context.Context, d control.Delivery) error {
	if s.away.Load() {
		return status.ErrUnavailable
	}
	return s.Store.SetDelivery(ctx, d)
}

// TestControlStoreAway: what happens meanwhile is told when it is back, once.
func TestControlStoreAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 2, notify.Rule{After: 1})
		var away atomic.Bool
		h.wrap = func(s notify.Store) notify.Store { return awayStore{s, &away} }
		h.start()
		defer func() { h.end() }()
		h.run(3, always(status.Up))
		away.Store(true)
		h.run(3, always(status.Down))
		if got := h.story("ops"); got != "" || h.n.Healthy() {
			t.Errorf("told %q, healthy: %v", got, h.n.Healthy())
		}
		away.Store(false)
		h.run(3, always(status.Down))
		if got := h.story("ops"); got != "begins 2" && got != "begins 1, begins 1" || !h.n.Healthy() {
			t.Errorf("told %q, healthy: %v", got, h.n.Healthy())
		}
	})
}

// TestThousandsAtOnce are one message, and one of their end.
func TestThousandsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, 2000, notify.Rule{After: 2, Recover: 2, Gather: gathered})
		h.start()
		defer func() { h.end() }()
		h.run(8, during(1, 4))
		if got := h.story("ops"); got != "begins 2000, ends 2000" {
			t.Errorf("told: %s", got)
		}
	})
}
