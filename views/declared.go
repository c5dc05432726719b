package views

import (
	"statuspage/internal/incident"
	"statuspage/internal/incident/markdown"
	"statuspage/internal/status"
	"statuspage/views/lang"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Ids of what stands above the grid, which the stream replaces part by part.
const (
	SaidID          = "said"
	IncidentTitleID = "incident-title"
)

// WordIDs are those of the page, in the order in which it has them.
var WordIDs = [...]string{goingDOMID, plannedDOMID, SaidID}

// saidLetters is how much of the newest words is spoken; all of them are there to be read.
const saidLetters = 300

// SaidText is what screen readers are told of what was said last, as in "API fails. Identified: a cable was cut.".
func SaidText(s incident.Said, l *lang.Language) string {
	text := PhaseText(l, s.Status)
	if line := markdown.Line(s.Text, saidLetters); line != "" {
		text += ": " + line
	}
	return s.Title + ". " + text
}

// Declare says in a row what people say of its service, where that is worse than what was measured, or explains it.
// What was measured is never covered.
func (r *Row) Declare(measured status.Outcome, declared incident.State, maintained bool, l *lang.Language) {
	found := incident.Measured(measured)
	switch {
	case declared > found && declared > incident.Operational:
		r.State, r.StateText = declaredState(declared), upperFirst(DeclaredText(l, declared))
	case maintained:
		r.StateText += ", " + DeclaredText(l, incident.UnderMaintenance)
	}
}

func upperFirst(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// Mask marks the cells in which the service was under maintenance: a pattern over what was measured, which stays to be seen.
func (r *Row) Mask(cells []status.Cell, masks []incident.Mask, l *lang.Language) {
	masked, n := make([]bool, len(cells)), 0
	for i, c := range cells {
		end := c.Start.Add(c.Length)
		for _, m := range masks {
			if m.From.Before(end) && m.To.After(c.Start) {
				masked[i] = true
				n++
				break
			}
		}
	}
	if n == 0 {
		return
	}
	text := DeclaredText(l, incident.UnderMaintenance)
	for i := range r.Cells {
		if r.Cells[i].Masked = masked[i]; masked[i] {
			r.Cells[i].Text += ", " + text
		}
	}
	if r.Strip != nil {
		r.Strip.masked = masked
		r.Strip.Text += ", " + strconv.Itoa(n) + " " + text
	}
}

// mask appends the picture of the cells that are masked; nothing when there are none.
func mask(b []byte, masked []bool) []byte {
	if masked == nil {
		return b
	}
	b = append(b, `<svg class="m" viewBox="0 0 `...)
	b = strconv.AppendInt(b, int64(len(masked)), 10)
	b = append(b, ` 9" preserveAspectRatio="none" aria-hidden="true"><path d="`...)
	for from := 0; from < len(masked); from++ {
		if !masked[from] {
			continue
		}
		to := from
		for to < len(masked) && masked[to] {
			to++
		}
		b = strconv.AppendInt(append(b, 'M'), int64(from), 10)
		b = strconv.AppendInt(append(b, " 0H"...), int64(to), 10)
		b = strconv.AppendInt(append(b, "V9H"...), int64(from), 10)
		b = append(b, 'z')
		from = to
	}
	return append(b, `"/></svg>`...)
}
