// Package badge draws the flat badges known from shields.io as SVG, and writes the same
// facts in the form that shields.io's endpoint badge reads. All text is escaped.
package badge

import (
	"encoding/json"
	"fmt"
	"html"
	"statuspage/internal/status"
	"strings"
	"unicode"
)

// MaxText is how many letters of a label or message are drawn.
const MaxText = 80

// Badge is a label and a message on a colour.
type Badge struct {
	Label, Message string
	Color          string // #rrggbb
}

// The colours of the states; each carries white text with a shadow, as on shields.io.
const (
	green  = "#2c9d5e"
	lime   = "#7fa80f"
	amber  = "#c98a00"
	orange = "#d9661f"
	red    = "#cf3a38"
	grey   = "#8b929c"
)

// State returns the badge of a state.
func State(label string, o status.Outcome) Badge {
	switch o {
	case status.Up:
		return Badge{label, "up", green}
	case status.Degraded:
		return Badge{label, "slow", amber}
	case status.Down:
		return Badge{label, "down", red}
	default:
		return Badge{label, "no data", grey}
	}
}

// Page returns the badge of the whole page.
func Page(label string, states []status.Outcome) Badge {
	down, worst := 0, status.Unknown
	unknown := len(states) == 0
	for _, s := range states {
		if s == status.Down {
			down++
		}
		unknown = unknown || s == status.Unknown
		worst = max(worst, s)
	}
	switch {
	case down > 0:
		return Badge{label, fmt.Sprintf("%d of %d down", down, len(states)), red}
	case worst == status.Degraded:
		return Badge{label, "slow", amber}
	case unknown:
		return State(label, status.Unknown) // Not all is known: that is not good news.
	default:
		return Badge{label, "all up", green}
	}
}

// Uptime returns the badge of an uptime figure over a window such as "24h".
func Uptime(window string, c status.Counts) Badge {
	label := "uptime " + window
	percent, ok := c.Uptime()
	if !ok {
		return Badge{label, "no data", grey}
	}
	return Badge{label, percent + "%", uptimeColor(c)}
}

func uptimeColor(c status.Counts) string {
	perMille := c.Available() * 1000 / c.Measured()
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

// Unknown returns the badge of a service that is not here.
func Unknown() Badge { return Badge{"status", "unknown", grey} }

// Invalid returns the badge that says a parameter is wrong.
func Invalid(what string) Badge { return Badge{"error", what, grey} }

// SVG draws the badge. The text is given its computed width, so that it fits whatever
// font the reader has.
func (b Badge) SVG() []byte {
	label, message := clean(b.Label), clean(b.Message)
	lw, mw := textWidth(label), textWidth(message)
	left, right := (lw+5)/10+10, (mw+5)/10+10
	title := html.EscapeString(label + ": " + message)
	var w strings.Builder
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="20" role="img" aria-label="%s"><title>%s</title>`, left+right, title, title)
	w.WriteString(`<linearGradient id="s" x2="0" y2="100%"><stop offset="0" stop-color="#bbb" stop-opacity=".1"/><stop offset="1" stop-opacity=".1"/></linearGradient>`)
	fmt.Fprintf(&w, `<clipPath id="r"><rect width="%d" height="20" rx="3" fill="#fff"/></clipPath>`, left+right)
	fmt.Fprintf(&w, `<g clip-path="url(#r)"><rect width="%d" height="20" fill="#555"/><rect x="%d" width="%d" height="20" fill="%s"/><rect width="%d" height="20" fill="url(#s)"/></g>`, left, left, right, html.EscapeString(b.Color), left+right)
	w.WriteString(`<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" text-rendering="geometricPrecision" font-size="110">`)
	text(&w, label, left*5, lw)
	text(&w, message, left*10+right*5, mw)
	w.WriteString(`</g></svg>`)
	return []byte(w.String())
}

func text(w *strings.Builder, s string, middle, width int) {
	s = html.EscapeString(s)
	fmt.Fprintf(w, `<text aria-hidden="true" x="%d" y="150" fill="#010101" fill-opacity=".3" transform="scale(.1)" textLength="%d">%s</text>`, middle, width, s)
	fmt.Fprintf(w, `<text x="%d" y="140" transform="scale(.1)" textLength="%d">%s</text>`, middle, width, s)
}

// clean drops what XML 1.0 cannot carry and cuts what would make the badge absurdly wide.
func clean(s string) string {
	n := 0
	s = strings.Map(func(r rune) rune {
		if n++; n > MaxText || unicode.IsControl(r) || r == unicode.ReplacementChar || r == '\ufffe' || r == '\uffff' {
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// JSON writes the badge for shields.io's endpoint badge, which refuses unknown keys.
// https://shields.io/badges/endpoint-badge
func (b Badge) JSON(isError bool) []byte {
	out, _ := json.Marshal(struct { // Strings and a bool always encode.
		SchemaVersion int    `json:"schemaVersion"`
		Label         string `json:"label"`
		Message       string `json:"message"`
		Color         string `json:"color"`
		IsError       bool   `json:"isError,omitempty"`
	}{1, clean(b.Label), clean(b.Message), strings.TrimPrefix(b.Color, "#"), isError})
	return out
}
