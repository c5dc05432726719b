package badge

import (
	"fmt"
	"math"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"

	"golang.org/x/image/colornames"
)

// Hour is one cell of the badge of the last day.
type Hour struct {
	Start   time.Time      `json:"start"`
	State   status.Outcome `json:"state"`
	Up      int            `json:"up"`
	Slow    int            `json:"slow"`
	Down    int            `json:"down"`
	Missing int            `json:"missing"`
}

// hourLetters are the cells where only text can be.
var hourLetters = [...]string{status.Unknown: "·", status.Up: "█", status.Degraded: "▅", status.Down: "▁"}

// Hours returns the badge of the last day as a tiny grid; its value is how many of the hours
// that are known had no failure.
func Hours(label string, hours []Hour) Badge {
	b := Badge{Label: label, Hours: hours, Color: grey}
	worst, available := status.Unknown, 0
	for _, h := range hours {
		b.Message += hourLetters[h.State]
		worst = max(worst, h.State)
		if h.State.Available() {
			available++
		}
	}
	if worst != status.Unknown {
		b.Value = number(available)
	}
	b.Color = State("", worst).Color
	return b
}

func hoursSpoken(hours []Hour) string {
	var n [4]int
	for _, h := range hours {
		n[h.State]++
	}
	return fmt.Sprintf("of the last %d hours %d up, %d slow, %d down, %d without data", len(hours), n[status.Up], n[status.Degraded], n[status.Down], n[status.Unknown])
}

// Latency returns the badge of a latency percentile over a window such as "24h"; its value is
// in milliseconds.
func Latency(window string, percentile float64, latency time.Duration, ok bool) Badge {
	b := Badge{Label: "latency " + window, Message: "no data", Color: grey}
	if !ok {
		return b
	}
	b.Value = number(float64(latency.Microseconds()) / 1000)
	text := strconv.FormatFloat(latency.Seconds(), 'f', 2, 64) + " s"
	switch {
	case latency < 10*time.Millisecond:
		text = strconv.FormatFloat(float64(latency.Microseconds())/1000, 'f', 1, 64) + " ms"
	case latency < time.Second:
		text = strconv.FormatInt(latency.Milliseconds(), 10) + " ms"
	}
	b.Message = "p" + strconv.FormatFloat(percentile, 'f', -1, 64) + " " + text
	for _, c := range []struct {
		below time.Duration
		color string
	}{{200 * time.Millisecond, green}, {300 * time.Millisecond, lime}, {500 * time.Millisecond, amber}, {750 * time.Millisecond, orange}} {
		if latency <= c.below {
			b.Color = c.color
			return b
		}
	}
	b.Color = red
	return b
}

// The days before its end at which a certificate is no longer fine.
const (
	certificateSoon   = 14
	certificateUrgent = 7
)

// Certificate returns the badge of the end of a certificate; the zero time is none. Its value
// is in whole days, below nothing once it is over.
func Certificate(expiry, now time.Time) Badge {
	b := Badge{Label: "certificate", Message: "none", Color: grey}
	if expiry.IsZero() {
		return b
	}
	days := int(expiry.Sub(now) / (24 * time.Hour))
	b.Value = number(int(math.Floor(expiry.Sub(now).Hours() / 24)))
	b.Message, b.Color = "expires in "+strconv.Itoa(days)+" d", green
	switch {
	case !now.Before(expiry):
		b.Message, b.Color = "expired", red
	case days <= certificateUrgent:
		b.Color = red
	case days <= certificateSoon:
		b.Color = amber
	}
	return b
}

// Outage returns the badge of the newest outage (newest first); its value is the outage's
// length in seconds.
func Outage(outages []status.Outage, now time.Time) Badge {
	if len(outages) == 0 {
		return Badge{Label: "last outage", Message: "none in 90 d", Color: green, Value: number(0)}
	}
	o := outages[0]
	if o.Ongoing() {
		return Badge{Label: "outage", Message: "ongoing, " + short(o.Duration(now)), Color: red, Value: number(int(o.Duration(now).Seconds()))}
	}
	return Badge{Label: "last outage", Message: short(now.Sub(o.End)) + " ago, " + short(o.Duration(now)), Color: lime, Value: number(int(o.Duration(now).Seconds()))}
}

// short writes a duration in its largest unit.
func short(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return strconv.Itoa(int(d/(24*time.Hour))) + " d"
	case d >= 2*time.Hour:
		return strconv.Itoa(int(d/time.Hour)) + " h"
	case d >= 2*time.Minute:
		return strconv.Itoa(int(d/time.Minute)) + " min"
	default:
		return strconv.Itoa(int(d/time.Second)) + " s"
	}
}

// colorNames are those of shields.io, and what CSS added to those of SVG.
var colorNames = map[string]string{
	"brightgreen": "#44cc11", "green": "#97ca00", "yellowgreen": "#a4a61d", "yellow": "#dfb317", "orange": "#fe7d37", "red": "#e05d44",
	"blue": "#007ec6", "grey": "#555555", "gray": "#555555", "lightgrey": "#9f9f9f", "lightgray": "#9f9f9f", "blueviolet": "#8a2be2",
	"success": "#44cc11", "important": "#fe7d37", "critical": "#e05d44", "informational": "#007ec6", "inactive": "#9f9f9f", "black": "#000000", "white": "#ffffff",
	"rebeccapurple": "#663399", // Of CSS, and not of SVG 1.1.
}

// ParseColor reads a name of shields.io or of CSS, or a colour in three or six hexadecimal
// digits. Where both have the name, as of green, it is the colour that badges have.
// https://www.w3.org/TR/css-color-4/#named-colors
func ParseColor(text string) (string, error) {
	name := strings.ToLower(text)
	if named, ok := colorNames[name]; ok {
		return named, nil
	}
	if c, ok := colornames.Map[name]; ok { // Those of SVG 1.1.
		return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B), nil
	}
	hex := strings.ToLower(strings.TrimPrefix(text, "#"))
	if _, err := strconv.ParseUint(hex, 16, 32); err != nil || len(hex) != 3 && len(hex) != 6 || hex[0] == '+' {
		return "", fmt.Errorf("not a colour: %w", status.ErrInvalid)
	}
	return "#" + hex, nil
}
