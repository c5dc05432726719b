package app

import (
	"context"
	"slices"
	"statuspage/handlers/agents"
	"statuspage/internal/config"
	"statuspage/internal/status"
	"statuspage/monitor"
	"time"
)

// openAgents lets agents in, as the configuration names them.
func (a *app) openAgents(cfg *config.Config) error {
	to := shown{a.node, a.board}
	a.agents = agents.New(cfg.Retention, time.Now, a.log, func(ctx context.Context, signals []status.Signal) error {
		if !a.past.Tried() {
			return agents.ErrStarting
		}
		if err := a.store.Write(ctx, signals); err != nil {
			return err
		}
		to.Apply(signals)
		return nil
	}, a.certificate)
	a.metrics.Counter("statuspage_agents_signals_total", "Signals that agents have handed in, repeated ones included.", func() float64 { return float64(a.agents.Taken()) })
	a.metrics.Counter("statuspage_agents_refused_total", "Signals of agents that were not as they must be.", func() float64 { return float64(a.agents.Refused()) })
	a.metrics.Counter("statuspage_agents_denied_total", "Requests to agents' addresses without the token of one.", func() float64 { return float64(a.agents.Denied()) })
	return a.setAgents(cfg)
}

// setAgents says who they are and what each measures.
func (a *app) setAgents(cfg *config.Config) error {
	all := make([]agents.Agent, len(cfg.Agents))
	for i, one := range cfg.Agents {
		all[i] = agents.Agent(one)
	}
	return a.agents.Set(all, cfg.Checks)
}

// withoutAgents keeps runs out of the queue that nobody would take: those in regions of agents,
// which plan for themselves.
func (a *app) withoutAgents(dispatch func(context.Context, []monitor.Planned) error) func(context.Context, []monitor.Planned) error {
	return func(ctx context.Context, runs []monitor.Planned) error {
		elsewhere := a.cfg.Load().Agents
		if len(elsewhere) == 0 {
			return dispatch(ctx, runs)
		}
		runs = slices.DeleteFunc(runs, func(p monitor.Planned) bool {
			return slices.ContainsFunc(elsewhere, func(one config.Agent) bool { return one.Region == p.Region })
		})
		if len(runs) == 0 {
			return nil
		}
		return dispatch(ctx, runs)
	}
}
