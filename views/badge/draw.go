package badge

import (
	"fmt"
	"html"
	"math"
	"statuspage/internal/status"
	"strconv"
	"strings"
)

// Styles are those of shields.io. https://shields.io/badges
var Styles = []string{"flat", "flat-square", "plastic", "for-the-badge", "social"}

// Logos are the pictures that may stand before the label, on a square of 24.
var Logos = map[string]string{
	"grid":  "M2 4h4v16H2zM8 4h4v16H8zM14 12h4v8h-4zM20 4h2v16h-2z",
	"check": "M9.5 19.5 2.8 12.8 5 10.6l4.5 4.5L19 5.6l2.2 2.2z",
	"pulse": "M2 11h5l2.5-7 5 14 2.5-7h5v2h-3.6L14.5 22 9.3 8 8.4 13H2z",
}

const (
	labelGrey  = "#555"
	hourWidth  = 5 // Of a cell in the grid of hours, with the gap behind it.
	logoWidth  = 17
	largeScale = 1.22 // Bold 10 px capitals with their spacing, to the 11 px of the table.
)

// SVG draws the badge. The text is given its computed width, so that it fits whatever
// font the reader has.
func (b Badge) SVG() []byte {
	label, message := Clean(b.Label), Clean(b.Message)
	large := b.Style == "for-the-badge"
	if large {
		label, message = strings.ToUpper(label), strings.ToUpper(message)
	}
	d := drawing{Badge: b, height: 20, baseline: 140, size: 110, pad: 10}
	switch b.Style {
	case "plastic":
		d.height, d.baseline = 18, 130
	case "for-the-badge":
		d.height, d.baseline, d.size, d.pad = 28, 175, 100, 20
	}
	d.labelText, d.messageText = d.width(label), d.width(message)
	d.left, d.right = (d.labelText+5)/10+d.pad, (d.messageText+5)/10+d.pad
	if b.Logo != "" {
		d.left += logoWidth
	}
	if label == "" && b.Logo == "" {
		d.left = 0
	}
	if b.Hours != nil {
		d.right = len(b.Hours)*hourWidth + 7
	}
	spoken := label + ": " + message
	if b.Hours != nil {
		spoken = label + ": " + hoursSpoken(b.Hours)
	}
	var w strings.Builder
	title := html.EscapeString(spoken)
	fmt.Fprintf(&w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" role="img" aria-label="%s"><title>%s</title>`, d.total(), d.height, title, title)
	d.ground(&w)
	if b.Logo != "" {
		fmt.Fprintf(&w, `<path fill="%s" transform="translate(%d %d) scale(.58)" d="%s"/>`, d.ink(true), d.pad/2, (d.height-14)/2, Logos[b.Logo])
	}
	weight, family := "", "Verdana,Geneva,DejaVu Sans"
	if b.Style == "social" { // Bold Helvetica is about as wide as plain Verdana, bold Verdana is not.
		family = "Helvetica Neue,Helvetica,Arial"
	}
	if large || b.Style == "social" {
		weight = ` font-weight="700"`
	}
	fmt.Fprintf(&w, `<g text-anchor="middle" font-family="%s,sans-serif" text-rendering="geometricPrecision" font-size="%d"%s>`, family, d.size, weight)
	if label != "" {
		middle := d.left * 5
		if b.Logo != "" {
			middle += logoWidth * 5
		}
		d.text(&w, label, middle, d.labelText, true)
	}
	if b.Hours == nil {
		d.text(&w, message, (d.left+d.gap())*10+d.right*5, d.messageText, false)
	}
	w.WriteString(`</g>`)
	if b.Hours != nil {
		d.hours(&w)
	}
	w.WriteString(`</svg>`)
	return []byte(w.String())
}

// drawing is a badge with its measures, in pixels; text in tenths of them.
type drawing struct {
	Badge
	height, baseline, size, pad int
	labelText, messageText      int
	left, right                 int
}

// gap is between the two boxes of the social style.
func (d *drawing) gap() int {
	if d.Style == "social" && d.left > 0 {
		return 7
	}
	return 0
}

func (d *drawing) total() int { return d.left + d.gap() + d.right }

func (d *drawing) width(text string) int {
	if d.Style == "for-the-badge" {
		return int(float64(textWidth(text)) * largeScale)
	}
	return textWidth(text)
}

// ground draws the boxes.
func (d *drawing) ground(w *strings.Builder) {
	labelColor := d.labelColor()
	color := html.EscapeString(d.Color)
	if d.Hours != nil {
		color = "#f4f5f7"
	}
	if d.Style == "social" {
		bubble := messageGround(d.Badge, color)
		fmt.Fprintf(w, `<g stroke="#d5d5d5"><rect x=".5" y=".5" width="%d" height="19" rx="2" fill="%s"/><rect x="%d.5" y=".5" width="%d" height="19" rx="2" fill="%s"/>`,
			max(0, d.left-1), labelColor, d.left+d.gap(), d.right-1, bubble)
		if d.gap() > 0 { // The bubble's arrow, over its border: as shields.io draws it.
			fmt.Fprintf(w, `<rect x="%d" y="7.5" width=".5" height="5" stroke="%s"/><path d="M%d.5 6.5l-3 3v1l3 3" fill="%s"/>`, d.left+d.gap(), bubble, d.left+d.gap(), bubble)
		}
		w.WriteString(`</g>`)
		return
	}
	radius := map[string]int{"": 3, "flat": 3, "plastic": 4}[d.Style]
	fmt.Fprintf(w, `<clipPath id="r"><rect width="%d" height="%d" rx="%d" fill="#fff"/></clipPath><g clip-path="url(#r)">`, d.total(), d.height, radius)
	fmt.Fprintf(w, `<rect width="%d" height="%d" fill="%s"/><rect x="%d" width="%d" height="%d" fill="%s"/>`, d.left, d.height, labelColor, d.left, d.right, d.height, color)
	switch d.Style {
	case "", "flat":
		fmt.Fprintf(w, `<linearGradient id="s" x2="0" y2="100%%"><stop offset="0" stop-color="#bbb" stop-opacity=".1"/><stop offset="1" stop-opacity=".1"/></linearGradient><rect width="%d" height="20" fill="url(#s)"/>`, d.total())
	case "plastic":
		fmt.Fprintf(w, `<linearGradient id="s" x2="0" y2="100%%"><stop offset="0" stop-color="#fff" stop-opacity=".7"/><stop offset=".1" stop-color="#aaa" stop-opacity=".1"/><stop offset=".9" stop-color="#000" stop-opacity=".3"/><stop offset="1" stop-color="#000" stop-opacity=".5"/></linearGradient><rect width="%d" height="18" fill="url(#s)"/>`, d.total())
	}
	w.WriteString(`</g>`)
}

// messageGround is white in the social style, whose colour is in the text.
func messageGround(b Badge, color string) string {
	if b.Style == "social" {
		return "#fff"
	}
	return color
}

func (d *drawing) labelColor() string {
	switch {
	case d.LabelColor != "":
		return html.EscapeString(d.LabelColor)
	case d.Style == "social":
		return "#fcfcfc"
	default:
		return labelGrey
	}
}

// ink is the colour of text that can be read on its ground: https://www.w3.org/TR/AERT/#color-contrast
func (d *drawing) ink(label bool) string {
	ground := d.labelColor()
	if !label {
		ground = messageGround(d.Badge, d.Color)
	}
	if brightness(ground) <= 0.69 {
		return "#fff"
	}
	return "#333"
}

func brightness(color string) float64 {
	hex := strings.TrimPrefix(color, "#")
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		return 0
	}
	return (float64(n>>16)*299 + float64(n>>8&255)*587 + float64(n&255)*114) / 255_000
}

