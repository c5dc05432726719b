package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"statuspage/db"
	"statuspage/handlers"
	"statuspage/internal/board"
	"statuspage/internal/config"
	"statuspage/internal/metrics"
	"statuspage/internal/status"
	"statuspage/monitor"
	"statuspage/monitor/probe"
	"statuspage/views"
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
	f.StringVar(&o.Database, "database", "", "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	o.URLs = f.Args()
	cfg, err := config.Load(o, e.getenv, os.ReadFile)
	if err != nil {
		return err
	}
	return e.serveConfig(ctx, cfg, false)
}

// app is one running process and its parts, in the order in which they depend on each other.
type app struct {
	cfg      *config.Config
	log      *slog.Logger
	store    *db.Database
	board    *board.Board
	server   *handlers.Server
	monitor  *monitor.Monitor
	metrics  *metrics.Metrics
	filled   atomic.Bool // History is on the board.
	tried    atomic.Bool // It was asked for at least once: the page says what it can.
	stopping atomic.Bool
}

// serveConfig runs the product until ctx ends.
func (e env) serveConfig(ctx context.Context, cfg *config.Config, demo bool) (err error) {
	ln, err := listen(cfg.Listen)
	if err != nil {
		return err
	}
	defer ln.Close() //nolint:errcheck // Closed by the server in the usual case.
	thrift(e.getenv)
	a := &app{cfg: cfg, log: slog.New(slog.NewTextHandler(e.stderr, nil)), metrics: metrics.New(buildVersion())}
	a.store, err = db.Open(ctx, string(cfg.Database), db.Options{Retention: cfg.Retention, Outbox: cfg.Outbox, Log: a.log})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := a.store.Close(); err == nil && closeErr != nil {
			err = closeErr
		}
	}()
	if err := a.build(demo); err != nil {
		return err
	}
	return a.run(ctx, ln)
}

// thrift collects garbage when the heap has grown by half, not by all of it: little is thrown away
// a second, so that it costs next to nothing, and most of the heap is the board and the
// pages, which stay. GOGC says otherwise.
func thrift(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

func (a *app) build(demo bool) (err error) {
	services := make([]status.Service, len(a.cfg.Checks))
	for i, c := range a.cfg.Checks {
		services[i] = c.Service
	}
	if a.board, err = board.New(services, a.cfg.Timezone); err != nil {
		return err
	}
	a.server, err = handlers.New(handlers.Options{
		Board:      a.board,
		History:    a.store,
		Log:        a.log,
		Site:       a.site(demo),
		CORS:       a.cfg.CORS,
		MaxViewers: a.cfg.MaxViewers,
		Note:       a.note,
		Ready:      a.readiness,
		Metrics:    a.metrics.Write,
	})
	if err != nil {
		return err
	}
	a.monitor, err = monitor.New(monitor.Options{
		Checks: a.cfg.Checks, Store: a.store, Board: a.board, Log: a.log, Region: a.cfg.Region,
		Observe: a.observe, Skipped: a.metrics.Skipped, MeasuredAt: a.board.MeasuredAt,
	})
	if err != nil {
		return err
	}
	a.gauges()
	return nil
}

// site is what the pages say of themselves, by the configuration.
func (a *app) site(demo bool) handlers.Site {
	b := a.cfg.Brand
	site := handlers.Site{
		Title: a.cfg.Title, BaseURL: a.cfg.BaseURL, Demo: demo, Groups: a.cfg.Groups,
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

// run starts everything, waits for the end of ctx or a failure, and stops in order.
func (a *app) run(ctx context.Context, ln net.Listener) error {
	served := make(chan error, 1)
	go func() { served <- a.server.Serve(ln) }()
	a.log.Info("listening", "url", "http://"+ln.Addr().String(), "services", len(a.cfg.Checks), "store", a.store.State().Engine)

	fillCtx, stopFill := context.WithCancel(ctx)
	first, filler := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(filler)
		a.fill(fillCtx, first)
	}()
	select {
	case <-first:
	case <-time.After(fillWait):
	case <-ctx.Done():
	}
	err := a.monitor.Start()
	if err == nil {
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
	return errors.Join(err, a.stop(filler))
}

// stop ends the parts: no more runs, running probes, last write; then streams and HTTP.
// The store is closed by who opened it.
func (a *app) stop(filler <-chan struct{}) error {
	a.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), stopProbes)
	defer cancel()
	err := a.monitor.Stop(ctx)
	if err != nil {
		err = fmt.Errorf("stop the prober: %w", err)
	}
	<-filler
	return errors.Join(err, a.server.Shutdown())
}

// listen opens the address, or says in one line what to change.
func listen(address string) (net.Listener, error) {
	ln, err := net.Listen("tcp", address) //nolint:noctx // Returns at once.
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("address %s is taken; choose another with --listen, STATUSPAGE_LISTEN or listen: in the configuration", address)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("address %s needs more rights; choose a port above 1023 with --listen, STATUSPAGE_LISTEN or listen:", address)
	case err != nil:
		return nil, fmt.Errorf("address %s can't be opened (%w); choose another with --listen, STATUSPAGE_LISTEN or listen:", address, err)
	}
	return ln, nil
}

