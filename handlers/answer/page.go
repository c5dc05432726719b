package answer

import (
	"bytes"
	"context"
	"fmt"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"
)

var (
	typeHTML = []byte(fiber.MIMETextHTMLCharsetUTF8)
	noCache  = []byte("no-cache")
)

// SendPage answers with a page in the visitor's look, which follows from the address and from the
// languages that the browser asks for.
func SendPage(c *fiber.Ctx, e *Entity) error {
	Put(c, headCacheControl, noCache)
	Put(c, headVary, varyLook)
	return Deliver(c, typeHTML, e)
}

// NoCache lets caches keep the answer, and makes them ask each time whether it still holds.
func NoCache(c *fiber.Ctx) { Put(c, headCacheControl, noCache) }

// Render draws a component, for Cache.Get.
func Render(c templ.Component) ([]byte, error) {
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	return b.Bytes(), nil
}
