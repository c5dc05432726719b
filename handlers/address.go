package handlers

import (
	"bytes"
	"net/http"
	"regexp"
	"statuspage/handlers/answer"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// hostForm is that of a name or an address with or without a port, as browsers send it.
var hostForm = regexp.MustCompile(`^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$`)

var errHost = &answer.Problem{Code: http.StatusBadRequest, Detail: "The Host header is neither a name nor an address."}

// checkHost refuses a Host that is none, with which links would lead somewhere and, the library puts the address together
// from both, even the path would be another. https://www.rfc-editor.org/rfc/rfc9112#section-3.2
func checkHost(c *fiber.Ctx) error {
	if host := c.Context().Request.Header.Host(); len(host) > 0 && !hostForm.Match(host) {
		return errHost
	}
	return nil
}

// enter takes the path that the page stands below off a request's, for all that follows. A proxy may have done
// so already.
func (s *server) enter(h *fasthttp.RequestHeader) {
	base := s.page.Base
	if base == "" {
		return
	}
	if rest, below := bytes.CutPrefix(h.RequestURI(), []byte(base)); below && len(rest) > 0 && rest[0] == '/' {
		h.SetRequestURIBytes(rest)
	}
}
