package app

import (
	"log/slog"
	"statuspage/e2e/harness"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/status"
	"statuspage/monitor"
	"testing"
	"time"
)

// TestRunsOfAgentsAreNotQueued holds on a real Redis: nobody would take them.
func TestRunsOfAgentsAreNotQueued(t *testing.T) {
	t.Parallel()
	cfg := &config.Config{
		Queue: config.Secret(harness.LaunchRedis(t).URL()), Database: "questdb://admin:quest@127.0.0.1:8812/qdb", Agents: []config.Agent{{Region: "office"}},
		Checks: []check.Check{{Service: status.Service{ID: "web", Regions: []string{"eu", "office"}}}, {Service: status.Service{ID: "api"}}},
	}
	node, err := join(cfg, Roles{scheduler: true}, slog.New(slog.NewTextHandler(t.Output(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer node.link.Close()
	for until := time.Now().Add(20 * time.Second); !node.link.State().Up; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("Redis is not up")
		}
	}
	a := &app{node: node}
	a.cfg.Store(cfg)
	dispatch := a.withoutAgents(node.dispatch)
	slot := time.Now().Truncate(time.Second)
	plan := func(service, region string) monitor.Planned {
		return monitor.Planned{Service: service, Region: region, Slot: slot, Deadline: slot.Add(10 * time.Second)}
	}
	depths := func() (all [3]int) {
		for i, region := range []string{"", "eu", "office"} {
			d, err := node.link.Depth(t.Context(), region)
			if err != nil {
				t.Fatal(err)
			}
			all[i] = d.Waiting
		}
		return all
	}
	if err := dispatch(t.Context(), []monitor.Planned{plan("web", "office")}); err != nil || depths() != [3]int{} {
		t.Errorf("an agent's run alone: %v, queued %v", err, depths())
	}
	if err := dispatch(t.Context(), []monitor.Planned{plan("web", "eu"), plan("web", "office"), plan("api", "")}); err != nil || depths() != [3]int{1, 1, 0} {
		t.Errorf("runs of all regions: %v, queued %v, want one each but for the agent's", err, depths())
	}
	var here []monitor.Planned
	node.bypass(func(runs []monitor.Planned) { here = runs })
	node.fallBack()
	if len(here) != 2 {
		t.Errorf("when Redis goes, %v are measured here", here)
	}
	// Without the agent the region is a worker's again.
	next := *cfg
	next.Agents = nil
	a.cfg.Store(&next)
	if err := dispatch(t.Context(), []monitor.Planned{plan("web", "office")}); err != nil || depths() != [3]int{1, 1, 1} {
		t.Errorf("without agents: %v, queued %v", err, depths())
	}
}
