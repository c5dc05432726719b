package notify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"statuspage/db/control"
	"statuspage/internal/board"
	"statuspage/internal/notify/channel"
	"strings"
	"time"
)

// The phases of an alert.
const (
	pending = "pending" // It will be told.
	told    = "told"
	shaky   = "shaky"  // That it flaps will be told.
	ending  = "ending" // Its end will be told.
)

const (
	joinEvery   = 2 * time.Minute  // After a message about trouble, more of it waits as long.
	crowd       = 5                // So many services about to be confirmed are one outage, which is told as one,
	crowdWait   = 90 * time.Second // but not later than this.
	holdEvery   = time.Second
	remindSpare = time.Minute // Reminders so near to each other are one.
)

// trouble is one kind of it of one service.
type trouble struct{ service, kind string }

type key struct {
	trouble
	channel string
}

// decider is what is known of alerts, for one goroutine.
type decider struct {
	n     *Notifier
	store Store

	s      Settings
	rules  map[string][]*Rule // By service.
	window int                // Of slots that any rule looks at.
	alerts map[key]control.Alert
	seen   map[trouble]verdict // The newest.

	channels map[string]ahead // As the step at hand found them; nil until it asks.
	wake     time.Time        // Before it no message, reminder or step of a rule is due.
}

// load reads everything anew: settings, and what was told. What nobody is to be told any more is forgotten.
func (d *decider) load(ctx context.Context) error {
	d.s, _ = d.n.now()
	d.wake = time.Time{}
	d.rules, d.alerts, d.window, d.seen = map[string][]*Rule{}, map[key]control.Alert{}, 0, map[trouble]verdict{}
	for i := range d.s.Rules {
		r := &d.s.Rules[i]
		d.window = max(d.window, r.After, r.Recover)
		for _, id := range r.Services {
			d.rules[id] = append(d.rules[id], r)
		}
	}
	all, err := d.store.Alerts(ctx)
	if err != nil {
		return err
	}
	var gone []control.Decision
	for _, a := range all {
		k := key{trouble{a.Service, a.Kind}, a.Channel}
		if len(d.leading(k)) == 0 {
			gone = append(gone, control.Decision{Alert: a, Ends: true})
			continue
		}
		d.alerts[k] = a
	}
	if len(gone) > 0 {
		return d.store.Decide(ctx, gone, nil)
	}
	return nil
}

// leading are the rules by which a channel hears of a trouble.
func (d *decider) leading(k key) (rules []*Rule) {
	for _, r := range d.rules[k.service] {
		if slices.Contains(r.On, k.kind) && (slices.Contains(r.To, k.channel) || slices.ContainsFunc(r.Then, func(s Step) bool { return slices.Contains(s.To, k.channel) })) {
			rules = append(rules, r)
		}
	}
	return rules
}

// decisions are those of one step, the last of each alert.
type decisions map[key]control.Decision

// step decides what the services and the time tell, and puts messages that are due on their way. It returns the channels
// that have got one, and when to come again.
func (d *decider) step(ctx context.Context, services []*board.Service, now time.Time) (channels []string, next time.Time, err error) {
	changes := decisions{}
	d.channels = nil
	for _, svc := range services {
		d.look(svc, changes, now)
	}
	if !now.Before(d.wake) {
		d.escalate(changes, now)
	}
	if err := d.commit(ctx, changes, nil); err != nil {
		return nil, now, err
	}
	for _, c := range changes { // With thousands of alerts all of them are looked at once a second, not with each signal.
		d.wakeBy(earlierOf(now.Add(holdEvery), c.Due))
	}
	if now.Before(d.wake) {
		return nil, d.wake, nil
	}
	changes = decisions{}
	var messages []control.Delivery
	for _, c := range d.s.Channels {
		m, err := d.message(c.Name, changes, now)
		if err != nil {
			return nil, now, err
		}
		if m != nil {
			messages = append(messages, *m)
			channels = append(channels, c.Name)
		}
	}
	if err := d.commit(ctx, changes, messages); err != nil {
		return nil, now, err
	}
	for _, name := range channels {
		d.n.count(name).Waiting.Add(1)
	}
	d.wake = d.next(now)
	return channels, d.wake, nil
}

func (d *decider) wakeBy(at time.Time) { d.wake = earlierOf(d.wake, at) }

