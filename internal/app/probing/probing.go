// Package probing is what every process that measures does in the same way, a server or an agent.
package probing

import (
	"fmt"
	"math"
	"statuspage/db"
	"statuspage/internal/check"
	"statuspage/internal/config"
	"statuspage/internal/metrics"
	"statuspage/monitor/probe"
	"time"
)

// StopTimeout is how long running probes and the last write may take at the end.
const StopTimeout = 4 * time.Second

// Prober measures from here; a guard keeps it from addresses, nil lets everything through.
func Prober(guard *config.Guard) *probe.Prober {
	return probe.New(probe.Options{Guard: (*probe.Guard)(guard), Keep: keptConnections(OpenFiles())})
}

// Warnings are what an operator should know of checks that are right, and that this machine or a stranger may spoil.
func Warnings(checks []check.Check) (lines []string) {
	return warnings(checks, probe.CanPing)
}

func warnings(checks []check.Check, canPing func() error) (lines []string) {
	pings, first := 0, ""
	for _, c := range checks {
		if c.Kind().Name == "icmp" {
			if pings++; first == "" {
				first = c.ID
			}
		}
		if c.Unverified() {
			lines = append(lines, c.ID+": tls.verify is off: whoever stands in between is measured in its place")
		}
	}
	if pings == 0 {
		return lines
	}
	if err := canPing(); err != nil {
		lines = append(lines, fmt.Sprintf("%d services, %s first, would have no data here: %v", pings, first, err))
	}
	return lines
}

// Measured is what the metrics tell of a probe.
func Measured(c check.Check, region string, began time.Time, r probe.Result) metrics.Probe {
	attempts := 0
	if c.Retries > 0 {
		attempts = r.Attempts
	}
	return metrics.Probe{
		Attempts: attempts,
		Began:    began, Holds: c.Holds(),
		Service: c.ID, Region: region, Instance: c.Label(), Outcome: r.Outcome.String(), Success: r.Outcome.Available(),
		Duration: r.Duration, Kind: c.Kind().Name, NoHTTP: !c.Kind().HTTPStatus, Answered: r.Answered, HTTPStatus: r.HTTPStatus, CertificateExpiry: r.CertificateExpiry,
		Phases: [...]time.Duration{r.Phases.DNS, r.Phases.Connect, r.Phases.TLS, r.Phases.FirstByte},
	}
}

// Labels are the public label of each service, as metrics name it.
func Labels(checks []check.Check) map[string]string {
	all := make(map[string]string, len(checks))
	for _, c := range checks {
		all[c.ID] = c.Label()
	}
	return all
}

// Waiting is how many signals the outbox has; while our disk does not let us open it nobody knows.
func Waiting(s db.State) float64 {
	if !s.Open {
		return math.NaN()
	}
	return float64(s.Outbox)
}
