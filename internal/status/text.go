package status

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// IsControl tells whether a rune has no place in a line of text: control characters, what breaks
// lines elsewhere, and what turns the direction of the text behind it. A name must not
// rearrange the page around it, or a file or a log its own lines.
// https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters
func IsControl(r rune) bool {
	return unicode.IsControl(r) || 0x2028 <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
}

// HasControl tells whether a text has such a rune, or bytes that are no UTF-8.
func HasControl(text string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, IsControl)
}

// Interned keeps one copy of each text: the hours of 90 days name a service 2,160 times.
type Interned map[string]string

// One returns the copy of a text, and makes it where there is none.
func (i Interned) One(text []byte) string {
	if known, ok := i[string(text)]; ok {
		return known
	}
	one := string(text)
	i[one] = one
	return one
}
