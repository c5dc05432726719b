// Package outpost is an agent: it measures where it stands what a server elsewhere wants measured, and hands the signals in.
package outpost

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"statuspage/db"
	"statuspage/internal/agent"
	"statuspage/internal/app/probing"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/metrics"
	"statuspage/internal/status"
	"statuspage/monitor"
	"time"
)

const (
	readTimeout  = 3 * time.Second
	writeTimeout = 10 * time.Second
	maxHeader    = 16 << 10
)

// Options are what Run needs.
type Options struct {
	Server   *url.URL
	Token    string
	Outbox   string         // Path of the file that keeps what is not handed in yet.
	Roots    *x509.CertPool // Who vouches for the server; nil for those of the system.
	Guard    *config.Guard  // Nil lets everything through.
	Canary   []string
	Listener net.Listener // For who runs the agent; nil for nobody.
	Log      *slog.Logger
	Version  string // Of the program, for its metrics.
}

// Run measures until ctx ends.
func Run(ctx context.Context, o Options) error {
	return (&outpost{Options: o, metrics: metrics.New(o.Version)}).run(ctx)
}

// outpost is one running agent.
type outpost struct {
	Options
	metrics *metrics.Metrics
	store   *db.Forwarder
	client  *agent.Client
	monitor *monitor.Monitor
}

func (o *outpost) run(ctx context.Context) (err error) {
	checks := o.remembered()
	// The monitor needs the store, and who fills the store asks for checks: those wait until it is there.
	built := make(chan struct{})
	o.client = agent.NewClient(o.Server, o.Roots, o.Token, o.Log, func(region string, checks []check.Check, document []byte) error {
		if <-built; o.monitor == nil {
			return errors.New("the agent has not started")
		}
		return o.take(region, checks, document)
	})
	if o.store, err = db.Forward(ctx, o.Outbox, o.client, o.Log); err != nil {
		return err
	}
	o.monitor, err = monitor.New(monitor.Options{
		Checks: checks, Store: o.store, Board: nowhere{}, Log: o.Log, Probe: probing.Prober(o.Guard).Kinds(), Canary: o.Canary,
		Observe: o.observe, Skipped: o.metrics.Skipped,
		// Regions share their slots, so there is no run between them, not even the first.
		MeasuredAt: func(string) time.Time { return time.Now().Add(-status.MinInterval / 2) },
	})
	if err == nil {
		o.metrics.Only(probing.Labels(checks))
		o.gauges()
		err = o.monitor.Start()
	}
	close(built)
	if err != nil {
		return errors.Join(err, o.stop())
	}
	o.Log.Info("agent started", "server", o.Server.String(), "services", len(checks), "outbox", o.store.State().Outbox)
	failed := make(chan error, 1)
	if o.Listener != nil {
		s := &http.Server{Handler: o.handler(), ReadTimeout: readTimeout, WriteTimeout: writeTimeout, MaxHeaderBytes: maxHeader}
		go func() { failed <- s.Serve(o.Listener) }()
		defer s.Close() //nolint:errcheck // Nobody waits for its answers.
		o.Log.Info("listening", "url", "http://"+o.Listener.Addr().String())
	}
	select {
	case <-ctx.Done():
		o.Log.Info("stopping")
	case err = <-failed:
	}
	return errors.Join(err, o.stop())
}

// stop ends the parts that there are, started or not.
func (o *outpost) stop() (err error) {
	ending, cancel := context.WithTimeout(context.Background(), probing.StopTimeout)
	defer cancel()
	if o.monitor != nil {
		err = o.monitor.Stop(ending)
	}
	return errors.Join(err, o.store.Close())
}

// take measures by other checks from now on, and remembers them for a start without the server.
func (o *outpost) take(region string, checks []check.Check, document []byte) error {
	if err := o.monitor.Update(checks); err != nil {
		return err
	}
	o.metrics.Only(probing.Labels(checks))
	o.Log.Info("checks taken from the server", "region", region, "services", len(checks))
	if err := writePrivate(o.checksFile(), document); err != nil {
		o.Log.Error("the checks can't be kept; after a start without the server nothing is measured", "error", err)
	}
	return nil
}

// nowhere is the board of an agent, which shows nothing.
type nowhere struct{}

// Apply implements monitor.Board.
func (nowhere) Apply([]status.Signal) {}
