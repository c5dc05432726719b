package answer

import (
	"strconv"
	"strings"
)

// Key makes the key of a cache from what an answer depends on. Each part stands behind its length, so
// that no two lists of parts make one key, whatever a visitor wrote into them. No key begins with
// a slash, as addresses do, under which answers are kept as well.
func Key(parts ...string) string {
	n := 0
	for _, p := range parts {
		n += len(p) + len("100:")
	}
	var b strings.Builder
	b.Grow(n)
	for _, p := range parts {
		b.WriteString(strconv.Itoa(len(p)))
		b.WriteByte(':')
		b.WriteString(p)
	}
	return b.String()
}
