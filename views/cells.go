package views

import (
	"context"
	"io"

	"github.com/a-h/templ"
)

// cells writes the cells of a row, told apart by one attribute. There are up to 90 a row, and
// every row is drawn again at each of its signals: as a loop in a templ file they take
// most of the time of a row.
func cells(all []Cell) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		b := make([]byte, 0, len(all)*cellBytes)
		for _, c := range all {
			b = append(b, `<td data-c="`...)
			b = append(b, c.State...) // Letters and figures of our own, as the address.
			if c.Masked {
				b = append(b, `" data-m="`...)
			}
			b = append(b, `"><a href="`...)
			b = append(b, c.Href...)
			b = append(b, `" tabindex="-1" aria-label="`...)
			b = append(b, templ.EscapeString(c.Text)...)
			b = append(b, `"></a></td>`...)
		}
		_, err := w.Write(b)
		return err
	})
}

// cellBytes is about what a cell takes.
const cellBytes = 120
