package app

import "statuspage/internal/app/probing"

// gauges are what the metrics tell of this process beside its probes.
func (a *app) gauges() {
	m := a.metrics
	m.Gauge("statuspage_viewers", "Open streams.", func() float64 { return float64(a.pages.Streams().Viewers()) })
	m.Counter("statuspage_viewers_dropped_total", "Viewers dropped because they did not read.", func() float64 { return float64(a.pages.Streams().Dropped()) })
	m.Counter("statuspage_viewers_refused_total", "Viewers refused because the house was full.", func() float64 { return float64(a.pages.Streams().Refused()) })
	if a.node != nil {
		a.node.gauges(m)
	}
	if a.monitor != nil {
		m.Gauge("statuspage_probes_in_flight", "Probes running.", func() float64 { return float64(a.monitor.Stats().InFlight) })
	}
	m.Gauge("statuspage_signals_unsaved", "Signals in memory that no disk has.", func() float64 { return float64(a.health.unsaved()) })
	m.Gauge("statuspage_outbox_signals", "Signals on disk that the store does not have yet.", func() float64 { return probing.Waiting(a.store.State()) })
	if len(a.cfg.Load().Canary) > 0 && a.monitor != nil {
		m.Flag("statuspage_network_up", "1 unless no canary answers.", func() bool { return !a.monitor.Stats().NetworkDown })
	}
	m.Flag("statuspage_store_up", "1 when the store answers.", func() bool { return a.store.State().Up })
	m.Flag("statuspage_config_last_reload_successful", "1 when the configuration that was read last is the one that runs.", func() bool { return !a.health.refused.Load() })
	m.Gauge("statuspage_config_last_reload_success_timestamp_seconds", "Unix time at which a configuration was taken last.", func() float64 { return float64(a.reloads.at.Load()) })
}
