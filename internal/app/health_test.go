package app

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"math"
	"net"
	"net/http"
	"statuspage/db"
	"statuspage/handlers/ops"
	"statuspage/internal/board"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/past"
	"statuspage/internal/status"
	"statuspage/monitor"
	"statuspage/monitor/probe"
	"statuspage/views"
	"strings"
	"testing"
	"time"
)

// inState is a store in a state, with nothing in it.
type inState struct {
	db.Store
	state db.State
}

func (s *inState) State() db.State                                     { return s.state }
func (s *inState) WaitDrained(context.Context) error                   { return nil }
func (s *inState) Terms(context.Context) ([]status.ServiceTerm, error) { return nil, nil }

func (s *inState) Pending(context.Context) iter.Seq2[status.Signal, error] {
	return func(func(status.Signal, error) bool) {}
}

func (s *inState) Signals(ctx context.Context, _, _ time.Time) iter.Seq2[status.Signal, error] {
	return s.Pending(ctx)
}

// healthy is a server in a state, whose history was asked for, and is on the board when the store can be read.
func healthy(t *testing.T, state db.State, asked bool) *health {
	t.Helper()
	b, err := board.New(nil, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	store := &inState{state: state}
	of, err := past.New(past.Options{
		Store: store, Terms: past.NewTerms(store, false, nobody), Board: b, Retention: time.Hour, Log: nobody,
		State: func() past.State {
			return past.State{Open: true, Readable: state.Readable, Up: state.Up, Err: state.Err}
		},
		Page:   !state.Readable, // Without a page nothing is read.
		Shared: func() bool { return false },
	})
	if err != nil {
		t.Fatal(err)
	}
	if asked {
		ctx, stop := context.WithCancel(t.Context())
		first, done := make(chan struct{}), make(chan struct{})
		go func() { defer close(done); of.Fill(ctx, first) }()
		<-first
		stop()
		<-done
	}
	return &health{roles: All(), store: store, past: of}
}

var (
	storeUp   = db.State{Engine: "questdb", Open: true, Up: true, Readable: true, Outbox: 7}
	storeAway = db.State{Engine: "questdb", Open: true, Err: errors.New("away")}
)

// TestReadinessTellsWhatIsThere goes from the start of a process to its end.
func TestReadinessTellsWhatIsThere(t *testing.T) {
	t.Parallel()
	stopping := func(h *health) { h.stopping.Store(true) }
	refused := func(h *health) { h.refused.Store(true) }
	with := func(t *testing.T) func(h *health) { return func(h *health) { h.node = apart(t) } }
	for name, c := range map[string]struct {
		state db.State
		asked bool
		more  func(*health)
		want  ops.Readiness
	}{
		"just started":          {storeUp, false, nil, ops.Readiness{Board: "loading", Store: "up", Engine: "questdb", Outbox: 7, Config: "current"}},
		"all there":             {storeUp, true, nil, ops.Readiness{Ready: true, Board: "filled", Store: "up", Engine: "questdb", Outbox: 7, Config: "current"}},
		"the store is away":     {storeAway, true, nil, ops.Readiness{Ready: true, Board: "loading", Store: "away", Engine: "questdb", Config: "current"}},
		"a mistake in the file": {storeUp, true, refused, ops.Readiness{Ready: true, Board: "filled", Store: "up", Engine: "questdb", Outbox: 7, Config: "refused"}},
		"stopping":              {storeUp, true, stopping, ops.Readiness{Board: "filled", Store: "up", Engine: "questdb", Outbox: 7, Config: "current"}},
		"Redis is away":         {storeUp, true, with(t), ops.Readiness{Ready: true, Board: "filled", Store: "up", Engine: "questdb", Outbox: 7, Config: "current", Role: "all", Queue: "away"}},
	} {
		h := healthy(t, c.state, c.asked)
		if c.more != nil {
			c.more(h)
		}
		if got := h.readiness(); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
		if h.node != nil {
			if err := h.node.stop(); err != nil {
				t.Error(err)
			}
		}
	}
}

// refusing is a disk that is full.
type refusing struct{}

func (refusing) Write(context.Context, []status.Signal) error { return errors.New("no room") }

// TestPageTellsTheWorstOfOurTroubles has one note on the page for what is wrong with us, nothing of it said of the services.
func TestPageTellsTheWorstOfOurTroubles(t *testing.T) {
	t.Parallel()
	if got := healthy(t, storeUp, true).note(); got != views.NoNote {
		t.Errorf("all is well: note %v", got)
	}
	if got := healthy(t, storeAway, false).note(); got != views.NoNote {
		t.Errorf("before the history was asked for: note %v", got)
	}
	if got := healthy(t, storeAway, true).note(); got != views.NoteUnread {
		t.Errorf("without its history: note %v", got)
	}
	h := healthy(t, storeAway, true)
	var err error
	if h.monitor, err = monitor.New(monitor.Options{
		Checks: []check.Check{{Service: status.Service{ID: "web", Interval: time.Second, Timeout: time.Second / 2}, How: &check.HTTP{}}},
		Store:  refusing{}, Board: unseen{}, Log: nobody,
		Probe: map[string]probe.Func{"http": func(context.Context, check.Check) probe.Result {
			return probe.Result{Outcome: status.Up, HTTPStatus: 200}
		}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := h.monitor.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.monitor.Stop(context.Background()) }() // It says what no disk took.
	eventually(t, "a signal that no disk has", func() bool { return h.unsaved() > 0 })
	if got := h.note(); got != views.NoteUnsaved {
		t.Errorf("our disk is full: note %v", got)
	}
	if got := h.readiness().Unsaved; got == 0 {
		t.Error("readiness does not tell of signals that no disk has")
	}
	h.node = apart(t)
	if got := h.note(); got != views.NoteAlone {
		t.Errorf("neither Redis nor the database: note %v", got)
	}
	if err := h.node.stop(); err != nil {
		t.Error(err)
	}
}

func TestRolesAreReadAndTold(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		want Roles
		told string
	}{
		"":                     {All(), "all"},
		"all":                  {All(), "all"},
		"web":                  {Roles{web: true, named: true}, "web"},
		"worker , scheduler":   {Roles{scheduler: true, worker: true, named: true}, "scheduler,worker"},
		"web,scheduler,worker": {Roles{web: true, scheduler: true, worker: true, named: true}, "all"},
		"worker,worker":        {Roles{worker: true, named: true}, "worker"},
	} {
		if got, err := ParseRoles(text); err != nil || got != c.want || got.String() != c.told {
			t.Errorf("%q: %+v, %v, told %s", text, got, err, got)
		}
	}
	for _, text := range []string{"page", "web,", ",", "web worker", "Web"} {
		if got, err := ParseRoles(text); err == nil {
			t.Errorf("%q is read as %+v", text, got)
		}
	}
}

// TestRolesNeedWhatTheyShare refuses processes that would each stand alone, and says what to set.
func TestRolesNeedWhatTheyShare(t *testing.T) {
	t.Parallel()
	const own, shared, queue = "sqlite:///s.db", "questdb://a:b@127.0.0.1:1/qdb", "redis://127.0.0.1:1/0"
	for _, c := range []struct {
		role            string
		database, queue config.Secret
		want            string // Empty for nothing to say.
	}{
		{"all", own, "", ""},
		{"all", shared, "", ""},
		{"all", shared, queue, ""},
		{"worker", shared, queue, ""},
		{"worker", shared, "", "STATUSPAGE_QUEUE_URL"},
		{"worker", own, queue, "STATUSPAGE_DATABASE_URL"},
		{"all", own, queue, "leave queue: out"},
	} {
		r, err := ParseRoles(c.role)
		if err != nil {
			t.Fatal(err)
		}
		err = r.Fits(&config.Config{Database: c.database, Queue: c.queue})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestAddressThatCannotBeOpenedSaysWhatToChange(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for address, word := range map[string]string{ln.Addr().String(): "is taken", "127.0.0.1:http-of-nobody": "can't be opened", "no.host.invalid:1": "can't be opened"} {
		if _, err := Listen(address); err == nil || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), "STATUSPAGE_LISTEN or") {
			t.Errorf("%s: %v", address, err)
		}
		if _, err := listenOps(address); err == nil || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), "STATUSPAGE_LISTEN_OPS") {
			t.Errorf("%s for the operator: %v", address, err)
		}
	}
	if ops, err := listenOps(""); ops != nil || err != nil {
		t.Errorf("no operator's listener: %v, %v", ops, err)
	}
}

