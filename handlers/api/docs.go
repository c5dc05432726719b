package api

import (
	_ "embed"
	"statuspage/handlers/answer"
	"statuspage/internal/page"
	"statuspage/views"

	"github.com/gofiber/fiber/v2"
)

//go:embed openapi.json
var openapi []byte

// docsPolicy differs from policy in two hashes: that of the empty style element which Redoc
// creates before it fills it through the object model, where the policy does not apply, and
// that of the one style element which it writes as text. Both go with the vendored version.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// described is the description with where it holds, if that is not the root of its host.
func described(base views.Base) []byte {
	if base == "" {
		return openapi
	}
	return append([]byte("{\n \"servers\": [{\"url\": \""+string(base)+"\"}],"), openapi[1:]...)
}

// Docs answers with the description of the API, and a page to read it on.
type Docs struct {
	page    *page.Page
	openapi *answer.Entity
	made    answer.Cache // It changes with the configuration alone.
}

// NewDocs returns the documentation of the API of a page.
func NewDocs(p *page.Page) *Docs { return &Docs{page: p, openapi: answer.New(described(p.Base))} }

// Routes adds the addresses of the documentation.
func (s *Docs) Routes(r fiber.Router) {
	r.Get("/openapi.json", s.description)
	r.Get("/redoc", s.docs)
	r.Get("/docs", s.docs)
}

func (s *Docs) description(c *fiber.Ctx) error {
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return answer.Send(c, fiber.MIMEApplicationJSON, s.openapi)
}

// docs is the reference of the API; everything that it loads is in the binary.
func (s *Docs) docs(c *fiber.Ctx) error {
	e, err := s.made.Get(0, answer.Key("docs"), func() ([]byte, error) {
		return answer.Render(views.APIPage(s.page.Title, s.page.Base))
	})
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentSecurityPolicy, docsPolicy)
	c.Set(fiber.HeaderCacheControl, "no-cache")
	return answer.Send(c, fiber.MIMETextHTMLCharsetUTF8, e)
}
