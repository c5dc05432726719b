package views

import (
	"context"
	"io"
	"statuspage/internal/status"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
)

// Strip is the cells of a row at rest, drawn as one picture and said in one sentence: "Last hour: 57 up,
// 2 slow, 1 down at 14:20". It links where each cell stands by itself.
type Strip struct {
	Href, Text string
	Fresh      bool // It begins before the service was watched.
	cells      []status.Cell
	masked     []bool // Of cells, those under maintenance; nil for none.
}

func buildStrip(in RowInput, href string, window status.Window, to Local) *Strip {
	if window != status.LastHour {
		href += "?window=" + window.Name
	}
	return &Strip{Href: href, Text: stripText(in.Cells, window, to), Fresh: len(in.Cells) > 0 && in.Cells[0].Before, cells: in.Cells}
}

// stripText counts the cells by their outcome, and says when the newest was down.
func stripText(cells []status.Cell, window status.Window, to Local) string {
	l := to.Lang
	var count status.States
	var down status.Cell
	before := 0
	for _, c := range cells {
		if c.Before {
			before++
			continue
		}
		if count[c.Outcome]++; c.Outcome == status.Down {
			down = c
		}
	}
	var parts []string
	for _, o := range []status.Outcome{status.Up, status.Degraded, status.Down, status.Unknown} {
		n := count[o]
		switch {
		case n == 0:
		case o == status.Down && window.Cell > time.Hour:
			parts = append(parts, l.T("strip.down.on", n, cellTime(down, to)))
		case o == status.Down:
			parts = append(parts, l.T("strip.down.at", n, cellTime(down, to)))
		case o == status.Degraded:
			parts = append(parts, strconv.Itoa(n)+" "+l.T(degradedKey(to.partial)))
		default:
			parts = append(parts, strconv.Itoa(n)+" "+l.T(cellKeys[o]))
		}
	}
	if before > 0 {
		parts = append(parts, strconv.Itoa(before)+" "+l.T("cell.before"))
	}
	return l.T("strip", l.T("window."+window.Name), strings.Join(parts, ", "))
}

// What a cell measures in the picture, whose height is 9 (a figure for each height) and in which a cell is 1 wide.
// The style sheet draws cells that are links to the same measures.
const (
	full = 9
	slow = 7
	none = 1
	gap  = 1 // Between a part that was slow or down and the rest of the cell, which was up.
)

var partHeights = [...]int{1: 2, 2: 4, 3: 6}

// layer is a state in the picture: an element of its own, as the style sheet gives each its texture.
type layer struct {
	class   string
	outcome status.Outcome
	height  int // Of a cell that had the outcome as a whole.
}

var layers = [...]layer{{"u", status.Up, full}, {"d", status.Degraded, slow}, {"x", status.Down, full}}

// picture writes it: for each state the outline of all its cells. What parts cells is a mask of
// the style sheet. Carried cells are outlined by themselves, as they are paler.
func picture(s *Strip) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		b := make([]byte, 0, stripBytes)
		for _, y := range layers {
			begin := len(b)
			b = append(b, `<svg class="`...)
			b = append(b, y.class...)
			b = append(b, `" viewBox="0 0 `...)
			b = strconv.AppendInt(b, int64(len(s.cells)), 10)
			b = append(b, ` 9" preserveAspectRatio="none" aria-hidden="true">`...)
			empty := len(b)
			b = outline(b, "", y.outcome == status.Up, s.cells, y.measured)
			b = outline(b, "c", false, s.cells, y.carried)
			if y.outcome == status.Up {
				b = outline(b, "n", false, s.cells, unknown)
			}
			if len(b) == empty {
				b = b[:begin]
				continue
			}
			b = append(b, `</svg>`...)
		}
		_, err := w.Write(mask(b, s.masked))
		return err
	})
}

// stripBytes is about what a picture takes.
const stripBytes = 512

func (y layer) measured(c status.Cell) int {
	part := partHeights[partOf(c)]
	switch {
	case c.Carried:
		return 0
	case c.Outcome == y.outcome && part > 0:
		return part
	case c.Outcome == y.outcome:
		return y.height
	case y.outcome == status.Up && part > 0:
		return full - gap - part
	default:
		return 0
	}
}

func (y layer) carried(c status.Cell) int {
	if c.Carried && c.Outcome == y.outcome {
		return y.height
	}
	return 0
}

func unknown(c status.Cell) int {
	if c.Outcome == status.Unknown && !c.Before {
		return none
	}
	return 0
}

// outline appends the path around all cells that have a height, which hang from the top or stand on the
// bottom; nothing when there are none.
func outline(b []byte, class string, hanging bool, cells []status.Cell, height func(status.Cell) int) []byte {
	begin, base := len(b), full
	b = append(b, `<path `...)
	if class != "" {
		b = append(b, `class="`...)
		b = append(b, class...)
		b = append(b, `" `...)
	}
	b = append(b, `d="M0 `...)
	if hanging {
		base = 0
	}
	b = strconv.AppendInt(b, int64(base), 10)
	at, empty := base, len(b)
	to := func(x, y int) {
		if y == at {
			return
		}
		if x > 0 {
			b = strconv.AppendInt(append(b, 'H'), int64(x), 10)
		}
		b = strconv.AppendInt(append(b, 'V'), int64(y), 10)
		at = y
	}
	for i, c := range cells {
		y := height(c)
		if !hanging {
			y = full - y
		}
		to(i, y)
	}
	to(len(cells), base)
	if len(b) == empty {
		return b[:begin]
	}
	return append(b, `z"/>`...)
}
