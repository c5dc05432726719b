// Package manage is where tools write: incidents, maintenance and postmortems at the addresses of Atlassian Statuspage's API for
// managers, /v1, so that what was made for that goes on with another base address. Each address stands with the ending .json and without.
package manage

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"statuspage/handlers/answer"
	"statuspage/internal/figures"
	"statuspage/internal/incident"
	"statuspage/internal/page"
	"statuspage/internal/status"
	"statuspage/views/statuspage"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

const (
	// Prefix is what all addresses begin with.
	Prefix = "/v1/"
	// maxBody is the longest text in letters that JSON writes with six bytes, and a thousand services.
	maxBody = 512 << 10

	scopeRead  = "incidents:read"
	scopeWrite = "incidents:write"

	// startingRetry is after how many seconds the past may have been read.
	startingRetry = 2
)

// Sources are what it needs; all of them.
type Sources struct {
	Desk *incident.Desk
	// Whole tells whether all that was written before is known.
	Whole func() bool
	// Authorize tells who asks, as an opaque name; an error is a *answer.Problem with 401 or 403, or one of the store.
	Authorize func(c *fiber.Ctx, scope string) (actor string, err error)
	// Known tells whether a header is that of somebody who may send more than a bare request. It must be quick.
	Known func(authorization []byte) bool
}

// Manage answers tools. It lives as long as a configuration.
type Manage struct {
	Sources

	page    *page.Page
	figures *figures.Figures
	base    func(c *fiber.Ctx) string
	now     func() time.Time
}

// New returns it; base is the absolute address by which the page was asked for.
func New(s Sources, p *page.Page, f *figures.Figures, base func(c *fiber.Ctx) string, now func() time.Time) *Manage {
	return &Manage{Sources: s, page: p, figures: f, base: base, now: now}
}

var prefix = []byte(Prefix)

// Writes tells whether a request may be one that writes here: no other is let in that isn't a reading.
func (m *Manage) Writes(h *fasthttp.RequestHeader) bool {
	return m.open() && bytes.HasPrefix(h.RequestURI(), prefix) && (h.IsPost() || h.IsPut() || h.IsPatch() || h.IsDelete())
}

// Room lets those who may write, and nobody else, send more than a bare request.
func (m *Manage) Room(h *fasthttp.RequestHeader) (fasthttp.RequestConfig, bool) {
	if m.Writes(h) && m.Known(h.Peek(fiber.HeaderAuthorization)) {
		return fasthttp.RequestConfig{MaxRequestBodySize: maxBody}, true
	}
	return fasthttp.RequestConfig{}, false
}

func (m *Manage) open() bool { return m != nil && m.Desk != nil }

// Routes adds the addresses.
func (m *Manage) Routes(r fiber.Router) {
	if !m.open() {
		return
	}
	for _, one := range []struct {
		method, path, scope string
		answer              func(*fiber.Ctx, string) error
	}{
		{http.MethodGet, "pages", scopeRead, m.pages},
		{http.MethodGet, "pages/:page", scopeRead, m.onePage},
		{http.MethodGet, "pages/:page/components", scopeRead, m.components},
		{http.MethodGet, "pages/:page/components/:id", scopeRead, m.component},
		{http.MethodPatch, "pages/:page/components/:id", scopeWrite, m.declareComponent},
		{http.MethodPut, "pages/:page/components/:id", scopeWrite, m.declareComponent},
		{http.MethodGet, "pages/:page/component-groups", scopeRead, m.groups},
		{http.MethodGet, "pages/:page/component-groups/:id", scopeRead, m.group},
		{http.MethodGet, "pages/:page/incidents", scopeRead, m.list},
		{http.MethodPost, "pages/:page/incidents", scopeWrite, m.create},
		{http.MethodGet, "pages/:page/incidents/unresolved", scopeRead, m.unresolved},
		{http.MethodGet, "pages/:page/incidents/scheduled", scopeRead, m.scheduled},
		{http.MethodGet, "pages/:page/incidents/upcoming", scopeRead, m.upcoming},
		{http.MethodGet, "pages/:page/incidents/active_maintenance", scopeRead, m.active},
		{http.MethodGet, "pages/:page/incidents/:id", scopeRead, m.one},
		{http.MethodPatch, "pages/:page/incidents/:id", scopeWrite, m.change},
		{http.MethodPut, "pages/:page/incidents/:id", scopeWrite, m.change},
		{http.MethodDelete, "pages/:page/incidents/:id", scopeWrite, m.remove},
		{http.MethodPatch, "pages/:page/incidents/:id/incident_updates/:update", scopeWrite, m.revise},
		{http.MethodPut, "pages/:page/incidents/:id/incident_updates/:update", scopeWrite, m.revise},
		{http.MethodDelete, "pages/:page/incidents/:id/incident_updates/:update", scopeWrite, m.withdraw},
		{http.MethodGet, "pages/:page/incidents/:id/postmortem", scopeRead, m.postmortem},
		{http.MethodPut, "pages/:page/incidents/:id/postmortem", scopeWrite, m.draftPostmortem},
		{http.MethodDelete, "pages/:page/incidents/:id/postmortem", scopeWrite, m.dropPostmortem},
		{http.MethodPut, "pages/:page/incidents/:id/postmortem/publish", scopeWrite, m.publishPostmortem},
		{http.MethodPut, "pages/:page/incidents/:id/postmortem/revert", scopeWrite, m.revertPostmortem},
	} {
		handle := m.guarded(one.scope, one.answer)
		if one.method == http.MethodGet {
			r.Get(Prefix+one.path+".json", handle)
			r.Get(Prefix+one.path, handle)
			continue
		}
		r.Add(one.method, Prefix+one.path+".json", handle)
		r.Add(one.method, Prefix+one.path, handle)
	}
	r.All(Prefix+"*", m.guarded(scopeRead, func(*fiber.Ctx, string) error {
		return &answer.Problem{Code: http.StatusNotFound, Detail: "There is no such address, or not with this method."}
	}))
}

