package answer

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

// Coding is a content coding that we answer in.
type Coding uint8

// The codings, best first after plain.
const (
	Plain Coding = iota
	Brotli
	Zstd
	Gzip
	codingCount
)

var codingNames = [codingCount][]byte{Brotli: []byte("br"), Zstd: []byte("zstd"), Gzip: []byte("gzip")}

const (
	// codedFrom is the size from which compressing is worth its time.
	codedFrom = 1024
	// Levels for what is made anew a few times a second, and for what is made once.
	gzipLevel, brotliLevel, zstdLevel = 5, 5, 2
	onceLevel                         = 9
)

// Entity is a body with its tag. It is compressed for the first reader of a coding, and the
// bytes are shared by all.
type Entity struct {
	Body   []byte
	Tag    string // Unquoted.
	Once   bool   // Made once, so that compressing may take its time.
	Packed []byte // The body in brotli, if that is at hand.

	coding [codingCount]atomic.Pointer[coded]
	mu     sync.Mutex
}

// coded is what is sent.
type coded struct {
	body, tag []byte
}

// New makes the tag of the content, so that the same content has the same tag after
// a restart and on every machine.
func New(body []byte) *Entity {
	sum := sha256.Sum256(body)
	return &Entity{Body: body, Tag: hex.EncodeToString(sum[:8])}
}

// In returns the bytes in a coding, or plain where that is too small to gain.
func (e *Entity) In(c Coding) []byte {
	made, _ := e.in(c)
	return made.body
}

// size is about what it takes in memory, all codings included.
func (e *Entity) size() int { return 2 * len(e.Body) }

// in returns the entity in a coding, or plain where that is too small to gain.
func (e *Entity) in(c Coding) (*coded, Coding) {
	if len(e.Body) < codedFrom {
		c = Plain
	}
	if made := e.coding[c].Load(); made != nil {
		return made, c
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if made := e.coding[c].Load(); made != nil {
		return made, c
	}
	made := &coded{body: e.compress(c), tag: []byte(`"` + e.Tag + `"`)}
	if c != Plain {
		made.tag = []byte(`"` + e.Tag + "-" + string(codingNames[c]) + `"`)
	}
	e.coding[c].Store(made)
	return made, c
}

func (e *Entity) compress(c Coding) []byte {
	level := func(often int) int {
		if e.Once {
			return onceLevel
		}
		return often
	}
	switch c {
	case Brotli:
		if e.Packed != nil {
			return e.Packed
		}
		return fasthttp.AppendBrotliBytesLevel(nil, e.Body, level(brotliLevel))
	case Zstd:
		return fasthttp.AppendZstdBytesLevel(nil, e.Body, zstdLevel)
	case Gzip:
		return fasthttp.AppendGzipBytesLevel(nil, e.Body, level(gzipLevel))
	default:
		return e.Body
	}
}

// Prepare makes the codings that the one before was read in.
func (e *Entity) Prepare(before *Entity) {
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

// Put sets a header whose name is written as fasthttp keeps it: half the time of Set, on
// answers that take less than a microsecond in all.
func Put(c *fiber.Ctx, name, value []byte) { c.Context().Response.Header.SetCanonical(name, value) }

// Peek is a header of the request, which must not be kept beyond it.
func Peek(c *fiber.Ctx, name string) []byte { return c.Context().Request.Header.Peek(name) }

// Send answers with the entity, or with 304 when the reader has it. Answers that are not
// 200 are always sent whole.
func Send(c *fiber.Ctx, kind string, e *Entity) error {
	if len(c.Context().Response.Header.PeekBytes(headVary)) == 0 {
		Put(c, headVary, varyEncoding)
	} else {
		c.Vary(fiber.HeaderAcceptEncoding)
	}
	return Deliver(c, utils.UnsafeBytes(kind), e)
}

// Deliver is Send for those who have said what the answer varies by.
func Deliver(c *fiber.Ctx, kind []byte, e *Entity) error {
	Put(c, headContentType, kind)
	made, in := e.in(accepted(Peek(c, fiber.HeaderAcceptEncoding)))
	Put(c, headETag, made.tag)
	if c.Context().Response.StatusCode() == http.StatusOK && fresh(Peek(c, fiber.HeaderIfNoneMatch), e.Tag) {
		c.Status(http.StatusNotModified)
		return nil
	}
	if in != Plain {
		Put(c, headContentEncoding, codingNames[in])
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
func accepted(header []byte) Coding {
	switch string(header) { // As browsers and common clients write it.
	case "gzip, deflate, br, zstd", "gzip, deflate, br":
		return Brotli
	case "gzip", "gzip, deflate":
		return Gzip
	}
	best := Plain
	for name := range named(header) {
		for c := Brotli; c < codingCount; c++ {
			if bytes.EqualFold(name, codingNames[c]) && (best == Plain || c < best) {
				best = c
			}
		}
	}
	return best
}

// Accepts tells whether Accept-Encoding names this coding.
func Accepts(c *fiber.Ctx, coding string) bool {
	for name := range named(Peek(c, fiber.HeaderAcceptEncoding)) {
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
