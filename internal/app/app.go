// Package app is the parts of a running server and their life: how they are put together by the configuration and the roles of
// the process, started, reloaded and stopped.
package app

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"statuspage/db"
	"statuspage/handlers"
	"statuspage/handlers/agents"
	"statuspage/internal/app/probing"
	"statuspage/internal/auth"
	"statuspage/internal/board"
	"statuspage/internal/check"
	"statuspage/internal/cluster"
	"statuspage/internal/config"
	"statuspage/internal/metrics"
	"statuspage/internal/past"
	"statuspage/internal/status"
	"statuspage/monitor"
	"statuspage/monitor/probe"
	"sync/atomic"
	"time"
)

// Options are what Run needs.
type Options struct {
	Config  *config.Config
	Source  *Source // Where the configuration came from and is read again; nil for the demo, whose stays.
	Roles   Roles
	Log     *slog.Logger
	Version string // Of the program, for its metrics.
}

// app is one running process and its parts, in the order in which they depend on each other.
type app struct {
	cfg     atomic.Pointer[config.Config]
	log     *slog.Logger
	roles   Roles
	metrics *metrics.Metrics
	node    *node // Nil for one process.
	store   storage
	board   *board.Board // The first; its Current counts.
	terms   *past.Terms
	past    *past.Filler
	monitor *monitor.Monitor // Nil for a page server, which measures nothing.
	agents  *agents.Agents
	words   words
	auth    *auth.Auth // Nil for a process that shows no page.
	alerts  *alerts    // Nil for a process that tells nobody.
	health  *health
	pages   *handlers.Front

	reloads reloads
}

// storage is what keeps the signals: a db.Database.
type storage interface {
	db.Store
	Pending(ctx context.Context) iter.Seq2[status.Signal, error]
	WaitDrained(ctx context.Context) error
	State() db.State
}

// Run runs the product until ctx ends.
func Run(ctx context.Context, o Options) (err error) {
	cfg := o.Config
	ln, err := Listen(cfg.Listen)
	if err != nil {
		return err
	}
	defer ln.Close() //nolint:errcheck // Closed by the server in the usual case.
	ops, err := listenOps(cfg.ListenOps)
	if err != nil {
		return err
	}
	if ops != nil {
		defer ops.Close() //nolint:errcheck // As above.
	}
	admin, err := listenAdmin(cfg.Admin.Listen)
	if err != nil {
		return err
	}
	if admin != nil {
		defer admin.Close() //nolint:errcheck // As above.
	}
	store, err := db.Open(ctx, string(cfg.Database), db.Options{Retention: cfg.Retention, Outbox: cfg.Outbox, Log: o.Log})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := store.Close(); err == nil && closeErr != nil {
			err = closeErr
		}
	}()
	a := &app{roles: o.Roles, log: o.Log, metrics: metrics.New(o.Version), store: store}
	if a.node, err = join(cfg, o.Roles, o.Log); err != nil {
		return err
	}
	if err := a.build(cfg, o.Source == nil); err != nil {
		return errors.Join(err, a.stop(nil))
	}
	return a.run(ctx, listeners{ln, ops, admin}, o.Source)
}

// build puts the parts together, none of them started.
func (a *app) build(cfg *config.Config, demo bool) (err error) {
	a.cfg.Store(cfg)
	a.health = &health{roles: a.roles, store: a.store, node: a.node}
	if a.board, err = board.New(servicesOf(cfg), cfg.Timezone); err != nil {
		return err
	}
	a.terms = past.NewTerms(a.store, a.roles.scheduler, a.log)
	if a.past, err = past.New(past.Options{
		Store: a.store, State: a.storeState, Terms: a.terms, Board: a.board, Retention: cfg.Retention, Log: a.log, Page: a.roles.web,
		Shared: func() bool { return a.node != nil || len(a.cfg.Load().Agents) > 0 },
	}); err != nil {
		return err
	}
	a.openAuth(cfg, demo)
	a.openWords()
	if a.roles.scheduler || a.roles.worker {
		if a.monitor, err = monitor.New(a.measuring(cfg)); err != nil {
			return err
		}
	}
	if err := a.openAgents(cfg); err != nil {
		return err
	}
	a.health.past, a.health.monitor = a.past, a.monitor
	a.openAlerts(cfg, demo)
	if a.pages, err = handlers.New(a.options(cfg, a.board, demo)); err != nil {
		return err
	}
	if a.node != nil && a.roles.web {
		a.node.follower = cluster.NewFollower(a.node.link, a.board.Apply, a.past.CatchUp, a.board.SetCertificate)
	}
	a.metrics.Only(probing.Labels(cfg.Checks))
	a.gauges()
	a.reloads.at.Store(time.Now().Unix())
	return nil
}

// measuring is how this process measures, by its roles.
func (a *app) measuring(cfg *config.Config) monitor.Options {
	o := monitor.Options{
		Checks: cfg.Checks, Store: a.store, Board: shown{a.node, a.board}, Log: a.log, Region: cfg.Region,
		Probe: probing.Prober(cfg.Guard).Kinds(), Canary: cfg.Canary,
		Observe: a.observe, Skipped: a.metrics.Skipped,
		MeasuredAt: func(id string) time.Time { return a.board.Current().MeasuredAt(id) },
	}
	if n := a.node; n != nil {
		o.Ended, o.Stored, o.Worker = n.settle, n.saved, !a.roles.scheduler
		if a.roles.scheduler {
			o.Dispatch = a.withoutAgents(n.dispatch)
			n.bypass(func(runs []monitor.Planned) { a.monitor.TakeOurs(runs) })
		}
		if a.roles.worker {
			n.taking(cfg.Region, func(runs []monitor.Planned) { a.monitor.Take(runs) })
		}
	}
	return o
}

// storeState is what is known of the store, for who reads the past.
func (a *app) storeState() past.State {
	s := a.store.State()
	return past.State{Open: s.Open, Readable: s.Readable, Up: s.Up, Err: s.Err}
}

// options are what the pages stand on.
func (a *app) options(cfg *config.Config, b *board.Board, demo bool) handlers.Options {
	return handlers.Options{
		Board:      b,
		History:    a.store,
		Log:        a.log,
		Page:       settings(cfg, demo),
		CORS:       cfg.CORS,
		MaxViewers: cfg.MaxViewers,
		Note:       a.health.note,
		Ready:      a.health.readiness,
		Metrics:    a.metrics.Write,
		Limits:     limits(cfg),
		Agents:     a.agents,
		Auth:       a.auth,
		OwnAdmin:   cfg.Admin.Listen != "",
		Words:      a.words.lookout,
		Manage:     a.managing(),
		Bare:       !a.roles.web,
		OwnOps:     cfg.ListenOps != "",
	}
}

// observe tells the metrics what was measured.
func (a *app) observe(c check.Check, began time.Time, r probe.Result) {
	if !r.CertificateExpiry.IsZero() {
		a.certificate(c.ID, r.CertificateExpiry)
	}
	a.metrics.Observe(probing.Measured(c, c.Region(a.cfg.Load().Region), began, r))
}

// certificate notes when the certificate of a service expires, here and on other page servers.
func (a *app) certificate(service string, expiry time.Time) {
	a.board.SetCertificate(service, expiry)
	if a.node != nil {
		a.node.publisher.Certificate(service, expiry)
	}
}
