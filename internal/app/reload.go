package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"statuspage/internal/app/probing"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/status"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Source is where a configuration came from, and how to read it again.
type Source struct {
	Overrides config.Overrides
	Getenv    func(string) string
	Files     *config.Sources
	Asked     chan os.Signal // SIGHUP.
}

// reloads is what is known of configurations that were taken over.
type reloads struct {
	at      atomic.Int64 // Unix seconds of the last that was taken.
	recalls sync.WaitGroup
}

// watch takes over what changes in the configuration, until ctx ends.
func (a *app) watch(ctx context.Context, from *Source) {
	defer a.reloads.recalls.Wait()
	files := from.Files
	config.Watch(ctx, files, from.Asked, a.log, func() *config.Sources {
		next := &config.Sources{Guard: files.KeepFile}
		cfg, err := config.Load(from.Overrides, from.Getenv, next.ReadFile)
		if err == nil {
			err = a.reload(ctx, cfg)
		}
		a.health.refused.Store(err != nil)
		if err != nil {
			// The guard goes on to compare with what runs.
			a.log.Error("the configuration is refused; the one before goes on", "error", oneLine(err))
			return next
		}
		a.reloads.at.Store(time.Now().Unix())
		files = next
		return next
	})
}

// oneLine leaves the excerpts out, and puts several mistakes into one line of the log.
func oneLine(err error) string {
	var mistakes []string
	for line := range strings.Lines(err.Error()) {
		if !strings.HasPrefix(line, "    ") {
			mistakes = append(mistakes, strings.TrimSpace(line))
		}
	}
	return strings.Join(mistakes, "; ")
}

// reload goes over to another configuration, with all parts or with none. After an error the one before goes on.
func (a *app) reload(ctx context.Context, next *config.Config) error {
	before := a.cfg.Load()
	if waiting := next.Follow(before); len(waiting) > 0 {
		a.log.Warn("these settings count after a restart", "settings", strings.Join(waiting, ", "))
	}
	added, removed, changed := compare(before.Checks, next.Checks)
	dressed := !reflect.DeepEqual(settings(before, false), settings(next, false)) || !reflect.DeepEqual(before.CORS, next.CORS) ||
		before.Timezone.String() != next.Timezone.String()
	if err := takeOver(a.steps(ctx, before, next, dressed), a.log); err != nil {
		return err
	}
	if terms := a.terms.Follow(servicesOf(next), time.Now()); terms != nil {
		a.board.Loader().SetTerms(terms)
	}
	a.cfg.Store(next)
	a.setTokens(next)
	if a.alerts != nil {
		a.alerts.Follow(alertSettings(next))
	}
	a.metrics.Only(probing.Labels(next.Checks))
	a.recallSoon(ctx, added)
	a.log.Info("configuration read again", "added", len(added), "removed", removed, "changed", changed, "page", dressed, "services", len(next.Checks))
	return nil
}

// step is how one part goes over to another configuration, and how it goes back. After an error of do the part is as it was.
type step struct {
	part     string
	do, undo func() error
}

// takeOver takes all steps. When one fails, those before it are taken back, the last first.
func takeOver(steps []step, log *slog.Logger) error {
	for i, s := range steps {
		err := s.do()
		if err == nil {
			continue
		}
		for _, done := range slices.Backward(steps[:i]) {
			if err := done.undo(); err != nil { // It stood on it a moment ago.
				log.Error("a part can't go back to the configuration before; restart the process", "part", done.part, "error", err)
			}
		}
		return fmt.Errorf("the %s can't follow it: %w", s.part, err)
	}
	return nil
}

// steps are those from one configuration to another, in the order in which the parts depend on each other.
func (a *app) steps(ctx context.Context, before, next *config.Config, dressed bool) (all []step) {
	if a.monitor != nil {
		all = append(all, step{"prober", func() error { return a.monitor.Update(next.Checks) }, func() error { return a.monitor.Update(before.Checks) }})
	}
	all = append(all, step{"agents", func() error { return a.setAgents(next) }, func() error { return a.setAgents(before) }})
	if !dressed && reflect.DeepEqual(servicesOf(before), servicesOf(next)) {
		return all
	}
	show := func(cfg *config.Config) error {
		_, err := a.board.Current().With(servicesOf(cfg), cfg.Timezone)
		return err
	}
	dress := func(cfg *config.Config) error { return a.pages.Reload(a.options(cfg, a.board.Current(), false)) }
	return append(all,
		step{"board", func() error { return show(next) }, func() error {
			err := show(before)
			back, _, _ := compare(next.Checks, before.Checks)
			a.recallSoon(ctx, back) // Their rows begin anew.
			return err
		}},
		step{"page", func() error { return dress(next) }, func() error { return dress(before) }},
	)
}

// recallSoon brings the past of services that have come to the board.
func (a *app) recallSoon(ctx context.Context, ids []string) {
	if len(ids) == 0 {
		return
	}
	hour := time.Now().UTC().Truncate(time.Hour)
	a.reloads.recalls.Go(func() { a.past.Recall(ctx, ids, hour) })
}

// compare tells which services were added, and how many were removed and changed.
func compare(before, next []check.Check) (added []string, removed, changed int) {
	was := make(map[string]check.Check, len(before))
	for _, c := range before {
		was[c.ID] = c
	}
	for _, c := range next {
		old, known := was[c.ID]
		switch {
		case !known, !slices.Equal(old.Regions, c.Regions), old.Quorum != c.Quorum, old.DownWhen != c.DownWhen:
			// With other regions its row begins anew; with another quorum its past means something else.
			added = append(added, c.ID)
		case !reflect.DeepEqual(old, c):
			changed++
		}
		delete(was, c.ID)
	}
	return added, len(was), changed
}

func servicesOf(cfg *config.Config) []status.Service {
	services := make([]status.Service, len(cfg.Checks))
	for i, c := range cfg.Checks {
		services[i] = c.Service
	}
	return services
}
