package handlers

import (
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// param is a part of the path as its writer meant it. Percent signs are read here, once, when the routes have
// told the parts from each other: a slash that was encoded separates nothing.
func param(c *fiber.Ctx, name string) string { return decoded(c.Params(name)) }

// segments are the parts of what a route's asterisk stands for.
func segments(c *fiber.Ctx) []string { return decodedAll(c.Params("*")) }

func decodedAll(path string) []string {
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
