package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"statuspage/db"
	"statuspage/internal/agent"
	"statuspage/internal/config"
	"statuspage/internal/metrics"
	"statuspage/internal/status"
	"statuspage/monitor"
	"statuspage/monitor/probe"
	"strings"
	"time"
)

const (
	envAgentToken = "STATUSPAGE_AGENT_TOKEN"
	// agentOutbox is not the server's, which may run in the same folder.
	agentOutbox = "data/agent-outbox.db"
)

// agent measures here what a server elsewhere wants measured, and hands the signals in.
func (e env) agent(ctx context.Context, args []string) error {
	f := e.flags("agent")
	to := f.String("to", "", "")
	token, file := f.String("token", "", ""), f.String("token-file", "", "")
	outbox, address := f.String("outbox", agentOutbox, ""), f.String("listen", "", "")
	ca, insecure := f.String("ca", "", ""), f.Bool("insecure", false, "")
	guard, allow, canary := f.Bool("guard", false, ""), f.String("allow", "", ""), f.String("canary", "", "")
	if err := e.parse(f, args); err != nil {
		return err
	}
	if f.NArg() > 0 {
		return errors.New("agent: more is said than flags; `statuspage help` lists them") // What it is may be a token.
	}
	if *to == "" {
		return errors.New("agent: name the server with --to https://status.example")
	}
	server, open, err := agent.ParseServer(*to)
	if err != nil {
		return fmt.Errorf("agent: --to: %w", err)
	}
	log := slog.New(slog.NewTextHandler(e.stderr, nil))
	if *token != "" {
		log.Warn("others on this machine can read a token on the command line; write it to a file and name that with --token-file, or set " + envAgentToken)
	}
	switch {
	case open && !*insecure:
		return errors.New("agent: --to: over http anybody on the way can read the token and the checks' secrets: use https, or add --insecure")
	case open:
		log.Warn("over http anybody on the way can read the token and the checks' secrets; use https")
	}
	secret, err := e.agentToken(*token, *file)
	if err != nil {
		return err
	}
	o := &outpost{log: log, metrics: metrics.New(buildVersion()), outbox: *outbox}
	if err := o.network(*ca, *guard, *allow, *canary); err != nil {
		return err
	}
	var ln net.Listener
	if *address != "" {
		if ln, err = listen(*address); err != nil {
			return err
		}
		defer ln.Close() //nolint:errcheck // Closed by the server in the usual case.
	}
	thrift(e.getenv)
	return o.run(ctx, server, secret, ln)
}

// agentToken is that of the command line, of the file, or of the environment.
func (e env) agentToken(flag, file string) (string, error) {
	token, from := e.getenv(envAgentToken), envAgentToken
	switch {
	case flag != "" && file != "":
		return "", errors.New("agent: --token and --token-file both name a token: leave one out")
	case flag != "":
		token, from = flag, "--token"
	case file != "":
		body, err := os.ReadFile(file)
		var why *fs.PathError
		if errors.As(err, &why) {
			err = why.Err // Without the name, which may be a token in the wrong place.
		}
		if err != nil {
			return "", fmt.Errorf("agent: --token-file: %w", err)
		}
		token, from = strings.TrimSpace(string(body)), "--token-file"
	case token == "":
		return "", errors.New("agent: no token: set " + envAgentToken + " or --token-file to the one that the server has for this region")
	}
	token, err := config.ParseToken(token)
	if err != nil {
		return "", fmt.Errorf("agent: %s: %w", from, err)
	}
	return token, nil
}

// outpost is one running agent.
type outpost struct {
	log     *slog.Logger
	metrics *metrics.Metrics
	outbox  string
	roots   *x509.CertPool // Who vouches for the server; nil for those of the system.
	guard   *probe.Guard   // Nil lets everything through.
	canary  []string
	store   *db.Forwarder
	client  *agent.Client
	monitor *monitor.Monitor
}

