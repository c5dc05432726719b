// Package badge draws the flat badges known from shields.io as SVG, and writes the same
// facts in the form that shields.io's endpoint badge reads. All text is escaped.
package badge

import (
	"encoding/json"
	"fmt"
	"statuspage/internal/status"
	"strings"
	"unicode"
)

// MaxText is how many letters of a label or message are drawn.
const MaxText = 80

// Badge is a label and a message on a colour.
type Badge struct {
	Label, Message string
	Color          string   // #rrggbb
	LabelColor     string   // #rrggbb; empty for the usual grey.
	Style          string   // One of Styles; empty for flat.
	Logo           string   // One of Logos; empty for none.
	Hours          []Hour   // The last day as a tiny grid, in place of the message.
	Value          *float64 // What the message says, as a number for programs; nil where nothing is known.
}

// The colours of the states; each carries white text with a shadow, as on shields.io.
const (
	green  = "#2c9d5e"
	lime   = "#7fa80f"
	amber  = "#c98a00"
	orange = "#d9661f"
	red    = "#cf3a38"
	grey   = "#8b929c"
	blue   = "#2f6fd0"
)

// number is a badge's Value.
func number[N int | float64](n N) *float64 {
	f := float64(n)
	return &f
}

// State returns the badge of a state; its value is 1 while available, 0 while down.
func State(label string, o status.Outcome) Badge {
	switch o {
	case status.Up:
		return Badge{Label: label, Message: "up", Color: green, Value: number(1)}
	case status.Degraded:
		return Badge{Label: label, Message: "slow", Color: amber, Value: number(1)}
	case status.Down:
		return Badge{Label: label, Message: "down", Color: red, Value: number(0)}
	default:
		return Badge{Label: label, Message: "no data", Color: grey}
	}
}

// UnderMaintenance says so on the badge of a state that is otherwise good.
func (b Badge) UnderMaintenance() Badge {
	b.Message, b.Color = "maintenance", blue
	return b
}

// Page returns the badge of the whole page; its value is how many services are available.
func Page(label string, states []status.Outcome) Badge {
	down, available, worst := 0, 0, status.Unknown
	unknown := len(states) == 0
	for _, s := range states {
		if s.Available() {
			available++
		}
		if s == status.Down {
			down++
		}
		unknown = unknown || s == status.Unknown
		worst = max(worst, s)
	}
	switch {
	case down > 0:
		return Badge{Label: label, Message: fmt.Sprintf("%d of %d down", down, len(states)), Color: red, Value: number(available)}
	case worst == status.Degraded:
		return Badge{Label: label, Message: "slow", Color: amber, Value: number(available)}
	case unknown:
		return State(label, status.Unknown) // Not all is known: that is not good news.
	default:
		return Badge{Label: label, Message: "all up", Color: green, Value: number(available)}
	}
}

// Uptime returns the badge of an uptime figure over a window such as "24h"; its value is in
// percent, rounded down as the message is.
func Uptime(window string, c status.Counts) Badge {
	label := "uptime " + window
	percent, ok := c.Uptime()
	if !ok {
		return Badge{Label: label, Message: "no data", Color: grey}
	}
	available, measured := c.Share()
	hundredths := available * 10_000 / measured
	return Badge{Label: label, Message: percent + "%", Color: uptimeColor(c), Value: number(float64(hundredths) / 100)}
}

func uptimeColor(c status.Counts) string {
	available, measured := c.Share()
	perMille := available * 1000 / measured
	switch {
	case perMille >= 995:
		return green
	case perMille >= 975:
		return lime
	case perMille >= 950:
		return amber
	case perMille >= 900:
		return orange
	default:
		return red
	}
}

// Unknown returns the badge of what is not here: a service, a group, a region.
func Unknown(what string) Badge {
	return Badge{Label: "status", Message: "unknown " + what, Color: grey}
}

// Invalid returns the badge that says a parameter is wrong.
func Invalid(what string) Badge { return Badge{Label: "error", Message: what, Color: grey} }

// Clean drops what XML 1.0 cannot carry and what turns the direction of the text around it,
// with which a label could read as another; and cuts what would make the badge absurdly wide.
func Clean(s string) string {
	n := 0
	s = strings.Map(func(r rune) rune {
		if n++; n > MaxText || unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\ufffe' || r == '\uffff' || turns(r) {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// turns tells whether a rune is one of Unicode's embeddings, overrides and isolates.
// https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
func turns(r rune) bool { return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' }

// JSON writes the badge for shields.io's endpoint badge, which refuses unknown keys.
// https://shields.io/badges/endpoint-badge
func (b Badge) JSON(isError bool) []byte {
	out, _ := json.Marshal(struct { // Strings and a bool always encode.
		SchemaVersion int    `json:"schemaVersion"`
		Label         string `json:"label"`
		Message       string `json:"message"`
		Color         string `json:"color"`
		IsError       bool   `json:"isError,omitempty"`
	}{1, Clean(b.Label), Clean(b.Message), strings.TrimPrefix(b.Color, "#"), isError})
	return out
}
