package monitor

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"statuspage/internal/check"
	"statuspage/internal/status"
	"statuspage/monitor/probe"
	"strings"
	"sync"
	"time"
)

const (
	canaryTimeout = 2 * time.Second
	canaryPause   = time.Second // Between the beginnings of two askings, at least, and at most while a probe runs.
	// promptly is how soon a canary is reached while our network is there all the time. Who is reached later may
	// not have been at first: a lost packet is sent again after a second.
	promptly = 900 * time.Millisecond
	maxHeld  = 20_000 // Results that wait for the canaries: one of each check.
)

// answer is what came of asking the canaries.
type answer int

const (
	silent answer = iota // Nobody answers.
	late                 // Somebody does, and our network may have come back just now.
	prompt               // Somebody was reached at once: our network was there when they were asked.
)

// canary tells whether our own network is there, by asking others that are always there. A
// failure that may be our network's counts only when somebody had answered before its run began, each
// time since, and once more when asked after it: between the last silence and the first answer
// nobody knows. So the canaries are asked once a second while anything is measured, and a failure is held back until then. Results of
// the same check wait behind it, so that each check's come in order. It holds up neither workers nor
// other checks.
type canary struct {
	ask     func(context.Context) answer
	deliver func(measured)
	skipped func(r run, cause string)
	log     *slog.Logger

	wake   chan struct{}
	quit   chan struct{}
	done   chan struct{}
	ctx    context.Context //nolint:containedctx // The life of all askings.
	cancel context.CancelFunc

	mu   sync.Mutex
	held []measured       // In the order they came.
	of   map[*watched]int // How many of each check are held or about to be delivered.
	down time.Time        // Since when nobody answers; zero while somebody does.
	here time.Time        // Since when somebody has answered each time; zero for not the last time.
}

// measured is what came of a run.
type measured struct {
	run
	by     *plan
	result probe.Result
	began  time.Time
}

func newCanary(targets []string, deliver func(measured), skipped func(run, string), log *slog.Logger) *canary {
	k := &canary{
		deliver: deliver, skipped: skipped, log: log, of: make(map[*watched]int),
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	p := probe.New(probe.Options{})
	k.ask = func(ctx context.Context) answer { return askAll(ctx, p, targets) }
	return k
}

// doubtful tells whether a result would look the same if our own network was gone, or had been for a
// moment: then an answer is slow.
func doubtful(r probe.Result) bool {
	switch {
	case r.Outcome == status.Degraded:
		return r.Reason == status.Slow || r.Reason == status.PacketLoss
	case r.Outcome != status.Down || r.HTTPStatus != status.NoHTTPStatus:
		return false
	}
	switch r.Reason {
	case status.Timeout, status.DNS, status.ConnectionRefused, status.ConnectionReset, status.Unreachable, status.TLS, status.Other, status.PacketLoss,
		status.Slow, status.CertificateExpired, status.CertificateMismatch, status.UnexpectedRecords: // Whoever answers in our network for others has these.
		return true
	default:
		return false
	}
}

// settle delivers a result now, or when the canaries were asked.
func (k *canary) settle(o measured) {
	k.mu.Lock()
	free, full := !doubtful(o.result) && k.of[o.check] == 0, len(k.held) >= maxHeld
	if !free && !full {
		k.held = append(k.held, o)
		k.of[o.check]++
	}
	k.mu.Unlock()
	switch {
	case free:
		k.deliver(o)
	case full:
		k.skipped(o.run, SkippedFull)
	default:
		k.poke()
	}
}

// poke has the canaries asked soon.
func (k *canary) poke() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// watch has the canaries asked now, and while a probe goes on, until stop: what they say of the time of a failure
// is known when it comes, though the network may be back by then.
func (k *canary) watch() (stop func()) {
	k.poke()
	done := make(chan struct{})
	slow := time.AfterFunc(canaryPause, func() {
		tick := time.NewTicker(canaryPause)
		defer tick.Stop()
		for {
			k.poke()
			select {
			case <-tick.C:
			case <-done:
				return
			}
		}
	})
	return func() {
		slow.Stop()
		close(done)
	}
}

// run asks when it is told to, and on and on while nobody answers.
func (k *canary) run() {
	defer close(k.done)
	again := time.NewTimer(time.Hour)
	defer again.Stop()
	for {
		select {
		case <-k.wake:
		case <-again.C:
		case <-k.quit:
			k.round()
			return
		}
		asked := time.Now()
		if k.round(); k.away() {
			again.Reset(canaryPause)
		}
		pause := time.NewTimer(canaryPause - time.Since(asked))
		select {
		case <-pause.C:
		case <-k.quit: // The last round need not wait.
		}
		pause.Stop()
	}
}

// round asks once, and settles what was held before.
func (k *canary) round() {
	k.mu.Lock()
	batch := k.held
	k.held = nil
	k.mu.Unlock()
	if len(batch) == 0 && k.ctx.Err() != nil {
		return
	}
	got := k.ask(k.ctx)
	if k.ctx.Err() == nil {
		k.note(got)
	} else {
		got = silent // It was we who hung up.
	}
	for _, o := range batch {
		if doubtful(o.result) && (got != prompt || !k.hereSince(o.began)) {
			k.skipped(o.run, SkippedNetwork)
		} else {
			k.deliver(o)
		}
		k.mu.Lock()
		if k.of[o.check]--; k.of[o.check] == 0 {
			delete(k.of, o.check)
		}
		k.mu.Unlock()
	}
}

// note keeps what was found out, and logs the beginning and the end.
func (k *canary) note(got answer) {
	now := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case got == silent:
		k.here = time.Time{}
	case got == late, k.here.IsZero():
		k.here = now // Not since they were asked: the network may have come back in between.
	}
	switch {
	case got == silent && k.down.IsZero():
		k.down = now
		k.log.Error("our own network is down: no canary answers; what fails now is not recorded")
	case got != silent && !k.down.IsZero():
		k.log.Info("our own network is back", "after", now.Sub(k.down).Round(time.Millisecond))
		k.down = time.Time{}
	}
}

