package handlers

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/internal/status"
	"statuspage/views"
	"statuspage/views/lang"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

// fail answers for every handler: the public gets a status and a fixed sentence in the
// media type it asked for, the log gets the cause.
func (s *server) fail(c *fiber.Ctx, err error) error {
	p := publicProblem(err)
	if p.Code >= http.StatusInternalServerError && !p.Refusal && s.worthALine(p.Code) {
		id := rand.Text() // So that who asks about it can be found in the log.
		c.Set(fiber.HeaderXRequestID, id)
		s.log.Error("request", "method", c.Method(), "path", c.Path(), "id", id, "error", err)
	}
	if p.Retry > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(p.Retry))
	}
	s.secure(c, answer.AddProtection) // A request refused by the parser has met no middleware.
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Status(p.Code)
	if wantsPage(c) {
		html, err := s.errorPage(c, p)
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		c.Context().Response.SetBodyRaw(html)
		return nil
	}
	body, _ := json.Marshal(struct { // Strings and a number always encode.
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail,omitempty"`
	}{"about:blank", http.StatusText(p.Code), p.Code, detailOf(p)})
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Send(body)
}

// awayLogged is how often the log says that a store can't be read, whoever asks how often.
const awayLogged = time.Minute

// worthALine tells whether an error goes to the log: a mistake of ours always does.
func (s *server) worthALine(code int) bool {
	if code != http.StatusServiceUnavailable {
		return true
	}
	now, last := time.Now().UnixNano(), s.awaySaid.Load()
	return now-last > int64(awayLogged) && s.awaySaid.CompareAndSwap(last, now)
}

func publicProblem(err error) *answer.Problem {
	var p *answer.Problem
	var f *fiber.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &f):
		return &answer.Problem{Code: f.Code}
	case errors.Is(err, status.ErrNotFound):
		return &answer.Problem{Code: http.StatusNotFound}
	case errors.Is(err, status.ErrInvalid):
		return &answer.Problem{Code: http.StatusUnprocessableEntity}
	case errors.Is(err, status.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return &answer.Problem{Code: http.StatusServiceUnavailable, Retry: 5}
	default:
		return &answer.Problem{Code: http.StatusInternalServerError}
	}
}

// detailOf is what programs are told of a problem, in English; empty for what needs no words.
func detailOf(p *answer.Problem) string {
	switch {
	case p.Detail != "":
		return p.Detail
	case p.Key != "":
		return lang.Default().T(p.Key)
	default:
		return lang.Default().T("error." + strconv.Itoa(p.Code))
	}
}

// textOf is what a page says of the problem.
func textOf(p *answer.Problem, l *lang.Language) string {
	if p.Key != "" {
		return l.T(p.Key)
	}
	if general := l.T("error." + strconv.Itoa(p.Code)); general != "" && l != lang.Default() {
		return general // The detail is English.
	}
	return detailOf(p)
}

// wantsPage tells whether a person asks: a browser, and not for one of the API's addresses.
func wantsPage(c *fiber.Ctx) bool {
	for _, prefix := range []string{"/signals", "/badge/", "/agent/", "/api/", "/v1/", "/v2/", "/summary.json", "/card.png", "/status", "/openapi", "/events", "/healthz", "/readyz", "/metrics"} {
		if strings.HasPrefix(c.Path(), prefix) {
			return false
		}
	}
	return strings.Contains(c.Get(fiber.HeaderAccept), "text/html")
}

// errorPage draws the page for a problem, in the visitor's language as far as it is known.
func (s *server) errorPage(c *fiber.Ctx, p *answer.Problem) ([]byte, error) {
	k := s.page.Usual(lang.Match(c.Get(fiber.HeaderAcceptLanguage)))
	headline := k.Lang.T("error.title")
	if p.Code == http.StatusNotFound {
		headline = k.Lang.T("error.title.404")
	}
	head := s.page.Head(k, "/", headline+" · "+s.page.Title)
	head.Zone.Empty, head.Canonical, head.Path = true, "", ""
	return answer.Render(views.ErrorPage(head, headline, textOf(p, k.Lang)))
}
