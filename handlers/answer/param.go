package answer

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Param is a part of the path as its writer meant it. Percent signs are read here, once, when the routes have
// told the parts from each other: a slash that was encoded separates nothing.
func Param(c *fiber.Ctx, name string) string { return decoded(c.Params(name)) }

// Segments are the parts of what a route's asterisk stands for.
func Segments(c *fiber.Ctx) []string { return DecodedAll(c.Params("*")) }

// DecodedAll reads the percent signs of each part of a path.
func DecodedAll(path string) []string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = decoded(parts[i])
	}
	return parts
}

// decoded leaves what is no encoding as it is; there is nothing of such a name.
func decoded(part string) string {
	if plain, err := url.PathUnescape(part); err == nil {
		return plain
	}
	return part
}
