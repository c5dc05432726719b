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

// sendEntity sends a body with an entity tag made of its content, or 304 when the reader
// has it.
func (s *Server) sendEntity(c *fiber.Ctx, kind string, body []byte) error {
	sum := sha256.Sum256(body)
	etag := hex.EncodeToString(sum[:8])
	c.Set(fiber.HeaderContentType, kind)
	if c.Response().StatusCode() == http.StatusOK && fresh(c, etag) {
		return nil
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	if len(body) >= gzipFrom && acceptsGzip(c) {
		key := "gzip " + etag
		packed, err := s.packed.get(0, key, func() ([]byte, error) { return compress(body), nil })
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentEncoding, "gzip")
		setTag(c, etag+"-gz")
		return c.Send(packed)
	}
	setTag(c, etag)
	return c.Send(body)
}

// sendReady sends a page of ready bytes; the slices are shared by all requests.
func (s *Server) sendReady(c *fiber.Ctx, p *ready) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Vary(fiber.HeaderAcceptEncoding)
	if fresh(c, p.etag) {
		return nil
	}
	if acceptsGzip(c) {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		setTag(c, p.etag+"-gz")
		c.Context().Response.SetBodyRaw(p.gzip)
		return nil
	}
	setTag(c, p.etag)
	c.Context().Response.SetBodyRaw(p.body)
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

// acceptsGzip tells whether Accept-Encoding names gzip with a weight above nothing.
func acceptsGzip(c *fiber.Ctx) bool {
	for part := range strings.SplitSeq(c.Get(fiber.HeaderAcceptEncoding), ",") {
		coding, weight, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
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
