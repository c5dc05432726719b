package status

import "fmt"

// Outcome is what a measurement says about a service. The zero value is Unknown, so that
// a signal nobody filled in never counts as good news. Larger is worse.
type Outcome uint8

// The outcomes, in the order of their weight.
const (
	Unknown  Outcome = iota // Not measured.
	Up                      // Available and fast enough.
	Degraded                // Available, but slower than the service allows.
	Down                    // Not available.
)

var outcomeNames = [...]string{Unknown: "unknown", Up: "up", Degraded: "degraded", Down: "down"}

// String returns the wire form: unknown, up, degraded or down.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return outcomeNames[Unknown]
}

// MarshalText implements encoding.TextMarshaler with the wire form.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; an unknown word is an error.
func (o *Outcome) UnmarshalText(text []byte) error {
	for i, name := range outcomeNames {
		if name == string(text) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("outcome %q: %w", text, ErrInvalid)
}

// Available tells whether a service with this outcome answered as it should, however slowly.
func (o Outcome) Available() bool { return o == Up || o == Degraded }

// ParseOutcome reads a stored outcome. Rows of other writers of the signals table have
// none; there the available column decides.
func ParseOutcome(text string, available bool) Outcome {
	var o Outcome
	switch {
	case o.UnmarshalText([]byte(text)) == nil && o != Unknown:
		return o
	case available:
		return Up
	default:
		return Down
	}
}
