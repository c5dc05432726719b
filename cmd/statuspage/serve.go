package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"math"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"statuspage/db"
	"statuspage/handlers"
	"statuspage/internal/board"
	"statuspage/internal/cluster"
	"statuspage/internal/config"
	"statuspage/internal/metrics"
	"statuspage/internal/past"
	"statuspage/internal/status"
	"statuspage/monitor"
	"statuspage/monitor/probe"
	"statuspage/views"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// stopProbes is how long running probes and the last write may take at the end.
	stopProbes = 4 * time.Second
	// fillWait is how long the prober waits for the board to know what was measured last.
	fillWait = time.Second
)

func (e env) serve(ctx context.Context, args []string) error {
	f := e.flags("serve")
	var o config.Overrides
	f.StringVar(&o.File, "config", "", "")
	f.StringVar(&o.Listen, "listen", "", "")
	f.StringVar(&o.ListenOps, "listen-ops", "", "")
	f.StringVar(&o.Database, "database", "", "")
	role := f.String("role", e.getenv(envRole), "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	roles, err := parseRoles(*role)
	if err != nil {
		return err
	}
	o.URLs = f.Args()
	from := &source{overrides: o, getenv: e.getenv, files: &config.Sources{}, asked: make(chan os.Signal, 1)}
	signal.Notify(from.asked, syscall.SIGHUP)
	defer signal.Stop(from.asked)
	cfg, err := config.Load(o, e.getenv, from.files.ReadFile)
	if err != nil {
		return err
	}
	if err := roles.fits(cfg); err != nil {
		return err
	}
	return e.serveConfig(ctx, cfg, roles, from)
}

// app is one running process and its parts, in the order in which they depend on each other.
type app struct {
	cfg      atomic.Pointer[config.Config]
	log      *slog.Logger
	roles    roles
	team     *team // Nil for one process.
	store    storage
	board    *board.Board // The first; its Current counts.
	server   *handlers.Front
	desk     *handlers.Desk
	monitor  *monitor.Monitor // Nil for a page server, which measures nothing.
	metrics  *metrics.Metrics
	stopping atomic.Bool

	reloading reloading
	terms     *past.Terms
	past      *past.Filler
}

// storage is what keeps the signals: a db.Database.
type storage interface {
	db.Store
	Pending(ctx context.Context) iter.Seq2[status.Signal, error]
	WaitDrained(ctx context.Context) error
	State() db.State
}

// serveConfig runs the product until ctx ends. From is nil in the demo.
func (e env) serveConfig(ctx context.Context, cfg *config.Config, r roles, from *source) (err error) {
	ln, err := listen(cfg.Listen)
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
	thrift(e.getenv)
	a := &app{roles: r, log: slog.New(slog.NewTextHandler(e.stderr, nil)), metrics: metrics.New(buildVersion())}
	a.cfg.Store(cfg)
	store, err := db.Open(ctx, string(cfg.Database), db.Options{Retention: cfg.Retention, Outbox: cfg.Outbox, Log: a.log})
	if err != nil {
		return err
	}
	a.store = store
	defer func() {
		if closeErr := a.store.Close(); err == nil && closeErr != nil {
			err = closeErr
		}
	}()
	if a.team, err = join(cfg, r, a.log); err != nil {
		return err
	}
	if err := a.build(cfg, from == nil); err != nil {
		return errors.Join(err, a.stop(nil))
	}
	return a.run(ctx, ln, ops, from)
}

// thrift collects garbage when the heap has grown by half, not by all of it: little is thrown away
// a second, so that it costs next to nothing, and most of the heap is the board and the
// pages, which stay. GOGC says otherwise.
func thrift(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

func (a *app) build(cfg *config.Config, demo bool) (err error) {
	if a.board, err = board.New(servicesOf(cfg), cfg.Timezone); err != nil {
		return err
	}
	a.terms = past.NewTerms(a.store, a.roles.scheduler, a.log)
	if a.past, err = past.New(past.Options{
		Store: a.store, State: a.storeState, Terms: a.terms, Board: a.board, Retention: cfg.Retention, Log: a.log, Page: a.roles.web,
		Shared: func() bool { return a.team != nil || len(a.cfg.Load().Agents) > 0 },
	}); err != nil {
		return err
	}
	if err = a.openDesk(cfg); err != nil {
		return err
	}
	a.server, err = handlers.New(a.options(cfg, a.board, demo))
	if err != nil {
		return err
	}
	if a.team != nil && a.roles.web {
		a.team.follower = cluster.NewFollower(a.team.link, a.board.Apply, a.past.CatchUp, a.board.SetCertificate)
	}
	if a.roles.scheduler || a.roles.worker {
		if err := a.buildMonitor(cfg); err != nil {
			return err
		}
	}
	a.metrics.Only(labels(cfg.Checks))
	a.gauges()
	a.reloading.at.Store(time.Now().Unix())
	a.reloading.gauges(a)
	return nil
}

func (a *app) buildMonitor(cfg *config.Config) (err error) {
	a.monitor, err = monitor.New(a.measuring(cfg))
	return err
}

// measuring is how this process measures, by its roles.
func (a *app) measuring(cfg *config.Config) monitor.Options {
	o := monitor.Options{
		Checks: cfg.Checks, Store: a.store, Board: shown{a.team, a.board}, Log: a.log, Region: cfg.Region,
		Probe: prober(cfg).Kinds(), Canary: cfg.Canary,
		Observe: a.observe, Skipped: a.metrics.Skipped,
		MeasuredAt: func(id string) time.Time { return a.board.Current().MeasuredAt(id) },
	}
	if t := a.team; t != nil {
		o.Ended, o.Stored, o.Worker = t.settle, t.saved, !a.roles.scheduler
		if a.roles.scheduler {
			o.Dispatch = a.withoutAgents(t.dispatch)
			t.bypass(func(runs []monitor.Planned) { a.monitor.TakeOurs(runs) })
		}
		if a.roles.worker {
			t.taking(cfg.Region, func(runs []monitor.Planned) { a.monitor.Take(runs) })
		}
	}
	return o
}

// storeState is what is known of the store, for who reads the past.
func (a *app) storeState() past.State {
	s := a.store.State()
	return past.State{Open: s.Open, Readable: s.Readable, Up: s.Up, Err: s.Err}
}

func prober(cfg *config.Config) *probe.Prober {
	return probe.New(probe.Options{Guard: (*probe.Guard)(cfg.Guard), Keep: keptConnections(openFiles())})
}

func (a *app) options(cfg *config.Config, b *board.Board, demo bool) handlers.Options {
	return handlers.Options{
		Board:      b,
		History:    a.store,
		Log:        a.log,
		Site:       site(cfg, demo),
		CORS:       cfg.CORS,
		MaxViewers: cfg.MaxViewers,
		Note:       a.note,
		Ready:      a.readiness,
		Metrics:    a.metrics.Write,
		Limits:     limits(cfg),
		Desk:       a.desk,
		Bare:       !a.roles.web,
		OwnOps:     cfg.ListenOps != "",
	}
}

// site is what the pages say of themselves, by the configuration.
func site(cfg *config.Config, demo bool) handlers.Site {
	b := cfg.Brand
	site := handlers.Site{
		Title: cfg.Title, BaseURL: cfg.BaseURL, Demo: demo, Groups: cfg.Groups,
		Logo: handlers.Picture(b.Logo), Icon: handlers.Picture(b.Icon), CSS: b.CSS.Body, Accent: handlers.Accent(b.Accent),
	}
	for _, l := range b.Header {
		site.Header = append(site.Header, views.Link(l))
	}
	for _, l := range b.Footer {
		site.Footer = append(site.Footer, views.Link(l))
	}
	return site
}

// run starts everything, waits for the end of ctx or a failure, and stops in order. Ops is nil without an operator's listener.
func (a *app) run(ctx context.Context, ln, ops net.Listener, from *source) error {
	served := make(chan error, 2)
	go func() { served <- a.server.Serve(ln) }()
	a.log.Info("listening", "url", "http://"+ln.Addr().String(), "services", len(a.cfg.Load().Checks), "store", a.store.State().Engine)
	if ops != nil {
		go func() { served <- a.server.ServeOps(ops) }()
		a.log.Info("listening for the operator", "url", "http://"+ops.Addr().String())
	}

	fillCtx, stopFill := context.WithCancel(ctx)
	first, filler := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(filler)
		a.past.Fill(fillCtx, first)
		a.past.WatchLate(fillCtx)
	}()
	select {
	case <-first:
	case <-time.After(fillWait):
	case <-ctx.Done():
	}
	err := a.begin(fillCtx)
	var watching sync.WaitGroup
	if err == nil {
		if from != nil {
			watching.Go(func() { a.watch(fillCtx, from) })
		}
		watching.Go(func() { a.past.WatchClock(fillCtx) })
		watching.Go(func() { a.terms.Keep(fillCtx) })
		select {
		case <-ctx.Done():
			a.log.Info("stopping")
		case err = <-served:
			if err == nil {
				err = errors.New("the HTTP server ended by itself")
			}
		}
	}
	stopFill()
	watching.Wait()
	return errors.Join(err, a.stop(filler))
}

// begin starts to measure, and to work with others.
func (a *app) begin(ctx context.Context) error {
	if a.monitor != nil {
		if err := a.monitor.Start(); err != nil {
			return err
		}
	}
	if a.team != nil {
		a.team.start(ctx)
		a.team.follow(ctx)
	}
	return nil
}

// stop ends the parts that there are, started or not: no more runs, running probes, last write; then streams and HTTP.
// The store is closed by who opened it. Filler is closed when nobody fills the board any more; nil when nobody has begun to.
func (a *app) stop(filler <-chan struct{}) error {
	a.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), stopProbes)
	defer cancel()
	var all []error
	if a.monitor != nil {
		if err := a.monitor.Stop(ctx); err != nil {
			all = append(all, fmt.Errorf("stop the prober: %w", err))
		}
	}
	if a.team != nil {
		all = append(all, a.team.stop())
	}
	if filler != nil {
		<-filler
	}
	if a.server != nil {
		all = append(all, a.server.Shutdown())
	}
	return errors.Join(all...)
}

