package answer

import (
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// pagePolicy is what pages may load: what we serve ourselves, and nothing written into them.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// FilePolicy is for what is no document, and so has nothing to load.
const FilePolicy = "default-src 'none'; frame-ancestors 'none'"

const (
	resourcePolicy = "Cross-Origin-Resource-Policy"
	sameOrigin     = "same-origin"
	crossOrigin    = "cross-origin"
)

// protection is the headers that every answer carries.
var protection = [][2]string{
	{fiber.HeaderContentSecurityPolicy, pagePolicy},
	{fiber.HeaderXContentTypeOptions, "nosniff"},
	{fiber.HeaderReferrerPolicy, "no-referrer"},
	{fiber.HeaderPermissionsPolicy, "camera=(), geolocation=(), microphone=()"},
	{fiber.HeaderXFrameOptions, "DENY"},
	{"Cross-Origin-Opener-Policy", sameOrigin},
}

// protectedOwn and protectedOpen are heads with the protection of what is for our own pages, and of what
// is made to be used on other sites: copying one costs a third of setting its headers.
var protectedOwn, protectedOpen = protected(sameOrigin), protected(crossOrigin)

func protected(resources string) *fasthttp.ResponseHeader {
	h := new(fasthttp.ResponseHeader)
	eachProtection(resources, h.Set)
	return h
}

// eachProtection calls set with all of them, and who may load the answer.
func eachProtection(resources string, set func(name, value string)) {
	for _, p := range protection {
		set(p[0], p[1])
	}
	set(resourcePolicy, resources)
}

// Protect sets the headers that every answer carries, before any other; open says that the answer is made
// to be used on other sites.
func Protect(c *fiber.Ctx, open bool) {
	h := protectedOwn
	if open {
		h = protectedOpen
	}
	h.CopyTo(&c.Context().Response.Header)
}

// AddProtection is Protect for an answer that has headers already, such as an error.
func AddProtection(c *fiber.Ctx, open bool) {
	resources := sameOrigin
	if open {
		resources = crossOrigin
	}
	eachProtection(resources, c.Set)
}

// ProtectionLines are the same headers as they stand on the wire, for what is written without a server.
func ProtectionLines() string {
	var b strings.Builder
	eachProtection(sameOrigin, func(name, value string) { b.WriteString(name + ": " + value + "\r\n") })
	return b.String()
}

var (
	headStrict      = []byte(fiber.HeaderStrictTransportSecurity)
	strictTransport = []byte("max-age=31536000")
)

// OnlyOverTLS makes browsers come over TLS alone for a year, to this host and no other.
func OnlyOverTLS(c *fiber.Ctx) { Put(c, headStrict, strictTransport) }
