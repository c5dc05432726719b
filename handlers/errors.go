package handlers

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/lang"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// problem is an error whose words were written for the public: those of programs in English, those
// of pages in the visitor's language.
type problem struct {
	code   int
	detail string
	key    string // Of the catalogue, for what pages say; without one that of the code.
	retry  int    // Retry-After in seconds; 0 for none.
}

func (p *problem) Error() string { return strconv.Itoa(p.code) + ": " + p.detail }

// notFound says what there is not, by a key of the catalogue.
func notFound(key string) error {
	return &problem{code: http.StatusNotFound, detail: lang.Default().T(key), key: key}
}

func unprocessable(detail string) error {
	return &problem{code: http.StatusUnprocessableEntity, detail: detail}
}

// Refusals of ours, which are no failures and have no line in the log.
var (
	errFull     = &problem{code: http.StatusServiceUnavailable, detail: "Too many live viewers at the moment; the page itself goes on.", retry: 10}
	errStarting = &problem{code: http.StatusServiceUnavailable, detail: "The history is being read; send it again.", retry: 1}
	errShare    = &problem{code: http.StatusTooManyRequests, detail: "Your address has as many live views open as it may; the page itself goes on.", retry: 10}
)

// tooMany is the answer to an address that asks too often.
func tooMany(wait time.Duration) *problem {
	seconds := int((wait + time.Second - 1) / time.Second)
	return &problem{code: http.StatusTooManyRequests, detail: sentence(http.StatusTooManyRequests), retry: max(1, seconds)}
}

// fail answers for every handler: the public gets a status and a fixed sentence in the
// media type it asked for, the log gets the cause.
func (s *Server) fail(c *fiber.Ctx, err error) error {
	p := publicProblem(err)
	if p.code >= http.StatusInternalServerError && p != errFull && p != errStarting && s.worthALine(p.code) {
		id := rand.Text() // So that who asks about it can be found in the log.
		c.Set(fiber.HeaderXRequestID, id)
		s.log.Error("request", "method", c.Method(), "path", c.Path(), "id", id, "error", err)
	}
	if p.retry > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(p.retry))
	}
	s.secure(c) // A request refused by the parser has met no middleware.
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Status(p.code)
	if wantsPage(c) {
		c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		c.Context().Response.SetBodyRaw(s.errorPage(c, p))
		return nil
	}
	body, _ := json.Marshal(struct { // Strings and a number always encode.
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
	}{"about:blank", http.StatusText(p.code), p.code, p.detail})
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Send(body)
}

// awayLogged is how often the log says that a store can't be read, whoever asks how often.
const awayLogged = time.Minute

// worthALine tells whether an error goes to the log: a mistake of ours always does.
func (s *Server) worthALine(code int) bool {
	if code != http.StatusServiceUnavailable {
		return true
	}
	now, last := time.Now().UnixNano(), s.awaySaid.Load()
	return now-last > int64(awayLogged) && s.awaySaid.CompareAndSwap(last, now)
}

func publicProblem(err error) *problem {
	var p *problem
	var f *fiber.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &f):
		return &problem{code: f.Code, detail: sentence(f.Code)}
	case errors.Is(err, status.ErrNotFound):
		return &problem{code: http.StatusNotFound, detail: sentence(http.StatusNotFound)}
	case errors.Is(err, status.ErrInvalid):
		return &problem{code: http.StatusUnprocessableEntity, detail: sentence(http.StatusUnprocessableEntity)}
	case errors.Is(err, status.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return &problem{code: http.StatusServiceUnavailable, detail: sentence(http.StatusServiceUnavailable), retry: 5}
	default:
		return &problem{code: http.StatusInternalServerError, detail: sentence(http.StatusInternalServerError)}
	}
}

// sentence says in English what a code means here; empty for one that needs no words.
func sentence(code int) string { return lang.Default().T("error." + strconv.Itoa(code)) }

// text is what a page says of the problem.
func (p *problem) text(l *lang.Language) string {
	if p.key != "" {
		return l.T(p.key)
	}
	if general := l.T("error." + strconv.Itoa(p.code)); general != "" && l != lang.Default() {
		return general // The detail is English.
	}
	return p.detail
}

// wantsPage tells whether a person asks: a browser, and not for one of the API's addresses.
func wantsPage(c *fiber.Ctx) bool {
	for _, prefix := range []string{"/signals", "/badge/", "/agent/", "/api/", "/summary.json", "/card.png", "/status", "/openapi", "/events", "/healthz", "/readyz", "/metrics"} {
		if strings.HasPrefix(c.Path(), prefix) {
			return false
		}
	}
	return strings.Contains(c.Get(fiber.HeaderAccept), "text/html")
}

// errorPage draws the page for a problem, in the visitor's language as far as it is known.
func (s *Server) errorPage(c *fiber.Ctx, p *problem) []byte {
	k := look{window: status.LastHour, lang: lang.Match(c.Get(fiber.HeaderAcceptLanguage)), zone: s.board.Location()}
	headline := k.lang.T("error.title")
	if p.code == http.StatusNotFound {
		headline = k.lang.T("error.title.404")
	}
	head := s.live.head(k, "/", headline+" · "+s.site.Title)
	head.Zone.Empty, head.Canonical = true, ""
	return s.live.bytes(views.ErrorPage(head, headline, p.text(k.lang)))
}