// listen opens the address, or says in one line what to change.
func listen(address string) (net.Listener, error) {
	return listenAs(address, "--listen, STATUSPAGE_LISTEN or listen:")
}

// listenOps opens the operator's listener, nil when there is to be none.
func listenOps(address string) (net.Listener, error) {
	if address == "" {
		return nil, nil //nolint:nilnil // No listener is what was asked for.
	}
	return listenAs(address, "--listen-ops, STATUSPAGE_LISTEN_OPS or listen_ops:")
}

func listenAs(address, setting string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address) //nolint:noctx // Returns at once.
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is taken; choose another with %s in the configuration", address, setting)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("address %s needs more rights; choose a port above 1023 with %s", address, setting)
	case err != nil:
		return nil, fmt.Errorf("address %s can't be opened (%w); choose another with %s", address, err, setting)
	}
	return ln, nil
}

// note is what the page says of our own troubles.
func (a *app) note() views.Note {
	var now monitor.Stats
	if a.monitor != nil {
		now = a.monitor.Stats()
	}
	switch {
	case a.alone():
		return views.NoteAlone
	case now.NetworkDown:
		return views.NoteNetwork
	case now.Unsaved > 0:
		return views.NoteUnsaved
	case a.past.Tried() && !a.past.Filled():
		return views.NoteUnread
	default:
		return views.NoNote
	}
}

