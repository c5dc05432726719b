package app

import (
	"context"
	"slices"
	"statuspage/db/control"
	"statuspage/internal/config"
	"statuspage/internal/notify"
	"sync"
	"time"
)

// alerts tells operators what happens, on a process that knows how everything is.
type alerts struct {
	*notify.Notifier

	mu    sync.Mutex
	store *control.Store // Nil until it is asked for.
}

// openAlerts prepares telling: on a process that shows the page, since its board has everything. The demo tells nobody.
func (a *app) openAlerts(cfg *config.Config, demo bool) {
	if !a.roles.web || demo {
		return
	}
	t := &alerts{}
	t.Notifier = notify.New(notify.Options{
		Settings: alertSettings(cfg), Board: a.board, Log: a.log, Shared: a.node != nil, Ready: a.past.Tried,
		Silent: func(service string) bool {
			return a.monitor != nil && a.monitor.Stats().NetworkDown || a.words.lookout.At(time.Now()).Maintained(service)
		},
		Open: func(ctx context.Context) (notify.Store, error) { return t.open(ctx, string(a.cfg.Load().Control)) },
	})
	each := func(of func(c *notify.Counts) int64) func(func(string, float64)) {
		return func(yield func(string, float64)) {
			t.Each(func(channel string, c *notify.Counts) { yield(channel, float64(of(c))) })
		}
	}
	a.metrics.CounterBy("statuspage_notifications_told_total", "Alerts that channels have taken.", "channel", each(func(c *notify.Counts) int64 { return c.Told.Load() }))
	a.metrics.CounterBy("statuspage_notifications_failed_total", "Alerts that channels have refused for good, or that have waited for too long.", "channel", each(func(c *notify.Counts) int64 { return c.Failed.Load() }))
	a.metrics.GaugeBy("statuspage_notifications_pending", "Alerts that wait to be sent.", "channel", each(func(c *notify.Counts) int64 { return c.Waiting.Load() }))
	a.alerts, a.health.alerts = t, t
}

// open opens the store once.
func (t *alerts) open(ctx context.Context, url string) (notify.Store, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.store == nil {
		s, err := control.Open(ctx, url)
		if err != nil {
			return nil, err
		}
		t.store = s
	}
	return t.store, nil
}

// close closes the store, if it was opened. Nobody tells anything any more.
func (t *alerts) close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.store == nil {
		return nil
	}
	return t.store.Close()
}

// alertSettings are what the configuration says of alerts.
func alertSettings(cfg *config.Config) notify.Settings {
	s := notify.Settings{Page: cfg.Title, URL: cfg.BaseURL, Channels: slices.Clone(cfg.Channels), Mail: cfg.Mail, Heartbeat: string(cfg.Heartbeat)}
	for _, r := range cfg.Alerts {
		rule := notify.Rule{Services: r.Services, On: r.On, After: r.After, Recover: r.Recover, Gather: r.Gather, Remind: r.Remind, To: r.To}
		for _, step := range r.Then {
			rule.Then = append(rule.Then, notify.Step(step))
		}
		s.Rules = append(s.Rules, rule)
	}
	return s
}