// guarded lets nobody through without a token of the scope, and puts errors into the form that tools of Statuspage read.
func (m *Manage) guarded(scope string, next func(c *fiber.Ctx, actor string) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		c.Set(fiber.HeaderCacheControl, "no-store")
		actor, err := m.Authorize(c, scope)
		if err == nil {
			if id := answer.Param(c, "page"); id != "" && id != m.page.ID {
				err = notFound("page", id)
			} else {
				err = next(c, actor)
			}
		}
		if err == nil {
			return nil
		}
		return m.fail(c, err)
	}
}

// mistake is a field that is refused.
type mistake struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// mistakes are all that is wrong with a body.
type mistakes []mistake

func (all mistakes) Error() string {
	texts := make([]string, len(all))
	for n, one := range all {
		texts[n] = one.Field + " " + one.Detail
	}
	return strings.Join(texts, "; ")
}

// refused is an answer that is none of success, with what Statuspage's tools read (error) and what RFC 9457 has.
type refused struct {
	Type     string               `json:"type"`
	Title    string               `json:"title"`
	Status   int                  `json:"status"`
	Detail   string               `json:"detail"`
	Error    string               `json:"error"`
	Errors   mistakes             `json:"errors,omitempty"`
	Incident *statuspage.Incident `json:"incident,omitempty"` // As it is at present, for who is behind.
}

func notFound(what, id string) error {
	if len(id) > 64 {
		id = id[:64]
	}
	return &answer.Problem{Code: http.StatusNotFound, Detail: fmt.Sprintf("There is no %s %q.", what, id)}
}

var errStarting = &answer.Problem{Code: http.StatusServiceUnavailable, Detail: "What was written before is still being read; try again.", Retry: startingRetry, Refusal: true}

// fail answers with what went wrong. What is a mistake of ours, or of the store, goes the way of all errors.
func (m *Manage) fail(c *fiber.Ctx, err error) error {
	out := refused{Type: "about:blank"}
	var problem *answer.Problem
	var behind *incident.BehindError
	var refusal *incident.RefusedError
	var fields mistakes
	switch {
	case errors.As(err, &behind):
		out.Status, out.Detail = http.StatusConflict, "Somebody else has written since the state that after names: look at incident, and write again with its head."
		present := m.site(c).Incident(behind.Present)
		out.Incident = &present
	case errors.As(err, &refusal):
		out.Status, out.Errors = http.StatusUnprocessableEntity, inTheirNames(refusal)
		out.Detail = out.Errors.Error()
	case errors.As(err, &fields):
		out.Status, out.Errors, out.Detail = http.StatusUnprocessableEntity, fields, fields.Error()
	case errors.As(err, &problem) && problem.Code < http.StatusInternalServerError:
		out.Status, out.Detail = problem.Code, problem.Detail
	default:
		return err
	}
	out.Title, out.Error = http.StatusText(out.Status), out.Detail
	body, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode a refusal: %w", err)
	}
	c.Status(out.Status)
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Send(body)
}

// theirs are the names that Statuspage has for fields of ours.
var theirs = strings.NewReplacer(
	"words.text", "body", "words.status", "status", "words.impacts", "components", "impacts", "components", "schedule.start", "scheduled_for",
	"schedule.minutes", "scheduled_until", "title", "name", "text", "body", "shown_at", "display_at", "until", "scheduled_until", "impact", "impact_override",
)

func inTheirNames(r *incident.RefusedError) (all mistakes) {
	for _, p := range r.Problems {
		field := p.Field
		if strings.HasPrefix(field, "words.impacts") || strings.HasPrefix(field, "impacts[") {
			field = "components"
			if p.Value != "" && p.Why != incident.NotAllowed {
				field = "components." + p.Value
			}
		} else if field != "scheduled_until" {
			field = theirs.Replace(field)
		}
		all = append(all, mistake{field, strings.TrimPrefix(p.String(), p.Field+" ")})
	}
	return all
}

// find returns the incident that an address names. One that was removed is none.
func (m *Manage) find(c *fiber.Ctx) (*incident.Incident, error) {
	id := answer.Param(c, "id")
	i, is := m.Desk.Book.Snapshot().Incident(id)
	switch {
	case is && !i.Removed:
		return i, nil
	case !is && incident.IsID(id) && !m.Whole():
		return nil, errStarting
	}
	return nil, notFound("incident", id)
}

// write writes, and answers with the state that follows.
func (m *Manage) write(c *fiber.Ctx, code int, r incident.Request) error {
	i, err := m.Desk.Write(c.UserContext(), r)
	var refusal *incident.RefusedError
	var behind *incident.BehindError
	switch {
	case err == nil:
		return m.send(c, code, m.site(c).Incident(i))
	case errors.As(err, &refusal), errors.As(err, &behind), errors.Is(err, status.ErrNotFound):
		return err
	}
	return fmt.Errorf("%w: %w", status.ErrUnavailable, err) // Our disk refuses: it was not taken, and may be sent again.
}

func (m *Manage) site(c *fiber.Ctx) *statuspage.Site { return m.figures.Statuspage(m.base(c), m.now()) }

func (m *Manage) send(c *fiber.Ctx, code int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode an answer: %w", err)
	}
	c.Status(code)
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	return c.Send(body)
}