// hereSince tells whether somebody has answered each time, and had before t.
func (k *canary) hereSince(t time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.here.IsZero() && !k.here.After(t)
}

// away tells whether our network is known to be gone. Without canaries it never is.
func (k *canary) away() bool {
	if k == nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.down.IsZero()
}

// stop settles what is held, within half of what is left until ctx ends; what the canaries have
// no answer to by then is no signal. No result may come after it is called.
func (k *canary) stop(ctx context.Context) {
	defer k.cancel()
	if deadline, ok := ctx.Deadline(); ok {
		cut := time.AfterFunc(time.Until(deadline)/2, k.cancel)
		defer cut.Stop()
	}
	close(k.quit)
	<-k.done
}

// askAll asks all at once and tells how the first was reached, or who was reached promptly if that takes
// it longer to answer: host:port by accepting a connection, an address of HTTP by any status.
func askAll(ctx context.Context, p *probe.Prober, targets []string) (best answer) {
	ctx, cancel := context.WithTimeout(ctx, canaryTimeout)
	answers := make(chan answer, len(targets))
	var asking sync.WaitGroup
	defer asking.Wait() // Those who are not needed any more end at once, being cancelled.
	defer cancel()
	for _, target := range targets {
		asking.Go(func() { answers <- ask(ctx, p, target) })
	}
	for range targets {
		if best = max(best, <-answers); best == prompt {
			break
		}
	}
	return best
}

func ask(ctx context.Context, p *probe.Prober, target string) answer {
	began := time.Now()
	var reached time.Duration
	if strings.Contains(target, "://") {
		r := p.HTTP(ctx, check.Check{
			Service: status.Service{ID: "canary", URL: target, Timeout: canaryTimeout}, Target: target, How: &check.HTTP{Method: http.MethodHead},
		})
		if r.HTTPStatus <= 0 {
			return silent
		}
		reached = r.Phases.DNS + r.Phases.Connect // How long it thinks is its own affair.
	} else {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", target)
		if err != nil {
			return silent
		}
		_ = conn.Close()
		reached = time.Since(began)
	}
	if reached >= promptly {
		return late
	}
	return prompt
}