// alone tells whether neither Redis nor the database of several processes can be reached.
func (a *app) alone() bool {
	return a.team != nil && a.past.Tried() && !a.team.link.State().Up && !a.store.State().Up
}

// unsaved is how many signals no disk has.
func (a *app) unsaved() int64 {
	if a.monitor == nil {
		return 0
	}
	return a.monitor.Stats().Unsaved
}

func (a *app) readiness() handlers.Readiness {
	state := a.store.State()
	r := handlers.Readiness{
		Ready: a.past.Tried() && !a.stopping.Load(), Board: "loading", Store: "away",
		Engine: state.Engine, Outbox: state.Outbox, Unsaved: int(a.unsaved()), Config: "current",
	}
	if a.reloading.refused.Load() {
		r.Config = "refused"
	}
	if a.past.Filled() {
		r.Board = "filled"
	}
	if state.Up {
		r.Store = "up"
	}
	if a.team != nil {
		r.Role, r.Queue = a.roles.String(), "away"
		if a.team.link.State().Up {
			r.Queue = "up"
		}
	}
	return r
}

func (a *app) observe(c status.Check, began time.Time, r probe.Result) {
	if !r.CertificateExpiry.IsZero() {
		a.certificate(c.ID, r.CertificateExpiry)
	}
	a.metrics.Observe(measured(c, c.Region(a.cfg.Load().Region), began, r))
}