// note is what the page says of our own troubles, in public words.
func (a *app) note() string {
	switch {
	case a.monitor != nil && a.monitor.Stats().Unsaved > 0:
		return "New signals can't be saved at the moment. Measuring goes on, and this page with it."
	case a.tried.Load() && !a.filled.Load():
		return "The history can't be read at the moment. Measuring goes on; older signals will appear when it can."
	default:
		return ""
	}
}

func (a *app) readiness() handlers.Readiness {
	state := a.store.State()
	r := handlers.Readiness{
		Ready: a.tried.Load() && !a.stopping.Load(), Board: "loading", Store: "away",
		Engine: state.Engine, Outbox: state.Outbox, Unsaved: int(a.monitor.Stats().Unsaved),
	}
	if a.filled.Load() {
		r.Board = "filled"
	}
	if state.Up {
		r.Store = "up"
	}
	return r
}

func (a *app) observe(c status.Check, r probe.Result) {
	if !r.CertificateExpiry.IsZero() {
		a.board.SetCertificate(c.ID, r.CertificateExpiry)
	}
	a.metrics.Observe(metrics.Probe{
		Service: c.ID, Region: c.Region(a.cfg.Region), Instance: c.Label(), Outcome: r.Outcome.String(), Success: r.Outcome.Available(),
		Duration: r.Duration, HTTPStatus: r.HTTPStatus, CertificateExpiry: r.CertificateExpiry,
		Phases: [...]time.Duration{r.Phases.DNS, r.Phases.Connect, r.Phases.TLS, r.Phases.FirstByte},
	})
}

func (a *app) gauges() {
	m := a.metrics
	m.Gauge("statuspage_viewers", "Open streams.", func() float64 { return float64(a.server.Streams().Viewers()) })
	m.Counter("statuspage_viewers_dropped_total", "Viewers dropped because they did not read.", func() float64 { return float64(a.server.Streams().Dropped()) })
	m.Counter("statuspage_viewers_refused_total", "Viewers refused because the house was full.", func() float64 { return float64(a.server.Streams().Refused()) })
	m.Gauge("statuspage_probes_in_flight", "Probes running.", func() float64 { return float64(a.monitor.Stats().InFlight) })
	m.Gauge("statuspage_signals_unsaved", "Signals in memory that no disk has.", func() float64 { return float64(a.monitor.Stats().Unsaved) })
	m.Gauge("statuspage_outbox_signals", "Signals on disk that the store does not have yet.", func() float64 { return float64(a.store.State().Outbox) })
	m.Gauge("statuspage_store_up", "1 when the store answers.", func() float64 {
		if a.store.State().Up {
			return 1
		}
		return 0
	})
}
