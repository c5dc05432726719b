// Package agent is what an agent and its server say to each other over HTTPS: checks one way,
// signals the other. Who reads never trusts who wrote.
package agent

import "time"

// Where a server answers, and what a signal hand-in may be. Both sides keep to it.
const (
	ChecksPath  = "/agent/v1/checks"
	SignalsPath = "/agent/v1/signals"

	// TimeHeader carries the server's time on every answer, RFC 3339 with microseconds.
	TimeHeader = "Statuspage-Time"

	// KindsHeader is on the question for checks: what the agent knows to measure, words of check.Check.Needs joined by commas.
	KindsHeader = "Statuspage-Kinds"

	MaxSignals = 2000    // Of one batch.
	MaxBody    = 1 << 20 // Bytes of one batch on the wire.
	MaxText    = 4 << 20 // Bytes of one batch when it is unpacked.

	// MaxAhead is how far a signal may lie in the future by the server's clock.
	MaxAhead = 5 * time.Minute

	maxChecks      = 20_000
	maxWords       = 200      // Of KindsHeader.
	maxChecksText  = 16 << 20 // Bytes of all checks of a region.
	maxErrorLength = 1000     // Bytes of the text of an error.
	maxDuration    = time.Hour
	// TimeFormat is that of TimeHeader.
	TimeFormat = "2006-01-02T15:04:05.000000Z07:00"
)