// run measures until ctx ends.
func (o *outpost) run(ctx context.Context, server *url.URL, token string, ln net.Listener) (err error) {
	checks := o.remembered()
	// The monitor needs the store, and who fills the store asks for checks: those wait until it is there.
	built := make(chan struct{})
	o.client = agent.NewClient(server, o.roots, token, o.log, func(region string, checks []status.Check, document []byte) error {
		if <-built; o.monitor == nil {
			return errors.New("the agent has not started")
		}
		return o.take(region, checks, document)
	})
	if o.store, err = db.Forward(ctx, o.outbox, o.client, o.log); err != nil {
		return err
	}
	o.monitor, err = monitor.New(monitor.Options{
		Checks: checks, Store: o.store, Board: nowhere{}, Log: o.log, Probe: probe.New(probe.Options{Guard: o.guard, Keep: keptConnections(openFiles())}).Kinds(), Canary: o.canary,
		Observe: o.observe, Skipped: o.metrics.Skipped,
		// Regions share their slots, so there is no run between them, not even the first.
		MeasuredAt: func(string) time.Time { return time.Now().Add(-status.MinInterval / 2) },
	})
	if err == nil {
		o.metrics.Only(labels(checks))
		o.gauges()
		err = o.monitor.Start()
	}
	close(built)
	if err != nil {
		return errors.Join(err, o.stop())
	}
	o.log.Info("agent started", "server", server.String(), "services", len(checks), "outbox", o.store.State().Outbox)
	failed := make(chan error, 1)
	if ln != nil {
		s := &http.Server{Handler: o.handler(), ReadTimeout: healthTimeout, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
		go func() { failed <- s.Serve(ln) }()
		defer s.Close() //nolint:errcheck // Nobody waits for its answers.
		o.log.Info("listening", "url", "http://"+ln.Addr().String())
	}
	select {
	case <-ctx.Done():
		o.log.Info("stopping")
	case err = <-failed:
	}
	return errors.Join(err, o.stop())
}

// stop ends the parts that there are, started or not.
func (o *outpost) stop() (err error) {
	ending, cancel := context.WithTimeout(context.Background(), stopProbes)
	defer cancel()
	if o.monitor != nil {
		err = o.monitor.Stop(ending)
	}
	return errors.Join(err, o.store.Close())
}

// take measures by other checks from now on, and remembers them for a start without the server.
func (o *outpost) take(region string, checks []status.Check, document []byte) error {
	if err := o.monitor.Update(checks); err != nil {
		return err
	}
	o.metrics.Only(labels(checks))
	o.log.Info("checks taken from the server", "region", region, "services", len(checks))
	if err := writePrivate(o.checksFile(), document); err != nil {
		o.log.Error("the checks can't be kept; after a start without the server nothing is measured", "error", err)
	}
	return nil
}

func (o *outpost) checksFile() string { return o.outbox + ".checks.json" }

// remembered is the checks that were measured last.
func (o *outpost) remembered() []status.Check {
	_ = os.Chmod(o.checksFile(), 0o600) // Whoever left it wider: checks hold secrets. There may be none.
	body, err := os.ReadFile(o.checksFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var checks []status.Check
	if err == nil {
		_, checks, err = agent.DecodeChecks(body)
	}
	if err != nil {
		o.log.Warn("the checks of before can't be read; nothing is measured until the server is reached", "file", o.checksFile(), "error", err)
	}
	return checks
}

// writePrivate replaces a file that only we may read: checks hold secrets.
func writePrivate(name string, body []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*") // Mode 0600.
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // After the rename there is none.
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func (o *outpost) observe(c status.Check, began time.Time, r probe.Result) {
	if !r.CertificateExpiry.IsZero() {
		o.client.Certificate(c.ID, r.CertificateExpiry)
	}
	o.metrics.Observe(measured(c, "", began, r))
}

func (o *outpost) gauges() {
	m := o.metrics
	m.Flag("statuspage_agent_server_up", "1 when the server answers and knows us.", func() bool { return o.store.State().Up })
	m.Gauge("statuspage_agent_clock_skew_seconds", "By how much the server's clock is ahead of ours; NaN while it does not answer.", func() float64 {
		ahead, known := o.client.Skew()
		if !known {
			return math.NaN()
		}
		return ahead.Seconds()
	})
	m.Counter("statuspage_agent_handed_in_total", "Signals that the server has taken.", func() float64 { return float64(o.client.Handed()) })
	m.Counter("statuspage_agent_dropped_total", "Signals that the server refused for good.", func() float64 { return float64(o.client.Dropped()) })
	if len(o.canary) > 0 {
		m.Flag("statuspage_network_up", "1 unless no canary answers.", func() bool { return !o.monitor.Stats().NetworkDown })
	}
	m.Gauge("statuspage_outbox_signals", "Signals on disk that the server does not have yet.", func() float64 { return waiting(o.store.State()) })
	m.Gauge("statuspage_signals_unsaved", "Signals in memory that no disk has.", func() float64 { return float64(o.monitor.Stats().Unsaved) })
	m.Gauge("statuspage_probes_in_flight", "Probes running.", func() float64 { return float64(o.monitor.Stats().InFlight) })
}

// handler answers what runs the agent asks of it.
func (o *outpost) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		state, server := o.store.State(), "away"
		if state.Up {
			server = "up"
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, "{\"ready\":true,\"server\":%q,\"outbox\":%d,\"unsaved\":%d}\n", server, state.Outbox, o.monitor.Stats().Unsaved)
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		var body strings.Builder
		kind, err := o.metrics.Write(&body)
		if err != nil {
			o.log.Error("write metrics", "error", err)
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write([]byte(body.String()))
	})
	return mux
}

// nowhere is the board of an agent, which shows nothing.
type nowhere struct{}

// Apply implements monitor.Board.
func (nowhere) Apply([]status.Signal) {}