// commit makes decisions in the store first, and then here.
func (d *decider) commit(ctx context.Context, changes decisions, messages []control.Delivery) error {
	if len(changes)+len(messages) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeWait)
	defer cancel()
	all := slices.SortedFunc(maps.Values(changes), func(x, y control.Decision) int {
		return cmp.Or(cmp.Compare(x.Service, y.Service), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Channel, y.Channel))
	})
	if err := d.store.Decide(ctx, all, messages); err != nil {
		return err
	}
	for k, c := range changes {
		if c.Ends {
			delete(d.alerts, k)
			continue
		}
		d.alerts[k] = c.Left()
	}
	return nil
}

// look decides what the last slots of a service tell.
func (d *decider) look(svc *board.Service, changes decisions, now time.Time) {
	rules := d.rules[svc.ID]
	if len(rules) == 0 || d.n.o.Silent(svc.ID) {
		return
	}
	var kinds []string
	for _, r := range rules {
		for _, kind := range r.On {
			if !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	for _, kind := range kinds {
		t := trouble{svc.ID, kind}
		v, known := judge(svc, kind, d.window, now)
		if !known {
			delete(d.seen, t)
			continue
		}
		if v.bad > 0 && d.present(t, now).bad == 0 && len(d.of(t)) > 0 {
			d.wakeBy(now) // What waits for who knows that it goes on may be due.
		}
		d.seen[t] = v
		for _, r := range rules {
			if slices.Contains(r.On, kind) && v.bad >= r.After {
				d.fire(t, v, r, r.To, now.Add(r.Gather), changes, now)
			}
		}
		all, flaps := d.of(t), v.changes > flapping
		for _, a := range all { // What flaps does so for all who know of it, until it is calm.
			flaps = flaps || a.Unstable && v.changes > calm
		}
		for k, a := range all {
			d.goOn(k, a, v, flaps && kind != channel.Certificate, changes, now)
		}
	}
}

// of are the alerts of a trouble.
func (d *decider) of(t trouble) map[key]control.Alert {
	all := map[key]control.Alert{}
	for _, c := range d.s.Channels {
		if a, is := d.alerts[key{t, c.Name}]; is {
			all[key{t, c.Name}] = a
		}
	}
	return all
}

// fire lets channels be told of a trouble that they don't know.
func (d *decider) fire(t trouble, v verdict, r *Rule, to []string, due time.Time, changes decisions, now time.Time) {
	for _, name := range to {
		k := key{t, name}
		if _, known := d.alerts[k]; known {
			continue
		}
		if _, known := changes[k]; known {
			continue
		}
		if r.Gather > 0 {
			due = d.joined(name, due, now)
		}
		changes[k] = control.Decision{Begins: true, Alert: control.Alert{
			Service: t.service, Kind: t.kind, Channel: name, Phase: pending, Since: v.since, Decided: now, Due: due, Unstable: v.changes > flapping, Reason: v.reason,
		}}
	}
}

// ahead is what a channel was told last of what goes on, and what it will be told next; zero for nothing.
type ahead struct{ told, next time.Time }

// ahead looks once for all that a step decides.
func (d *decider) ahead() map[string]ahead {
	all := map[string]ahead{}
	for k, a := range d.alerts {
		of := all[k.channel]
		switch {
		case a.Phase != pending:
			of.told = laterOf(of.told, a.Told)
		case of.next.IsZero() || a.Due.Before(of.next):
			of.next = a.Due
		}
		all[k.channel] = of
	}
	return all
}

// joined is when trouble that comes on top is told: with what waits already, or a while after the last.
func (d *decider) joined(name string, due, now time.Time) time.Time {
	if d.channels == nil {
		d.channels = d.ahead()
	}
	of := d.channels[name]
	if now.Sub(of.told) < joinEvery {
		due = laterOf(due, of.told.Add(joinEvery))
	}
	if !of.next.IsZero() && of.next.Before(due) {
		due = of.next
	}
	return due
}

// goOn decides how an alert that there is goes on.
func (d *decider) goOn(k key, a control.Alert, v verdict, flaps bool, changes decisions, now time.Time) {
	need, wait := many, longestWait
	for _, r := range d.leading(k) {
		need, wait = min(need, r.Recover), min(wait, r.Gather)
	}
	was := a
	switch {
	case a.Phase == pending && v.good >= need:
		changes[k] = control.Decision{Alert: a, Ends: true} // It came and went, and nobody was told.
		return
	case a.Phase == pending:
		a.Unstable = a.Unstable || flaps
	case !a.Unstable && flaps:
		a.Phase, a.Unstable, a.Due = shaky, true, now.Add(wait)
	case a.Phase == told && v.good >= need && (!a.Unstable || v.changes <= calm):
		a.Phase, a.Due = ending, now.Add(wait)
	case a.Phase == ending && v.bad > 0:
		a.Phase = told // It goes on.
	}
	if a != was {
		changes[k] = control.Decision{Alert: a}
	}
}

// present is what is known of a trouble now: nothing, when nobody has measured since.
func (d *decider) present(t trouble, now time.Time) verdict {
	if v := d.seen[t]; !now.After(v.holds) {
		return v
	}
	return verdict{}
}

// escalate tells others of trouble that goes on.
func (d *decider) escalate(changes decisions, now time.Time) {
	d.steps(now, func(t trouble, first control.Alert, r *Rule, s Step) {
		if !now.Before(first.Decided.Add(s.After)) {
			v := verdict{since: first.Since, reason: first.Reason, changes: d.present(t, now).changes}
			if first.Unstable {
				v.changes = flapping + 1
			}
			d.fire(t, v, r, s.To, now, changes, now)
		}
	})
}

// steps yields all steps of rules whose trouble goes on, as far as is known, and that somebody does not know of yet.
func (d *decider) steps(now time.Time, yield func(t trouble, first control.Alert, r *Rule, s Step)) {
	for k, a := range d.alerts {
		if a.Phase == ending || d.present(k.trouble, now).bad == 0 {
			continue
		}
		for _, r := range d.rules[k.service] {
			if !slices.Contains(r.On, k.kind) || !slices.Contains(r.To, k.channel) {
				continue
			}
			for _, s := range r.Then {
				if slices.ContainsFunc(s.To, func(name string) bool { _, knows := d.alerts[key{k.trouble, name}]; return !knows }) {
					yield(k.trouble, a, r, s)
				}
			}
		}
	}
}

// message puts all that a channel is to be told now into one, nil for nothing.
func (d *decider) message(name string, changes decisions, now time.Time) (*control.Delivery, error) {
	begins, ends, remind := d.due(name, now)
	var all []control.Alert
	for k, a := range d.alerts {
		if k.channel != name || d.n.o.Silent(k.service) {
			continue
		}
		switch {
		case (a.Phase == pending || a.Phase == shaky) && begins, a.Phase == ending && ends,
			a.Phase == told && remind && d.reminded(k, a, now, remindSpare):
			all = append(all, a)
		}
	}
	if len(all) == 0 {
		return nil, nil //nolint:nilnil // Nothing to tell.
	}
	slices.SortFunc(all, func(x, y control.Alert) int {
		return cmp.Or(cmp.Compare(x.Service, y.Service), cmp.Compare(x.Kind, y.Kind))
	})
	m := channel.Message{At: now, Page: d.s.Page, URL: d.s.URL, ID: messageID(name, all)}
	over := map[string]bool{}
	for _, a := range all {
		line := d.line(a, m.ID)
		m.Lines = append(m.Lines, line)
		k := key{trouble{a.Service, a.Kind}, name}
		if a.Phase == ending {
			over[a.Batch] = true
			changes[k] = control.Decision{Alert: a, Ends: true}
			continue
		}
		a.Phase, a.Told, a.Batch = told, now, line.Batch
		changes[k] = control.Decision{Alert: a}
	}
	for k, a := range d.alerts {
		if k.channel == name && !changes[k].Ends {
			delete(over, a.Batch)
		}
	}
	m.Closes = slices.Sorted(maps.Keys(over))
	body, err := json.Marshal(m)
	return &control.Delivery{ID: m.ID, Channel: name, Body: string(body), Created: now, Next: now}, err
}

// due tells whether a channel is to be told of beginnings, of ends, and be reminded.
func (d *decider) due(name string, now time.Time) (begins, ends, remind bool) {
	var first, firstEnd time.Time
	waiting, wait := 0, false
	for k, a := range d.alerts {
		if k.channel != name || d.n.o.Silent(k.service) {
			continue
		}
		switch a.Phase {
		case pending, shaky:
			waiting++
			begins = begins || !a.Due.After(now)
			if first.IsZero() || a.Decided.Before(first) {
				first = a.Decided
			}
			wait = wait || a.Due.After(a.Decided)
		case ending:
			ends = ends || !a.Due.After(now)
			if firstEnd.IsZero() || a.Due.Before(firstEnd) {
				firstEnd = a.Due
			}
		default:
			remind = remind || d.reminded(k, a, now, 0)
		}
	}
	if begins && wait && now.Before(first.Add(crowdWait)) {
		if about := d.about(name, now); about >= crowd || waiting >= crowd && about > 0 {
			begins = false
		}
	}
	if ends && now.Before(firstEnd.Add(crowdWait)) && d.recovering(name, now) {
		ends = false
	}
	return begins, ends, remind
}

// about counts the services that fail, and of which a channel will be told when they go on.
func (d *decider) about(name string, now time.Time) (n int) {
	for t, v := range d.seen {
		if v.bad == 0 || now.After(v.holds) || t.kind == channel.Certificate {
			continue
		}
		k := key{t, name}
		if _, known := d.alerts[k]; !known && slices.ContainsFunc(d.leading(k), func(r *Rule) bool { return slices.Contains(r.To, name) && r.Gather > 0 }) {
			n++
		}
	}
	return n
}

// recovering tells whether more is about to end.
func (d *decider) recovering(name string, now time.Time) bool {
	for k, a := range d.alerts {
		if k.channel != name || a.Phase != told || a.Unstable || d.present(k.trouble, now).good == 0 {
			continue
		}
		if slices.ContainsFunc(d.leading(k), func(r *Rule) bool { return r.Gather > 0 }) {
			return true
		}
	}
	return false
}

// reminded tells whether a reminder of what goes on is due. What flaps is told once, and of what nobody measures nobody knows whether
// it goes on.
func (d *decider) reminded(k key, a control.Alert, now time.Time, early time.Duration) bool {
	at, any := d.remindAt(k, a, now)
	return any && !at.After(now.Add(early))
}

func (d *decider) remindAt(k key, a control.Alert, now time.Time) (at time.Time, any bool) {
	if a.Unstable || a.Phase != told || d.present(k.trouble, now).bad == 0 {
		return at, false
	}
	for _, r := range d.leading(k) {
		if t := a.Told.Add(r.Remind); r.Remind > 0 && (!any || t.Before(at)) {
			at, any = t, true
		}
	}
	return at, any
}

func (d *decider) line(a control.Alert, id string) channel.Line {
	l := channel.Line{Service: a.Service, Name: a.Service, Kind: a.Kind, State: channel.Begins, Reason: a.Reason, Since: a.Since, Batch: a.Batch}
	if svc, there := d.n.o.Board.Current().Find(a.Service); there {
		l.Name = svc.Name
	}
	if l.Batch == "" {
		l.Batch = id
	}
	switch {
	case a.Phase == ending:
		l.State, l.Until = channel.Ends, d.seen[trouble{a.Service, a.Kind}].until
		if l.Until.IsZero() {
			l.Until = a.Due
		}
	case a.Unstable:
		l.State = channel.Unstable
	case a.Phase == told:
		l.State = channel.Lasts
	}
	if a.Kind == channel.Certificate && a.Phase != ending {
		l.Until = a.Since.Add(CertificateLeft)
	}
	return l
}

// messageID follows from what is told, so that the same is never two messages.
func messageID(name string, all []control.Alert) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q", name)
	for _, a := range all {
		fmt.Fprintf(&b, "\n%s %s %s %d %d %d", a.Service, a.Kind, a.Phase, a.Since.UnixMicro(), a.Decided.UnixMicro(), a.Told.UnixMicro())
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:16])
}

// next is when time alone may have something decided.
func (d *decider) next(now time.Time) time.Time {
	at := now.Add(longestWait)
	earlier := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	for k, a := range d.alerts {
		if a.Phase != told {
			earlier(laterOf(a.Due, now.Add(holdEvery)))
			continue
		}
		if t, any := d.remindAt(k, a, now); any {
			earlier(laterOf(t, now.Add(holdEvery)))
		}
	}
	d.steps(now, func(_ trouble, first control.Alert, _ *Rule, s Step) {
		earlier(laterOf(first.Decided.Add(s.After), now.Add(holdEvery)))
	})
	return at
}

func earlierOf(x, y time.Time) time.Time {
	if x.Before(y) {
		return x
	}
	return y
}

func laterOf(x, y time.Time) time.Time {
	if x.After(y) {
		return x
	}
	return y
}