func (d *drawing) text(w *strings.Builder, s string, middle, width int, label bool) {
	s = html.EscapeString(s)
	ink := d.ink(label)
	if ink == "#fff" && (d.Style == "" || d.Style == "flat" || d.Style == "plastic") {
		fmt.Fprintf(w, `<text aria-hidden="true" x="%d" y="%d" fill="#010101" fill-opacity=".3" transform="scale(.1)" textLength="%d">%s</text>`, middle, d.baseline+10, width, s)
	}
	fmt.Fprintf(w, `<text x="%d" y="%d" fill="%s" transform="scale(.1)" textLength="%d">%s</text>`, middle, d.baseline, ink, width, s)
}

// hours draws the grid: a full bar is up, a lower one slow, a split one down, a low outline
// no data, so that the state is not told by colour alone.
func (d *drawing) hours(w *strings.Builder) {
	tall := d.height - 8
	for i, h := range d.Hours {
		x := d.left + d.gap() + 4 + i*hourWidth
		bar := func(y, height int, color string) {
			fmt.Fprintf(w, `<rect x="%d" y="%d" width="%d" height="%d" rx="1" fill="%s"/>`, x, y, hourWidth-1, height, color)
		}
		switch h.State {
		case status.Up:
			bar(4, tall, green)
		case status.Degraded:
			bar(4+tall/4, tall-tall/4, amber)
		case status.Down:
			bar(4, tall*2/5, red)
			bar(4+tall*3/5, tall-tall*3/5, red)
		case status.Unknown:
			fmt.Fprintf(w, `<rect x="%d.5" y="%d.5" width="%d" height="%d" fill="none" stroke="%s"/>`, x, 4+tall-int(math.Ceil(float64(tall)/4))-1, hourWidth-2, int(math.Ceil(float64(tall)/4)), grey)
		}
	}
}
