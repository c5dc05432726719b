package handlers

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/utils"
	"github.com/valyala/fasthttp"
)

// coding is a content coding that we answer in.
type coding uint8

// The codings, best first after plain.
const (
	plainCoding coding = iota
	brotliCoding
	zstdCoding
	gzipCoding
	codingCount
)

var codingNames = [codingCount][]byte{brotliCoding: []byte("br"), zstdCoding: []byte("zstd"), gzipCoding: []byte("gzip")}

const (
	// codedFrom is the size from which compressing is worth its time.
	codedFrom = 1024
	// Levels for what is made anew a few times a second, and for what is made once.
	gzipLevel, brotliLevel, zstdLevel = 5, 5, 2
	onceLevel                         = 9
)

// entity is a body with its tag. It is compressed for the first reader of a coding, and the
// bytes are shared by all.
type entity struct {
	body   []byte
	tag    string
	once   bool   // Made once, so that compressing may take its time.
	packed []byte // The body in brotli, if that is at hand.

	coding [codingCount]atomic.Pointer[coded]
	mu     sync.Mutex
}

// coded is what is sent.
type coded struct {
	body, tag []byte
}

// newEntity makes the tag of the content, so that the same content has the same tag after
// a restart and on every machine.
func newEntity(body []byte) *entity {
	sum := sha256.Sum256(body)
	return &entity{body: body, tag: hex.EncodeToString(sum[:8])}
}

// size is about what it takes in memory, all codings included.
func (e *entity) size() int { return 2 * len(e.body) }

// in returns the entity in a coding, or plain where that is too small to gain.
func (e *entity) in(c coding) (*coded, coding) {
	if len(e.body) < codedFrom {
		c = plainCoding
	}
	if made := e.coding[c].Load(); made != nil {
		return made, c
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if made := e.coding[c].Load(); made != nil {
		return made, c
	}
	made := &coded{body: e.compress(c), tag: []byte(`"` + e.tag + `"`)}
	if c != plainCoding {
		made.tag = []byte(`"` + e.tag + "-" + string(codingNames[c]) + `"`)
	}
	e.coding[c].Store(made)
	return made, c
}

func (e *entity) compress(c coding) []byte {
	level := func(often int) int {
		if e.once {
			return onceLevel
		}
		return often
	}
	switch c {
	case brotliCoding:
		if e.packed != nil {
			return e.packed
		}
		return fasthttp.AppendBrotliBytesLevel(nil, e.body, level(brotliLevel))
	case zstdCoding:
		return fasthttp.AppendZstdBytesLevel(nil, e.body, zstdLevel)
	case gzipCoding:
		return fasthttp.AppendGzipBytesLevel(nil, e.body, level(gzipLevel))
	default:
		return e.body
	}
}

// prepare makes the codings that the one before was read in.
func (e *entity) prepare(before *entity) {
	for c := range codingCount {
		if before.coding[c].Load() != nil {
			e.in(c)
		}
	}
}

// Names of headers, as fasthttp keeps them.
var (
	headContentType     = []byte(fiber.HeaderContentType)
	headContentEncoding = []byte(fiber.HeaderContentEncoding)
	headETag            = []byte("Etag")
	headVary            = []byte(fiber.HeaderVary)
	headCacheControl    = []byte(fiber.HeaderCacheControl)

	varyEncoding = []byte(fiber.HeaderAcceptEncoding)
	varyLook     = []byte(fiber.HeaderAcceptEncoding + ", " + fiber.HeaderAcceptLanguage)
)

// put sets a header whose name is written as fasthttp keeps it: half the time of Set, on
// answers that take less than a microsecond in all.
func put(c *fiber.Ctx, name, value []byte) { c.Context().Response.Header.SetCanonical(name, value) }

// peek is a header of the request, which must not be kept beyond it.
func peek(c *fiber.Ctx, name string) []byte { return c.Context().Request.Header.Peek(name) }

// send answers with the entity, or with 304 when the reader has it. Answers that are not
// 200 are always sent whole.
func send(c *fiber.Ctx, kind string, e *entity) error {
	if len(c.Context().Response.Header.PeekBytes(headVary)) == 0 {
		put(c, headVary, varyEncoding)
	} else {
		c.Vary(fiber.HeaderAcceptEncoding)
	}
	return deliver(c, utils.UnsafeBytes(kind), e)
}

// deliver is send for those who have said what the answer varies by.
func deliver(c *fiber.Ctx, kind []byte, e *entity) error {
	put(c, headContentType, kind)
	made, in := e.in(accepted(peek(c, fiber.HeaderAcceptEncoding)))
	put(c, headETag, made.tag)
	if c.Context().Response.StatusCode() == http.StatusOK && fresh(peek(c, fiber.HeaderIfNoneMatch), e.tag) {
		c.Status(http.StatusNotModified)
		return nil
	}
	if in != plainCoding {
		put(c, headContentEncoding, codingNames[in])
	}
	c.Context().Response.SetBodyRaw(made.body)
	return nil
}

// fresh tells whether If-None-Match names the tag, in any coding.
// https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
func fresh(noneMatch []byte, tag string) bool {
	if len(noneMatch) == 0 {
		return false
	}
	for candidate := range bytes.SplitSeq(noneMatch, []byte(",")) {
		candidate = bytes.Trim(bytes.TrimPrefix(bytes.TrimSpace(candidate), []byte("W/")), `"`)
		rest, ours := bytes.CutPrefix(candidate, utils.UnsafeBytes(tag))
		if ours && (len(rest) == 0 || rest[0] == '-' && isCoding(rest[1:])) || string(candidate) == "*" {
			return true
		}
	}
	return false
}

func isCoding(name []byte) bool {
	for _, known := range codingNames[1:] {
		if bytes.EqualFold(name, known) {
			return true
		}
	}
	return false
}

// accepted returns the best coding that Accept-Encoding names with a weight above nothing.
func accepted(header []byte) coding {
	switch string(header) { // As browsers and common clients write it.
	case "gzip, deflate, br, zstd", "gzip, deflate, br":
		return brotliCoding
	case "gzip", "gzip, deflate":
		return gzipCoding
	}
	best := plainCoding
	for name := range named(header) {
		for c := brotliCoding; c < codingCount; c++ {
			if bytes.EqualFold(name, codingNames[c]) && (best == plainCoding || c < best) {
				best = c
			}
		}
	}
	return best
}

// accepts tells whether Accept-Encoding names this coding.
func accepts(c *fiber.Ctx, coding string) bool {
	for name := range named(peek(c, fiber.HeaderAcceptEncoding)) {
		if bytes.EqualFold(name, utils.UnsafeBytes(coding)) {
			return true
		}
	}
	return false
}

// named yields the codings that Accept-Encoding names with a weight above nothing.
func named(header []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for part := range bytes.SplitSeq(header, []byte(",")) {
			name, weight, weighted := bytes.Cut(part, []byte(";"))
			if (!weighted || weighs(weight)) && !yield(bytes.TrimSpace(name)) {
				return
			}
		}
	}
}

// weighs tells whether a weight such as q=0.5 is above nothing.
func weighs(weight []byte) bool {
	_, value, _ := bytes.Cut(weight, []byte("="))
	return len(bytes.Trim(value, "0. \t")) > 0
}
