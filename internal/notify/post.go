package notify

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"reflect"
	"statuspage/db/control"
	"statuspage/internal/notify/channel"
	"statuspage/internal/retry"
	"sync"
	"time"
)

const (
	firstRetry  = 5 * time.Second
	mostRetry   = 30 * time.Minute
	attemptTime = 45 * time.Second
	stopGrace   = 5 * time.Second // What is being sent when the process ends may take as long.
	staleAfter  = time.Minute     // What has failed and waited as long goes as one message.
	expireAfter = 7 * 24 * time.Hour
	maxWaiting  = 1000 // Read at a time.
	beatEvery   = time.Minute
)

// post has a worker for each channel, so that one that is away stops no other.
type post struct {
	n     *Notifier
	store Store

	workers map[string]*worker
	all     sync.WaitGroup
}

type worker struct {
	channel channel.Channel
	mail    *channel.Mail
	woken   chan struct{}
	end     context.CancelFunc
	ended   chan struct{}
}

func newPost(n *Notifier, store Store) *post {
	return &post{n: n, store: store, workers: map[string]*worker{}}
}

func (p *post) wake(name string) {
	if w := p.workers[name]; w != nil {
		select {
		case w.woken <- struct{}{}:
		default:
		}
	}
}

// follow has one worker for each channel of the settings. One whose settings have changed begins anew; what waits for one that
// there is no more has failed.
func (p *post) follow(ctx context.Context) error {
	s, _ := p.n.now()
	wanted := map[string]channel.Channel{}
	for _, c := range s.Channels {
		wanted[c.Name] = c
	}
	for name, w := range p.workers {
		if c, stays := wanted[name]; !stays || !reflect.DeepEqual(c, w.channel) || c.Kind.Mail && !reflect.DeepEqual(s.Mail, w.mail) {
			w.end()
			<-w.ended
			delete(p.workers, name)
			p.n.count(name).Away.Store(false)
		}
	}
	if err := p.giveUp(ctx, wanted); err != nil {
		return err
	}
	for name, c := range wanted {
		if p.workers[name] != nil {
			continue
		}
		own, end := context.WithCancel(ctx)
		w := &worker{channel: c, mail: s.Mail, woken: make(chan struct{}, 1), end: end, ended: make(chan struct{})}
		p.workers[name] = w
		p.all.Go(func() {
			defer close(w.ended)
			p.work(own, w)
		})
	}
	return nil
}

// giveUp ends what waits for channels that there are no more.
func (p *post) giveUp(ctx context.Context, wanted map[string]channel.Channel) error {
	names, err := p.store.WaitingChannels(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		if _, there := wanted[name]; there {
			continue
		}
		all, err := p.store.WaitingDeliveries(ctx, name, maxWaiting)
		if err != nil {
			return err
		}
		for _, d := range all {
			d.State, d.Done, d.Error = control.Failed, time.Now(), "the configuration has no such channel any more"
			if err := p.store.SetDelivery(ctx, d); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *post) stop() {
	for _, w := range p.workers {
		w.end()
	}
	p.all.Wait()
}

// work sends what waits for one channel, in order, until ctx ends.
func (p *post) work(ctx context.Context, w *worker) {
	name, counts := w.channel.Name, p.n.count(w.channel.Name)
	log := p.n.o.Log.With("channel", name)
	for ctx.Err() == nil {
		all, err := p.store.WaitingDeliveries(ctx, name, maxWaiting)
		if err != nil {
			pause(ctx, storeRetry)
			continue
		}
		counts.Waiting.Store(int64(len(all)))
		if len(all) == 0 {
			select {
			case <-ctx.Done():
			case <-w.woken:
			}
			continue
		}
		head := all[0]
		if head.Attempts > 0 {
			counts.Away.Store(true)
		}
		now := time.Now()
		if wait := head.Next.Sub(now); wait > 0 {
			pause(ctx, wait)
			continue
		}
		if now.Sub(head.Created) > expireAfter {
			head.State, head.Done = control.Expired, now
			counts.Failed.Add(1)
			log.Error("an alert has waited for too long and is not sent any more", "id", head.ID)
			p.settle(ctx, head)
			continue
		}
		if len(all) > 1 && head.Attempts > 0 && now.Sub(head.Created) > staleAfter {
			if err := p.merge(ctx, all, now); err != nil {
				pause(ctx, storeRetry)
			}
			continue
		}
		p.attempt(ctx, w, head, log)
	}
}

// merge makes one message of all that wait, the newest with the lines of the others.
func (p *post) merge(ctx context.Context, all []control.Delivery, now time.Time) error {
	messages := make([]channel.Message, len(all))
	for i, d := range all {
		if err := json.Unmarshal([]byte(d.Body), &messages[i]); err != nil {
			return err
		}
	}
	body, err := json.Marshal(channel.Merge(messages))
	if err != nil {
		return err
	}
	into := all[len(all)-1]
	into.Body, into.Attempts, into.Next = string(body), all[0].Attempts, all[0].Next
	return p.store.MergeDeliveries(ctx, into, all[:len(all)-1], now)
}

// attempt tries to send one message, and keeps what became of it.
func (p *post) attempt(ctx context.Context, w *worker, d control.Delivery, log *slog.Logger) {
	counts := p.n.count(d.Channel)
	var m channel.Message
	err := json.Unmarshal([]byte(d.Body), &m)
	if err == nil {
		_, via := p.n.now()
		try, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptTime)
		stop := context.AfterFunc(ctx, func() { time.AfterFunc(stopGrace, cancel) })
		err = p.n.send(try, w.channel, via, m)
		stop()
		cancel()
	}
	now := time.Now()
	d.Attempts++
	why, _ := errors.AsType[*channel.Error](err)
	switch {
	case err == nil:
		d.State, d.Done, d.Error = control.Sent, now, ""
		counts.Told.Add(1)
		if counts.Away.Swap(false) {
			log.Info("the channel takes alerts again", "attempts", d.Attempts)
		}
	case why == nil || why.Final:
		d.State, d.Done, d.Error = control.Failed, now, err.Error()
		counts.Failed.Add(1)
		counts.Away.Store(false) // It answers.
		log.Error("an alert was refused for good", "id", d.ID, "error", err)
	default:
		d.Error = err.Error()
		d.Next = now.Add(max(backoff(d.Attempts), why.After))
		if !counts.Away.Swap(true) {
			log.Warn("an alert can't be sent; it waits and is tried again", "id", d.ID, "error", err)
		}
	}
	p.settle(ctx, d)
}

// settle keeps what became of a message, as long as it takes: else it would be sent again.
func (p *post) settle(ctx context.Context, d control.Delivery) {
	for {
		try, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeWait)
		err := p.store.SetDelivery(try, d)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
		pause(ctx, storeRetry)
	}
}

// backoff is how long to wait after so many attempts.
func backoff(attempts int) (wait time.Duration) {
	b := retry.NewBackoff(firstRetry, mostRetry)
	for range min(attempts, 20) {
		wait = b.Next()
	}
	return wait
}

// beat tells a watcher of ours that alerts can be decided and sent.
func (n *Notifier) beat(ctx context.Context) {
	for ctx.Err() == nil {
		if s, via := n.now(); s.Heartbeat != "" && n.Healthy() {
			if req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Heartbeat, nil); err == nil {
				if res, err := via.HTTP.Do(req); err == nil {
					_ = res.Body.Close()
				}
			}
		} else if s.Heartbeat != "" {
			pause(ctx, time.Second) // Soon after the start.
			continue
		}
		pause(ctx, beatEvery)
	}
}