// TestVisitorsGetWhatIsLeft leaves ourselves what we need, and visitors half of what there is at least.
func TestVisitorsGetWhatIsLeft(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		files  uint64
		checks int
		want   int
	}{
		{0, 10, 1}, // Nobody says; the limit of viewers holds.
		{2, 10, 1},
		{256, 10, 128},
		{1024, 10, 1024 - 128 - 20},
		{1024, 20_000, 512},
		{1 << 20, 1000, 1<<20 - 128 - 2000},
		{math.MaxUint64, 1000, math.MaxInt32},
	} {
		if got := connections(c.files, c.checks); got != c.want {
			t.Errorf("of %d files with %d checks: %d, want %d", c.files, c.checks, got, c.want)
		}
	}
}

// TestServerRunsAndEnds is a whole life: it listens on both addresses, tells who it is, and ends without an error.
func TestServerRunsAndEnds(t *testing.T) {
	t.Parallel()
	cfg := startable(t)
	cfg.ListenOps = "127.0.0.1:0"
	var log lockedLog
	address := func(says string) (found string) { // Which the system has chosen.
		eventually(t, says, func() bool {
			for line := range strings.Lines(log.String()) {
				if _, after, is := strings.Cut(line, says+" url="); is {
					found, _, _ = strings.Cut(strings.TrimSpace(after), " ")
				}
			}
			return found != ""
		})
		return found
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, Options{Config: cfg, Source: &Source{Getenv: func(string) string { return "" }, Files: &config.Sources{}}, Roles: All(), Log: slog.New(slog.NewTextHandler(&log, nil)), Version: "1.2.3"})
	}()
	pages, ops := address(`msg=listening`), address(`msg="listening for the operator"`)
	client := &http.Client{Timeout: time.Second}
	eventually(t, "it is ready", func() bool {
		res, err := client.Get(ops + "/readyz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	metrics := ask(t, ops+"/metrics", "")
	for _, name := range []string{
		`version="1.2.3"`, "statuspage_viewers ", "statuspage_store_up 1", "statuspage_outbox_signals 0", "statuspage_signals_unsaved 0",
		"statuspage_config_last_reload_successful 1", "statuspage_config_last_reload_success_timestamp_seconds 1", "statuspage_agents_denied_total 0", "statuspage_probes_in_flight",
	} {
		if !strings.Contains(metrics, name) {
			t.Errorf("the metrics lack %s:\n%s", name, metrics)
		}
	}
	if page := ask(t, pages+"/", ""); !strings.HasPrefix(page, "200") || !strings.Contains(page, "Web") {
		t.Errorf("the page: %.300s", page)
	}
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
}