// certificate notes when the certificate of a service expires, here and on other page servers.
func (a *app) certificate(service string, expiry time.Time) {
	a.board.SetCertificate(service, expiry)
	if a.team != nil {
		a.team.publisher.Certificate(service, expiry)
	}
}

// measured is what the metrics tell of a probe.
func measured(c status.Check, region string, began time.Time, r probe.Result) metrics.Probe {
	return metrics.Probe{
		Began: began, Holds: c.Holds(),
		Service: c.ID, Region: region, Instance: c.Label(), Outcome: r.Outcome.String(), Success: r.Outcome.Available(),
		Duration: r.Duration, HTTPStatus: r.HTTPStatus, CertificateExpiry: r.CertificateExpiry,
		Phases: [...]time.Duration{r.Phases.DNS, r.Phases.Connect, r.Phases.TLS, r.Phases.FirstByte},
	}
}

// waiting is how many signals the outbox has; while our disk does not let us open it nobody knows.
func waiting(s db.State) float64 {
	if !s.Open {
		return math.NaN()
	}
	return float64(s.Outbox)
}

func (a *app) gauges() {
	m := a.metrics
	m.Gauge("statuspage_viewers", "Open streams.", func() float64 { return float64(a.server.Streams().Viewers()) })
	m.Counter("statuspage_viewers_dropped_total", "Viewers dropped because they did not read.", func() float64 { return float64(a.server.Streams().Dropped()) })
	m.Counter("statuspage_viewers_refused_total", "Viewers refused because the house was full.", func() float64 { return float64(a.server.Streams().Refused()) })
	if a.team != nil {
		a.teamGauges()
	}
	if a.monitor != nil {
		m.Gauge("statuspage_probes_in_flight", "Probes running.", func() float64 { return float64(a.monitor.Stats().InFlight) })
	}
	m.Gauge("statuspage_signals_unsaved", "Signals in memory that no disk has.", func() float64 { return float64(a.unsaved()) })
	m.Gauge("statuspage_outbox_signals", "Signals on disk that the store does not have yet.", func() float64 { return waiting(a.store.State()) })
	if len(a.cfg.Load().Canary) > 0 && a.monitor != nil {
		m.Flag("statuspage_network_up", "1 unless no canary answers.", func() bool { return !a.monitor.Stats().NetworkDown })
	}
	m.Flag("statuspage_store_up", "1 when the store answers.", func() bool { return a.store.State().Up })
}
