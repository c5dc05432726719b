package badge

import "unicode"

// widths are the advances of the printable ASCII letters, from the space on, in tenths of
// a pixel at 11 px: the metrics of DejaVu Sans, which Verdana shares to within a pixel a word.
var widths = [...]int{
	35, 44, 51, 92, 70, 105, 86, 30, 43, 43, 55, 92, 35, 40, 35, 37, 70, 70, 70,
	70, 70, 70, 70, 70, 70, 70, 37, 37, 92, 92, 92, 58, 110, 75, 75, 77, 85, 70,
	63, 85, 83, 32, 32, 72, 61, 95, 82, 87, 66, 87, 76, 70, 67, 81, 75, 109, 75,
	67, 75, 43, 37, 43, 92, 55, 55, 67, 70, 60, 70, 68, 39, 70, 70, 31, 31, 64,
	31, 107, 70, 67, 70, 70, 45, 57, 43, 70, 65, 90, 65, 65, 58, 70, 37, 70, 92,
}

// The widths of letters beyond ASCII, roughly: those of alphabets are as wide as most Latin
// letters, those of East Asia and symbols fill a square.
const (
	alphabetic = 70
	square     = 110
)

// textWidth returns the width of text in tenths of a pixel at 11 px.
func textWidth(text string) int {
	sum := 0
	for _, r := range text {
		i := int(r) - ' '
		switch {
		case i >= 0 && i < len(widths):
			sum += widths[i]
		case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf): // Drawn upon the letter before, or not at all.
		case r < 0x1100 || r >= 0x1e00 && r < 0x2000:
			sum += alphabetic
		default:
			sum += square
		}
	}
	return sum
}
