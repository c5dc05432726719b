package status

import (
	"fmt"
	"math"
	"time"
)

// NoHTTPStatus is the http_status of a signal whose probe got no answer, as in the classic
// tutorial table.
const NoHTTPStatus = -1

// Signal is one measurement of one service: one row of the signals table.
type Signal struct {
	Received   time.Time     // The planned instant of the run, UTC, whole microseconds; with Service and Region the key.
	Service    string        // Service.ID; empty on rows of other writers of the table.
	Region     string        // Where the prober stands; empty with a single region.
	URL        string        // Service.URL, free of userinfo.
	HTTPStatus int           // Status of the last answer, NoHTTPStatus without one.
	Available  bool          // What the tutorial's table calls available: Outcome.Available().
	Outcome    Outcome       // Never Unknown: who could not measure sends no signal.
	Duration   time.Duration // From the start of the probe to its verdict, whole microseconds.
	Reason     Reason        // None when Up.
	Error      string        // Full text for operators: log and store only, never the public page.
}

// CheckSignals refuses what no store could give back as it was: a signal without an outcome,
// an instant before 1970 or after 9999, an HTTP status beyond 32 bits. Such a row would stand at the
// head of an outbox for ever.
func CheckSignals(signals []Signal) error {
	for _, s := range signals {
		switch {
		case s.Outcome == Unknown || s.Outcome > Down:
			return fmt.Errorf("signal of %q without an outcome: %w", s.Service, ErrInvalid)
		case s.Received.UnixMicro() < 0 || s.Received.Year() > 9999:
			return fmt.Errorf("signal of %q received in %d: %w", s.Service, s.Received.Year(), ErrInvalid)
		case int(int32(s.HTTPStatus)) != s.HTTPStatus:
			return fmt.Errorf("signal of %q with HTTP status %d: %w", s.Service, s.HTTPStatus, ErrInvalid)
		}
	}
	return nil
}

// Sample is what the board keeps of a signal: 24 bytes, nothing that must not be public.
type Sample struct {
	Received   int64  // Unix time in microseconds.
	Seq        uint64 // The board version that brought it; 0 for history read at start.
	DurationUs uint32 // Microseconds, capped at 71 minutes.
	HTTPStatus int16
	Outcome    Outcome
	Reason     Reason
}

// Sample returns the compact form of s, without a Seq.
func (s Signal) Sample() Sample {
	return Sample{
		Received:   s.Received.UnixMicro(),
		DurationUs: uint32(min(max(s.Duration.Microseconds(), 0), math.MaxUint32)),
		HTTPStatus: int16(min(max(s.HTTPStatus, math.MinInt16), math.MaxInt16)),
		Outcome:    s.Outcome,
		Reason:     s.Reason,
	}
}

// Time returns the planned instant of the measurement, in UTC.
func (s Sample) Time() time.Time { return time.UnixMicro(s.Received).UTC() }

// Duration returns how long the measurement took.
func (s Sample) Duration() time.Duration { return time.Duration(s.DurationUs) * time.Microsecond }
