package badge

import (
	"regexp"
	"slices"
	"statuspage/handlers/answer"
	"statuspage/internal/board"
	"statuspage/internal/figures"
	"statuspage/internal/status"
	"statuspage/views/badge"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// request is a badge's address, read.
type request struct {
	subject, kind, format string
	short                 bool // An address without a kind, whose JSON is that of shields.io.
	window                time.Duration
	windowName            string
	percentile            float64
	label, style, logo    string
	hasLabel              bool
	region                string // Of one region only; empty for all together.
	color, labelColor     string
	mistake               string // What is wrong, in words that fit on a badge.
}

// regionKinds are those of which a single region has its own.
var regionKinds = []string{"status", "uptime", "latency"}

var kinds = []string{"status", "uptime", "latency", "certificate", "outage", "hours"}

const (
	defaultWindow     = "24h"
	defaultPercentile = 95
	maxWindowName     = 16
)

// parse reads the parts of what follows /badge/, and the parameters.
func parse(parts []string, query func(name string) string) request {
	q := request{kind: "status", percentile: defaultPercentile}
	last := len(parts) - 1
	dot := strings.LastIndexByte(parts[last], '.')
	if dot < 0 {
		return q
	}
	name, format := parts[last][:dot], parts[last][dot+1:]
	q.format = format
	if q.short = last == 0; q.short {
		q.subject = name
	} else {
		q.subject, q.kind = parts[0], strings.Join(append(slices.Clone(parts[1:last]), name), "/")
	}
	if !slices.Contains(kinds, q.kind) {
		q.mistake = "kind: " + strings.Join(kinds, ", ")
		return q
	}
	q.parameters(query)
	return q
}

func (q *request) parameters(query func(name string) string) {
	q.readWindow(query("window"))
	if q.region = query("region"); q.region != "" {
		q.readRegion()
	}
	if text := query("percentile"); text != "" && q.kind == "latency" {
		p, err := strconv.ParseFloat(text, 64)
		if err != nil || !(p > 0 && p <= 100) || len(text) > 6 {
			q.mistake = "percentile: above 0, up to 100"
		}
		q.percentile = p
	}
	if q.label = query("label"); q.label != "" {
		q.hasLabel = true
		if utf8.RuneCountInString(q.label) > badge.MaxText {
			q.mistake = "label: at most " + strconv.Itoa(badge.MaxText) + " letters"
		}
		q.label = badge.Clean(q.label)
	}
	if q.style = query("style"); q.style != "" && !slices.Contains(badge.Styles, q.style) {
		q.style, q.mistake = "", "style: "+strings.Join(badge.Styles, ", ")
	}
	if q.logo = query("logo"); q.logo != "" && badge.Logos[q.logo] == "" {
		q.logo, q.mistake = "", "logo: grid, check or pulse"
	}
	q.readColor(&q.color, "color", query)
	q.readColor(&q.labelColor, "label_color", query)
}

func (q *request) readColor(dst *string, name string, query func(name string) string) {
	text := query(name)
	if text == "" {
		return
	}
	var err error
	if *dst, err = badge.ParseColor(text); err != nil {
		q.mistake = name + ": 0b57c2, or blue"
	}
}

// readWindow refuses a wrong window also where none is used: who wrote it meant something.
func (q *request) readWindow(text string) {
	q.windowName = text
	if text == "" {
		q.windowName = defaultWindow
	}
	var ok bool
	switch q.window, ok = parseWindow(q.windowName); {
	case !ok && calendar.MatchString(text):
		q.mistake = "window: months and years differ in length, say P30D"
	case !ok:
		q.mistake = "window: 1h, 24h, 7d, 1w, 7d12h, 90d, or P7D"
	case q.kind == "hours" && q.window != status.Day:
		q.mistake = "window: hours shows 24h, no other"
	case q.windowIfUsed() == "": // Where it says nothing it shall not fill the cache.
		q.windowName, q.window = defaultWindow, status.Day
	}
}

func (q request) windowIfUsed() string {
	if q.kind == "uptime" || q.kind == "latency" {
		return q.windowName
	}
	return ""
}

// readRegion refuses what is not told by region. That the region is known shows later.
func (q *request) readRegion() {
	switch {
	case !slices.Contains(regionKinds, q.kind):
		q.mistake = "region: with " + strings.Join(regionKinds, ", ")
	case q.window > board.RegionReach:
		q.mistake = "region: window up to 24h"
	case strings.HasPrefix(q.subject, figures.GroupPrefix) || q.subject == figures.PageSubject:
		q.mistake = "region: of one service"
	}
}

// dress puts the wishes of the address on a badge.
func (q request) dress(b badge.Badge) badge.Badge {
	if q.hasLabel {
		b.Label = q.label
	}
	if q.color != "" {
		b.Color = q.color
	}
	b.LabelColor, b.Style, b.Logo = q.labelColor, q.style, q.logo
	return b
}

// key names the badge among all that can be asked for; parameters that say nothing are not in it.
func (q request) key() string {
	return answer.Key(
		q.subject, q.kind, q.format, strconv.FormatBool(q.short), q.windowName, strconv.FormatFloat(q.percentile, 'f', -1, 64),
		q.region, q.style, q.color, q.labelColor, q.logo, strconv.FormatBool(q.hasLabel), q.label,
	)
}

// figure names what the badge tells, whatever it is dressed in.
func (q request) figure() string {
	return answer.Key(q.subject, q.kind, q.windowName, strconv.FormatFloat(q.percentile, 'f', -1, 64), q.region)
}

var (
	// plainWindow is the part of what status.ParseDuration reads that a window may be: one spelling less is one key of caches less.
	plainWindow = regexp.MustCompile(`^(?:[0-9]{1,3}w)?(?:[0-9]{1,3}d)?(?:[0-9][0-9.]*(?:h|m|s|ms|us|µs|ns))*$`)
	calendar    = regexp.MustCompile(`^P[0-9]+[YM]`)
)

// parseWindow reads 1h, 36h, 45d, 1w, 7d12h or P7DT12H, up to the length of the history.
func parseWindow(text string) (time.Duration, bool) {
	d, err := status.ParseISODuration(text)
	if err != nil && len(text) <= maxWindowName && plainWindow.MatchString(text) {
		d, err = status.ParseDuration(text)
	}
	return d, err == nil && d >= time.Minute && d <= figures.MaxWindow
}
