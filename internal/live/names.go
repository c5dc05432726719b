package live

import (
	"crypto/rand"
	"encoding/base64"
	"strconv"
	"strings"
)

// An event id says what a browser shows once it has the event, in two ways: by the version,
// which only the process that wrote it can read, and by a digest of the page's parts, which is
// the same everywhere. So another page server, or the same one after a restart, sends what differs.

// names makes and reads the names of versions.
type names struct {
	epoch  string // Of this process: versions of another one mean nothing here, their digests do.
	layout string // Of the page: one of another can't be mended, only loaded anew.
}

// newNames has an epoch of its own; not the time: several processes may start at once.
func newNames(layout string) names { return names{epoch: rand.Text()[:8], layout: layout} }

// seen is what a browser has: all up to a version of this process, or what a digest of
// another tells. The zero value is nothing.
type seen struct {
	version uint64
	digest  string // As its bytes.
}

// id is the name of a version in event ids, stream addresses and entity tags.
func (n names) id(version uint64) string {
	return n.epoch + "." + n.layout + "-" + strconv.FormatUint(version, 10)
}

// parse reads an id; what can't be read means "seen nothing". It is foreign when it names
// another layout, of this process or another.
func (n names) parse(id string) (s seen, foreign bool) {
	origin, rest, _ := strings.Cut(id, "-")
	epoch, layout, named := strings.Cut(origin, ".")
	if layout != n.layout {
		return seen{}, named
	}
	number, digest, _ := strings.Cut(rest, "-")
	version, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return seen{}, false
	}
	if epoch == n.epoch {
		return seen{version: version}, false
	}
	sums, err := base64.RawURLEncoding.DecodeString(digest)
	if err != nil || len(sums) > digestSums*sumSize {
		return seen{}, false
	}
	return seen{digest: string(sums)}, false
}
