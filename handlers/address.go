package handlers

import (
	"bytes"
	"net/http"
	"net/url"
	"regexp"
	"statuspage/handlers/answer"
	"statuspage/views"

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

// base is the site's absolute address, without a slash at the end: the configured one, else what this
// reader asked for, which must not be handed to others; see caching. A proxy that is trusted says
// whether that was over TLS. No header says which host it was but Host itself.
func (s *Server) base(c *fiber.Ctx) string {
	if s.site.BaseURL != "" {
		return s.site.BaseURL
	}
	host := string(c.Context().Request.Header.Host())
	if host == "" {
		host = "localhost" // HTTP/1.0 needs none.
	}
	if s.limits.OverTLS(c.Context()) {
		return "https://" + host
	}
	return "http://" + host
}

// caching is how an answer with absolute addresses may be kept. One that was made of the Host header
// is for its reader alone: whoever asks first would decide where a shared cache sends all others.
func (s *Server) caching(public string) string {
	if s.site.BaseURL != "" {
		return public
	}
	return "private, no-cache"
}

// pathForm is that of a path which stands in pages as it is.
var pathForm = regexp.MustCompile(`^(?:/[A-Za-z0-9._~-]+)+$`)

// base is the path of the configured address.
func (s Site) base() views.Base {
	u, err := url.Parse(s.BaseURL)
	if err != nil || !pathForm.MatchString(u.Path) {
		return ""
	}
	return views.Base(u.Path)
}

// enter takes the path that the page stands below off a request's, for all that follows. A proxy may have done
// so already.
func (s *Server) enter(h *fasthttp.RequestHeader) {
	base := s.live.dress.Base
	if base == "" {
		return
	}
	if rest, below := bytes.CutPrefix(h.RequestURI(), []byte(base)); below && len(rest) > 0 && rest[0] == '/' {
		h.SetRequestURIBytes(rest)
	}
}
