package channel

import (
	"fmt"
	"slices"
	"statuspage/internal/status"
	"strings"
	"time"
	"unicode/utf8"
)

// Message is what one channel is told at one time.
type Message struct {
	ID     string    `json:"id"` // The same in each attempt: letters and digits.
	At     time.Time `json:"at"` // When it was decided.
	Page   string    `json:"page"`
	URL    string    `json:"url,omitempty"` // Of the page; empty when unknown.
	Lines  []Line    `json:"lines"`
	Closes []string  `json:"closes,omitempty"` // Messages of which all that they told is over with this one.
	Test   bool      `json:"test,omitempty"`
}

// Line is what a message says of one service.
type Line struct {
	Service string    `json:"service"`
	Name    string    `json:"name"`
	Kind    string    `json:"kind"`  // Down, Slow or Certificate.
	State   string    `json:"state"` // Begins, Lasts, Unstable or Ends.
	Reason  string    `json:"reason,omitempty"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until,omitzero"` // Of what has ended.
	Batch   string    `json:"batch"`          // Id of the message that told it first.
}

// The kinds of trouble.
const (
	Down        = "down"
	Slow        = "slow"
	Certificate = "certificate"
)

// The states of trouble.
const (
	Begins   = "begins"
	Lasts    = "lasts"
	Unstable = "unstable"
	Ends     = "ends"
)

// Merge is one message instead of several that are late, the newest last: of each service the newest line.
func Merge(all []Message) Message {
	last := all[len(all)-1]
	var lines []Line
	closes := []string{}
	for _, m := range all {
		for _, l := range m.Lines {
			lines = slices.DeleteFunc(lines, func(old Line) bool { return old.Service == l.Service && old.Kind == l.Kind })
			lines = append(lines, l)
		}
		closes = append(closes, m.Closes...)
	}
	last.Lines, last.Closes = lines, closes
	return last
}

// ended tells whether everything in the message is over.
func (m Message) ended() bool {
	return !m.Test && !slices.ContainsFunc(m.Lines, func(l Line) bool { return l.State != Ends })
}

// title is the message in one line.
func (m Message) title() string {
	switch {
	case m.Test:
		return "This is a test"
	case len(m.Lines) == 1:
		return m.Lines[0].title()
	}
	var order []string
	n := map[string]int{}
	for _, l := range m.Lines {
		if n[l.word()]++; n[l.word()] == 1 {
			order = append(order, l.word())
		}
	}
	parts := make([]string, len(order))
	for i, word := range order {
		parts[i] = fmt.Sprintf("%d services %s", n[word], word)
		if n[word] == 1 {
			parts[i] = "1 service " + word
		}
	}
	return strings.Join(parts, ", ")
}

func (l Line) word() string {
	switch l.State {
	case Ends:
		return "recovered"
	case Unstable:
		return "unstable"
	case Lasts:
		return "still " + l.trouble()
	default:
		return l.trouble()
	}
}

func (l Line) trouble() string {
	if l.Kind == Certificate {
		return "with a certificate that expires soon"
	}
	return l.Kind
}

// title says what is with the service.
func (l Line) title() string {
	name := oneLine(l.Name)
	switch {
	case l.Kind == Certificate && l.State == Ends:
		return name + " has another certificate"
	case l.Kind == Certificate:
		return "The certificate of " + name + " expires soon"
	case l.State == Ends:
		return name + " has recovered"
	default:
		return name + " is " + l.word()
	}
}

// text is the line with all that is known.
func (l Line) text() string {
	var b strings.Builder
	b.WriteString(l.title())
	switch {
	case l.Kind == Certificate && l.State != Ends:
		fmt.Fprintf(&b, ", on %s", l.Until.UTC().Format(time.DateOnly))
	case l.Kind == Certificate:
	case l.State == Ends:
		fmt.Fprintf(&b, ": it was %s from %s to %s (%s)", l.Kind, clock(l.Since), clock(l.Until), status.FormatDuration(l.Until.Sub(l.Since).Round(time.Second)))
	default:
		fmt.Fprintf(&b, " since %s", clock(l.Since))
	}
	if l.Reason != "" && l.Kind != Certificate && l.State != Ends {
		fmt.Fprintf(&b, ": %s", oneLine(l.Reason))
	}
	return b.String()
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// body is the message as plain text, one line a service, each through escape; of more than limit bytes those that fit, and how
// many more there are.
func (m Message) body(limit int, escape func(string) string) string {
	if m.Test {
		return escape("Alerts of " + oneLine(m.Page) + " reach this channel.")
	}
	var b strings.Builder
	for i, l := range m.Lines {
		text := escape(l.text())
		if at := m.link(l.Service); at != "" {
			text += "\n" + at
		}
		const more = 40 // What says so.
		if b.Len()+len(text)+more > limit {
			fmt.Fprintf(&b, "… and %d more", len(m.Lines)-i)
			break
		}
		b.WriteString(text + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// link is the page of a service, empty when nobody knows where the page is.
func (m Message) link(service string) string {
	if m.URL == "" || service == "" {
		return ""
	}
	return m.URL + "/services/" + service
}

// names lists every service.
func (m Message) names() string {
	all := make([]string, len(m.Lines))
	for i, l := range m.Lines {
		all[i] = oneLine(l.Name)
	}
	return strings.Join(all, ", ")
}

// oneLine is text that an operator or a target wrote, without what would end a line or turn its direction.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if status.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
}

func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	text = text[:limit-len("…")]
	for !utf8.ValidString(text) {
		text = text[:len(text)-1]
	}
	return text + "…"
}

func plain(text string) string { return text }
