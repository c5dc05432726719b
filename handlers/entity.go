package handlers

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// gzipFrom is the size from which compressing on the fly is worth its time.
const gzipFrom = 1024

// entity is a body with its tag, compressed where that pays; its bytes are shared by all
// requests.
type entity struct {
	body, gzip []byte // No gzip below gzipFrom.
	etag       string
}

// newEntity makes the tag of the content, so that the same content has the same tag after
// a restart and on every machine.
func newEntity(body []byte) *entity {
	sum := sha256.Sum256(body)
	e := &entity{body: body, etag: hex.EncodeToString(sum[:8])}
	if len(body) >= gzipFrom {
		e.gzip = compress(body)
	}
	return e
}

func (e *entity) size() int { return len(e.body) + len(e.gzip) }

// send answers with the entity, or with 304 when the reader has it. Answers that are not
// 200 are always sent whole.
func send(c *fiber.Ctx, kind string, e *entity) error {
	c.Set(fiber.HeaderContentType, kind)
	c.Vary(fiber.HeaderAcceptEncoding)
	if c.Response().StatusCode() == http.StatusOK && fresh(c, e.etag) {
		return nil
	}
	if e.gzip != nil && acceptsGzip(c) {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		setTag(c, e.etag+"-gz")
		c.Context().Response.SetBodyRaw(e.gzip)
		return nil
	}
	setTag(c, e.etag)
	c.Context().Response.SetBodyRaw(e.body)
	return nil
}

func setTag(c *fiber.Ctx, tag string) { c.Set(fiber.HeaderETag, `"`+tag+`"`) }

// fresh answers 304 when If-None-Match names the tag, in either encoding.
// https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
func fresh(c *fiber.Ctx, tag string) bool {
	for candidate := range strings.SplitSeq(c.Get(fiber.HeaderIfNoneMatch), ",") {
		candidate = strings.TrimPrefix(strings.TrimSpace(candidate), "W/")
		candidate = strings.TrimSuffix(strings.Trim(candidate, `"`), "-gz")
		if candidate == tag || candidate == "*" {
			setTag(c, tag)
			c.Status(http.StatusNotModified)
			return true
		}
	}
	return false
}

func acceptsGzip(c *fiber.Ctx) bool { return accepts(c, "gzip") }

// accepts tells whether Accept-Encoding names a coding with a weight above nothing.
func accepts(c *fiber.Ctx, name string) bool {
	for part := range strings.SplitSeq(c.Get(fiber.HeaderAcceptEncoding), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), name) {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && strings.Trim(weight, "0") != "q=."
		}
	}
	return false
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, 5) // Fails on an unknown level only.
	_, _ = w.Write(body)
	_ = w.Close() // Writing to memory never fails.
	return b.Bytes()
}
