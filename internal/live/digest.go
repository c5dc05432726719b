package live

import (
	"bytes"
	"encoding/base64"
	"hash/crc32"
)

const (
	// digestSums is the most sums of a digest. Where there are more parts, several share one, and are sent together.
	digestSums = 32
	sumSize    = 3 // Bytes: a part that differs is overlooked once in 16 million times, until the next minute's frame.
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sumOf(html []byte) uint32 { return crc32.Checksum(html, castagnoli) }

// part is what stands at a place: the banner at 0, then the rows, then the headings, then the words.
func (e *Variant) part(place int) *part {
	switch {
	case place == 0:
		return &e.banner
	case place <= len(e.rows):
		return &e.rows[place-1]
	case place <= len(e.rows)+len(e.heads):
		return &e.heads[place-1-len(e.rows)]
	default:
		return &e.words[place-e.firstWords()]
	}
}

// firstWords is the place of the first of the words.
func (e *Variant) firstWords() int { return 1 + len(e.rows) + len(e.heads) }

// put sets what stands at a place, and tells whether something else stood there; mu must be held.
func (e *Variant) put(place int, html []byte, version uint64) bool {
	p, sum := e.part(place), &e.sums[shareOf(place)]
	if bytes.Equal(html, p.html) {
		return false
	}
	if p.html != nil {
		*sum -= weigh(place, p.sum)
	}
	*p = part{html, sumOf(html), version}
	*sum += weigh(place, p.sum)
	return true
}

// weigh is what a part adds to the sum that it is in: any part can leave and enter a sum in no time,
// however many share it. The sums of parts that change alike differ alike, so they are
// stirred (with the finalizer of MurmurHash3), lest two changes make up for each other.
func weigh(place int, sum uint32) uint32 {
	h := uint64(place)<<32 | uint64(sum)
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return uint32(h ^ h>>33)
}

// digest is what the variant shows, as it stands behind a version in an id; mu must be held.
func (e *Variant) digest() string {
	return "-" + base64.RawURLEncoding.EncodeToString(e.digestBytes())
}

// digestBytes has a sum for each part, or for those that share it.
func (e *Variant) digestBytes() []byte {
	n := 1 + min(digestSums-1, len(e.rows)+len(e.heads)+len(e.words))
	made := make([]byte, 0, n*sumSize)
	for _, sum := range e.sums[:n] {
		made = append(made, byte(sum>>16), byte(sum>>8), byte(sum))
	}
	return made
}

// shareOf is which sum a part is in, by its place: the banner's is 0, and it has one for
// itself, since it changes with most signals.
func shareOf(place int) int {
	if place == 0 {
		return 0
	}
	return 1 + (place-1)%(digestSums-1)
}

// lacks tells of a part whether a browser that has seen s must be sent it.
func (e *Variant) lacks(s seen) func(place int, p part) bool {
	if s.digest != "" {
		if theirs, ours := s.digest, string(e.digestBytes()); len(theirs) == len(ours) {
			return func(place int, _ part) bool {
				at := shareOf(place) * sumSize
				return theirs[at:at+sumSize] != ours[at:at+sumSize]
			}
		}
	}
	return func(_ int, p part) bool { return p.version > s.version } // Of this process, or of none.
}
