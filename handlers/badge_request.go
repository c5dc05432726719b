package handlers

import (
	"regexp"
	"slices"
	"statuspage/views/badge"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// badgeRequest is a badge's address, read.
type badgeRequest struct {
	subject, kind, format string
	short                 bool // A form of the first version, whose JSON is that of shields.io.
	window                time.Duration
	windowName            string
	percentile            float64
	label, style, logo    string
	hasLabel              bool
	color, labelColor     string
	mistake               string // What is wrong, in words that fit on a badge.
}

var badgeKinds = []string{"status", "uptime", "latency", "certificate", "outage", "hours"}

const (
	defaultWindow     = "24h"
	defaultPercentile = 95
	maxWindow         = 90 * 24 * time.Hour
)

// parseBadge reads what follows /badge/ and the parameters.
func parseBadge(path string, query func(name string) string) badgeRequest {
	q := badgeRequest{kind: "status", percentile: defaultPercentile}
	dot := strings.LastIndexByte(path, '.')
	if dot < 0 {
		return q
	}
	name, format := path[:dot], path[dot+1:]
	q.format = format
	subject, kind, hasKind := strings.Cut(name, "/")
	q.subject = strings.Replace(subject, "%3A", ":", 1)
	if hasKind {
		q.kind = kind
	}
	q.short = !hasKind || kind == "uptime"
	if !slices.Contains(badgeKinds, q.kind) {
		q.mistake = "kind: " + strings.Join(badgeKinds, ", ")
		return q
	}
	q.parameters(query)
	return q
}

func (q *badgeRequest) parameters(query func(name string) string) {
	q.windowName = query("window")
	if q.windowName == "" || q.windowIfUsed() == "" { // Where it says nothing it shall not fill the cache.
		q.windowName = defaultWindow
	}
	var ok bool
	if q.window, ok = parseWindow(q.windowName); !ok {
		q.mistake = "window: 1h, 24h, 7d, 30d, 90d, or P7D"
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
	}
	if q.style = query("style"); q.style != "" && !slices.Contains(badge.Styles, q.style) {
		q.style, q.mistake = "", "style: "+strings.Join(badge.Styles, ", ")
	}
	if q.logo = query("logo"); q.logo != "" && badge.Logos[q.logo] == "" {
		q.logo, q.mistake = "", "logo: grid, check or pulse"
	}
	for name, dst := range map[string]*string{"color": &q.color, "label_color": &q.labelColor} {
		text := query(name)
		if text == "" {
			continue
		}
		var err error
		if *dst, err = badge.ParseColor(text); err != nil {
			q.mistake = name + ": 0b57c2, or blue"
		}
	}
}

func (q badgeRequest) windowIfUsed() string {
	if q.kind == "uptime" || q.kind == "latency" {
		return q.windowName
	}
	return ""
}

// dress puts the wishes of the address on a badge.
func (q badgeRequest) dress(b badge.Badge) badge.Badge {
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
func (q badgeRequest) key() string {
	return strings.Join([]string{
		q.subject, q.kind, q.format, strconv.FormatBool(q.short), q.windowName, strconv.FormatFloat(q.percentile, 'f', -1, 64),
		q.style, q.color, q.labelColor, q.logo, q.label,
	}, "\x00")
}

var (
	days = regexp.MustCompile(`^([0-9]{1,3})d$`)
	// isoDuration is ISO 8601 without years and months, which have no fixed length.
	isoDuration = regexp.MustCompile(`^P(?:([0-9]{1,3})W)?(?:([0-9]{1,3})D)?(?:T(?:([0-9]{1,4})H)?(?:([0-9]{1,6})M)?)?$`)
)

// parseWindow reads 1h, 36h, 45d or P7DT12H, up to the length of the history.
func parseWindow(text string) (time.Duration, bool) {
	var d time.Duration
	switch m, iso := days.FindStringSubmatch(text), isoDuration.FindStringSubmatch(text); {
	case m != nil:
		n, _ := strconv.Atoi(m[1]) // Digits only.
		d = time.Duration(n) * 24 * time.Hour
	case iso != nil:
		for i, unit := range []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute} {
			n, _ := strconv.Atoi("0" + iso[i+1])
			d += time.Duration(n) * unit
		}
	case len(text) <= 16:
		var err error
		if d, err = time.ParseDuration(text); err != nil {
			return 0, false
		}
	}
	return d, d >= time.Minute && d <= maxWindow
}
